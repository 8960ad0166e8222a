"""Task types one by one, where the shipped life cycles do not show all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.deployments import DeploymentState
from pilothouse.wire.requests import RetryIncident, StartRun
from tests.integration.lifecycle.drawings import drawing, one_task
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, RISK
from tests.integration.lifecycle.tables import DecisionFile

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Incident
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House


def placed(topic: str, *, retries: int = 1, **inputs: str) -> bytes:
    """Draw one task that is about the run's snapshot and service, in DEV."""
    return one_task(
        topic,
        key="small",
        retries=retries,
        stage="DEV",
        service="=service",
        snapshot="=snapshot",
        **inputs,
    )


def started(house: House, xml: bytes, **variables: object) -> RunView:
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    wanted = StartRun(
        definition="small", service=ONLINE, snapshot=f"{MODEL}@1", variables=variables
    )
    with house.database.open_work(
        SYSTEM
    ) as work:  # tagged without an event, so that nothing else starts
        work.services.save(replace(work.services.get(ONLINE), lifecycle=None))
        work.commit(None)
    if not house.audited("tag", "snapshot"):
        house.tag()
    return house.plane.runs.start(OPAL, wanted)


def incident(house: House) -> Incident:
    house.until(lambda: bool(house.plane.runs.incidents(SYSTEM)))
    [found] = house.plane.runs.incidents(SYSTEM)
    return found


def ended_variables(house: House) -> dict[str, object]:
    run = house.until_ended()
    history = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)
    found = history[-1].data["variables"]
    assert isinstance(found, dict)
    return found


def test_a_deployment_without_a_route_gets_no_traffic(house: House) -> None:
    house.add_runtimes("DEV")
    started(house, placed("deploy", mode="online", route="=false", replace="=true"))

    deployments = ended_variables(house)["deployments"]

    with house.database.open_work.reading(SYSTEM) as work:
        [found] = work.deployments.all()
        assert deployments == [
            {"id": found.id, "runtime": found.runtime_id, "stage": "DEV", "mode": "online"}
        ]
        assert (found.state, work.routes.all()) == (DeploymentState.RUNNING, ())


def test_a_deployment_that_is_withdrawn_meanwhile_is_said_and_ordered_again(house: House) -> None:
    house.add_runtimes("DEV")
    run = started(house, placed("deploy", mode="online", retries=2))
    house.plane.work()
    [first] = house.plane.facilities.deployments.page(SYSTEM).items
    house.plane.facilities.deployments.withdraw(OPAL, deployment_id=first.id)

    assert house.until_ended().state is RunStatus.COMPLETED

    history = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)
    [failure] = [h for h in history if h.event == "job-failed"]
    assert "withdrawn" in str(failure.data["message"])
    states = {d.state for d in house.plane.facilities.deployments.page(SYSTEM).items}
    assert states == {DeploymentState.WITHDRAWN, DeploymentState.RUNNING}


def test_a_mode_that_does_not_exist_is_an_incident(house: House) -> None:
    house.add_runtimes("DEV")
    started(house, placed("deploy", mode="hybrid"))

    assert incident(house).code == "task-input-invalid"


def test_a_smoke_test_without_an_endpoint_is_an_incident(house: House) -> None:
    started(house, placed("smoke-test"))

    assert incident(house).code == "no-endpoint"


def test_a_smoke_test_that_is_put_right_passes_when_it_is_retried(house: House) -> None:
    house.add_runtimes("DEV")
    house.entries.off = {":8101": 1.0}
    deploy = placed("deploy", mode="online")
    started(house, deploy)
    house.until_ended()
    started(house, placed("smoke-test"))
    found = incident(house)
    assert found.code == "smoke-test-failed"

    house.entries.off = {}
    house.plane.runs.retry(OPAL, incident_id=found.id, wanted=RetryIncident())

    assert house.until_ended().state is RunStatus.COMPLETED
    verdicts = [e.verdict for e in house.plane.facilities.evaluations.page(SYSTEM).items]
    assert verdicts == ["PASS", "FAIL"]


def test_a_sensitive_output_is_not_quoted_in_the_evidence(house: House) -> None:
    house.add_runtimes("DEV")
    started(house, placed("deploy", mode="online"))
    house.until_ended()
    with house.database.open_work.reading(SYSTEM) as work:
        content = work.snapshots.get("snp_1").content
    column = replace(content.manifest.outputs.columns[0], sensitive=True)
    hidden = replace(content.manifest.outputs, columns=(column,))
    secret = replace(content, manifest=replace(content.manifest, outputs=hidden))
    with house.database.open_work(SYSTEM) as work:
        known = work.snapshots.get("snp_1")
        work.snapshots.add(
            replace(known, id="snp_2", number=2, content=secret, digest=secret.digest)  # type: ignore[arg-type]
        )
        work.commit(None)
    house.entries.off = {":8101": 1.0}
    house.plane.definitions.upload(OPAL, group=RISK, xml=placed("smoke-test"))
    house.plane.runs.start(
        OPAL, StartRun(definition="small", service=ONLINE, snapshot=f"{MODEL}@2")
    )
    incident(house)

    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    differences = evaluation.evidence["first_differences"]
    assert isinstance(differences, list)
    assert {(d["golden"], d["answer"], d["column"]) for d in differences} == {(None, None, "score")}


def test_a_business_rule_task_takes_a_decision(house: House) -> None:
    rule = (
        '<businessRuleTask id="judge"><extensionElements><zeebe:calledDecision decisionId="thresholds" '
        'resultVariable="verdict"/></extensionElements></businessRuleTask>'
    )
    body = f'<startEvent id="start"/>{rule}<endEvent id="end"/>'
    metrics = {"roc_auc": 0.9, "rows": 500, "rejected_share": 0.0}
    run = started(house, drawing(body, "start>judge judge>end"), metrics=metrics)

    assert ended_variables(house)["verdict"] == {
        "verdict": "PASS",
        "reason": "all thresholds are met",
    }
    history = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)
    (decided,) = [line.data["decided"] for line in history if "decided" in line.data]
    assert isinstance(decided, dict)
    assert (decided["decision"], decided["nulls"]) == ("thresholds@1", [])
    assert [rule["rule"] for rule in decided["rules"]] == ["rule_good"]


def test_a_decision_that_nobody_uploaded_is_an_incident(house: House) -> None:
    xml = placed("evaluate", decision="nobody", metrics="={auc: 1}")
    started(house, xml)

    assert (incident(house).code, "nobody" in incident(house).message) == ("not-found", True)


@pytest.mark.parametrize(
    ("text", "code"), [('"MAYBE"', "decision-invalid"), ("1 + 1", "decision-invalid")]
)
def test_a_decision_that_gives_no_verdict_is_an_incident(
    house: House, text: str, code: str
) -> None:
    dmn = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        f'<decision id="odd" name="odd"><literalExpression><text>{text}</text></literalExpression></decision>'
        "</definitions>"
    )
    house.plane.definitions.upload(OPAL, group=RISK, xml=dmn.encode())
    started(house, placed("evaluate", decision="odd", metrics="={auc: 1}"))

    assert incident(house).code == code


def test_a_plain_verdict_is_enough(house: House) -> None:
    dmn = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="n">'
        '<decision id="plain" name="plain"><literalExpression>'
        '<text>if metrics.auc > 0.5 then "PASS" else null</text></literalExpression></decision></definitions>'
    )
    house.plane.definitions.upload(OPAL, group=RISK, xml=dmn.encode())
    started(house, placed("evaluate", decision="plain", metrics="={auc: 0.4}"))
    house.until_ended()

    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert (evaluation.verdict, evaluation.kind) == ("INCONCLUSIVE", "plain")


def test_the_reason_of_a_null_is_kept_with_the_evaluation(house: House) -> None:
    dmn = DecisionFile(namespace="n", decisions={"share": "metrics.good / metrics.all"}).xml
    house.plane.definitions.upload(OPAL, group=RISK, xml=dmn)
    started(house, placed("evaluate", decision="share", metrics="={good: 7, all: 0}"))
    house.until_ended()

    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert evaluation.evidence["nulls"] == [evaluation.reason]
    assert evaluation.verdict == "INCONCLUSIVE"
    assert "the divisor is 0" in evaluation.reason

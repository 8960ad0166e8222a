"""The task type compare-with-champion: who the champion is, what is measured, how it is judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.domain.ids import StageName
from pilothouse.domain.jobs import JobKind, JobProgress, JobReport, JobResult, JobState
from pilothouse.domain.routes import Route, Variant
from pilothouse.testing.clock import START
from pilothouse.wire.requests import OrderDeployment, RetryIncident, StartRun
from tests.integration.lifecycle.drawings import drawing, service
from tests.integration.lifecycle.house import BATCH, MODEL, OPAL, RISK
from tests.integration.lifecycle.reaching import given, incident
from tests.integration.lifecycle.tables import DecisionFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.lifecycle.house import House

CHAMPION, CHALLENGER, THIRD = (f"{MODEL}@{n}" for n in (1, 2, 3))
LIMITS = {"least": "={roc_auc: -0.005}", "most": "={log_loss: 0.01}"}


def two_snapshots(house: House, **shares: float) -> None:
    """Deploy snapshots 1 to 3 in batch mode in DEV, and share the route of PROD out (by `s1`, `s2` …)."""
    house.add_runtimes("DEV")
    house.take_snapshot(2)
    house.take_snapshot(3)
    with house.database.open_work(SYSTEM) as work:
        work.services.save(replace(work.services.get(BATCH), lifecycle=None))
        variants = tuple(
            Variant(snapshot_id=f"snp_{n[1:]}", snapshot=f"{MODEL}@{n[1:]}", weight=share)  # type: ignore[arg-type]
            for n, share in shares.items()
        )
        if variants:
            work.routes.add(
                Route(
                    id=work.new_id("rou"),
                    group=RISK,
                    service=BATCH,
                    stage=StageName("PROD"),
                    generation=1,
                    variants=variants,
                    shadows=(),
                    changed_at=START,
                )
            )
        work.commit(None)
    for name in (CHAMPION, CHALLENGER, THIRD):
        house.tag(name, BATCH)
        order = OrderDeployment(snapshot=name, service=BATCH, stage="DEV")
        house.plane.facilities.deployments.order(OPAL, order)
    house.plane.reconcile()


def compare(house: House, inputs: Mapping[str, str], *, snapshot: str = CHALLENGER) -> None:
    """Start a run that compares in DEV with the champion of PROD."""
    about = {
        "stage": "DEV",
        "service": "=service",
        "snapshot": "=snapshot",
        "champion_stage": "PROD",
    }
    task = service("compare", "compare-with-champion", retries=1, **{**about, **inputs})
    caught = (
        '<boundaryEvent id="edge" attachedToRef="compare"><errorEventDefinition errorRef="none"/></boundaryEvent>'
        '<endEvent id="first-of-all"/>'
    )
    body = f'<startEvent id="start"/>{task}{caught}<endEvent id="end"/>'
    declared = '<error id="none" name="none" errorCode="no-champion"/>'
    xml = drawing(body, "start>compare compare>end edge>first-of-all", declared=declared)
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    house.plane.runs.start(OPAL, StartRun(definition="small", service=BATCH, snapshot=snapshot))


def measured(house: House, *figures: Mapping[str, float | None]) -> None:
    """Let the next metrics jobs end with these figures: the challenger's first, then the champion's."""
    house.connector.ends = [
        JobReport(
            job_id="",  # type: ignore[arg-type]
            state=JobState.COMPLETE,
            progress=JobProgress(rows_read=500, rows_scored=500),
            result=JobResult.SUCCESS,
            metrics=dict(some),
        )
        for some in figures
    ]


def comparison(house: House) -> Mapping[str, object]:
    found = given(house)["comparison"]
    assert isinstance(found, dict)
    return found


def test_both_are_measured_on_the_same_data_and_the_difference_is_judged(house: House) -> None:
    two_snapshots(house, s1=0.9, s2=0.1)
    measured(house, {"roc_auc": 0.92, "log_loss": 0.30}, {"roc_auc": 0.91, "log_loss": 0.31})
    compare(house, LIMITS)

    found = comparison(house)

    assert (found["verdict"], found["champion"]) == ("PASS", CHAMPION)
    orders = [o for o in house.connector.orders if o.kind is JobKind.METRICS]
    assert {o.snapshot for o in orders} == {CHALLENGER, CHAMPION}
    assert len({o.source for o in orders}) == 1
    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert (evaluation.kind, evaluation.snapshot) == ("comparison", CHALLENGER)
    difference = evaluation.evidence["difference"]
    assert isinstance(difference, dict)
    assert difference["roc_auc"] == pytest.approx(0.01)
    assert evaluation.evidence["dataset"] == "cards@2015"


@pytest.mark.parametrize(
    ("challenger", "verdict", "reason"),
    [
        ({"roc_auc": 0.90, "log_loss": 0.31}, "FAIL", "roc_auc differs by -0.01, below -0.005"),
        ({"roc_auc": 0.91, "log_loss": 0.33}, "FAIL", "log_loss differs by 0.02, above 0.01"),
        ({"roc_auc": 0.91, "log_loss": None}, "INCONCLUSIVE", "log_loss"),
        ({"roc_auc": 0.50, "log_loss": None}, "FAIL", "roc_auc"),
    ],
)
def test_limits_judge(
    house: House, challenger: dict[str, float | None], verdict: str, reason: str
) -> None:
    two_snapshots(house, s1=1.0)
    measured(house, challenger, {"roc_auc": 0.91, "log_loss": 0.31})
    compare(house, LIMITS)

    found = comparison(house)

    assert (found["verdict"], reason in str(found["reason"])) == (verdict, True)


def test_a_decision_judges_where_one_is_named(house: House) -> None:
    text = 'if difference.roc_auc >= 0 and champion = "fraud-gbm@1" then "PASS" else "FAIL"'
    dmn = DecisionFile(namespace="n", decisions={"better": text}).xml
    house.plane.definitions.upload(OPAL, group=RISK, xml=dmn)
    two_snapshots(house, s1=1.0)
    measured(house, {"roc_auc": 0.92}, {"roc_auc": 0.91})
    compare(house, {"decision": "better"})

    assert comparison(house)["verdict"] == "PASS"

    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert evaluation.decision == "better@1"


@pytest.mark.parametrize(
    ("shares", "champion"),
    [({"s1": 0.2, "s3": 0.7, "s2": 0.1}, THIRD), ({"s2": 0.9, "s1": 0.1}, CHAMPION)],
)
def test_the_champion_is_the_heaviest_other_of_the_route(
    house: House, shares: dict[str, float], champion: str
) -> None:
    two_snapshots(house, **shares)
    compare(house, LIMITS)

    assert comparison(house)["champion"] == champion


def test_a_champion_can_be_named(house: House) -> None:
    two_snapshots(house, s1=1.0)
    compare(house, {**LIMITS, "champion": THIRD})

    assert comparison(house)["champion"] == THIRD


def test_the_champion_stays_the_same_while_both_are_measured(house: House) -> None:
    two_snapshots(house, s1=1.0)
    compare(house, LIMITS)
    house.plane.work()
    with house.database.open_work(SYSTEM) as work:
        [route] = work.routes.all()
        third = Variant(snapshot_id="snp_3", snapshot=THIRD, weight=1.0)  # type: ignore[arg-type]
        work.routes.save(route.changed(variants=(third,), shadows=(), at=work.at))
        work.commit(None)

    assert comparison(house)["champion"] == CHAMPION


@pytest.mark.parametrize(
    ("shares", "inputs"),
    [({}, {}), ({"s2": 1.0}, {}), ({"s1": 1.0}, {"champion": CHALLENGER})],
)
def test_without_another_champion_there_is_a_business_error(
    house: House, shares: dict[str, float], inputs: dict[str, str]
) -> None:
    two_snapshots(house, **shares)
    compare(house, {**LIMITS, **inputs})

    assert house.until_ended().outcome == "first-of-all"


def test_two_champions_of_one_weight_must_be_told_apart(house: House) -> None:
    two_snapshots(house, s1=0.5, s3=0.5)
    compare(house, LIMITS)

    found = incident(house)

    assert (found.code, "same share" in found.message) == ("task-input-invalid", True)


def test_without_a_measure_nothing_is_compared(house: House) -> None:
    two_snapshots(house, s1=1.0)
    compare(house, {})

    assert incident(house).code == "task-input-invalid"
    assert house.connector.orders == []


def test_a_limit_that_is_no_number_is_an_incident(house: House) -> None:
    two_snapshots(house, s1=1.0)
    compare(house, {"least": '={roc_auc: "high"}'})

    assert incident(house).code == "task-input-invalid"


def test_a_job_that_fails_is_ordered_anew_by_the_retry(house: House) -> None:
    two_snapshots(house, s1=1.0)
    failed = JobReport(
        job_id="",  # type: ignore[arg-type]
        state=JobState.FAILED,
        result=JobResult.FAILURE,
        error="out of memory",
    )
    house.connector.ends = [failed]
    house.connector.metrics = {"roc_auc": 0.9, "log_loss": 0.3}
    compare(house, LIMITS)
    found = incident(house)
    assert (found.code, "out of memory" in found.message) == ("job-unsuccessful", True)

    house.plane.runs.retry(OPAL, incident_id=found.id, wanted=RetryIncident())

    assert comparison(house)["verdict"] == "PASS"
    assert len(house.connector.orders) == 3

"""The task type load-test: ordered once, looked after, judged, kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.domain.jobs import JobKind, JobReport, JobResult, JobState
from pilothouse.wire.requests import RetryIncident, StartRun
from tests.integration.lifecycle.drawings import drawing, service
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, QUICK, RISK
from tests.integration.lifecycle.reaching import given, incident

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.lifecycle.house import House


def begin(house: House, inputs: Mapping[str, str], *, deployed: bool = True) -> None:
    """Start a run that deploys online in DEV and tests the load there."""
    about = {"stage": "DEV", "service": "=service", "snapshot": "=snapshot"}
    asked = {"rate": "=50", "duration": "=60", **inputs}
    deploy = service("deploy", "deploy", retries=1, **about)
    load = service("load", "load-test", retries=1, **{**about, **asked})
    caught = (
        '<boundaryEvent id="edge" attachedToRef="load"><errorEventDefinition errorRef="slow"/></boundaryEvent>'
        '<endEvent id="too-slow"/>'
    )
    flows = "start>deploy deploy>load load>end" if deployed else "start>load load>end"
    body = f'<startEvent id="start"/>{deploy if deployed else ""}{load}{caught}<endEvent id="end"/>'
    declared = '<error id="slow" name="slow" errorCode="load-test-failed"/>'
    xml = drawing(body, f"{flows} edge>too-slow", declared=declared)
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    house.add_runtimes("DEV")
    with house.database.open_work(SYSTEM) as work:
        quiet = work.services.get(ONLINE)
        work.services.save(replace(quiet, lifecycle=None))
        work.commit(None)
    house.tag()
    house.plane.runs.start(
        OPAL, StartRun(definition="small", service=ONLINE, snapshot=f"{MODEL}@1")
    )


def test_a_load_test_runs_on_the_runtime_of_the_endpoint_with_its_plan(house: House) -> None:
    house.connector.load = dict(QUICK)
    begin(house, {"p99_ms": "=10", "concurrency": "=8"})

    load = given(house)["load"]

    assert isinstance(load, dict)
    assert (load["verdict"], load["p99_ms"]) == ("PASS", 9.0)
    [order] = [o for o in house.connector.orders if o.kind is JobKind.LOAD_TEST]
    assert order.load is not None
    assert order.load.url.endswith(f"/v2/models/{ONLINE}")
    assert (order.load.number, order.load.rate_per_s, order.load.concurrency) == (1, 50.0, 8)
    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert (evaluation.kind, evaluation.verdict, evaluation.snapshot) == (
        "load-test",
        "PASS",
        f"{MODEL}@1",
    )


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"p99_ms": 11.0}, "p99_ms is 11, above 10"),
        ({"p50_ms": 6.0}, "p50_ms is 6, above 5"),
        ({"error_share": 0.01}, "error_share is 0.01, above 0"),
        ({"p99_ms": None}, "p99_ms is not known, above 10"),
    ],
)
def test_a_figure_above_its_limit_is_a_business_error(
    house: House, figures: dict[str, float | None], reason: str
) -> None:
    house.connector.load = {**QUICK, **figures}
    begin(house, {"p99_ms": "=10", "p50_ms": "=5"})

    assert house.until_ended().outcome == "too-slow"

    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert (evaluation.verdict, evaluation.reason) == ("FAIL", reason)


def test_a_rate_that_was_not_reached_is_inconclusive(house: House) -> None:
    house.connector.load = {**QUICK, "rate_per_s": 40.0}
    begin(house, {})

    load = given(house)["load"]

    assert isinstance(load, dict)
    assert load["verdict"] == "INCONCLUSIVE"


def test_a_job_that_was_cancelled_is_an_incident_and_the_retry_orders_another(
    house: House,
) -> None:
    house.connector.load = dict(QUICK)
    cancelled = JobReport(
        job_id=house.ids.new("job"),  # type: ignore[arg-type]
        state=JobState.CANCELLED,
        result=JobResult.UNKNOWN,
    )
    house.connector.ends = [cancelled]
    begin(house, {})
    found = incident(house)
    assert found.code == "job-unsuccessful"

    house.plane.runs.retry(OPAL, incident_id=found.id, wanted=RetryIncident())

    load = given(house)["load"]
    assert isinstance(load, dict)
    assert load["verdict"] == "PASS"
    assert len(house.connector.orders) == 2


def test_a_snapshot_that_does_not_run_online_is_an_incident(house: House) -> None:
    begin(house, {}, deployed=False)

    assert incident(house).code == "nothing-to-load"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("rate", "=0", "below 0.1"),
        ("duration", "=7200", "above 3600"),
        ("concurrency", "=2.5", "not a whole number"),
        ("p99_ms", "fast", "not a number"),
        ("rate", "=true", "not a number"),
    ],
)
def test_an_input_that_will_not_do_is_an_incident(
    house: House, name: str, value: str, problem: str
) -> None:
    begin(house, {name: value})

    found = incident(house)

    assert (found.code, problem in found.message) == ("task-input-invalid", True)

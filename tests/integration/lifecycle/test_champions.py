"""The shipped life cycles around a champion: comparison, replacement step by step, monitoring, retirement, intake."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.jobs import JobKind
from pilothouse.domain.models import RiskTier
from pilothouse.wire.requests import RouteShare, SetRoute, StartRun
from tests.integration.lifecycle.house import BORIS, MODEL, ONLINE, OPAL, VERA, VIC

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.access import Principal
    from tests.integration.lifecycle.house import House

STAGES = ("DEV", "SIT", "UAT", "PROD")
FIRST, SECOND = f"{MODEL}@1", f"{MODEL}@2"
APPROVE, REJECT = {"decision": "approve"}, {"decision": "reject"}


def answer(
    house: House, answers: Mapping[str, object], *, element: str, by: Principal = VERA
) -> None:
    """Answer the task that waits, which must be this one."""
    task = house.waiting_task()
    assert task.element == element
    house.plane.tasks.complete(by, task_id=task.id, answers=answers)


def served_by(house: House, lifecycle: str | None) -> None:
    """Let the online service have another life cycle, or none."""
    with house.database.open_work(SYSTEM) as work:
        work.services.save(replace(work.services.get(ONLINE), lifecycle=lifecycle))
        work.commit(None)


def promoted(house: House) -> None:
    """Promote the first snapshot, and take a second that no life cycle looks after."""
    house.add_runtimes(*STAGES)
    house.tag()
    answer(house, APPROVE, element="approve")
    assert house.until_ended().outcome == "promoted"
    served_by(house, None)
    house.take_snapshot(2)
    house.tag(SECOND)


def begin(house: House, definition: str, snapshot: str) -> None:
    wanted = StartRun(definition=definition, service=ONLINE, snapshot=snapshot)
    house.plane.runs.start(OPAL, wanted)


def stands_at(house: House, element: str) -> bool:
    return element in {token.element for token in house.run().tokens}


def pass_time(house: House, element: str, **by: float) -> None:
    """Wait at an element and let time pass."""
    house.until(lambda: stands_at(house, element))
    house.clock.advance(timedelta(**by))
    house.until(lambda: not stands_at(house, element))


def running(house: House, stage: str) -> set[str]:
    found = house.plane.facilities.deployments.page(SYSTEM, stage=stage, limit=500).items
    return {d.snapshot for d in found if d.state is DeploymentState.RUNNING}


def shares(house: House, stage: str = "PROD") -> dict[str, float]:
    with house.database.open_work.reading(SYSTEM) as work:
        found = work.routes.find(service=ONLINE, stage=stage)
    return {v.snapshot: found.share(v.snapshot_id) for v in found.variants} if found else {}


def test_a_second_snapshot_is_compared_with_the_champion_on_its_way(house: House) -> None:
    promoted(house)
    house.connector.measured = {SECOND: {"roc_auc": 0.8}}

    begin(house, "promote-online", SECOND)
    run = house.until_ended()

    assert run.outcome == "rejected"
    verdicts = {e.kind: e for e in house.plane.facilities.evaluations.page(SYSTEM).items}
    assert (verdicts["comparison"].verdict, verdicts["comparison"].rule) == ("FAIL", "rule_worse")
    assert (running(house, "SIT"), running(house, "PROD")) == ({SECOND}, {FIRST})


def test_a_high_risk_tier_needs_a_validator_and_a_business_owner(house: House) -> None:
    with house.database.open_work(SYSTEM) as work:
        [model] = work.models.all(name=MODEL)
        work.models.save(replace(model, risk_tier=RiskTier.HIGH))
        work.commit(None)
    house.add_runtimes(*STAGES)
    house.tag()

    answer(house, APPROVE, element="approve_together")
    assert house.waiting_task().element == "approve_together"
    answer(house, APPROVE, element="approve_together", by=BORIS)

    assert house.until_ended().outcome == "promoted"


def test_a_load_test_that_fails_is_looked_at_by_a_person(house: House) -> None:
    house.connector.load = {**house.connector.load, "p99_ms": 4000.0}
    house.add_runtimes(*STAGES)
    house.tag()

    answer(house, REJECT, element="review_load")

    assert house.until_ended().outcome == "refused"
    house.turn()
    assert running(house, "UAT") == set()


def test_a_challenger_gets_the_traffic_step_by_step(any_house: House) -> None:
    house = any_house
    promoted(house)
    begin(house, "challenger-comparison", SECOND)
    answer(house, APPROVE, element="approve")

    seen = []
    for _ in range(2):
        house.until(lambda: stands_at(house, "watch"))
        seen.append(shares(house)[SECOND])
        pass_time(house, "watch", hours=1)
    run = house.until_ended()
    house.turn()

    assert (run.outcome, seen) == ("replaced", [0.1, 0.5])
    assert (shares(house), running(house, "PROD")) == ({SECOND: 1.0}, {SECOND})
    assert running(house, "UAT") == {SECOND}


def test_a_challenger_whose_smoke_test_fails_loses_the_traffic_again(house: House) -> None:
    promoted(house)
    begin(house, "challenger-comparison", SECOND)
    answer(house, APPROVE, element="approve")
    house.until(lambda: stands_at(house, "watch"))
    house.entries.off = {":8104": 0.5}

    pass_time(house, "watch", hours=1)
    run = house.until_ended()
    house.turn()

    assert (run.state, run.outcome) == (RunStatus.COMPLETED, "rolled_back")
    assert (shares(house), running(house, "PROD")) == ({FIRST: 1.0}, {FIRST})


def test_a_route_that_somebody_changes_meanwhile_is_not_written_over(house: House) -> None:
    promoted(house)
    begin(house, "challenger-comparison", SECOND)
    answer(house, APPROVE, element="approve")
    house.until(lambda: stands_at(house, "watch"))
    routes = house.plane.facilities.routes
    seen = routes.get(OPAL, service=ONLINE, stage="PROD").generation
    wanted = SetRoute(
        expected_generation=seen,
        variants=(RouteShare(snapshot=FIRST, weight=3), RouteShare(snapshot=SECOND, weight=1)),
    )
    routes.set(OPAL, service=ONLINE, stage="PROD", wanted=wanted)

    pass_time(house, "watch", hours=1)

    assert house.until_ended().outcome == "rolled_back"
    assert shares(house) == {FIRST: 1.0}


def test_a_challenger_that_is_worse_leaves_the_champion_alone(house: House) -> None:
    promoted(house)
    house.connector.measured = {SECOND: {"roc_auc": 0.8}}

    begin(house, "challenger-comparison", SECOND)
    run = house.until_ended()
    house.turn()

    assert (run.outcome, shares(house)) == ("kept", {FIRST: 1.0})
    assert (running(house, "PROD"), running(house, "UAT")) == ({FIRST}, {FIRST})


def test_there_is_nothing_to_compare_where_nobody_serves(house: House) -> None:
    house.add_runtimes("PROD")
    served_by(house, None)
    house.tag()

    begin(house, "challenger-comparison", FIRST)

    assert house.until_ended().outcome == "alone"


def test_monitoring_measures_every_week_and_asks_when_it_fails(house: House) -> None:
    promoted(house)
    before = [o.kind for o in house.connector.orders].count(JobKind.METRICS)
    begin(house, "scheduled-monitoring", FIRST)
    pass_time(house, "week", days=7)
    pass_time(house, "week", days=7)
    house.until(lambda: stands_at(house, "week"))
    house.connector.metrics = {"roc_auc": 0.5}
    pass_time(house, "week", days=7)

    answer(house, {"decision": "stop measuring"}, element="look")
    run = house.until_ended()

    assert run.outcome == "stopped"
    assert [o.kind for o in house.connector.orders].count(JobKind.METRICS) == before + 4
    subjects = [str(d["subject"]) for d in house.audited("notify", "run")]
    assert f"Monitoring: {FIRST} FAIL" in subjects


def test_monitoring_goes_on_with_newer_data(house: House) -> None:
    promoted(house)
    house.connector.metrics = {"roc_auc": 0.5}
    begin(house, "scheduled-monitoring", FIRST)

    answer(house, {"decision": "go on", "dataset": "cards@2015"}, element="look")
    house.until(lambda: stands_at(house, "week"))

    assert house.run().variables["dataset"] == "cards@2015"


def test_a_snapshot_that_alone_serves_is_retired_after_a_confirmation(house: House) -> None:
    promoted(house)
    begin(house, "retire", FIRST)
    answer(house, APPROVE, element="approve")

    answer(house, {"decision": "stop the service"}, element="alone", by=BORIS)
    run = house.until_ended()
    house.turn()

    assert run.outcome == "retired"
    assert [running(house, stage) for stage in STAGES] == [set()] * 4
    assert shares(house) == {}


def test_the_traffic_of_a_retired_snapshot_goes_to_the_others(house: House) -> None:
    promoted(house)
    begin(house, "challenger-comparison", SECOND)
    answer(house, APPROVE, element="approve")
    house.until(lambda: stands_at(house, "watch"))
    begin(house, "retire", FIRST)

    answer(house, APPROVE, element="approve", by=VIC)
    run = house.until_ended()

    assert (run.outcome, shares(house)) == ("retired", {SECOND: 1.0})


def test_a_retirement_that_is_refused_changes_nothing(house: House) -> None:
    promoted(house)
    begin(house, "retire", FIRST)

    answer(house, REJECT, element="approve")

    assert house.until_ended().outcome == "kept"
    assert shares(house) == {FIRST: 1.0}


def test_a_vendors_model_is_checked_measured_approved_and_promoted(house: House) -> None:
    served_by(house, "vendor-intake")
    house.add_runtimes(*STAGES)
    house.tag()
    answer(house, {"decision": "complete"}, element="documents")
    reviewed = {"decision": "acceptable", "blind_dataset": "cards@2015"}
    answer(house, reviewed, element="risk", by=VIC)
    answer(house, APPROVE, element="approve")
    house.until(lambda: house.run().heading.definition_key == "promote-online")

    answer(house, APPROVE, element="approve", by=VIC)
    house.until(lambda: all(r.ended_at for r in house.plane.runs.page(SYSTEM).items))

    outcomes = {r.heading.definition_key: r.outcome for r in house.plane.runs.page(SYSTEM).items}
    assert outcomes == {"vendor-intake": "taken_in", "promote-online": "promoted"}


@pytest.mark.parametrize(
    "answers",
    [
        [("documents", {"decision": "incomplete"})],
        [
            ("documents", {"decision": "complete"}),
            ("risk", {"decision": "not acceptable", "blind_dataset": "cards@2015"}),
        ],
    ],
)
def test_a_vendors_model_without_documents_or_with_too_much_risk_is_declined(
    house: House, answers: list[tuple[str, dict[str, object]]]
) -> None:
    served_by(house, "vendor-intake")
    house.add_runtimes(*STAGES)
    house.tag()

    for element, given in answers:
        answer(house, given, element=element)

    assert house.until_ended().outcome == "declined"
    assert house.connector.orders == []

"""The task type route: looks, shifts by compare-and-set, waits for the entries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.wire.requests import OrderDeployment, RouteShare, SetRoute, StartRun
from tests.integration.lifecycle.drawings import drawing, service
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, RISK
from tests.integration.lifecycle.reaching import given, incident

if TYPE_CHECKING:
    from pilothouse.domain.routes import Route
    from tests.integration.lifecycle.house import House

FIRST, SECOND = f"{MODEL}@1", f"{MODEL}@2"
STAGE = "DEV"


def begin(house: House, **inputs: str) -> None:
    """Start a run about the second snapshot with one task."""
    caught = (
        '<boundaryEvent id="edge" attachedToRef="task"><errorEventDefinition errorRef="moved"/></boundaryEvent>'
        '<endEvent id="moved-meanwhile"/>'
    )
    about = {"stage": STAGE, "service": "=service", "snapshot": "=snapshot"}
    drawn = service("task", "route", retries=1, **about, **inputs)
    body = f'<startEvent id="start"/>{drawn}{caught}<endEvent id="end"/>'
    declared = '<error id="moved" name="moved" errorCode="route-changed"/>'
    flows = "start>task task>end edge>moved-meanwhile"
    house.plane.definitions.upload(OPAL, group=RISK, xml=drawing(body, flows, declared=declared))
    house.plane.runs.start(OPAL, StartRun(definition="small", service=ONLINE, snapshot=SECOND))


@pytest.fixture
def shared(house: House) -> House:
    """Give a house where both snapshots run in DEV, and the first has all the traffic."""
    house.add_runtimes(STAGE)
    with house.database.open_work(SYSTEM) as work:
        work.services.save(replace(work.services.get(ONLINE), lifecycle=None))
        work.commit(None)
    house.take_snapshot(2)
    for name in (FIRST, SECOND):
        house.tag(name)
        wanted = OrderDeployment(snapshot=name, service=ONLINE, stage=STAGE)
        house.plane.facilities.deployments.order(OPAL, wanted)
    house.turn()
    placed(house, 0, {FIRST: 1.0})
    return house


def placed(house: House, generation: int, weights: dict[str, float]) -> Route:
    parts = tuple(RouteShare(snapshot=s, weight=w) for s, w in weights.items())
    wanted = SetRoute(expected_generation=generation, variants=parts)
    return house.plane.facilities.routes.set(OPAL, service=ONLINE, stage=STAGE, wanted=wanted)


def test_without_a_share_the_route_is_only_looked_at(shared: House) -> None:
    begin(shared)

    assert given(shared)["route"] == {
        "generation": 1,
        "champion": FIRST,
        "share": 0.0,
        "shares": {FIRST: 1.0},
    }


def test_where_nobody_was_ever_routed_there_is_no_champion(house: House) -> None:
    house.add_runtimes(STAGE)
    house.take_snapshot(2)
    begin(house)

    route = given(house)["route"]

    assert isinstance(route, dict)
    assert (route["generation"], route["champion"], route["shares"]) == (0, None, {})


def test_a_share_leaves_the_others_their_proportions(shared: House) -> None:
    begin(shared, share="=0.25", generation="=1")

    route = given(shared)["route"]

    assert isinstance(route, dict)
    assert (route["generation"], route["shares"]) == (2, {SECOND: 0.25, FIRST: 0.75})


def test_all_of_the_traffic_leaves_nobody_else(shared: House) -> None:
    begin(shared, share="=1")

    route = given(shared)["route"]

    assert isinstance(route, dict)
    assert (route["champion"], route["shares"]) == (None, {SECOND: 1.0})


def test_the_share_0_takes_a_snapshot_out(shared: House) -> None:
    placed(shared, 1, {FIRST: 1.0, SECOND: 1.0})
    begin(shared, share="=0")

    route = given(shared)["route"]

    assert isinstance(route, dict)
    assert route["shares"] == {FIRST: 1.0}


def test_another_generation_is_a_business_error_and_changes_nothing(shared: House) -> None:
    placed(shared, 1, {FIRST: 3.0, SECOND: 1.0})

    begin(shared, share="=0.9", generation="=1")

    assert shared.until_ended().outcome == "moved-meanwhile"
    found = shared.plane.facilities.routes.get(OPAL, service=ONLINE, stage=STAGE)
    assert (found.generation, found.share(found.variants[0].snapshot_id)) == (2, 0.75)


def test_what_would_leave_requests_without_an_answer_is_an_incident(shared: House) -> None:
    placed(shared, 1, {SECOND: 1.0})

    begin(shared, share="=0.5")

    assert incident(shared).code == "route-invalid"


def test_a_snapshot_that_does_not_run_there_gets_no_traffic(house: House) -> None:
    house.add_runtimes(STAGE)
    with house.database.open_work(SYSTEM) as work:
        work.services.save(replace(work.services.get(ONLINE), lifecycle=None))
        work.commit(None)
    house.take_snapshot(2)
    house.tag(FIRST)
    house.tag(SECOND)
    wanted = OrderDeployment(snapshot=FIRST, service=ONLINE, stage=STAGE)
    house.plane.facilities.deployments.order(OPAL, wanted)
    house.turn()
    placed(house, 0, {FIRST: 1.0})

    begin(house, share="=0.5")

    assert incident(house).code == "not-running"

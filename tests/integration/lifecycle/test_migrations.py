"""Runs carried over to another version of their life cycle, one by one and all of them, on both databases."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import MigrationRefusedError
from pilothouse.bpmn.pairing import Pairing
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.access import ActionDeniedError
from pilothouse.lifecycle.errors import MigrationTargetError
from pilothouse.lifecycle.tasks.contract import Done
from pilothouse.wire.operations import MigrateRun, MigrateRuns
from pilothouse.wire.requests import PublishMessage, StartRun
from tests.integration.lifecycle.drawings import ORDERED_MESSAGE, drawing, service
from tests.integration.lifecycle.house import ONLINE, OPAL, RISK, VERA

if TYPE_CHECKING:
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

TO = MigrateRun(to="small@2", reason="a check more")


def asking(then: str = "", *, name: str = "ask", edge: str = "") -> bytes:
    """Draw a task of validators, what hangs on it, and services after it."""
    task = (
        f'<userTask id="{name}" name="Ask"><extensionElements><zeebe:userTask/>'
        '<zeebe:assignmentDefinition candidateGroups="validator"/></extensionElements></userTask>'
    )
    services = "".join(service(n, "own") for n in then.split())
    chain = ["start", name, *then.split(), "end"]
    flows = " ".join(f"{a}>{b}" for a, b in pairwise(chain))
    body = f'<startEvent id="start"/>{task}{edge}{services}<endEvent id="end"/>'
    return drawing(body, f"{flows} {'edge>end' if edge else ''}", declared=ORDERED_MESSAGE)


def uploaded(house: House, *drawings: bytes) -> None:
    house.plane.works_on("own", lambda context: Done(variables={}))
    for xml in drawings:
        house.plane.definitions.upload(OPAL, group=RISK, xml=xml)


def began(house: House, **variables: object) -> RunView:
    wanted = StartRun(definition="small@1", service=ONLINE, variables=variables)
    return house.plane.runs.start(OPAL, wanted)


def test_a_run_goes_on_in_the_new_version_with_its_task_and_says_so(any_house: House) -> None:
    uploaded(any_house, asking(), asking("check"))
    run = began(any_house)
    run_id = run.heading.run_id
    task = any_house.waiting_task()
    shown = any_house.plane.migrations.preview(OPAL, run_id=run_id, wanted=TO)
    assert [line.event.value for line in shown.history] == ["run-migrated"]
    assert any_house.plane.runs.get(OPAL, run_id=run_id) == run

    carried = any_house.plane.migrations.migrate(OPAL, run_id=run_id, wanted=TO)

    assert carried.heading.definition == "small@2"
    assert [t.id for t in carried.tasks] == [task.id]
    [audited] = any_house.audited("migrate", "run")
    assert (audited["to"], audited["reason"]) == ("small@2", TO.reason)
    any_house.plane.tasks.complete(VERA, task_id=task.id, answers={})
    assert any_house.until_ended().state is RunStatus.COMPLETED
    assert any_house.passed(run_id) == ["start", "ask", "check", "end"]


def test_a_renamed_task_is_suggested_and_follows_where_it_is_paired(house: House) -> None:
    uploaded(house, asking(), asking(name="judge"))
    run_id = began(house).heading.run_id
    proposal = house.plane.migrations.propose(OPAL, old="small@1", new="small@2")
    assert Pairing(old="ask", new="judge", suggestion=True) in proposal.pairings
    with pytest.raises(MigrationRefusedError) as refused:
        house.plane.migrations.migrate(OPAL, run_id=run_id, wanted=TO)
    assert [o.element for o in refused.value.obstacles] == ["ask"]

    paired = MigrateRun(to="small@2", reason="renamed", pairs={"ask": "judge"})
    carried = house.plane.migrations.migrate(OPAL, run_id=run_id, wanted=paired)

    assert [(t.element, t.state.value) for t in carried.tasks] == [("judge", "open")]
    house.plane.tasks.complete(VERA, task_id=carried.tasks[0].id, answers={})
    assert house.run().state is RunStatus.COMPLETED


def test_a_message_that_waits_is_taken_by_an_event_that_the_new_version_has(
    any_house: House,
) -> None:
    edge = '<boundaryEvent id="edge" attachedToRef="ask"><messageEventDefinition messageRef="paid"/></boundaryEvent>'
    uploaded(any_house, asking(), asking(edge=edge))
    run_id = began(any_house, order="A1").heading.run_id
    any_house.plane.messages.publish(
        OPAL, PublishMessage(id="m1", group=RISK, name="paid", correlation_key="A1", payload={})
    )

    carried = any_house.plane.migrations.migrate(OPAL, run_id=run_id, wanted=TO)

    assert carried.state is RunStatus.COMPLETED
    with any_house.database.open_work.reading(OPAL) as work:
        assert [t.state.value for t in work.tasks.all(run_id=run_id)] == ["cancelled"]


def test_versions_that_runs_cannot_follow_are_refused(house: House) -> None:
    uploaded(house, asking(), asking("check"))
    other = drawing('<startEvent id="start"/><endEvent id="end"/>', "start>end", key="other")
    uploaded(house, other)
    run_id = began(house).heading.run_id
    house.plane.definitions.retire(OPAL, name="small@2")
    problems = {}
    for to in ("small@1", "small@2", "other@1", "thresholds"):
        wanted = MigrateRun(to=to, reason="try")
        with pytest.raises(MigrationTargetError) as refused:
            house.plane.migrations.migrate(OPAL, run_id=run_id, wanted=wanted)
        problems[to] = refused.value.problem
    assert problems == {
        "small@1": "they follow it already",
        "small@2": "it is retired",
        "other@1": "its runs would be of another life cycle than small",
        "thresholds": "its runs would be of another life cycle than small",
    }
    with pytest.raises(ActionDeniedError):
        house.plane.migrations.migrate(VERA, run_id=run_id, wanted=TO)


def test_a_run_that_the_caller_may_see_and_not_operate_is_told_as_refused(house: House) -> None:
    uploaded(house, asking("gone"), asking("check"))
    run_id = began(house).heading.run_id

    page = house.plane.migrations.migrate_all(
        VERA, name="small@1", wanted=MigrateRuns(to="small@2", reason="better")
    )

    assert [(o.run_id, o.migrated, o.code) for o in page.items] == [
        (run_id, False, ActionDeniedError.code)
    ]


def test_all_runs_of_a_version_are_carried_over_but_those_that_cannot(any_house: House) -> None:
    uploaded(any_house, asking("gone"), asking("check"))
    runs = [began(any_house).heading.run_id for _ in range(5)]
    done, stuck = runs[0], runs[1]
    for run_id in (done, stuck):
        [task] = any_house.plane.runs.get(OPAL, run_id=run_id).tasks
        any_house.plane.tasks.complete(VERA, task_id=task.id, answers={})
    any_house.plane.runs.cancel(OPAL, run_id=done, reason="enough")
    wanted = MigrateRuns(to="small@2", reason="better", limit=3)
    plane = any_house.plane.migrations

    dry = plane.migrate_all(
        OPAL, name="small@1", wanted=MigrateRuns(to="small@2", reason="?", dry=True)
    )
    first = plane.migrate_all(OPAL, name="small@1", wanted=wanted)
    again = plane.migrate_all(OPAL, name="small@1", wanted=wanted)

    assert [o.code for o in dry.items] == ["migration-refused", None, None, None]
    assert [(o.run_id, o.migrated) for o in first.items] == list(
        zip(runs[1:4], (False, True, True), strict=True)
    )
    assert first.items[0].obstacles[0].element == "gone"
    assert [(o.run_id, o.migrated) for o in again.items] == [(stuck, False), (runs[4], True)]
    assert again.next is None
    assert any_house.plane.runs.get(OPAL, run_id=runs[4]).heading.definition == "small@2"

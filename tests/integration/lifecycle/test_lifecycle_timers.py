"""Timers, lanes and files of Camunda 7, kept in a database and worked on by a worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import RunStatus
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import drawing
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, RISK, VERA

if TYPE_CHECKING:
    from pilothouse.bpmn.history import HistoryEntry
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

CAMUNDA_7 = (
    Path(__file__).parents[3] / "docs" / "how-to" / "examples" / "camunda7-approval.bpmn"
).read_bytes()
MONDAY_NOON = datetime(2026, 3, 23, 12, tzinfo=UTC)


def started(house: House, xml: bytes) -> RunView:
    key = house.plane.definitions.upload(OPAL, group=RISK, xml=xml).key
    wanted = StartRun(definition=key, service=ONLINE, snapshot=f"{MODEL}@1")
    return house.plane.runs.start(OPAL, wanted)


def reminding(cycle: str) -> bytes:
    """Draw a task in a validator's lane, with a reminder."""
    body = (
        '<laneSet><lane id="l" name="Validator"><flowNodeRef>ask</flowNodeRef></lane></laneSet>'
        '<startEvent id="start"/><userTask id="ask"/><endEvent id="end"/><endEvent id="told"/>'
        '<boundaryEvent id="remind" attachedToRef="ask" cancelActivity="false"><timerEventDefinition>'
        f"<timeCycle>{cycle}</timeCycle></timerEventDefinition></boundaryEvent>"
    )
    return drawing(body, "start>ask ask>end remind>told")


def reminders(house: House, run: RunView) -> list[HistoryEntry]:
    history = house.plane.runs.history(OPAL, run_id=run.heading.run_id)
    return [entry for entry in history if entry.event is HistoryEvent.TIMER_FIRED]


def test_a_cron_timer_fires_at_its_hour_in_its_zone_before_and_after_the_clocks_change(
    house: House,
) -> None:
    house.clock.set(MONDAY_NOON)
    run = started(house, reminding("0 8 * * MON-FRI@Europe/Paris"))

    for hour in range(8 * 24):
        house.clock.set(MONDAY_NOON + timedelta(hours=hour))
        house.plane.worker.run_once()

    fired = [(e.at.day, e.at.hour) for e in reminders(house, run)]
    assert fired == [(24, 7), (25, 7), (26, 7), (27, 7), (30, 6), (31, 6)]


def test_what_was_missed_while_no_worker_ran_fires_once_and_the_series_goes_on(
    house: House,
) -> None:
    house.clock.set(MONDAY_NOON)
    run = started(house, reminding("R/2026-03-24T08:00:00/P1D@Europe/Paris"))

    house.clock.set(MONDAY_NOON + timedelta(days=10))
    house.plane.worker.run_once()
    house.clock.advance(timedelta(days=1))
    house.plane.worker.run_once()

    late, on_time = reminders(house, run)
    assert (late.data["missed"], on_time.data.get("missed")) == (9, None)
    assert on_time.data["due_at"] == "2026-04-03T06:00:00.000000Z"


def test_a_task_in_a_lane_named_after_a_role_is_for_that_role(house: House) -> None:
    run = started(house, reminding("R/P1D"))
    (task,) = run.tasks
    assert task.candidate_roles == ("validator",)

    house.plane.tasks.complete(VERA, task_id=task.id, answers={})

    assert house.run().state is RunStatus.COMPLETED


def test_a_file_of_camunda_7_runs_and_is_kept_as_it_came(house: House) -> None:
    run = started(house, CAMUNDA_7)
    assert house.plane.definitions.get(OPAL, name="camunda7-approval").source == CAMUNDA_7

    house.plane.tasks.complete(VERA, task_id=run.tasks[0].id, answers={"decision": "reject"})
    house.turn()

    assert (house.run().state, house.run().outcome) == (RunStatus.COMPLETED, "refused")

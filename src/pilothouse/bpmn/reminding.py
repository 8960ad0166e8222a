"""Timers of tasks: when their candidates are reminded, and when the due date has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.durations import Duration
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.state import IdPrefix, Job, JobKind, JobStatus, TaskTimer
from pilothouse.bpmn.timers import Schedule, TimerKind, read_schedule
from pilothouse.bpmn.zones import zone_named

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.definition import Human, Reminder
    from pilothouse.bpmn.expressions import Value, Variables
    from pilothouse.bpmn.state import UserTask


def remind_schedule(text: object, *, at: datetime, zone: str | None = None) -> Schedule:
    """
    Say when a reminder comes that was set at `at`: after a duration, or at each moment of a cycle.

    Raises
    ------
    TypeError, ValueError, OverflowError
        When it is neither.
    """
    single = isinstance(text, str) and text.startswith("P")
    kind = TimerKind.DURATION if single else TimerKind.CYCLE
    return read_schedule(kind, text, at=at, zone=zone_named(zone) if zone else None)


def lead(text: object) -> timedelta:
    """
    Read how long before the due date a reminder comes.

    Raises
    ------
    ValueError
        When it is no duration, or one in months, which have no one length.

    Examples
    --------
    >>> lead("PT4H").total_seconds()
    14400.0
    """
    duration = Duration.parsed(str(text))
    if duration.months:
        raise ValueError(f"{text!r} is in months")
    return duration.rest


def arm_task(board: Board, task: UserTask, node: Human, seen: Variables) -> None:
    """
    Arm the timers of a task that was just opened.

    Raises
    ------
    ExpressionFailedError
        When an expression gives no time.
    """
    if node.reminder is not None:
        _arm_reminders(board, task, node.reminder, seen)
    if node.overdue is not None and task.due_at is not None:
        _arm(board, task, TaskTimer.ESCALATION, Schedule(due_at=task.due_at))


def _arm_reminders(board: Board, task: UserTask, reminder: Reminder, seen: Variables) -> None:
    after, before = reminder.after, reminder.before
    if after is not None:
        given = after.given(seen)
        try:
            armed = remind_schedule(given, at=board.at, zone=reminder.zone)
        except (TypeError, ValueError, OverflowError) as error:
            raise _no_time(after, error) from error
        _arm(board, task, TaskTimer.REMINDER, armed)
    if before is not None and task.due_at is not None:
        given = before.given(seen)
        try:
            armed = Schedule(due_at=task.due_at - lead(given))
        except (ValueError, OverflowError) as error:
            raise _no_time(before, error) from error
        _arm(board, task, TaskTimer.REMINDER, armed)


def _no_time(value: Value, error: Exception) -> ExpressionFailedError:
    return ExpressionFailedError(
        expression=value.text, problem=f"is no time for a reminder: {error}"
    )


def _arm(board: Board, task: UserTask, purpose: TaskTimer, armed: Schedule) -> None:
    timer = Job(
        id=board.new_id(IdPrefix.JOB),
        run_id=board.run.id,
        token_id=task.token_id,
        element=task.element,
        kind=JobKind.TIMER,
        topic=purpose.value,
        state=JobStatus.READY,
        due_at=armed.due_at,
        created_at=board.at,
        period=armed.period,
        repeats_left=armed.repeats_left,
    )
    board.put(timer)

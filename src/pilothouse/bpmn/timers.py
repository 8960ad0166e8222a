"""
When timers fire: ISO 8601 durations, dates and repeating intervals, and cron patterns, each in its zone.

A zone stands behind the text (``P1D@Europe/Paris``) or in ``pilothouse:timeZone``; without one it is UTC. Years,
months, weeks and days are counted on the calendar of the zone, so that ``P1D`` is the same hour of the next day;
hours, minutes and seconds are elapsed time. `pilothouse.bpmn.zones` says what becomes of hours that the clocks
skip or repeat.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.bpmn.cron import Cron
from pilothouse.bpmn.durations import Duration, moment
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.series import Cycle, following
from pilothouse.bpmn.zones import UTC_ZONE, parted, zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from pilothouse.bpmn.expressions import Value, Variables


class TimerKind(StrEnum):
    """How the moment of a timer is given; the BPMN element names."""

    DURATION = "timeDuration"
    DATE = "timeDate"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A timer as it is drawn; ``zone`` is that of its ``pilothouse:timeZone``."""

    kind: TimerKind
    value: Value
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    A timer as it is armed: when it fires next, and then as `period` says, `repeats_left` more times.

    ``period`` is a series as `pilothouse.bpmn.series` keeps it, and ``repeats_left`` None where it has no end.
    """

    due_at: datetime
    period: str | None = None
    repeats_left: int | None = 0


def schedule(timer: Timer, variables: Variables, *, at: datetime) -> Schedule:
    """
    Say when a timer that is armed at `at` fires.

    Raises
    ------
    ExpressionFailedError
        When its expression gives no duration, date or interval.
    """
    value = timer.value.given(variables)
    try:
        zone = zone_named(timer.zone) if timer.zone else None
        return read_schedule(timer.kind, value, at=at, zone=zone)
    except (TypeError, ValueError, OverflowError) as error:
        raise ExpressionFailedError(
            expression=timer.value.text, problem=f"sets no timer: {error}"
        ) from error


def read_schedule(
    kind: TimerKind, value: object, *, at: datetime, zone: ZoneInfo | None = None
) -> Schedule:
    """
    Read what an expression or a literal gave for a timer.

    Parameters
    ----------
    kind
        How the timer is drawn.
    value
        Its text, or FEEL's own date and time, or duration of days and less, which is elapsed time.
    at
        The moment when it is armed.
    zone
        The zone of a text that names none itself; UTC without.

    Raises
    ------
    TypeError, ValueError, OverflowError
        When it is no duration, date or interval, or lies beyond the calendar.

    Examples
    --------
    >>> read_schedule(TimerKind.CYCLE, "R3/PT5M", at=datetime(2026, 1, 5, tzinfo=UTC)).repeats_left
    2
    """
    if kind is TimerKind.DATE and isinstance(value, datetime) and value.tzinfo:
        return Schedule(due_at=value.astimezone(UTC))
    if kind is TimerKind.DURATION and isinstance(value, timedelta) and value >= timedelta(0):
        return Schedule(due_at=at + value)
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not ISO 8601 text")
    match kind:
        case TimerKind.DURATION:
            text, own = parted(value)
            return Schedule(due_at=Duration.parsed(text).after(at, zone=own or zone or UTC_ZONE))
        case TimerKind.DATE:
            return Schedule(due_at=moment(value, zone=zone))
        case TimerKind.CYCLE:
            return _armed(value, at=at, zone=zone)


def _armed(text: str, *, at: datetime, zone: ZoneInfo | None) -> Schedule:
    if text.startswith("R"):
        due_at, period, left = Cycle.parsed(text, zone=zone).armed(at)
        return Schedule(due_at=due_at, period=period, repeats_left=left)
    cron = Cron.parsed(text, zone=zone)
    period = f"{parted(text)[0]}@{cron.zone.key}"
    return Schedule(due_at=cron.after(at), period=period, repeats_left=None)


def rearmed(armed: Schedule, *, at: datetime) -> tuple[Schedule | None, int]:
    """
    Give the next firing of a timer that fires at `at`, and how many it missed.

    The next moment is counted from the scheduled one, not from now, so that a series does not drift.
    Moments that passed while nobody looked are one firing together, and are spent.

    Examples
    --------
    >>> due = datetime(2026, 1, 5, tzinfo=UTC)
    >>> late = due + timedelta(minutes=11)
    >>> rearmed(Schedule(due_at=due, period="PT5M", repeats_left=5), at=late)[1]
    2
    """
    if armed.period is None or armed.repeats_left == 0:
        return None, 0
    next_at, missed = following(armed.period, due=armed.due_at, at=at)
    if armed.repeats_left is None:
        return Schedule(due_at=next_at, period=armed.period, repeats_left=None), missed
    left = armed.repeats_left - missed - 1
    if left < 0:
        return None, armed.repeats_left
    return Schedule(due_at=next_at, period=armed.period, repeats_left=left), missed

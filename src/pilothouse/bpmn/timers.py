"""ISO 8601 durations, dates and repeating intervals, as timers need them."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import ExpressionFailedError

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Value, Variables

_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_CYCLE = re.compile(r"R(?P<times>\d{0,6})/(?P<period>P.+)")


class TimerKind(StrEnum):
    """How the moment of a timer is given; the BPMN element names."""

    DURATION = "timeDuration"
    DATE = "timeDate"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """
    A length of time; months are calendar months.

    Examples
    --------
    >>> Duration.parsed("P1MT30M").after(datetime(2026, 1, 31, tzinfo=UTC)).isoformat()
    '2026-02-28T00:30:00+00:00'
    """

    months: int
    rest: timedelta

    @classmethod
    def parsed(cls, text: str) -> Duration:
        """
        Read an ISO 8601 duration such as ``P3D``, ``PT0.5S``, ``P1Y2M``, ``P2W``.

        Raises
        ------
        ValueError
            When the text is something else.
        """
        found = _DURATION.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT30M or P3D")
        number = {name: float(digits or 0) for name, digits in found.groupdict().items()}
        months = int(number.pop("years") * 12 + number.pop("months"))
        return cls(months=months, rest=timedelta(**number))

    @property
    def is_zero(self) -> bool:
        """Whether it is no time at all."""
        return not self.months and not self.rest

    def after(self, start: datetime) -> datetime:
        """Add the duration to a moment; a day that the month lacks becomes the month's last."""
        if not self.months:
            return start + self.rest
        years, month = divmod(start.month - 1 + self.months, 12)
        year, month = start.year + years, month + 1
        day = min(start.day, calendar.monthrange(year, month)[1])
        return start.replace(year=year, month=month, day=day) + self.rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """A repeating interval without a start: ``R3/PT5M``; ``times`` is None for ``R/…``."""

    times: int | None
    period: str

    @classmethod
    def parsed(cls, text: str) -> Cycle:
        """
        Read a repeating interval.

        Raises
        ------
        ValueError
            When the text is something else, repeats never, or without a pause.
        """
        found = _CYCLE.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not a repeating interval such as R3/PT5M")
        if Duration.parsed(found["period"]).is_zero or found["times"] == "0":
            raise ValueError(f"{text!r} repeats never or without a pause")
        return cls(times=int(found["times"]) if found["times"] else None, period=found["period"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """A timer as it is drawn."""

    kind: TimerKind
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A timer as it is armed: when it fires next, and then every `period`, `repeats_left` more times."""

    due_at: datetime
    period: str | None = None
    repeats_left: int | None = 0


def moment(text: str) -> datetime:
    """
    Read an ISO 8601 date and time with its zone, in UTC.

    Raises
    ------
    ValueError
        When the text is something else or has no zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError(
            f"{text!r} is not a date and time with its zone, such as 2026-01-05T08:00:00Z"
        )
    return at.astimezone(UTC)


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
        return read_schedule(timer.kind, value, at=at)
    except (TypeError, ValueError, OverflowError) as error:
        raise ExpressionFailedError(
            expression=timer.value.text, problem=f"sets no timer: {error}"
        ) from error


def read_schedule(kind: TimerKind, value: object, *, at: datetime) -> Schedule:
    """
    Read what an expression or a literal gave for a timer.

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
            return Schedule(due_at=Duration.parsed(value).after(at))
        case TimerKind.DATE:
            return Schedule(due_at=moment(value))
        case TimerKind.CYCLE:
            cycle = Cycle.parsed(value)
            left = None if cycle.times is None else cycle.times - 1
            return Schedule(
                due_at=Duration.parsed(cycle.period).after(at),
                period=cycle.period,
                repeats_left=left,
            )


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
    period = Duration.parsed(armed.period)
    missed = _whole_periods(period, armed.due_at, at)
    due_at = armed.due_at if period.months else armed.due_at + missed * period.rest
    for _ in range(missed if period.months else 0):
        due_at = period.after(due_at)
    if armed.repeats_left is None:
        return Schedule(due_at=period.after(due_at), period=armed.period, repeats_left=None), missed
    left = armed.repeats_left - missed - 1
    if left < 0:
        return None, armed.repeats_left
    return Schedule(due_at=period.after(due_at), period=armed.period, repeats_left=left), missed


def _whole_periods(period: Duration, start: datetime, end: datetime) -> int:
    # By division where every period is as long, so that a long absence costs nothing.
    if not period.months:
        return max(0, (end - start) // period.rest)
    count, next_at = 0, period.after(start)
    while next_at <= end:
        count, next_at = count + 1, period.after(next_at)
    return count

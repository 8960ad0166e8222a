"""FEEL values as Python's own, for code that counts on with what an expression gave."""

from __future__ import annotations

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pilothouse.feel.budget import Budget
from pilothouse.feel.functions.writing import written_value
from pilothouse.feel.temporal import DAY, NANOSECONDS, Date, DateTime, DaysTime, Region, Time

if TYPE_CHECKING:
    from pilothouse.feel.temporal import Zone
    from pilothouse.feel.values import Value

_MICROSECOND = 1_000
_LONGEST = 999_999_999 * DAY  # Python's longest length of time, less a day


def python_value(value: Value, *, budget: Budget | None = None) -> object:
    """
    Give a value as Python has it.

    Parameters
    ----------
    value
        What an expression gave.
    budget
        Pays for walking over it; by default 20,000 steps.

    Returns
    -------
    object
        Numbers as `decimal.Decimal`; dates, times and durations of days and times as those of `datetime`; lists as tuples,
        contexts as dictionaries. What Python has no exact form for (nanoseconds, the year 12026, a duration in
        months, a range, a function) as the text that ``string()`` gives.

    Raises
    ------
    FeelBudgetError
        When the value is too big or nested too deeply.

    Examples
    --------
    >>> python_value(DaysTime(nanoseconds=60 * NANOSECONDS))
    datetime.timedelta(seconds=60)
    >>> python_value((Date(year=2026, month=1, day=5), Date(year=12026, month=1, day=5)))
    (datetime.date(2026, 1, 5), '12026-01-05')
    """
    return _python(value, Budget() if budget is None else budget, 0)


def _python(value: Value, budget: Budget, depth: int) -> object:
    if value is None or isinstance(value, (bool, str, Decimal)):
        return value
    budget.charge(1)
    budget.check_depth(depth)
    match value:
        case tuple():
            return tuple(_python(item, budget, depth + 1) for item in value)
        case dict():
            return {key: _python(item, budget, depth + 1) for key, item in value.items()}
        case DaysTime() if (
            value.nanoseconds % _MICROSECOND == 0 and abs(value.nanoseconds) < _LONGEST
        ):
            return timedelta(microseconds=value.nanoseconds // _MICROSECOND)
        case Date() if MINYEAR <= value.year <= MAXYEAR:
            return _date(value)
        case Time() if value.nanoseconds % _MICROSECOND == 0:
            return _time(value)
        case DateTime(date=day, time=at) if (
            MINYEAR <= day.year <= MAXYEAR and at.nanoseconds % _MICROSECOND == 0
        ):
            return datetime.combine(_date(day), _time(at))
        case _:
            return written_value(value, budget)


def _date(value: Date) -> date:
    return date(value.year, value.month, value.day)


def _time(value: Time) -> time:
    seconds, rest = divmod(value.nanoseconds, NANOSECONDS)
    minutes, second = divmod(seconds, 60)
    zone = value.zone
    later = isinstance(zone, Region) and zone.later
    return time(
        *divmod(minutes, 60), second, rest // _MICROSECOND, tzinfo=_tzinfo(zone), fold=int(later)
    )


def _tzinfo(zone: Zone | None) -> tzinfo | None:
    if zone is None:
        return None
    if isinstance(zone, Region):
        return ZoneInfo(zone.name)
    return UTC if zone.seconds == 0 else timezone(timedelta(seconds=zone.seconds))

"""What stands behind a point: entries of contexts, parts of dates, times, durations and ranges (DMN 1.5, tables 64 to 67)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, cast

from pilothouse.feel.temporal import (
    NANOSECONDS,
    Date,
    DateTime,
    DaysTime,
    Region,
    Time,
    YearsMonths,
    constant_offset,
    twin,
)
from pilothouse.feel.values import NUMBERS, Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.feel.budget import Budget

_ABSENT = object()


def member(value: Value, name: str, budget: Budget) -> Value:
    """
    Take one member of a value; of a list, the member of each item, be it a list again. Null, with its reason, where there is none.

    Raises
    ------
    FeelBudgetError
        When the list is longer than the steps that are left.

    Examples
    --------
    >>> from pilothouse.feel.budget import Budget
    >>> member({"auc": Decimal("0.9")}, "auc", Budget())
    Decimal('0.9')
    >>> member(Date(year=2026, month=1, day=5), "weekday", Budget())
    Decimal('1')
    """
    if isinstance(value, dict):
        return _entry(value, name, budget)
    return _single(value, name, budget, 0)


def _entry(context: dict[str, Value], name: str, budget: Budget) -> Value:
    found = context.get(name, _ABSENT)
    if found is _ABSENT:
        return budget.null(f"the context has no entry {name!r}")
    return cast("Value", found)


def _single(value: Value, name: str, budget: Budget, depth: int) -> Value:
    if isinstance(value, dict):
        return _entry(value, name, budget)
    if isinstance(value, tuple):
        budget.check_depth(depth)
        budget.charge(len(value))
        return tuple([_single(item, name, budget, depth + 1) for item in value])
    read = PROPERTIES.get(type(value), {}).get(name)
    if read is None:
        return budget.null(f"{kind_of(value)} has no member {name!r}")
    found = read(value)
    if found is None and not isinstance(value, Range):
        return budget.null(f"this {kind_of(value)} has no {name}")
    return found


def _number(part: Callable[[Value], int]) -> Callable[[Value], Value]:
    return lambda value: Decimal(part(value))


def _day(value: Value) -> Date:
    return value.date if isinstance(value, DateTime) else cast("Date", value)


def _clock(value: Value) -> Time:
    return value.time if isinstance(value, DateTime) else cast("Time", value)


def _weekday(value: Value) -> int:
    day = _day(value)
    return twin(day.year, day.month, day.day).isoweekday()


def _second(value: Value) -> Value:
    return _seconds(_clock(value).nanoseconds % (60 * NANOSECONDS))


def _seconds(nanoseconds: int) -> Decimal:
    """Give seconds with as many digits of their fraction as it has."""
    whole, fraction = divmod(nanoseconds, NANOSECONDS)
    if not fraction:
        return Decimal(whole)
    return NUMBERS.normalize(NUMBERS.divide(Decimal(nanoseconds), Decimal(NANOSECONDS)))


def _offset(value: Value) -> Value:
    """Give by how much the clock is ahead of universal time; a region without a date may leave that open."""
    if isinstance(value, DateTime):
        seconds = value.offset
    else:
        zone = _clock(value).zone
        seconds = None if zone is None else constant_offset(zone)
    return None if seconds is None else DaysTime(nanoseconds=seconds * NANOSECONDS)


def _timezone(value: Value) -> Value:
    zone = _clock(value).zone
    return zone.name if isinstance(zone, Region) else None


def _units(value: Value, unit: int, modulus: int) -> int:
    """Count whole units of nanoseconds, with the sign of the duration."""
    span = cast("DaysTime", value).nanoseconds
    count = abs(span) // (unit * NANOSECONDS)
    count = count % modulus if modulus else count
    return -count if span < 0 else count


def _duration_seconds(value: Value) -> Value:
    span = cast("DaysTime", value).nanoseconds
    seconds = _seconds(abs(span) % (60 * NANOSECONDS))
    return NUMBERS.minus(seconds) if span < 0 else seconds


def _years(value: Value) -> int:
    months = cast("YearsMonths", value).months
    return abs(months) // 12 * (-1 if months < 0 else 1)


def _range(value: Value) -> Range:
    return cast("Range", value)


_OF_DATES: Mapping[str, Callable[[Value], Value]] = {
    "year": _number(lambda v: _day(v).year),
    "month": _number(lambda v: _day(v).month),
    "day": _number(lambda v: _day(v).day),
    "weekday": _number(_weekday),
}
_OF_TIMES: Mapping[str, Callable[[Value], Value]] = {
    "hour": _number(lambda v: _clock(v).nanoseconds // (3_600 * NANOSECONDS)),
    "minute": _number(lambda v: _clock(v).nanoseconds // (60 * NANOSECONDS) % 60),
    "second": _second,
    "time offset": _offset,
    "timezone": _timezone,
}
PROPERTIES: Mapping[type, Mapping[str, Callable[[Value], Value]]] = {
    Date: _OF_DATES,
    Time: _OF_TIMES,
    DateTime: {**_OF_DATES, **_OF_TIMES},
    DaysTime: {
        "days": _number(lambda v: _units(v, 86_400, 0)),
        "hours": _number(lambda v: _units(v, 3_600, 24)),
        "minutes": _number(lambda v: _units(v, 60, 60)),
        "seconds": _duration_seconds,
    },
    YearsMonths: {
        "years": _number(_years),
        "months": _number(lambda v: cast("YearsMonths", v).months - 12 * _years(v)),
    },
    Range: {
        "start": lambda v: _range(v).start,
        "end": lambda v: _range(v).end,
        "start included": lambda v: _range(v).start_included,
        "end included": lambda v: _range(v).end_included,
    },
}
"""What each type has besides its value, by name."""

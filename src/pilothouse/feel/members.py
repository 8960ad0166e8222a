"""What stands behind a point: entries of contexts, parts of dates, times, durations and ranges (DMN 1.5, table 65)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from pilothouse.feel.values import Range, Value, YearsMonths

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.feel.budget import Budget


def member(value: Value, name: str, budget: Budget) -> Value:
    """
    Take one member of a value; of a list, the member of each item. Null where there is none.

    Raises
    ------
    FeelBudgetError
        When the list is longer than the steps that are left.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> member({"auc": Decimal("0.9")}, "auc", Budget())
    Decimal('0.9')
    >>> member(date(2026, 1, 5), "weekday", Budget())
    Decimal('1')
    """
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, tuple):
        budget.charge(len(value))
        return tuple(_single(item, name) for item in value)
    return _single(value, name)


def _single(value: Value, name: str) -> Value:
    if isinstance(value, dict):
        return value.get(name)
    read = _PROPERTIES.get(type(value), {}).get(name)
    return None if read is None else read(value)


def _number(part: Callable[[Value], int]) -> Callable[[Value], Value]:
    return lambda value: Decimal(part(value))


def _date(value: Value) -> date:
    return cast("date", value)


def _time(value: Value) -> datetime | time:
    return cast("datetime | time", value)


def _span(value: Value) -> timedelta:
    return cast("timedelta", value)


def _months(value: Value) -> int:
    return cast("YearsMonths", value).months


def _range(value: Value) -> Range:
    return cast("Range", value)


def _parts(value: Value, unit: int, modulus: int) -> Value:
    """Count whole units of seconds, with the sign of the duration."""
    span = _span(value)
    seconds = abs(span) // timedelta(seconds=1)
    count = seconds // unit
    count = count % modulus if modulus else count
    return Decimal(-count if span < timedelta() else count)


def _quotient(months: int, by: int) -> int:
    return abs(months) // by * (-1 if months < 0 else 1)


def _zone(value: Value) -> Value:
    zone: tzinfo | None = _time(value).tzinfo
    return zone.key if isinstance(zone, ZoneInfo) else None


_OF_DATES: Mapping[str, Callable[[Value], Value]] = {
    "year": _number(lambda v: _date(v).year),
    "month": _number(lambda v: _date(v).month),
    "day": _number(lambda v: _date(v).day),
    "weekday": _number(lambda v: _date(v).isoweekday()),
}
_OF_TIMES: Mapping[str, Callable[[Value], Value]] = {
    "hour": _number(lambda v: _time(v).hour),
    "minute": _number(lambda v: _time(v).minute),
    "second": lambda v: Decimal(_time(v).second) + Decimal(_time(v).microsecond) / 1_000_000,
    "time offset": lambda v: _time(v).utcoffset(),
    "timezone": _zone,
}
_PROPERTIES: Mapping[type, Mapping[str, Callable[[Value], Value]]] = {
    date: _OF_DATES,
    time: _OF_TIMES,
    datetime: {**_OF_DATES, **_OF_TIMES},
    timedelta: {
        "days": lambda v: _parts(v, 86_400, 0),
        "hours": lambda v: _parts(v, 3_600, 24),
        "minutes": lambda v: _parts(v, 60, 60),
        "seconds": lambda v: _parts(v, 1, 60),
    },
    YearsMonths: {
        "years": _number(lambda v: _quotient(_months(v), 12)),
        "months": _number(lambda v: _months(v) - 12 * _quotient(_months(v), 12)),
    },
    Range: {
        "start": lambda v: _range(v).start,
        "end": lambda v: _range(v).end,
        "start included": lambda v: _range(v).start_included,
        "end included": lambda v: _range(v).end_included,
    },
}

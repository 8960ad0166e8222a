"""Moments as texts, the way ``string()`` writes them: canonical, and read again by `read_moment`."""

from __future__ import annotations

from pilothouse.feel.temporal.moments import (
    NANOSECONDS,
    Date,
    DateTime,
    DaysTime,
    Moment,
    Time,
    YearsMonths,
)
from pilothouse.feel.temporal.zones import written_zone


def written(value: Moment) -> str:
    """
    Write a moment or duration as ``string()`` does.

    Examples
    --------
    >>> written(DaysTime(nanoseconds=86_490_500_000_000)), written(YearsMonths(months=-14))
    ('P1DT1M30.5S', '-P1Y2M')
    >>> written(Date(year=-44, month=3, day=15)), written(Time(nanoseconds=0))
    ('-0044-03-15', '00:00:00')
    """
    match value:
        case Date():
            return _date(value)
        case Time():
            return _time(value)
        case DateTime():
            return f"{_date(value.date)}T{_time(value.time)}"
        case DaysTime():
            return _days_time(value.nanoseconds)
        case YearsMonths():
            return _years_months(value.months)


def _date(value: Date) -> str:
    sign = "-" if value.year < 0 else ""
    return f"{sign}{abs(value.year):04}-{value.month:02}-{value.day:02}"


def _time(value: Time) -> str:
    seconds, fraction = divmod(value.nanoseconds, NANOSECONDS)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    clock = f"{hour:02}:{minute:02}:{second:02}{_fraction(fraction)}"
    return clock + written_zone(value.zone)


def _fraction(nanoseconds: int) -> str:
    return f".{nanoseconds:09}".rstrip("0") if nanoseconds else ""


def _years_months(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    parts = (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")
    return ("-" if months < 0 else "") + "P" + (parts or "0M")


def _days_time(nanoseconds: int) -> str:
    seconds, fraction = divmod(abs(nanoseconds), NANOSECONDS)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
    clock += f"{seconds}{_fraction(fraction)}S" * bool(seconds or fraction)
    parts = f"{days}D" * bool(days) + f"T{clock}" * bool(clock)
    return ("-" if nanoseconds < 0 else "") + "P" + (parts or "T0S")

"""
Adding and subtracting moments and durations.

Times with a zone move along universal time, so that a day later means 24 hours later. None where there is no
result. Source: DMN 1.5, tables 57 and 59.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.temporal.moments import (
    DAY,
    NANOSECONDS,
    Date,
    DateTime,
    DaysTime,
    Duration,
    Moment,
    Time,
    YearsMonths,
    at_instant,
    at_wall,
    date_at,
    date_of,
    days_time,
    years_months,
)
from pilothouse.feel.temporal.years import month_length
from pilothouse.feel.temporal.zones import UNIVERSAL, as_written, constant_offset

if TYPE_CHECKING:
    from pilothouse.feel.temporal.zones import Zone


def difference(left: object, right: object) -> Moment | None:
    """
    Subtract a duration from a moment, or a moment or duration from another of its type.

    A date meets a date and time as midnight of universal time.

    Examples
    --------
    >>> difference(Date(year=2026, month=1, day=5), Date(year=2026, month=1, day=4))
    DaysTime(nanoseconds=86400000000000)
    """
    match left, right:
        case (_, DaysTime() | YearsMonths()):
            return shifted(left, negated(right))
        case Time(), Time():
            return _times_apart(left, right)
        case Date(), Date():
            return DaysTime(nanoseconds=(left.days - right.days) * DAY)
        case ((Date() | DateTime()), (Date() | DateTime())):
            return _apart(at_midnight(left), at_midnight(right))
        case _:
            return None


def at_midnight(value: Date | DateTime) -> DateTime:
    """Take a date as midnight of universal time (DMN 1.5, section 10.3.2.3.5)."""
    if isinstance(value, DateTime):
        return value
    return DateTime(date=value, time=Time(nanoseconds=0, zone=UNIVERSAL))


def _apart(left: DateTime, right: DateTime) -> DaysTime | None:
    from_universal, to_universal = left.instant, right.instant
    if from_universal is not None and to_universal is not None:
        return DaysTime(nanoseconds=from_universal - to_universal)
    if from_universal is None and to_universal is None:
        return DaysTime(nanoseconds=left.wall - right.wall)
    return None


def _times_apart(left: Time, right: Time) -> DaysTime | None:
    if left.zone == right.zone:
        return DaysTime(nanoseconds=left.nanoseconds - right.nanoseconds)
    from_universal, to_universal = universal(left), universal(right)
    if from_universal is None or to_universal is None:
        return None
    return DaysTime(nanoseconds=from_universal - to_universal)


def universal(value: Time) -> int | None:
    """Give a time of day in nanoseconds of universal time; None where that depends on the day, or on the place."""
    offset = None if value.zone is None else constant_offset(value.zone)
    return None if offset is None else value.nanoseconds - offset * NANOSECONDS


def negated(value: Duration) -> Duration:
    """
    Turn a duration around.

    Examples
    --------
    >>> negated(YearsMonths(months=3))
    YearsMonths(months=-3)
    """
    if isinstance(value, YearsMonths):
        return YearsMonths(months=-value.months)
    return DaysTime(nanoseconds=-value.nanoseconds)


def shifted(moment: object, by: Duration) -> Moment | None:
    """
    Add a duration to a moment, or to a duration of its type.

    Examples
    --------
    >>> shifted(Date(year=2026, month=1, day=31), YearsMonths(months=1))
    Date(year=2026, month=2, day=28)
    """
    if isinstance(by, DaysTime):
        return _moved(moment, by.nanoseconds)
    match moment:
        case YearsMonths():
            return years_months(moment.months + by.months)
        case Date():
            return _months_later(moment, by.months)
        case DateTime():
            day = _months_later(moment.date, by.months)
            return None if day is None else DateTime(date=day, time=_unmarked(moment.time))
        case _:
            return None


def _moved(moment: object, by: int) -> Moment | None:
    match moment:
        case DaysTime():
            return days_time(moment.nanoseconds + by)
        case Date():
            return date_at((moment.days * DAY + by) // DAY)
        case Time():
            return Time(nanoseconds=(moment.nanoseconds + by) % DAY, zone=moment.zone)
        case DateTime():
            return _instant_moved(moment, by)
        case _:
            return None


def _instant_moved(moment: DateTime, by: int) -> DateTime | None:
    zone: Zone | None = moment.time.zone
    instant = moment.instant
    if zone is None or instant is None:
        return at_wall(moment.wall + by, None)
    return at_instant(instant + by, zone)


def _unmarked(time: Time) -> Time:
    """Forget which of two equal local times it was: on another day there may be one only."""
    return Time(nanoseconds=time.nanoseconds, zone=as_written(time.zone))


def _months_later(day: Date, months: int) -> Date | None:
    """Move by months; a day that the month lacks becomes its last (XQuery F&O, 10.7)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date_of(year, month + 1, min(day.day, month_length(year, month + 1)))


def whole_months(start: Date, end: Date) -> YearsMonths:
    """
    Count the whole months from one date to another.

    Examples
    --------
    >>> whole_months(Date(year=2011, month=12, day=22), Date(year=2013, month=8, day=24))
    YearsMonths(months=20)
    """
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    if months < 0 and end.day > start.day:
        months += 1
    return YearsMonths(months=months)

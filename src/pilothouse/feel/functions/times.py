"""Functions that make and read dates, times and durations. Source: DMN 1.5, sections 10.3.4.1 and 10.3.4.7."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.feel.functions.numbers import integer
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.temporal import read_date, read_date_and_time, read_duration, read_time
from pilothouse.feel.values import NUMBERS, Value, YearsMonths

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

TIMES = Registry()

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@TIMES.add("date", "year", "month", "day", optional=2, aliases={"from": "year"})
def make_date(budget: Budget, year: Value, month: Value, day: Value) -> Value:
    """Make a date of a text, a date and time, or of year, month and day."""
    if month is None and day is None:
        return _date_of(year)
    numbers = [integer(part) for part in (year, month, day)]
    try:
        return date(*numbers)  # type: ignore[arg-type]  # a null among them raises
    except (ValueError, TypeError, OverflowError):
        return None


def _date_of(source: Value) -> Value:
    if isinstance(source, str):
        return read_date(source)
    if isinstance(source, datetime):
        return source.date()
    return source if isinstance(source, date) else None


@TIMES.add(
    "time",
    "hour",
    "minute",
    "second",
    "offset",
    optional=3,
    aliases={"from": "hour"},
    takes_null=True,
)
def make_time(budget: Budget, hour: Value, minute: Value, second: Value, offset: Value) -> Value:
    """Make a time of a text, a date and time, or of hour, minute, second and offset."""
    if minute is None and second is None:
        return _time_of(hour)
    if not isinstance(second, Decimal) or not (offset is None or isinstance(offset, timedelta)):
        return None
    micros = integer(NUMBERS.multiply(second, Decimal(1_000_000)))
    hours, minutes = integer(hour), integer(minute)
    if micros is None or hours is None or minutes is None:
        return None
    try:
        zone = None if offset is None else timezone(offset)
        return time(hours, minutes, *divmod(micros, 1_000_000), zone)
    except (ValueError, OverflowError):
        return None


def _time_of(source: Value) -> Value:
    if isinstance(source, str):
        return read_time(source)
    if isinstance(source, datetime):
        return source.timetz()
    if isinstance(source, date):
        return time(tzinfo=timezone(timedelta()))
    return source if isinstance(source, time) else None


@TIMES.add("date and time", "from", "time", optional=1, aliases={"date": "from"})
def make_date_and_time(budget: Budget, source: Value, at: Value) -> Value:
    """Make a date and time of a text, or of a date and a time."""
    if isinstance(source, str) and at is None:
        return read_date_and_time(source)
    if isinstance(source, date) and isinstance(at, time):
        return datetime.combine(source, at)
    return source if isinstance(source, datetime) and at is None else None


@TIMES.add("duration", "from")
def make_duration(budget: Budget, source: Value) -> Value:
    """Make a duration of its ISO 8601 text."""
    if isinstance(source, (timedelta, YearsMonths)):
        return source
    return read_duration(source) if isinstance(source, str) else None


@TIMES.add("years and months duration", "from", "to")
def years_and_months(budget: Budget, start: Value, end: Value) -> Value:
    """Count the whole months from one date to another."""
    if not isinstance(start, date) or not isinstance(end, date):
        return None
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    if months < 0 and end.day > start.day:
        months += 1
    return YearsMonths(months=months)


@TIMES.add("day of week", "date")
def day_of_week(budget: Budget, day: Value) -> Value:
    """Name the day of the week, in English."""
    return _DAYS[day.weekday()] if isinstance(day, date) else None


@TIMES.add("month of year", "date")
def month_of_year(budget: Budget, day: Value) -> Value:
    """Name the month, in English."""
    return _MONTHS[day.month - 1] if isinstance(day, date) else None


@TIMES.add("day of year", "date")
def day_of_year(budget: Budget, day: Value) -> Value:
    """Count the days since the year began, from 1."""
    return Decimal(day.timetuple().tm_yday) if isinstance(day, date) else None


@TIMES.add("week of year", "date")
def week_of_year(budget: Budget, day: Value) -> Value:
    """Give the ISO week."""
    return Decimal(day.isocalendar().week) if isinstance(day, date) else None

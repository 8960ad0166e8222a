"""Functions that make and read dates, times and durations. Source: DMN 1.5, sections 10.3.4.1, 10.3.4.10 and 10.3.4.13."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.feel.functions.parameters import integer, number, single, whole
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.temporal import (
    LARGEST_OFFSET,
    NANOSECONDS,
    UNIVERSAL,
    Duration,
    Offset,
    as_written,
    date_of,
    from_datetime,
    read_date,
    read_date_and_time,
    read_duration,
    read_time,
    twin,
    whole_months,
)
from pilothouse.feel.values import (
    NUMBERS,
    Date,
    DateTime,
    DaysTime,
    Time,
    Value,
    YearsMonths,
    kind_of,
)

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

TIMES = Registry()

_TEXT_SHOWN = 60
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


@TIMES.add("date", "from")
def date_from(budget: Budget, source: Value) -> Date | None:
    """Make a date of its text, or of a date and time."""
    given = single(source)
    if isinstance(given, str):
        return read_date(given) or _unread(budget, "date", "a date (YYYY-MM-DD)", given)
    if isinstance(given, DateTime):
        return given.date
    return given if isinstance(given, Date) else _refused(budget, "date", "from", given)


@TIMES.add("date", whole("year"), whole("month"), whole("day"))
def date_from_parts(budget: Budget, year: int, month: int, day: int) -> Date | None:
    """Make a date of year, month and day."""
    problem = f"date({year}, {month}, {day}) has no value: there is no such day"
    return date_of(year, month, day) or budget.null(problem)


@TIMES.add("time", "from")
def time_from(budget: Budget, source: Value) -> Time | None:
    """Make a time of its text, of a date and time, or of a date, which counts as midnight of universal time."""
    given = single(source)
    if isinstance(given, str):
        return read_time(given) or _unread(budget, "time", "a time (hh:mm:ss)", given)
    if isinstance(given, DateTime):
        return Time(nanoseconds=given.time.nanoseconds, zone=as_written(given.time.zone))
    if isinstance(given, Date):
        return Time(nanoseconds=0, zone=UNIVERSAL)
    return given if isinstance(given, Time) else _refused(budget, "time", "from", given)


@TIMES.add(
    "time",
    whole("hour"),
    whole("minute"),
    number("second"),
    "offset",
    optional=1,
    takes_null=True,
)
def time_from_parts(
    budget: Budget, hour: int, minute: int, second: Decimal, offset: Value
) -> Time | None:
    """Make a time of hour, minute, second, and an offset from universal time."""
    beyond = single(offset)
    if beyond is not None and not isinstance(beyond, DaysTime):
        return _refused(budget, "time", "offset", beyond)
    fraction = integer(NUMBERS.multiply(second, Decimal(NANOSECONDS)))
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second < 60) or fraction is None:
        problem = (
            f"time({hour}, {minute}, {second}) has no value: no clock shows it, to the nanosecond"
        )
        return budget.null(problem)
    zone = None
    if beyond is not None:
        seconds, rest = divmod(beyond.nanoseconds, NANOSECONDS)
        if rest or abs(seconds) > LARGEST_OFFSET:
            return budget.null(
                "time() has no value: its offset is beyond 14 hours or not in seconds"
            )
        zone = Offset(seconds=seconds)
    return Time(nanoseconds=(hour * 60 + minute) * 60 * NANOSECONDS + fraction, zone=zone)


@TIMES.add("date and time", "from")
def date_and_time_from(budget: Budget, source: Value) -> DateTime | None:
    """Make a date and time of its text."""
    given = single(source)
    if isinstance(given, str):
        made = read_date_and_time(given)
        return made or _unread(
            budget, "date and time", "a date and time (YYYY-MM-DDThh:mm:ss)", given
        )
    return (
        given if isinstance(given, DateTime) else _refused(budget, "date and time", "from", given)
    )


@TIMES.add("date and time", "date", "time")
def date_and_time_from_both(budget: Budget, date: Value, time: Value) -> DateTime | None:
    """Make a date and time of a date, or the date of a date and time, and a time."""
    day, at = single(date), single(time)
    if isinstance(day, DateTime):
        day = day.date
    if not isinstance(day, Date):
        return _refused(budget, "date and time", "date", day)
    if not isinstance(at, Time):
        return _refused(budget, "date and time", "time", at)
    return DateTime(date=day, time=at)


@TIMES.add("duration", "from")
def make_duration(budget: Budget, source: Value) -> Duration | None:
    """Make a duration of its ISO 8601 text."""
    given = single(source)
    if isinstance(given, str):
        return read_duration(given) or _unread(
            budget, "duration", "a duration (P1DT2H or P1Y2M)", given
        )
    if isinstance(given, (DaysTime, YearsMonths)):
        return given
    return _refused(budget, "duration", "from", given)


@TIMES.add("years and months duration", "from", "to")
def years_and_months(budget: Budget, start: Value, end: Value) -> YearsMonths | None:
    """Count the whole months from one date to another; times of day do not count."""
    first, last = _day(start), _day(end)
    if first is None:
        return _refused(budget, "years and months duration", "from", single(start))
    if last is None:
        return _refused(budget, "years and months duration", "to", single(end))
    return whole_months(first, last)


@TIMES.add("day of week", "date")
def day_of_week(budget: Budget, date: Value) -> str | None:
    """Name the day of the week, in English."""
    day = _day(date)
    if day is None:
        return _refused(budget, "day of week", "date", single(date))
    return _WEEKDAYS[twin(day.year, day.month, day.day).weekday()]


@TIMES.add("month of year", "date")
def month_of_year(budget: Budget, date: Value) -> str | None:
    """Name the month, in English."""
    day = _day(date)
    if day is None:
        return _refused(budget, "month of year", "date", single(date))
    return _MONTHS[day.month - 1]


@TIMES.add("day of year", "date")
def day_of_year(budget: Budget, date: Value) -> Decimal | None:
    """Count the days since the year began, from 1."""
    day = _day(date)
    if day is None:
        return _refused(budget, "day of year", "date", single(date))
    return Decimal(twin(day.year, day.month, day.day).timetuple().tm_yday)


@TIMES.add("week of year", "date")
def week_of_year(budget: Budget, date: Value) -> Decimal | None:
    """Give the week of ISO 8601."""
    day = _day(date)
    if day is None:
        return _refused(budget, "week of year", "date", single(date))
    return Decimal(twin(day.year, day.month, day.day).isocalendar().week)


@TIMES.add("now")
def now(budget: Budget) -> DateTime | None:
    """Give the moment of the evaluation."""
    if budget.now is None:
        return budget.null("now() has no value: the evaluation was given no time")
    return from_datetime(budget.now, "now")


@TIMES.add("today")
def today(budget: Budget) -> Date | None:
    """Give the day of the evaluation."""
    if budget.now is None:
        return budget.null("today() has no value: the evaluation was given no time")
    return from_datetime(budget.now, "now").date


def _day(value: Value) -> Date | None:
    given = single(value)
    if isinstance(given, DateTime):
        return given.date
    return given if isinstance(given, Date) else None


def _unread(budget: Budget, name: str, wanted: str, text: str) -> None:
    shown = text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}…"
    return budget.null(f'{name}("{shown}") has no value: the text is not {wanted}')


def _refused(budget: Budget, name: str, parameter: str, value: Value) -> None:
    found = "null" if value is None else f"a {kind_of(value)}"
    return budget.null(f"{name}() has no value: {parameter!r} cannot be {found}")

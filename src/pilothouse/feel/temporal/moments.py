"""
The values: dates, times, dates and times, and durations of two kinds.

Python's own reach only from year 1 to 9999, and to the microsecond; the standard asks for years of nine digits
and the conformance kit for nanoseconds. Equality of these classes is equality of their parts, which is what
``is()`` means; ``=`` is `pilothouse.feel.comparison.equal`. Source: DMN 1.5, sections 10.3.2.3.4 to 10.3.2.3.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.errors import FeelValueError
from pilothouse.feel.temporal.years import LAST_YEAR, day_at, days_of, is_day
from pilothouse.feel.temporal.zones import offset_at, on_the_wall

if TYPE_CHECKING:
    from pilothouse.feel.temporal.zones import Zone

NANOSECONDS = 1_000_000_000
"""Nanoseconds of a second."""

DAY = 86_400 * NANOSECONDS
"""Nanoseconds of a day."""

LONGEST = 10**33
"""Below this many nanoseconds a duration stays; its measure then has the 34 digits of a number."""

MOST_MONTHS = 10**15
"""Below this many months a duration stays."""

_FIRST_DAY, _LAST_DAY = days_of(-LAST_YEAR, 1, 1), days_of(LAST_YEAR, 12, 31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Date:
    """
    A day of the Gregorian calendar, without a zone.

    Parameters
    ----------
    year
        From -999,999,999 to 999,999,999; 0 is the year before 1.
    month, day
        Both from 1.

    Raises
    ------
    FeelValueError
        When there is no such day.
    """

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        if not is_day(self.year, self.month, self.day):
            problem = f"there is no day {self.year}-{self.month}-{self.day}"
            raise FeelValueError(name="date", problem=problem)

    @property
    def days(self) -> int:
        """The days since 1970-01-01."""
        return days_of(self.year, self.month, self.day)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """
    A time of day.

    Parameters
    ----------
    nanoseconds
        Since midnight, from 0 to those of a day less one.
    zone
        Where its clock is; None for a clock that may be anywhere.

    Raises
    ------
    FeelValueError
        When no day has this time.
    """

    nanoseconds: int
    zone: Zone | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.nanoseconds < DAY:
            raise FeelValueError(name="time", problem=f"no day has {self.nanoseconds} ns")


@dataclass(frozen=True, slots=True, kw_only=True)
class DateTime:
    """
    A time of one day.

    Parameters
    ----------
    date
        The day, by the clock of the zone.
    time
        The time of the day, with the zone if there is one.
    """

    date: Date
    time: Time

    @property
    def wall(self) -> int:
        """What the clock shows: nanoseconds since it showed 1970-01-01T00:00:00."""
        return self.date.days * DAY + self.time.nanoseconds

    @property
    def offset(self) -> int | None:
        """By how many seconds the clock is ahead of universal time; None without a zone."""
        day, time = self.date, self.time
        if time.zone is None:
            return None
        return offset_at(time.zone, (day.year, day.month, day.day), time.nanoseconds // NANOSECONDS)

    @property
    def instant(self) -> int | None:
        """Nanoseconds since 1970-01-01T00:00:00Z; None without a zone."""
        offset = self.offset
        return None if offset is None else self.wall - offset * NANOSECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysTime:
    """
    A length of time of either sign (``days and time duration``).

    Parameters
    ----------
    nanoseconds
        The whole of it; a day has 24 hours.

    Raises
    ------
    FeelValueError
        When it has more than 33 digits.
    """

    nanoseconds: int

    def __post_init__(self) -> None:
        if abs(self.nanoseconds) >= LONGEST:
            raise FeelValueError(name="duration", problem="it is longer than 1E+24 seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsMonths:
    """
    A length of time in whole months, of either sign (``years and months duration``).

    Parameters
    ----------
    months
        The whole of it; a year has twelve.

    Raises
    ------
    FeelValueError
        When it has more than 15 digits.
    """

    months: int

    def __post_init__(self) -> None:
        if abs(self.months) >= MOST_MONTHS:
            raise FeelValueError(name="duration", problem="it is longer than 1E+15 months")


Duration: TypeAlias = DaysTime | YearsMonths
Moment: TypeAlias = Date | Time | DateTime | DaysTime | YearsMonths


def date_of(year: int, month: int, day: int) -> Date | None:
    """
    Make a date; None where there is no such day.

    Examples
    --------
    >>> date_of(2026, 1, 5), date_of(2026, 2, 30)
    (Date(year=2026, month=1, day=5), None)
    """
    return Date(year=year, month=month, day=day) if is_day(year, month, day) else None


def date_at(days: int) -> Date | None:
    """
    Make the date so many days after 1970-01-01; None beyond the years of FEEL.

    Examples
    --------
    >>> date_at(0)
    Date(year=1970, month=1, day=1)
    """
    return date_of(*day_at(days)) if _FIRST_DAY <= days <= _LAST_DAY else None


def days_time(nanoseconds: int) -> DaysTime | None:
    """Make a duration; None where it is too long."""
    return DaysTime(nanoseconds=nanoseconds) if abs(nanoseconds) < LONGEST else None


def years_months(months: int) -> YearsMonths | None:
    """Make a duration; None where it is too long."""
    return YearsMonths(months=months) if abs(months) < MOST_MONTHS else None


def at_wall(wall: int, zone: Zone | None) -> DateTime | None:
    """Make the date and time at which a clock shows this; None beyond the years of FEEL."""
    days, rest = divmod(wall, DAY)
    day = date_at(days)
    return None if day is None else DateTime(date=day, time=Time(nanoseconds=rest, zone=zone))


def at_instant(instant: int, zone: Zone) -> DateTime | None:
    """
    Make the date and time that a zone has at an instant.

    Examples
    --------
    >>> from pilothouse.feel.temporal import Offset, written
    >>> written(at_instant(0, Offset(seconds=3600)))
    '1970-01-01T01:00:00+01:00'
    """
    seconds, rest = divmod(instant, NANOSECONDS)
    if not _FIRST_DAY <= seconds // 86_400 <= _LAST_DAY:
        return None
    wall, zone = on_the_wall(zone, seconds)
    return at_wall(wall * NANOSECONDS + rest, zone)

"""
The proleptic Gregorian calendar over two thousand million years.

Days are counted from 1970-01-01. The calendar repeats after 400 years, which are a whole number of weeks, so
what Python's calendar knows of one span of 400 years it knows of all. Source: ISO 8601; DMN 1.5, section 10.3.2.3.5.
"""

from __future__ import annotations

from datetime import date

LAST_YEAR = 999_999_999
"""The largest year of FEEL, and with a minus sign the smallest."""

_CYCLE_YEARS = 400
_CYCLE_DAYS = 146_097
_EPOCH = date(1970, 1, 1).toordinal()
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def month_length(year: int, month: int) -> int:
    """
    Count the days of a month.

    Examples
    --------
    >>> month_length(2024, 2), month_length(-1, 2), month_length(0, 2)
    (29, 28, 29)
    """
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        return 29
    return _LENGTHS[month - 1]


def is_day(year: int, month: int, day: int) -> bool:
    """
    Say whether a date exists, in the years that FEEL knows.

    Examples
    --------
    >>> is_day(2026, 2, 28), is_day(2026, 2, 29), is_day(1_000_000_000, 1, 1)
    (True, False, False)
    """
    if not -LAST_YEAR <= year <= LAST_YEAR or not 1 <= month <= 12:
        return False
    return 1 <= day <= month_length(year, month)


def twin(year: int, month: int, day: int) -> date:
    """
    Give the day of Python's calendar that is alike: the same month, day, weekday and week of its year.

    Examples
    --------
    >>> twin(-1, 12, 31)
    datetime.date(2399, 12, 31)
    """
    return date(2000 + year % _CYCLE_YEARS, month, day)


def days_of(year: int, month: int, day: int) -> int:
    """
    Count the days from 1970-01-01 to a date.

    Examples
    --------
    >>> days_of(1970, 1, 2), days_of(1969, 12, 31)
    (1, -1)
    """
    cycles = year // _CYCLE_YEARS - 2000 // _CYCLE_YEARS
    return twin(year, month, day).toordinal() - _EPOCH + cycles * _CYCLE_DAYS


def day_at(days: int) -> tuple[int, int, int]:
    """
    Give year, month and day of a count of days; the opposite of `days_of`.

    Examples
    --------
    >>> day_at(0), day_at(-719_529)
    ((1970, 1, 1), (-1, 12, 31))
    """
    cycles, rest = divmod(days + _EPOCH - date(2000, 1, 1).toordinal(), _CYCLE_DAYS)
    alike = date.fromordinal(rest + date(2000, 1, 1).toordinal())
    return alike.year + cycles * _CYCLE_YEARS, alike.month, alike.day

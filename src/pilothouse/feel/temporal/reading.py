"""
Texts as moments. What is no such text, and what no calendar, clock or zone knows, is None.

Times are kept to the nanosecond: a text with more digits, other than zeros, is None too, never cut. Source: DMN 1.5,
section 10.3.4.1; XML Schema part 2 for the texts of dates and times, XPath's data model for those of durations.
"""

from __future__ import annotations

import re

from pilothouse.feel.temporal.moments import (
    DAY,
    NANOSECONDS,
    Date,
    DateTime,
    DaysTime,
    Moment,
    Time,
    YearsMonths,
    at_wall,
    date_of,
    days_time,
    years_months,
)
from pilothouse.feel.temporal.zones import Zone, read_zone

_DIGITS = 40  # more than any number of days, hours or months that stays a duration
_DATE = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,40}))?(Z|z|[+-][0-9:]{5,8}|@.{1,64})?"
)
_DATE_AND_ZONE = re.compile(r"(-?[0-9]{4,9}-[0-9]{2}-[0-9]{2})(Z|z|[+-][0-9]{2}:[0-9]{2})?")
_DAYS_TIME = re.compile(
    rf"(-)?P(?:([0-9]{{1,{_DIGITS}}})D)?(?:T(?=[0-9])(?:([0-9]{{1,{_DIGITS}}})H)?"
    rf"(?:([0-9]{{1,{_DIGITS}}})M)?(?:([0-9]{{1,{_DIGITS}}})(?:\.([0-9]{{0,{_DIGITS}}}))?S)?)?"
)
_YEARS_MONTHS = re.compile(rf"(-)?P(?:([0-9]{{1,{_DIGITS}}})Y)?(?:([0-9]{{1,{_DIGITS}}})M)?")


def read_moment(text: str) -> Moment | None:
    """
    Read the text of an ``@"…"`` literal: a date, a time, a date and time, or a duration.

    Examples
    --------
    >>> read_moment("2026-01-05"), read_moment("PT1H"), read_moment("nonsense")
    (Date(year=2026, month=1, day=5), DaysTime(nanoseconds=3600000000000), None)
    """
    both = read_date_and_time(text) if "T" in text else read_date(text)
    return both or read_time(text) or read_duration(text)


def read_date(text: str) -> Date | None:
    """
    Read ``YYYY-MM-DD``, with up to nine digits of the year and a sign before it.

    Examples
    --------
    >>> read_date("-0044-03-15"), read_date("2026-1-5")
    (Date(year=-44, month=3, day=15), None)
    """
    match = _DATE.fullmatch(text)
    return None if match is None else date_of(int(match[1]), int(match[2]), int(match[3]))


def read_time(text: str) -> Time | None:
    """
    Read ``hh:mm:ss``, with a fraction, an offset or ``@zone`` if there is one; ``24:00:00`` is midnight.

    Examples
    --------
    >>> read_time("00:00:01.5Z"), read_time("7:00:00")
    (Time(nanoseconds=1500000000, zone=Offset(seconds=0)), None)
    """
    clock = _clock(text)
    return None if clock is None else Time(nanoseconds=clock[0] % DAY, zone=clock[1])


def read_date_and_time(text: str) -> DateTime | None:
    """
    Read a date, ``T`` and a time; a date alone means its midnight, and may have a zone.

    Examples
    --------
    >>> read_date_and_time("2026-12-31T24:00:00") == read_date_and_time("2027-01-01")
    True
    """
    day_text, separator, time_text = text.partition("T")
    if not separator:
        return _midnight(text)
    day, clock = read_date(day_text), _clock(time_text)
    if day is None or clock is None:
        return None
    nanoseconds, zone = clock
    if nanoseconds == DAY:
        return at_wall((day.days + 1) * DAY, zone)
    return DateTime(date=day, time=Time(nanoseconds=nanoseconds, zone=zone))


def _midnight(text: str) -> DateTime | None:
    match = _DATE_AND_ZONE.fullmatch(text)
    day = None if match is None else read_date(match[1])
    zone = read_zone(match[2]) if match is not None and match[2] else None
    if match is None or day is None or (match[2] and zone is None):
        return None
    return DateTime(date=day, time=Time(nanoseconds=0, zone=zone))


def _clock(text: str) -> tuple[int, Zone | None] | None:
    """Read a time as nanoseconds, at most those of a whole day, and its zone."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3])
    fraction = _nanoseconds(match[4])
    zone = read_zone(match[5]) if match[5] else None
    if fraction is None or (match[5] and zone is None) or minute > 59 or second > 59:
        return None
    nanoseconds = ((hour * 60 + minute) * 60 + second) * NANOSECONDS + fraction
    return (nanoseconds, zone) if nanoseconds <= DAY else None


def read_duration(text: str) -> DaysTime | YearsMonths | None:
    """
    Read an ISO 8601 duration, of days and times or of years and months, not of both.

    Examples
    --------
    >>> read_duration("P1DT12H"), read_duration("-P1Y2M"), read_duration("P1Y1D")
    (DaysTime(nanoseconds=129600000000000), YearsMonths(months=-14), None)
    """
    match = _YEARS_MONTHS.fullmatch(text)
    if match is not None and (match[2] or match[3]):
        months = 12 * int(match[2] or 0) + int(match[3] or 0)
        return years_months(-months if match[1] else months)
    return _read_days_time(text)


def _read_days_time(text: str) -> DaysTime | None:
    match = _DAYS_TIME.fullmatch(text)
    fraction = _nanoseconds(match[6]) if match else None
    if match is None or fraction is None or not any(match.groups()[1:]):
        return None
    days, hours, minutes, seconds = (int(match[i] or 0) for i in (2, 3, 4, 5))
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    length = total * NANOSECONDS + fraction
    return days_time(-length if match[1] else length)


def _nanoseconds(fraction: str | None) -> int | None:
    digits = (fraction or "").ljust(9, "0")
    return None if digits[9:].strip("0") else int(digits[:9])

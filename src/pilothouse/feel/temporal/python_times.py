"""Python's dates, times and lengths of time as FEEL's."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from pilothouse.feel.errors import FeelValueError
from pilothouse.feel.temporal.moments import DAY, Date, DateTime, DaysTime, Time
from pilothouse.feel.temporal.zones import Offset, Region, Zone

_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)


def from_date(raw: date) -> Date:
    """
    Take a date.

    Examples
    --------
    >>> from_date(date(2026, 1, 5))
    Date(year=2026, month=1, day=5)
    """
    return Date(year=raw.year, month=raw.month, day=raw.day)


def from_time(raw: time, name: str) -> Time:
    """
    Take a time of day.

    Raises
    ------
    FeelValueError
        When its zone is none that FEEL can name.
    """
    return Time(nanoseconds=_nanoseconds(raw), zone=_zone(raw.tzinfo, raw.utcoffset(), name))


def from_datetime(raw: datetime, name: str) -> DateTime:
    """
    Take a date and time.

    Raises
    ------
    FeelValueError
        When its zone is none that FEEL can name.

    Examples
    --------
    >>> from datetime import UTC
    >>> from pilothouse.feel.temporal import written
    >>> written(from_datetime(datetime(2026, 1, 5, tzinfo=UTC), "at"))
    '2026-01-05T00:00:00Z'
    """
    zone = _zone(raw.tzinfo, raw.utcoffset(), name)
    if raw.fold and isinstance(zone, Region):
        zone = Region(name=zone.name, later=True)
    day = Date(year=raw.year, month=raw.month, day=raw.day)
    return DateTime(date=day, time=Time(nanoseconds=_nanoseconds(raw), zone=zone))


def from_timedelta(raw: timedelta) -> DaysTime:
    """
    Take a length of time.

    Examples
    --------
    >>> from_timedelta(timedelta(microseconds=-1))
    DaysTime(nanoseconds=-1000)
    """
    return DaysTime(nanoseconds=raw // _MICROSECOND * 1_000)


def _nanoseconds(raw: time | datetime) -> int:
    seconds = (raw.hour * 60 + raw.minute) * 60 + raw.second
    return (seconds * 1_000_000 + raw.microsecond) * 1_000 % DAY


def _zone(zone: tzinfo | None, offset: timedelta | None, name: str) -> Zone | None:
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo) and zone.key:
        return Region(name=zone.key)
    if offset is None or offset % _SECOND:
        raise FeelValueError(name=name, problem="its zone has no offset in whole seconds")
    return Offset(seconds=offset // _SECOND)

"""
Time zones of timers: a region of the IANA database, and what becomes of the hours that its clocks skip or repeat.

One rule holds for everything that is planned by the clock on the wall: **a local time that the clocks skip is the
moment when the skip ends, and one that they show twice is the first of the two**.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

UTC_ZONE = ZoneInfo("UTC")
LAST_YEAR = 9998
"""One year inside Python's calendar, so that no zone leaves it."""


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo:
    """
    Give a region by its name in the IANA database.

    Raises
    ------
    ValueError
        When there is none of this name.

    Examples
    --------
    >>> zone_named("Europe/Paris").key
    'Europe/Paris'
    """
    if name not in _known():
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as Europe/Paris")
    return ZoneInfo(name)


def parted(text: str) -> tuple[str, ZoneInfo | None]:
    """
    Part a timer's text from the zone behind its ``@``, if it has one.

    Raises
    ------
    ValueError
        When the zone is not known.

    Examples
    --------
    >>> parted("0 8 * * MON@Europe/Paris"), parted("@daily")
    (('0 8 * * MON', zoneinfo.ZoneInfo(key='Europe/Paris')), ('@daily', None))
    """
    head, _, name = text.rpartition("@")
    return (head.strip(), zone_named(name.strip())) if head else (text.strip(), None)


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """Give the local time of a moment, naive; its ``fold`` says whether it is the second of two."""
    return at.astimezone(zone).replace(tzinfo=None)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """
    Give the moment of a local time, in UTC, by the rule of this module.

    Examples
    --------
    >>> paris = zone_named("Europe/Paris")
    >>> instant(datetime(2026, 3, 29, 2, 30), paris).isoformat()  # the clocks went from 2:00 to 3:00
    '2026-03-29T01:00:00+00:00'
    >>> instant(datetime(2026, 10, 25, 2, 30), paris).isoformat()  # and here it is 2:30 twice
    '2026-10-25T00:30:00+00:00'
    """
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall(first, zone) == local:
        return first
    # In a skipped hour, fold 1 counts by the offset after it and so gives a moment before the skip.
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return shift(zone, after=before, until=first) or first


def shift(zone: ZoneInfo, *, after: datetime, until: datetime) -> datetime | None:
    """Give the first moment later than `after`, and not later than `until`, when the zone's offset is another."""
    day, low = timedelta(days=1), after.replace(microsecond=0)
    offset = low.astimezone(zone).utcoffset()
    while low < until:
        high = min(low + day, until)
        if high.astimezone(zone).utcoffset() != offset:
            return _bisected(zone, low, high, offset)
        low = high
    return None


def _bisected(zone: ZoneInfo, low: datetime, high: datetime, offset: timedelta | None) -> datetime:
    second = timedelta(seconds=1)
    while high - low > second:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == offset:
            low = max(middle, low + second)
        else:
            high = middle
    if low.astimezone(zone).utcoffset() != offset:
        return low
    return high.replace(microsecond=0)

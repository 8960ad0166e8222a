"""
The lines on which moments are compared.

The standard counts times in whole seconds: times that differ by less than a second may be equal, and the kit holds
us to it. Times with and without a zone, and times of day in regions whose offset depends on the day, lie on lines of
their own. Source: DMN 1.5, tables 53 and 54, with sections 10.3.2.3.4 to 10.3.2.3.8.
"""

from __future__ import annotations

from pilothouse.feel.temporal.counting import universal
from pilothouse.feel.temporal.moments import (
    NANOSECONDS,
    Date,
    DateTime,
    DaysTime,
    Moment,
    Time,
    YearsMonths,
)
from pilothouse.feel.temporal.zones import Region

LOCAL = ""
"""The line of times without a zone, and of everything that has no zone."""

UTC_LINE = "Z"
"""The line of times with a zone."""


def moment_key(value: Moment) -> tuple[str, int]:
    """
    Give what moments of one type are compared by: the line they lie on, and the place on it.

    Returns
    -------
    tuple[str, int]
        `LOCAL`, `UTC_LINE`, or the name of a region for times of day there; and days, seconds, nanoseconds or months.

    Examples
    --------
    >>> from pilothouse.feel.temporal import read_time
    >>> moment_key(read_time("01:00:00")), moment_key(read_time("01:00:00.9+01:00"))
    (('', 3600), ('Z', 0))
    """
    match value:
        case Date():
            return LOCAL, value.days
        case DateTime():
            instant = value.instant
            line, place = (LOCAL, value.wall) if instant is None else (UTC_LINE, instant)
            return line, place // NANOSECONDS
        case Time():
            return _time_key(value)
        case DaysTime():
            return LOCAL, value.nanoseconds
        case YearsMonths():
            return LOCAL, value.months


def _time_key(value: Time) -> tuple[str, int]:
    in_universal = universal(value)
    if in_universal is not None:
        return UTC_LINE, in_universal // NANOSECONDS
    zone = value.zone
    return zone.name if isinstance(zone, Region) else LOCAL, value.nanoseconds // NANOSECONDS


def wall_key(value: DateTime | Time) -> int:
    """Give what the clock shows in seconds, for a comparison in which one side borrows the zone of the other."""
    wall = value.wall if isinstance(value, DateTime) else value.nanoseconds
    return wall // NANOSECONDS

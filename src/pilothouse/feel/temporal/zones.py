"""
Time zones: an offset from universal time, or a region with its rules, which may change with the day.

Source: DMN 1.5, section 10.3.4.1 (time string), with the identifiers of the IANA time zone database.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilothouse.feel.errors import FeelValueError
from pilothouse.feel.temporal.years import day_at

LARGEST_OFFSET = 14 * 3_600
"""The largest offset in seconds, and with a minus sign the smallest (XML Schema part 2, dateTime)."""

SECONDS_OF_DAY = 86_400

_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+/-]{0,63}")
_MACHINES_OWN = re.compile(r"localtime|posixrules|(?:posix|right)/.*")
"""Files beside the rules of the database, which other machines have not, or with other rules."""

_RULES_KEPT = 256
_FIRST_CERTAIN, _LAST_CERTAIN = (
    2,
    9_998,
)  # one year inside Python's calendar, so that no offset leaves it


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """
    A constant difference from universal time.

    Parameters
    ----------
    seconds
        By how much local time is ahead; at most 14 hours either way.

    Raises
    ------
    FeelValueError
        When it is more.
    """

    seconds: int

    def __post_init__(self) -> None:
        if abs(self.seconds) > LARGEST_OFFSET:
            raise FeelValueError(name="offset", problem=f"{self.seconds} s is beyond 14 hours")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """
    A place of the IANA database, such as ``Europe/Paris``.

    Parameters
    ----------
    name
        Its identifier.
    later
        Where clocks are put back, whether the second of two equal local times is meant. No text can say this; it
        comes of counting on.

    Raises
    ------
    FeelValueError
        When nobody knows the name.
    """

    name: str
    later: bool = False

    def __post_init__(self) -> None:
        if _rules(self.name) is None:
            raise FeelValueError(name="timezone", problem=f"nobody knows {self.name[:80]!r}")


Zone: TypeAlias = Offset | Region

UNIVERSAL = Offset(seconds=0)


def read_zone(text: str) -> Zone | None:
    """
    Read ``Z``, an offset, or ``@`` and the name of a region.

    Examples
    --------
    >>> read_zone("+01:00"), read_zone("@Europe/Paris"), read_zone("+19:00")
    (Offset(seconds=3600), Region(name='Europe/Paris', later=False), None)
    """
    if text in ("Z", "z"):
        return UNIVERSAL
    if text.startswith("@"):
        return None if _rules(text[1:]) is None else Region(name=text[1:])
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[3]) > 59 or int(match[4] or 0) > 59:
        return None
    seconds = int(match[2]) * 3_600 + int(match[3]) * 60 + int(match[4] or 0)
    if seconds > LARGEST_OFFSET:
        return None
    return Offset(seconds=-seconds if match[1] == "-" else seconds)


@functools.lru_cache(maxsize=_RULES_KEPT)
def _rules(name: str) -> ZoneInfo | None:
    if _NAME.fullmatch(name) is None or _MACHINES_OWN.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None  # no zone: a folder, a file of another kind, or nothing


def _known_rules(region: Region) -> ZoneInfo:
    rules = _rules(region.name)
    if rules is None:
        raise FeelValueError(name="timezone", problem=f"{region.name!r} is no longer known")
    return rules


def as_written(zone: Zone | None) -> Zone | None:
    """Give the zone as a text would name it, which cannot say which of two equal local times is meant."""
    return Region(name=zone.name) if isinstance(zone, Region) and zone.later else zone


def constant_offset(zone: Zone) -> int | None:
    """
    Give the offset that a zone has on every day, in seconds; None where it depends on the day.

    Examples
    --------
    >>> constant_offset(Region(name="Etc/UTC")), constant_offset(Region(name="Europe/Paris"))
    (0, None)
    """
    if isinstance(zone, Offset):
        return zone.seconds
    offset = _known_rules(zone).utcoffset(None)
    return None if offset is None else offset // timedelta(seconds=1)


def offset_at(zone: Zone, day: tuple[int, int, int], second: int) -> int:
    """
    Give the offset of a zone when its clocks show a time, in seconds.

    Parameters
    ----------
    zone
        The zone.
    day
        Year, month and day that the calendar of the zone shows.
    second
        The second of the day, from 0.

    Examples
    --------
    >>> offset_at(Region(name="Europe/Paris"), (2026, 7, 1), 0)
    7200
    """
    if isinstance(zone, Offset):
        return zone.seconds
    at = _python(day, second)
    return _seconds(at.replace(tzinfo=_known_rules(zone), fold=int(zone.later)))


def on_the_wall(zone: Zone, instant: int) -> tuple[int, Zone]:
    """
    Give what the clocks of a zone show at an instant.

    Parameters
    ----------
    zone
        The zone.
    instant
        Seconds since 1970-01-01T00:00:00Z.

    Returns
    -------
    tuple[int, Zone]
        Local time in seconds since 1970-01-01T00:00:00, and the zone, saying which of two equal local times it is.

    Examples
    --------
    >>> on_the_wall(Region(name="Europe/Paris"), 0)
    (3600, Region(name='Europe/Paris', later=False))
    """
    if isinstance(zone, Offset):
        return instant + zone.seconds, zone
    days, second = divmod(instant, SECONDS_OF_DAY)
    at = _python(day_at(days), second).replace(tzinfo=UTC).astimezone(_known_rules(zone))
    return instant + _seconds(at), Region(name=zone.name, later=bool(at.fold))


def _python(ymd: tuple[int, int, int], second: int) -> datetime:
    """Give a time of Python's calendar at which the rules of zones are the same."""
    year, month, day = ymd
    if year < _FIRST_CERTAIN:
        year = 400 + year % 400  # before all rules: local mean time, always the same
    elif year > _LAST_CERTAIN:
        year = 2400 + year % 400  # after all changes of rules: they repeat with the calendar
    hour, rest = divmod(second, 3_600)
    return datetime(year, month, day, hour, *divmod(rest, 60))  # noqa: DTZ001  # the caller puts the zone in


def _seconds(at: datetime) -> int:
    offset = at.utcoffset()
    return 0 if offset is None else offset // timedelta(seconds=1)


def written_zone(zone: Zone | None) -> str:
    """
    Write a zone as it stands behind a time.

    Examples
    --------
    >>> written_zone(Offset(seconds=-3600)), written_zone(UNIVERSAL), written_zone(None)
    ('-01:00', 'Z', '')
    """
    if zone is None:
        return ""
    if isinstance(zone, Region):
        return f"@{zone.name}"
    if zone.seconds == 0:
        return "Z"
    hours, rest = divmod(abs(zone.seconds), 3_600)
    minutes, seconds = divmod(rest, 60)
    text = f"{'-' if zone.seconds < 0 else '+'}{hours:02}:{minutes:02}"
    return f"{text}:{seconds:02}" if seconds else text

"""ISO 8601 durations and moments, on the calendar of a zone."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.zones import LAST_YEAR, UTC_ZONE, instant, parted, wall, zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """
    A length of time; months are calendar months, and ``days`` of ``rest`` are calendar days where a zone is given.

    Examples
    --------
    >>> Duration.parsed("P1MT30M").after(datetime(2026, 1, 31, tzinfo=UTC)).isoformat()
    '2026-02-28T00:30:00+00:00'
    """

    months: int
    rest: timedelta
    days: int = 0

    @classmethod
    def parsed(cls, text: str) -> Duration:
        """
        Read an ISO 8601 duration such as ``P3D``, ``PT0.5S``, ``P1Y2M``, ``P2W``.

        Raises
        ------
        ValueError
            When the text is something else.
        """
        found = _DURATION.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is not an ISO 8601 duration such as PT30M or P3D")
        number = {name: float(digits or 0) for name, digits in found.groupdict().items()}
        months = int(number.pop("years") * 12 + number.pop("months"))
        days = int(number["weeks"] * 7 + number["days"])
        return cls(months=months, days=days, rest=timedelta(**number))

    @property
    def is_zero(self) -> bool:
        """Whether it is no time at all."""
        return not self.months and not self.rest

    @property
    def elapses(self) -> bool:
        """Whether it is the same length of time wherever and whenever it begins."""
        return not self.months and not self.days

    def after(self, start: datetime, *, zone: ZoneInfo = UTC_ZONE, times: int = 1) -> datetime:
        """
        Add the duration to a moment, `times` times at once; a day that the month lacks becomes the month's last.

        Raises
        ------
        OverflowError, ValueError
            When that is beyond the calendar.
        """
        if not self.months and (zone is UTC_ZONE or not self.days):
            return start + times * self.rest
        local = wall(start, zone)
        years, month = divmod(local.month - 1 + times * self.months, 12)
        year, month = local.year + years, month + 1
        if year > LAST_YEAR:
            raise OverflowError("the date is beyond the year 9998")
        day = min(local.day, calendar.monthrange(year, month)[1])
        days = timedelta(days=times * self.days)
        moved = local.replace(year=year, month=month, day=day) + days
        return instant(moved, zone) + times * self.rest - days


def moment(text: str, *, zone: ZoneInfo | None = None) -> datetime:
    """
    Read an ISO 8601 date and time with its offset or zone, in UTC.

    Raises
    ------
    ValueError
        When the text is something else, or has no zone, or two that differ.

    Examples
    --------
    >>> moment("2026-07-01T08:00:00@Europe/Paris").isoformat()
    '2026-07-01T06:00:00+00:00'
    """
    bare, own = _zoned(text)
    zone = own or zone
    try:
        at = datetime.fromisoformat(bare)
    except ValueError:
        at = None
    if at is None or (at.tzinfo is None and zone is None):
        raise ValueError(
            f"{text!r} is not a date and time with its zone, such as 2026-01-05T08:00:00Z"
        )
    if at.tzinfo is None:
        return instant(at, zone or UTC_ZONE)
    if own is not None and at.astimezone(own).utcoffset() != at.utcoffset():
        raise ValueError(f"{text!r} has an offset that is not {own.key}'s at that moment")
    return at.astimezone(UTC)


def _zoned(text: str) -> tuple[str, ZoneInfo | None]:
    # The form of Java, and so of Camunda: 2026-01-05T08:00:00+01:00[Europe/Berlin].
    if text.endswith("]") and "[" in text:
        bare, _, name = text[:-1].rpartition("[")
        return bare, zone_named(name)
    return parted(text)

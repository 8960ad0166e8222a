"""Series of moments: a repeating interval as it is drawn, and as an armed timer keeps it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.cron import Cron
from pilothouse.bpmn.durations import Duration, moment
from pilothouse.bpmn.zones import UTC_ZONE, parted

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_CYCLE = re.compile(
    r"R(?P<times>\d{0,6})(?:/(?P<start>[^P/][^/]*))?/(?P<period>P[^/]+)(?:/(?P<end>[^P/][^/]*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """
    A repeating interval: ``R3/PT5M``, ``R/2026-01-05T08:00:00Z/P1D``, and with an end behind it.

    ``times`` is None for ``R/…``. With a start it fires at the start and then after each period; without one, first
    after the first period. Nothing fires after the end.
    """

    times: int | None
    period: str
    start: datetime | None = None
    end: datetime | None = None
    zone: ZoneInfo = UTC_ZONE

    @classmethod
    def parsed(cls, text: str, *, zone: ZoneInfo | None = None) -> Cycle:
        """
        Read a repeating interval, with its zone behind ``@``, or else in `zone`, or else in UTC.

        Raises
        ------
        ValueError
            When the text is something else, repeats never, or without a pause.
        """
        bare, own = parted(text)
        found = _CYCLE.fullmatch(bare)
        if found is None:
            raise ValueError(
                f"{text!r} is not a repeating interval such as R3/PT5M, R/2026-01-05T08:00:00Z/P1D "
                "or R/2026-01-05T08:00:00Z/P1D/2026-12-31T00:00:00Z"
            )
        if Duration.parsed(found["period"]).is_zero or found["times"] == "0":
            raise ValueError(f"{text!r} repeats never or without a pause")
        zone = own or zone
        return cls(
            times=int(found["times"]) if found["times"] else None,
            period=found["period"],
            start=moment(found["start"], zone=zone) if found["start"] else None,
            end=moment(found["end"], zone=zone) if found["end"] else None,
            zone=zone or UTC_ZONE,
        )

    def armed(self, at: datetime) -> tuple[datetime, str, int | None]:
        """
        Give the first moment for a timer that is armed at `at`, the series to keep, and how often it repeats.

        Moments before `at` are used up and do not fire.

        Raises
        ------
        ValueError
            When none is left.
        """
        paced = Paced(anchor=self.start or at, period=Duration.parsed(self.period), zone=self.zone)
        first = paced.number(at - timedelta(microseconds=1)) + 1 if self.start else 1
        limit = None if self.times is None else self.times - (1 if self.start else 0)
        if self.end is not None:
            last = paced.number(self.end)
            limit = last if limit is None else min(limit, last)
        if limit is not None and first > limit:
            raise ValueError("all moments of the series have passed, or lie after its end")
        return paced.moment(first), self._kept(paced), None if limit is None else limit - first

    def _kept(self, paced: Paced) -> str:
        if paced.period.elapses:
            return self.period
        return f"{paced.anchor.isoformat()}/{self.period}@{self.zone.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paced:
    """
    The moments ``anchor``, ``anchor + period``, ``anchor + 2 * period`` and so on, each counted from the anchor.

    So a series on the 31st is on the 28th of February, and on the 31st of March again.
    """

    anchor: datetime
    period: Duration
    zone: ZoneInfo

    def moment(self, number: int) -> datetime:
        """Give the moment of a number from 0."""
        return self.period.after(self.anchor, zone=self.zone, times=number)

    def number(self, at: datetime) -> int:
        """Give the number of the last moment that is not later than `at`, -1 if all are."""
        if at < self.anchor:
            return -1
        if not self.period.months:
            # Exact but for a change of clocks, which is less than a day either way.
            low = max(0, (at - self.anchor - timedelta(days=1)) // self.period.rest)
        else:
            low = max(
                0,
                (at - self.anchor) // (timedelta(days=31) * self.period.months + self.period.rest)
                - 1,
            )
        return self._last(low, at)

    def _last(self, low: int, at: datetime) -> int:
        high = low + 1
        while self._comes(high, at):
            low, high = high, high + 2 * (high - low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._comes(middle, at) else (low, middle)
        return low

    def _comes(self, number: int, at: datetime) -> bool:
        try:
            return self.moment(number) <= at
        except (OverflowError, ValueError):
            return False


def following(period: str, *, due: datetime, at: datetime) -> tuple[datetime, int]:
    """
    Give the first moment of a kept series that is later than `at`, and how many after `due` have passed.

    Parameters
    ----------
    period
        The series: a cron pattern, a period from its anchor (``2026-01-31T08:00:00+00:00/P1M@UTC``), or a bare
        period, which goes on from `due`.
    due
        The moment of the firing that is over.
    at
        Now, not before `due`.

    Raises
    ------
    ValueError, OverflowError
        When the series has no further moment on the calendar.

    Examples
    --------
    >>> from datetime import UTC
    >>> due = datetime(2026, 2, 28, tzinfo=UTC)
    >>> following("2026-01-31T00:00:00+00:00/P1M@UTC", due=due, at=due)[0].isoformat()
    '2026-03-31T00:00:00+00:00'
    """
    text, zone = parted(period)
    if " " in text or text.startswith("@"):
        cron = Cron.parsed(period)
        return cron.after(at), cron.missed(due=due, at=at)
    anchor, _, length = text.rpartition("/")
    paced = Paced(
        anchor=moment(anchor) if anchor else due,
        period=Duration.parsed(length),
        zone=zone or UTC_ZONE,
    )
    last = paced.number(at)
    return paced.moment(last + 1), last - paced.number(due)

"""
Cron: moments given by the calendar, such as every weekday at eight.

Five fields are minute, hour, day of month, month and day of week, as in Unix; where both days are given, either
one is enough. Six fields have the seconds in front, as in Camunda, and there both days must fit. A field is ``*``,
or a list of values, ranges (``MON-FRI``) and steps (``0/15``, ``*/5``, ``8-18/2``); months and days have English
names, and Sunday is 0 or 7. In the days, ``?`` means ``*``; ``L`` is the last day of the month, ``L-3`` three days
before it, ``15W`` the weekday nearest to the 15th in its month, ``LW`` the last weekday; ``FRIL`` the last Friday,
``MON#2`` the second Monday. ``@yearly``, ``@monthly``, ``@weekly``, ``@daily`` and ``@hourly`` are short for what
they say.

When clocks change, a pattern whose hour begins with ``*`` runs on by the true clock: what is skipped does not come,
and what is shown twice comes twice. One with given hours follows the rule of `pilothouse.bpmn.zones`: it comes once,
at the end of the skip or at the first of two.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from pilothouse.bpmn.cron_fields import (
    Month,
    MonthDays,
    WeekDays,
    month_days,
    read_plain,
    week_days,
)
from pilothouse.bpmn.zones import LAST_YEAR, UTC_ZONE, instant, parted, shift, wall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

SHORT = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """
    A pattern of moments in a zone.

    ``either`` says that one of the two days is enough where both are given, ``running`` that it goes by the true
    clock when clocks change.

    Examples
    --------
    >>> weekly = Cron.parsed("0 0 9 * * MON@Europe/Paris")
    >>> weekly.after(datetime(2026, 3, 24, tzinfo=UTC)).isoformat()
    '2026-03-30T07:00:00+00:00'
    """

    text: str
    zone: ZoneInfo
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    month_days: MonthDays
    months: frozenset[int]
    week_days: WeekDays
    either: bool
    running: bool

    @staticmethod
    def parsed(text: str, *, zone: ZoneInfo | None = None) -> Cron:
        """
        Read a pattern, with its zone behind ``@``, or else in `zone`, or else in UTC.

        Raises
        ------
        ValueError
            When it is none, or never comes.
        """
        return _parsed(text, zone)

    def after(self, at: datetime) -> datetime:
        """
        Give the first moment later than `at`, in UTC.

        Raises
        ------
        ValueError
            When there is none before the year 9999.
        """
        return self._after_running(at) if self.running else self._after_fixed(at)

    def missed(self, *, due: datetime, at: datetime) -> int:
        """Count the local times of the pattern that came after `due` and not after `at`."""
        if not self.running:
            return self._count(self._reached(due), self._reached(at))
        count, low = 0, due
        while low < at:
            change = shift(self.zone, after=low, until=at)
            high = at if change is None else change - SECOND
            offset = low.astimezone(self.zone).utcoffset() or timedelta()
            count += self._count(_naive(low, offset), _naive(high, offset))
            if change is None:
                break
            count += self._fits(wall(change, self.zone))
            low = change
        return count

    def _after_running(self, at: datetime) -> datetime:
        low = at
        while True:
            offset = low.astimezone(self.zone).utcoffset() or timedelta()
            found = (self._following(_naive(low, offset)) - offset).replace(tzinfo=UTC)
            change = shift(self.zone, after=low, until=found)
            if change is None:
                return found
            if self._fits(wall(change, self.zone)):
                return change
            low = change

    def _after_fixed(self, at: datetime) -> datetime:
        local = wall(at, self.zone)
        while True:
            local = self._following(local)
            found = instant(local, self.zone)
            if found > at:
                return found

    def _following(self, local: datetime) -> datetime:
        """Give the first fitting local time later than another."""
        local = local.replace(microsecond=0, fold=0)
        later = self._time_after(local.time())
        if later is not None and local.day in self._days(local.year, local.month):
            return datetime.combine(local, later)
        first = time(self.hours[0], self.minutes[0], self.seconds[0])
        for month in _months_from(local):
            for day in self._days(month.year, month.number) if month.number in self.months else ():
                if (month.year, month.number, day) > (local.year, local.month, local.day):
                    return datetime.combine(datetime(month.year, month.number, day), first)  # noqa: DTZ001 local
        raise ValueError(f"{self.text!r} never comes after {local.isoformat(sep=' ')}")

    def _time_after(self, now: time) -> time | None:
        if now.hour in self.hours:
            if now.minute in self.minutes and now.second < self.seconds[-1]:
                return now.replace(second=_above(self.seconds, now.second))
            if now.minute < self.minutes[-1]:
                return time(now.hour, _above(self.minutes, now.minute), self.seconds[0])
        if now.hour < self.hours[-1]:
            return time(_above(self.hours, now.hour), self.minutes[0], self.seconds[0])
        return None

    def _days(self, year: int, month: int) -> tuple[int, ...]:
        if month not in self.months:
            return ()
        return _days_of(self.month_days, self.week_days, self.either, Month.of(year, month))

    def _fits(self, local: datetime) -> bool:
        return (
            local.day in self._days(local.year, local.month)
            and local.hour in self.hours
            and local.minute in self.minutes
            and local.second in self.seconds
            and not local.microsecond
        )

    def _reached(self, at: datetime) -> datetime:
        """Give the latest local time whose moment has come: in a repeated hour, all of it has."""
        local = wall(at, self.zone)
        if not local.fold:
            return local
        change = shift(self.zone, after=at - timedelta(days=1), until=at)
        if change is None:
            return local
        before = (change - SECOND).astimezone(self.zone).utcoffset() or timedelta()
        return _naive(change, before) - SECOND

    def _count(self, low: datetime, high: datetime) -> int:
        """Count the fitting local times later than `low` and not later than `high`."""
        if high <= low:
            return 0
        days = sum(
            low.date() <= datetime(month.year, month.number, day).date() < high.date()  # noqa: DTZ001 local
            for month in _months_from(low, until=high)
            for day in self._days(month.year, month.number)
        )
        a_day = len(self.hours) * len(self.minutes) * len(self.seconds)
        return days * a_day + self._times_until(high) - self._times_until(low)

    def _times_until(self, local: datetime) -> int:
        """Count the fitting times of a fitting day up to one of them, which counts."""
        if local.day not in self._days(local.year, local.month):
            return 0
        hours = bisect_right(self.hours, local.hour)
        if local.hour not in self.hours:
            return hours * len(self.minutes) * len(self.seconds)
        minutes = (hours - 1) * len(self.minutes) + bisect_right(self.minutes, local.minute)
        if local.minute not in self.minutes:
            return minutes * len(self.seconds)
        return (minutes - 1) * len(self.seconds) + bisect_right(self.seconds, local.second)


def _naive(at: datetime, offset: timedelta) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None) + offset


def _above(values: tuple[int, ...], value: int) -> int:
    return values[bisect_right(values, value)]


def _months_from(local: datetime, *, until: datetime | None = None) -> Iterator[Month]:
    end = (until.year, until.month) if until else (LAST_YEAR, 12)
    year, number = local.year, local.month
    while (year, number) <= end:
        yield Month(year=year, number=number)
        year, number = (year, number + 1) if number < 12 else (year + 1, 1)


@lru_cache(maxsize=512)
def _days_of(by_month: MonthDays, by_week: WeekDays, either: bool, month: Month) -> tuple[int, ...]:
    one, other = by_month.days(month), by_week.days(month)
    both_given = not by_month.every and not by_week.every
    return tuple(sorted(one | other if either and both_given else one & other))


@lru_cache(maxsize=512)
def _parsed(text: str, zone: ZoneInfo | None) -> Cron:
    pattern, own = parted(text)
    given = SHORT.get(pattern.lower(), pattern).split()
    if len(given) not in (5, 6):
        raise ValueError(
            f"{pattern!r} has {len(given)} fields, not the 5 of cron or the 6 with seconds"
        )
    seconds, minutes, hours, days, months, weekdays = given if len(given) == 6 else ("0", *given)
    cron = Cron(
        text=text,
        zone=own or zone or UTC_ZONE,
        seconds=read_plain(seconds, "second"),
        minutes=read_plain(minutes, "minute"),
        hours=read_plain(hours, "hour"),
        month_days=month_days(days),
        months=frozenset(read_plain(months, "month")),
        week_days=week_days(weekdays),
        either=len(given) == 5,
        running=hours.startswith("*"),
    )
    # In 28 years a year of each kind comes: ordinary or leap, begun on each day of the week.
    if not any(cron._days(year, month) for year in range(2000, 2028) for month in cron.months):  # noqa: SLF001
        raise ValueError(f"{pattern!r} never comes: no month has such a day")
    return cron

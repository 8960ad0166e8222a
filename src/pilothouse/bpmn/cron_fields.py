"""The fields of a cron pattern: numbers, and the days of a month that they mean."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BOUNDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day of month": (1, 31),
    "month": (1, 12),
    "day of week": (0, 7),
}
_NAMED = {
    "month": ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    "day of week": ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
}
_ITEM = re.compile(
    r"(?:\*|(?P<first>[0-9]{1,2}|[A-Z]{3})(?:-(?P<last>[0-9]{1,2}|[A-Z]{3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)
_FROM_LAST = re.compile(r"L(?:-(?P<before>[0-9]{1,2}))?")
_NEAREST = re.compile(r"(?P<day>[0-9]{1,2})W")
_LAST_OF = re.compile(r"(?P<day>[0-7]|[A-Z]{3})L")
_NTH_OF = re.compile(r"(?P<day>[0-7]|[A-Z]{3})#(?P<nth>[1-5])")
DAYS_OF_WEEK = 7
SATURDAY, SUNDAY = 6, 0


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Month:
    """A month of a year."""

    year: int
    number: int

    @classmethod
    def of(cls, year: int, number: int) -> Month:
        """Name a month."""
        return cls(year=year, number=number)

    @property
    def length(self) -> int:
        """The number of its days."""
        return calendar.monthrange(self.year, self.number)[1]

    def week_day(self, day: int) -> int:
        """
        Give the day of the week of one of its days, 0 being Sunday.

        Examples
        --------
        >>> Month.of(2026, 1).week_day(5)
        1
        """
        return (calendar.weekday(self.year, self.number, day) + 1) % DAYS_OF_WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDays:
    """A day-of-month field: given days, days counted from the last, weekdays nearest to a day."""

    every: bool = False
    given: frozenset[int] = frozenset()
    before_last: frozenset[int] = frozenset()
    nearest: frozenset[int] = frozenset()
    last_weekday: bool = False

    def days(self, month: Month) -> frozenset[int]:
        """Give the days of a month that it means."""
        length = month.length
        if self.every:
            return frozenset(range(1, length + 1))
        found = {day for day in self.given if day <= length}
        found.update(length - before for before in self.before_last if before < length)
        found.update(_nearest(month, day) for day in self.nearest if day <= length)
        if self.last_weekday:
            found.add(_nearest(month, length))
        return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekDays:
    """A day-of-week field: given days, the last one of a kind, the n-th one."""

    every: bool = False
    given: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    nth: frozenset[tuple[int, int]] = frozenset()

    def days(self, month: Month) -> frozenset[int]:
        """Give the days of a month that it means."""
        if self.every:
            return frozenset(range(1, month.length + 1))
        return frozenset(d for d in range(1, month.length + 1) if self._has(month, d))

    def _has(self, month: Month, day: int) -> bool:
        kind, nth = month.week_day(day), (day - 1) // DAYS_OF_WEEK + 1
        is_last = day + DAYS_OF_WEEK > month.length
        return kind in self.given or (kind, nth) in self.nth or (is_last and kind in self.last)


def _nearest(month: Month, day: int) -> int:
    """Give the weekday nearest to a day, without leaving its month."""
    kind = month.week_day(day)
    if kind == SATURDAY:
        return day - 1 if day > 1 else day + 2
    if kind == SUNDAY:
        return day + 1 if day < month.length else day - 2
    return day


def read_plain(text: str, field: str) -> tuple[int, ...]:
    """
    Read a field of values, ranges and steps.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> read_plain("0/20,5", "minute"), read_plain("FRI-MON", "day of week")
    ((0, 5, 20, 40), (0, 1, 5, 6))
    """
    found: set[int] = set()
    for item in text.upper().split(","):
        found.update(_values(item, field))
    return tuple(sorted(found))


def _values(item: str, field: str) -> set[int]:
    read = _ITEM.fullmatch(item)
    if read is None:
        raise ValueError(f"{item!r} is no {field} of a cron pattern")
    low, high = BOUNDS[field]
    top = high if field != "day of week" else high - 1
    step = int(read["step"] or 1)
    if not 1 <= step <= top - low:
        raise ValueError(f"{item!r} steps by {step}, beyond the {field}s from {low} to {top}")
    first = _number(read["first"], field) if read["first"] else low
    last = _number(read["last"], field) if read["last"] else _end(read, first, top)
    return _ranged(item, field, range(first, last + 1, step))


def _end(read: re.Match[str], first: int, top: int) -> int:
    return top if read["first"] is None or read["step"] else first


def _ranged(item: str, field: str, values: range) -> set[int]:
    if field != "day of week":
        if not values:
            raise ValueError(f"{item!r} is a range of {field}s that ends before it begins")
        return set(values)
    # A range of days may go over the end of the week: FRI-MON.
    first, last = values.start, values.stop - 1
    span = range(first, last + 1 if last >= first else last + 1 + DAYS_OF_WEEK, values.step)
    return {day % DAYS_OF_WEEK for day in span}


def _number(text: str, field: str) -> int:
    names, (low, high) = _NAMED.get(field, []), BOUNDS[field]
    if text in names:
        return names.index(text) + low
    if not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{text!r} is no {field} from {low} to {high}")
    return int(text)


def month_days(text: str) -> MonthDays:
    """
    Read a day-of-month field.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> sorted(month_days("1,15W,L-2").days(Month.of(2026, 2)))
    [1, 16, 26]
    """
    if text in ("*", "?"):
        return MonthDays(every=True)
    items = text.upper().split(",")
    from_last = [found for item in items if (found := _FROM_LAST.fullmatch(item))]
    nearest = [found for item in items if (found := _NEAREST.fullmatch(item))]
    rest = _rest(
        items, lambda i: bool(_FROM_LAST.fullmatch(i) or _NEAREST.fullmatch(i)) or i == "LW"
    )
    return MonthDays(
        given=frozenset(read_plain(rest, "day of month")) if rest else frozenset(),
        before_last=frozenset(_in_month(found["before"] or "0") for found in from_last),
        nearest=frozenset(_number(found["day"], "day of month") for found in nearest),
        last_weekday="LW" in items,
    )


def _in_month(text: str) -> int:
    if int(text) > 30:
        raise ValueError(f"'L-{text}' is before every month")
    return int(text)


def week_days(text: str) -> WeekDays:
    """
    Read a day-of-week field.

    Raises
    ------
    ValueError
        When it is none.

    Examples
    --------
    >>> sorted(week_days("MON#2,FRIL").days(Month.of(2026, 1)))
    [12, 30]
    """
    if text in ("*", "?"):
        return WeekDays(every=True)
    items = text.upper().split(",")
    if "L" in items:
        raise ValueError("'L' names no day of the week; write SAT, or FRIL for the last Friday")
    last = [found for item in items if (found := _LAST_OF.fullmatch(item))]
    nth = [found for item in items if (found := _NTH_OF.fullmatch(item))]
    rest = _rest(items, lambda i: bool(_LAST_OF.fullmatch(i) or _NTH_OF.fullmatch(i)))
    return WeekDays(
        given=frozenset(read_plain(rest, "day of week")) if rest else frozenset(),
        last=frozenset(_week_day(found) for found in last),
        nth=frozenset((_week_day(found), int(found["nth"])) for found in nth),
    )


def _week_day(found: re.Match[str]) -> int:
    return _number(found["day"], "day of week") % DAYS_OF_WEEK


def _rest(items: list[str], is_special: Callable[[str], bool]) -> str:
    return ",".join(item for item in items if not is_special(item))

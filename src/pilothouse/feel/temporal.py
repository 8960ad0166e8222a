"""
Dates, times and durations: reading them, taking them apart, counting with them.

Everything that has no value by the standard (a 30th of February, a year beyond 9999, a zone that nobody
knows) is null here, `None`. Fractions of a second are kept to the microsecond; a text with more digits than
that is null too, never cut. Source: DMN 1.5, sections 10.3.2.3.4 to 10.3.2.3.7 and table 65 (properties).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pilothouse.feel.values import NUMBERS, Value, YearsMonths

_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(Z|[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?|@[A-Za-z][A-Za-z0-9_+/-]{0,63})?"
)
_DAYS_TIME = re.compile(
    r"(-)?P(?:([0-9]{1,12})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,12})H)?(?:([0-9]{1,12})M)?(?:([0-9]{1,12})(?:\.([0-9]{0,9}))?S)?)?"
)
_YEARS_MONTHS = re.compile(r"(-)?P(?:([0-9]{1,9})Y)?(?:([0-9]{1,9})M)?")
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = date(1970, 1, 1)
_EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
_MAXIMUM_MONTHS = 12 * 1_000_000_000


def read_moment(text: str) -> Value:
    """
    Read the text of an ``@"…"`` literal: a date, a time, a date and time, or a duration.

    Examples
    --------
    >>> read_moment("2026-01-05"), read_moment("PT1H"), read_moment("nonsense")
    (datetime.date(2026, 1, 5), datetime.timedelta(seconds=3600), None)
    """
    for reader in (read_date, read_date_and_time, read_time, read_duration):
        value = reader(text)
        if value is not None:
            return value
    return None


def read_date(text: str) -> date | None:
    """Read ``YYYY-MM-DD``."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def read_time(text: str) -> time | None:
    """Read ``hh:mm:ss``, with a fraction, an offset or ``@zone`` if there is one."""
    match = _TIME.fullmatch(text.removeprefix("T"))
    if match is None:
        return None
    micros = _microseconds(match[4])
    zone = _zone(match[5])
    if micros is None or (match[5] and zone is None):
        return None
    try:
        return time(int(match[1]), int(match[2]), int(match[3]), micros, zone)
    except ValueError:
        return None


def read_date_and_time(text: str) -> datetime | None:
    """Read a date, ``T`` and a time; a date alone means its midnight."""
    day_text, separator, time_text = text.partition("T")
    day = read_date(day_text)
    at = read_time(time_text) if separator else time()
    if day is None or at is None:
        return None
    return datetime.combine(day, at)


def read_duration(text: str) -> timedelta | YearsMonths | None:
    """
    Read an ISO 8601 duration, of days and times or of years and months, not of both.

    Examples
    --------
    >>> read_duration("P1DT12H"), read_duration("-P1Y2M"), read_duration("P1Y1D")
    (datetime.timedelta(days=1, seconds=43200), YearsMonths(months=-14), None)
    """
    match = _YEARS_MONTHS.fullmatch(text)
    if match is not None and (match[2] or match[3]):
        months = 12 * int(match[2] or 0) + int(match[3] or 0)
        return YearsMonths(months=-months if match[1] else months)
    return _read_days_time(text)


def _read_days_time(text: str) -> timedelta | None:
    match = _DAYS_TIME.fullmatch(text)
    micros = _microseconds(match[6]) if match else None
    if match is None or micros is None or not any(match.groups()[1:]):
        return None
    days, hours, minutes, seconds = (int(match[i] or 0) for i in (2, 3, 4, 5))
    try:
        length = timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micros
        )
    except OverflowError:
        return None
    return -length if match[1] else length


def _microseconds(fraction: str | None) -> int | None:
    digits = (fraction or "").ljust(6, "0")
    return None if digits[6:].strip("0") else int(digits[:6])


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text == "Z":
        return UTC
    if text.startswith("@"):
        return _region(text[1:])
    hours, minutes, *rest = (int(part) for part in text[1:].split(":"))
    if hours > 14 or minutes > 59 or (rest and rest[0] > 59):
        return None
    offset = timedelta(hours=hours, minutes=minutes, seconds=rest[0] if rest else 0)
    return timezone(-offset if text[0] == "-" else offset)


def _region(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None  # no such zone: null by the standard


def moment_key(value: date | datetime | time | timedelta | YearsMonths) -> tuple[bool, int]:
    """
    Give what two moments of one type are compared by: whether it has a zone, and its place on the line.

    Python compares two times of one zone by the wall, which is wrong in the hour that a zone repeats;
    here times with a zone are compared as instants.
    """
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return False, value.toordinal()
    if isinstance(value, time):
        return _time_of_day(value)
    if isinstance(value, YearsMonths):
        return False, value.months
    return False, value // _MICROSECOND


def _instant(value: datetime) -> tuple[bool, int]:
    wall = (value.replace(tzinfo=UTC) - _EPOCH_START) // _MICROSECOND
    offset = value.utcoffset()
    return (False, wall) if offset is None else (True, wall - offset // _MICROSECOND)


def _time_of_day(value: time) -> tuple[bool, int]:
    wall = ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond
    offset = value.utcoffset()
    return (False, wall) if offset is None else (True, wall - offset // _MICROSECOND)


def difference(left: Value, right: Value) -> Value:
    """Subtract one moment or duration from another of its type; a date meets a date and time as midnight UTC."""
    if isinstance(left, YearsMonths) and isinstance(right, YearsMonths):
        return _months(left.months - right.months)
    if isinstance(left, timedelta) and isinstance(right, timedelta):
        return _moved(left, -right)
    if isinstance(right, (timedelta, YearsMonths)):
        return shifted(left, negated(right))
    if isinstance(left, time) and isinstance(right, time):
        return _apart(left, right)
    if isinstance(left, date) and isinstance(right, date):
        return _apart(*_met(left, right))
    return None


def _met(left: date, right: date) -> tuple[date, date]:
    if isinstance(left, datetime) == isinstance(right, datetime):
        return left, right
    return _midnight(left), _midnight(right)


def _midnight(value: date) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day, tzinfo=UTC)


def _apart(left: date | time, right: date | time) -> timedelta | None:
    (left_zoned, left_place), (right_zoned, right_place) = moment_key(left), moment_key(right)
    if left_zoned != right_zoned:
        return None
    is_day = isinstance(left, date) and not isinstance(left, datetime)
    unit = timedelta(days=1) if is_day else _MICROSECOND
    return (left_place - right_place) * unit


def negated(value: timedelta | YearsMonths) -> timedelta | YearsMonths | None:
    """Turn a duration around; null where Python has no such length."""
    if isinstance(value, YearsMonths):
        return YearsMonths(months=-value.months)
    try:
        return -value
    except OverflowError:
        return None


def shifted(moment: Value, by: Value) -> Value:
    """Add a duration to a moment or to a duration of its type."""
    if isinstance(by, timedelta):
        return _moved(moment, by)
    if not isinstance(by, YearsMonths):
        return None
    if isinstance(moment, YearsMonths):
        return _months(moment.months + by.months)
    if isinstance(moment, date):
        return _months_later(moment, by.months)
    return None


def _moved(moment: Value, by: timedelta) -> Value:
    try:
        if isinstance(moment, datetime):
            return _instant_moved(moment, by)
        if isinstance(moment, date):
            return (_midnight(moment) + by).date()
        if isinstance(moment, timedelta):
            return moment + by
        if isinstance(moment, time):
            return (datetime.combine(_EPOCH, moment) + by % timedelta(days=1)).timetz()
    except OverflowError:
        return None
    return None


def _instant_moved(moment: datetime, by: timedelta) -> datetime:
    if moment.tzinfo is None:
        return moment + by
    return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


def _months(months: int) -> YearsMonths | None:
    return YearsMonths(months=months) if abs(months) <= _MAXIMUM_MONTHS else None


def _months_later(moment: date, months: int) -> date | None:
    """Move by months; a day that the month lacks becomes its last (XQuery F&O, 10.7)."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except (ValueError, OverflowError):
            continue
    try:
        return moment.replace(year=year, month=month + 1)
    except (ValueError, OverflowError):
        return None


def measure(value: timedelta | YearsMonths) -> Decimal:
    """Count the months, or the microseconds, of a duration."""
    return Decimal(value.months if isinstance(value, YearsMonths) else value // _MICROSECOND)


def resized(value: timedelta | YearsMonths, count: Decimal) -> Value:
    """Give a duration of the type of `value` and of this measure, cut towards zero to whole units."""
    if abs(count) > Decimal(10) ** 20:
        return None
    if isinstance(value, YearsMonths):
        return _months(int(count))
    try:
        return int(count) * _MICROSECOND
    except OverflowError:
        return None


def ratio(left: timedelta | YearsMonths, right: timedelta | YearsMonths) -> Value:
    """Divide a duration by one of its type, to a number."""
    if type(left) is not type(right):
        return None
    return NUMBERS.divide(measure(left), measure(right))


def written(value: date | datetime | time | timedelta | YearsMonths) -> str:
    """
    Write a moment or duration as ``string()`` does.

    Examples
    --------
    >>> written(timedelta(days=1, seconds=90)), written(YearsMonths(months=-14))
    ('P1DT1M30S', '-P1Y2M')
    """
    if isinstance(value, YearsMonths):
        return _written_months(value.months)
    if isinstance(value, timedelta):
        return _written_duration(value)
    if isinstance(value, (datetime, time)):
        return _written_time(value)
    return value.isoformat()


def _written_time(value: datetime | time) -> str:
    plain = value.replace(tzinfo=None).isoformat()
    if value.microsecond:
        plain = plain.rstrip("0")
    if isinstance(value.tzinfo, ZoneInfo):
        return f"{plain}@{value.tzinfo.key}"
    if value.tzinfo is UTC:
        return plain + "Z"
    return plain + value.isoformat()[len(value.replace(tzinfo=None).isoformat()) :]


def _written_months(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    parts = (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")
    return ("-" if months < 0 else "") + "P" + (parts or "0M")


def _written_duration(value: timedelta) -> str:
    micros = abs(value // _MICROSECOND)
    seconds, micros = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3_600)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{micros:06}".rstrip("0") if micros else ""
    clock = f"{hours}H" * bool(hours) + f"{minutes}M" * bool(minutes)
    clock += f"{seconds}{fraction}S" * bool(seconds or micros)
    parts = f"{days}D" * bool(days) + f"T{clock}" * bool(clock)
    return ("-" if value < timedelta() else "") + "P" + (parts or "T0S")

"""Dates, times, zones and durations as values: their texts, the calendar, counting."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel.arithmetic import calculate, negate
from pilothouse.feel.budget import Budget
from pilothouse.feel.errors import FeelValueError
from pilothouse.feel.python_values import python_value
from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import (
    Date,
    DateTime,
    DaysTime,
    Offset,
    Region,
    Time,
    YearsMonths,
    date_at,
    read_date,
    read_date_and_time,
    read_duration,
    read_moment,
    read_time,
    written,
)
from pilothouse.feel.values import Value, admit

if TYPE_CHECKING:
    from pilothouse.feel.temporal import Moment

REGIONS = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
ZONES = st.one_of(
    st.just(UTC),
    st.sampled_from([ZoneInfo(name) for name in REGIONS]),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
ZONED = st.datetimes(datetime(1900, 1, 3), datetime(9990, 1, 1), timezones=ZONES)  # noqa: DTZ001
LOCAL = st.datetimes()
LENGTHS = st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000))
DAYS = st.integers(-365_000_000_000, 365_000_000_000)


def moment(text: str) -> Moment:
    found = read_moment(text)
    assert found is not None, text
    return found


def taken(raw: object) -> Value:
    return admit(raw, name="raw", budget=Budget())


def result(left: Value, sign: str, right: Value) -> Value:
    return calculate(Operator(sign), left, right, Budget())


# --- texts


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05",
        "0000-02-29",
        "-0044-03-15",
        "999999999-12-31",
        "-999999999-01-01",
        "12026-01-05",
        "00:00:00",
        "23:59:59.123456789",
        "10:30:00Z",
        "10:30:00+14:00",
        "10:30:00-02:45:55",
        "10:30:00@Europe/Paris",
        "10:30:00@Etc/UTC",
        "2026-01-05T10:30:00",
        "2026-01-05T10:30:00.5Z",
        "-2026-01-05T10:30:00@Australia/Melbourne",
        "P1D",
        "-P1DT2H3M4.000000005S",
        "PT0S",
        "PT0.001S",
        "P0M",
        "P1Y",
        "-P83333333Y3M",
    ],
)
def test_a_canonical_text_is_read_and_written_the_same(text: str) -> None:
    assert written(moment(text)) == text


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("11:22:33-00:00", "11:22:33Z"),
        ("11:22:33+00:00", "11:22:33Z"),
        ("23:59:00z", "23:59:00Z"),
        ("11:22:33.4440", "11:22:33.444"),
        ("11:22:33.1234567890000", "11:22:33.123456789"),
        ("24:00:00", "00:00:00"),
        ("2026-12-31T24:00:00", "2027-01-01T00:00:00"),
        ("PT24H", "P1D"),
        ("PT1000M0.999999999S", "PT16H40M0.999999999S"),
        ("PT0.S", "PT0S"),
        ("-P0D", "PT0S"),
        ("P1Y27M", "P3Y3M"),
        ("-P0Y", "P0M"),
    ],
)
def test_another_text_of_a_value_is_written_canonically(text: str, canonical: str) -> None:
    assert written(moment(text)) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2018-12-08", "2018-12-08T00:00:00"),
        ("2012-03-07Z", "2012-03-07T00:00:00Z"),
        ("2012-03-07+01:00", "2012-03-07T00:00:00+01:00"),
    ],
)
def test_a_date_alone_is_the_date_and_time_of_its_midnight(text: str, canonical: str) -> None:
    found = read_date_and_time(text)
    assert found is not None
    assert written(found) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "P", "PT", "P1DT", "P0", "1Y", "1D", "P1H", "P1S", "P1Y1D", "PT.5S", "+P1D", "P-1D"),
        *("P1.5D", "PT1.5H", "PT1S1M", f"P{'9' * 41}D", f"P{'9' * 20}Y", f"P{'9' * 30}D"),
        *("7:00:00", "07:1:00", "07:01:2", "7:20", "07:20", "23:59:60", "24:00:01", "24:01:00"),
        *("25:00:00", "00:60:00", "00:00:61", "11:30:00T", "T11:30:00", "11:30:00.", " 11:30:00"),
        *("13:20:00@xyz/abc", "13:20:00@../../etc/passwd", "13:20:00@Europe", "13:20:00@"),
        *("13:20:00@localtime", "13:20:00@right/UTC", f"13:20:00@{'a' * 100}"),
        *("13:20:00+19:00", "13:20:00-19:00", "13:20:00+14:01", "13:20:00+5:00", "13:20:00+5"),
        *("13:20:00+01:60", "13:20:00+02:00@Europe/Paris", "11:22:33.1234567891", "1\uff11:30:00"),
        *("2026-02-29", "2026-00-01", "2026-13-01", "2026-01-32", "2026-1-05", "26-01-05"),
        *("02026-01-05", "+2026-01-05", "1000000000-01-01", "2026-01-05T", "2012T-12-2511:00:00Z"),
        *("2026-01-05 10:30:00", "2026-01-05T10:30", "2026-01-05T10:30:00 Z", "2026-01-05Z"),
        "999999999-12-31T24:00:00",
    ],
)
def test_what_is_no_text_of_a_moment_is_none(text: str) -> None:
    assert read_moment(text) is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: Date(year=2026, month=2, day=29),
        lambda: Date(year=1_000_000_000, month=1, day=1),
        lambda: Time(nanoseconds=-1),
        lambda: Time(nanoseconds=86_400 * 10**9),
        lambda: Offset(seconds=15 * 3_600),
        lambda: Region(name="Nowhere/City"),
        lambda: DaysTime(nanoseconds=10**33),
        lambda: YearsMonths(months=10**15),
    ],
)
def test_a_value_that_does_not_exist_cannot_be_made(make: object) -> None:
    with pytest.raises(FeelValueError):
        make()  # type: ignore[operator]


# --- Python's values


@given(st.one_of(st.dates(), LOCAL, ZONED, st.times(), LENGTHS))
def test_pythons_moments_come_in_and_go_out_unchanged(
    raw: date | datetime | time | timedelta,
) -> None:
    assert python_value(taken(raw)) == raw


@given(st.one_of(st.dates(), LOCAL, ZONED, st.times(), LENGTHS))
def test_every_moment_survives_being_written_and_read(raw: object) -> None:
    value = taken(raw)
    if isinstance(value, DateTime) and isinstance(value.time.zone, Region):
        value = DateTime(
            date=value.date,
            time=Time(nanoseconds=value.time.nanoseconds, zone=Region(name=value.time.zone.name)),
        )
    assert isinstance(value, (Date, DateTime, Time, DaysTime))
    assert read_moment(written(value)) == value


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("00:00:00.000000001", "00:00:00.000000001"),
        ("12026-01-05T00:00:00", "12026-01-05T00:00:00"),
        ("P1Y", "P1Y"),
        ("P1000000000D", "P1000000000D"),
    ],
)
def test_what_python_has_no_exact_form_for_stays_text(text: str, plain: str) -> None:
    assert python_value(moment(text)) == plain


def test_a_zone_without_a_name_or_whole_seconds_is_refused() -> None:
    raw = datetime(2026, 1, 5, tzinfo=timezone(timedelta(microseconds=1)))
    with pytest.raises(FeelValueError) as caught:
        admit(raw, name="at", budget=Budget())
    assert caught.value.name == "at"


class FineTime(datetime):
    """A time of a library that keeps more than Python does, as data frames do."""

    nanosecond = 0


def test_a_descendant_of_pythons_time_is_taken_by_value() -> None:
    assert taken(FineTime(2026, 1, 5, tzinfo=UTC)) == moment("2026-01-05T00:00:00Z")


def test_nanoseconds_are_refused_rather_than_lost() -> None:
    at = FineTime(2026, 1, 5, tzinfo=UTC)
    at.nanosecond = 1
    with pytest.raises(FeelValueError):
        taken(at)


# --- the calendar


@given(DAYS)
def test_days_and_dates_count_the_same(days: int) -> None:
    day = date_at(days)
    assert day is not None
    assert day.days == days


@given(st.dates(), st.integers(-10_000, 10_000))
def test_adding_days_agrees_with_python(day: date, count: int) -> None:
    try:
        expected: Value = taken(day + timedelta(days=count))
    except OverflowError:
        return
    assert result(taken(day), "+", DaysTime(nanoseconds=count * 86_400 * 10**9)) == expected


@given(st.dates(), st.integers(-1200, 1200))
def test_a_month_later_is_the_same_day_or_the_last(day: date, months: int) -> None:
    found = result(taken(day), "+", YearsMonths(months=months))
    assert isinstance(found, Date)
    assert found.year * 12 + found.month == day.year * 12 + day.month + months
    following = date_at(found.days + 1)
    assert following is not None
    assert found.day == day.day or (found.day < day.day and following.day == 1)


# --- counting


@given(LOCAL, LOCAL)
def test_differences_of_local_times_agree_with_python(left: datetime, right: datetime) -> None:
    assert result(taken(left), "-", taken(right)) == taken(left - right)


@given(ZONED, ZONED)
def test_differences_of_zoned_times_agree_with_python(left: datetime, right: datetime) -> None:
    expected = left.astimezone(UTC) - right.astimezone(UTC)
    assert result(taken(left), "-", taken(right)) == taken(expected)


@given(ZONED, LENGTHS)
def test_zoned_times_move_along_universal_time(at: datetime, by: timedelta) -> None:
    try:
        expected = (at.astimezone(UTC) + by).astimezone(at.tzinfo)
    except OverflowError:
        return
    assert result(taken(at), "+", taken(by)) == taken(expected)


@given(st.times(), LENGTHS)
def test_times_of_day_go_round_the_clock(at: time, by: timedelta) -> None:
    expected = (datetime.combine(date(2026, 1, 5), at) + by % timedelta(days=1)).time()
    assert result(taken(at), "+", taken(by)) == taken(expected)


@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        ("2021-01-31", "+", "P1M", "2021-02-28"),
        ("P1M", "+", "2021-01-31", "2021-02-28"),
        ("2024-02-29", "-", "P1Y", "2023-02-28"),
        ("9999-12-31", "+", "P1D", "10000-01-01"),
        ("0001-01-01", "-", "P1D", "0000-12-31"),
        ("2021-01-01", "+", "PT23H59M", "2021-01-01"),
        ("2021-01-01", "-", "PT1S", "2020-12-31"),
        ("2021-01-02", "-", "2021-01-01", "P1D"),
        ("2021-01-02", "-", "2021-01-01T12:00:00Z", "PT12H"),
        ("2021-01-02T02:00:00+02:00", "-", "2021-01-02", "PT0S"),
        ("2021-01-01T10:00:00", "-", "P1Y2M", "2019-11-01T10:00:00"),
        ("2021-03-28T00:30:00@Europe/Berlin", "+", "PT3H", "2021-03-28T04:30:00@Europe/Berlin"),
        ("2021-03-27T02:30:00@Europe/Berlin", "+", "P1D", "2021-03-28T03:30:00@Europe/Berlin"),
        ("32021-07-01T00:30:00@Europe/Berlin", "+", "PT0S", "32021-07-01T00:30:00@Europe/Berlin"),
        ("-0300-07-01T00:30:00@Europe/Berlin", "+", "PT0S", "-0300-07-01T00:30:00@Europe/Berlin"),
        ("10:30:00", "+", "PT15H", "01:30:00"),
        ("23:59:00z", "+", "PT2M", "00:01:00Z"),
        ("10:30:00+02:00", "-", "10:30:00Z", "-PT2H"),
        ("10:30:00@Europe/Paris", "-", "09:30:00@Europe/Paris", "PT1H"),
        ("P1D", "-", "PT1H", "PT23H"),
        ("P1Y", "-", "P2M", "P10M"),
    ],
)
def test_moments_are_added_and_subtracted(left: str, sign: str, right: str, expected: str) -> None:
    found = result(moment(left), sign, moment(right))
    assert isinstance(found, (Date, DateTime, Time, DaysTime, YearsMonths))
    assert written(found) == expected


@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        (moment("PT1H"), "*", Decimal("1.5"), moment("PT1H30M")),
        (Decimal(2), "*", moment("P1Y"), moment("P2Y")),
        (moment("PT1H"), "/", Decimal(3), moment("PT20M")),
        (moment("P1Y"), "/", Decimal(5), moment("P2M")),
        (moment("-P1Y"), "/", Decimal(5), moment("-P2M")),
        (moment("P1D"), "/", moment("PT1H"), Decimal(24)),
        (moment("P1Y"), "/", moment("P2M"), Decimal(6)),
        (moment("PT0.000000001S"), "*", Decimal(3), moment("PT0.000000003S")),
    ],
)
def test_durations_are_multiplied_and_divided(
    left: Value, sign: str, right: Value, expected: Value
) -> None:
    assert result(left, sign, right) == expected


@pytest.mark.parametrize(
    ("left", "sign", "right", "problem"),
    [
        (moment("2021-01-01"), "+", moment("2021-01-01"), "date + date has no value"),
        (moment("2021-01-01"), "+", Decimal(1), "date + number has no value"),
        (moment("P1D"), "-", moment("2021-01-01"), "days and time duration - date has no value"),
        (moment("10:00:00"), "+", moment("P1M"), "time + years and months duration has no value"),
        (moment("P1D"), "+", moment("P1M"), "years and months duration has no value"),
        (moment("P1D"), "/", moment("P1M"), "years and months duration has no value"),
        (moment("999999999-12-31"), "+", moment("P1D"), "date + days and time duration"),
        (moment("999999999-12-31"), "+", moment("P1M"), "date + years and months duration"),
        (moment("999999999-12-31T23:59:59-01:00"), "+", moment("PT1S"), "date and time +"),
        (moment("PT1H"), "/", Decimal(0), "the divisor is 0"),
        (moment("P999999999999Y"), "*", Decimal("1E+30"), "duration * number has no value"),
        (moment("2021-01-01"), "-", moment("2021-01-01T10:00:00"), "one has a zone"),
        (moment("2021-01-01T10:00:00Z"), "-", moment("2021-01-01T10:00:00"), "one has a zone"),
        (moment("10:00:00Z"), "-", moment("10:00:00"), "without a date"),
        (moment("10:00:00Z"), "-", moment("10:00:00@Europe/Paris"), "without a date"),
        (Decimal(1), "/", Decimal(0), "number / number has no value: the divisor is 0"),
        (Decimal(0), "/", Decimal(0), "number / number has no value: the divisor is 0"),
        (Decimal(-1), "**", Decimal("0.5"), "it would be no real number"),
        (Decimal("1E+6144"), "*", Decimal(10), "it would be 1E+6145 or more"),
        ("a", "+", Decimal(1), "string + number has no value"),
        ("a", "-", "a", "string - string has no value"),
        (None, "*", moment("P1D"), "null * days and time duration has no value"),
    ],
)
def test_what_has_no_result_is_null_with_its_reason(
    left: Value, sign: str, right: Value, problem: str
) -> None:
    budget = Budget()
    assert calculate(Operator(sign), left, right, budget) is None
    assert problem in budget.nulls[0].problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [("P1D", "-P1D"), ("-PT0.5S", "PT0.5S"), ("P1Y", "-P1Y"), ("-P14M", "P1Y2M")],
)
def test_durations_are_turned_around(text: str, expected: str) -> None:
    assert negate(moment(text)) == moment(expected)


@pytest.mark.parametrize("value", [moment("2021-01-01"), moment("10:10:10"), "10", (), {}, None])
def test_nothing_else_has_a_sign(value: Value) -> None:
    budget = Budget()
    assert negate(value, budget) is None
    assert budget.nulls[0].problem.startswith("- ")


def test_readers_give_their_own_kind_only() -> None:
    assert read_date("10:00:00") is None
    assert read_time("2026-01-05") is None
    assert read_date_and_time("10:00:00") is None
    assert read_duration("2026-01-05") is None

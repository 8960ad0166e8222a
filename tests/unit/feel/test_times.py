"""Dates, times and durations."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import Value, YearsMonths, compile_expression


def value(text: str, **context: object) -> Value:
    return compile_expression(text).evaluate(context)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('date("2026-01-31") + duration("P1M")', date(2026, 2, 28)),
        ('date("2024-02-29") + @"P1Y"', date(2025, 2, 28)),
        ('date("2026-01-01") - @"P1D"', date(2025, 12, 31)),
        ('date("2026-01-02") - date("2026-01-01")', timedelta(days=1)),
        ("date(2026, 1, 5)", date(2026, 1, 5)),
        ('time("10:00:00") + duration("PT15H")', time(1)),
        ('time("01:00:00") - @"PT2H"', time(23)),
        ('@"10:30:00" - @"10:00:00"', timedelta(minutes=30)),
        ('@"2026-01-05T10:00:00Z" + @"PT90M"', datetime(2026, 1, 5, 11, 30, tzinfo=UTC)),
        ('@"2026-01-05T10:00:00Z" - @"2026-01-05T09:00:00+01:00"', timedelta(hours=2)),
        ('@"PT1H" * 1.5', timedelta(minutes=90)),
        ('@"PT1H" / 3', timedelta(minutes=20)),
        ('@"P1Y" / 2', YearsMonths(months=6)),
        ('@"P1D" / @"PT1H"', Decimal(24)),
        ('@"P1Y" + @"P2M"', YearsMonths(months=14)),
        ('-@"P1D"', timedelta(days=-1)),
        ('@"2026-01-05".weekday', Decimal(1)),
        ('@"2026-01-05T10:11:12".minute', Decimal(11)),
        ('@"P1DT2H".hours', Decimal(2)),
        ('@"-P14M".years', Decimal(-1)),
        ('@"10:00:00+02:00".time offset', timedelta(hours=2)),
        ('@"10:00:00@Europe/Paris".timezone', "Europe/Paris"),
        ('years and months duration(@"2024-01-31", @"2026-03-30")', YearsMonths(months=25)),
        ('string(@"P1DT1M30.5S")', "P1DT1M30.5S"),
        ('string(@"-P14M")', "-P1Y2M"),
        ('string(@"2026-01-05T10:00:00.250Z")', "2026-01-05T10:00:00.25Z"),
        ('string(@"10:00:00@Europe/Paris")', "10:00:00@Europe/Paris"),
        ('date and time(date("2026-01-05"), time("10:00:00"))', datetime(2026, 1, 5, 10)),  # noqa: DTZ001
    ],
)
def test_counts_with_time(text: str, expected: Value) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        'date("2026-01-05") < date("2026-01-06")',
        '@"2026-01-05T10:00:00Z" = @"2026-01-05T11:00:00+01:00"',
        '@"2026-10-25T02:30:00@Europe/Berlin" < @"2026-10-25T02:30:00Z"',
        '@"P1D" = @"PT24H"',
        '@"P12M" = @"P1Y"',
        '@"P1D" > @"PT23H"',
        'date("2026-01-05") in [date("2026-01-01")..date("2026-12-31")]',
        'x - y < @"P7D"',
    ],
)
def test_compares_moments(text: str) -> None:
    x, y = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert value(text, x=x, y=y) is True


@pytest.mark.parametrize(
    "text",
    [
        '@"2026-01-05T10:00:00" < @"2026-01-05T10:00:00Z"',
        '@"2026-01-05" < @"2026-01-05T10:00:00"',
        '@"P1D" < @"P1M"',
        'date("9999-12-31") + @"P1D"',
        'date("9999-12-31") + @"P1M"',
        'date("2026-01-05") + 1',
        'time("10:00:00") + @"P1M"',
        'date("2026-01-05") + date("2026-01-05")',
        'time("10:00:00@Nowhere/City")',
        'time("10:00:00@../../etc/passwd")',
        'time("10:00:00.1234567")',
        '@"PT1H" / 0',
        '@"P999999999D" + @"P999999999D"',
    ],
)
def test_is_null_where_there_is_no_answer(text: str) -> None:
    assert value(text) is None


@given(st.dates(), st.integers(-10_000, 10_000))
def test_adding_days_agrees_with_datetime(day: date, count: int) -> None:
    try:
        expected: date | None = day + timedelta(days=count)
    except OverflowError:
        expected = None
    assert value("day + by", day=day, by=timedelta(days=count)) == expected


@given(st.datetimes(), st.datetimes())
def test_differences_and_order_agree_with_datetime(left: datetime, right: datetime) -> None:
    assert value("left - right", left=left, right=right) == left - right
    assert value("left < right", left=left, right=right) is (left < right)


@given(st.timedeltas(min_value=timedelta(days=-10_000_000), max_value=timedelta(days=10_000_000)))
def test_durations_survive_being_written_and_read(length: timedelta) -> None:
    assert value("duration(string(x))", x=length) == length


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive_being_written_and_read(at: datetime) -> None:
    assert value("date and time(string(x))", x=at) == at

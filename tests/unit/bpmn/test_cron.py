"""Cron: what its fields mean, and that no minute is lost or made up, clocks changed or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.bpmn.cron import Cron
from pilothouse.bpmn.zones import instant, wall, zone_named

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
"""A Thursday."""
MINUTE = timedelta(minutes=1)
CHANGES = (
    ("UTC", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Paris", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Paris", datetime(2026, 10, 24, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 31, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC)),
)


def following(text: str, at: datetime = NEW_YEAR, count: int = 3) -> list[str]:
    cron, found = Cron.parsed(text), []
    for _ in range(count):
        at = cron.after(at)
        found.append(at.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00"))
    return found


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("30 8 * * *", ["2026-01-01 08:30", "2026-01-02 08:30", "2026-01-03 08:30"]),
        ("*/20 * * * *", ["2026-01-01 00:20", "2026-01-01 00:40", "2026-01-01 01:00"]),
        ("10/30 4 * * *", ["2026-01-01 04:10", "2026-01-01 04:40", "2026-01-02 04:10"]),
        ("0 8-18/5 * * *", ["2026-01-01 08:00", "2026-01-01 13:00", "2026-01-01 18:00"]),
        ("0 0 9 * * MON", ["2026-01-05 09:00", "2026-01-12 09:00", "2026-01-19 09:00"]),
        ("15,45 0 12 * * ?", ["2026-01-01 12:00:15", "2026-01-01 12:00:45", "2026-01-02 12:00:15"]),
        ("0 0 * * FRI-MON", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("0 0 * * 7", ["2026-01-04", "2026-01-11", "2026-01-18"]),
        ("0 0 * * 0", ["2026-01-04", "2026-01-11", "2026-01-18"]),
        ("0 0 L * *", ["2026-01-31", "2026-02-28", "2026-03-31"]),
        ("0 0 L-1 * *", ["2026-01-30", "2026-02-27", "2026-03-30"]),
        ("0 0 LW * *", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("0 0 15W * *", ["2026-01-15", "2026-02-16", "2026-03-16"]),
        ("0 0 1W * *", ["2026-02-02", "2026-03-02", "2026-04-01"]),
        ("0 0 31W * *", ["2026-01-30", "2026-03-31", "2026-05-29"]),
        ("0 0 * * FRIL", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("0 0 * * 5L", ["2026-01-30", "2026-02-27", "2026-03-27"]),
        ("0 0 * * MON#2", ["2026-01-12", "2026-02-09", "2026-03-09"]),
        ("0 0 * * 1#5", ["2026-03-30", "2026-06-29", "2026-08-31"]),
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 0 29 2 MON", ["2044-02-29", "2072-02-29", "2112-02-29"]),
        ("0 0 1 jan,jul *", ["2026-07-01", "2027-01-01", "2027-07-01"]),
        ("@yearly", ["2027-01-01", "2028-01-01", "2029-01-01"]),
        ("@monthly", ["2026-02-01", "2026-03-01", "2026-04-01"]),
        ("@weekly", ["2026-01-04", "2026-01-11", "2026-01-18"]),
        ("@daily", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("@hourly", ["2026-01-01 01:00", "2026-01-01 02:00", "2026-01-01 03:00"]),
    ],
)
def test_a_pattern_means_these_moments(text: str, moments: list[str]) -> None:
    assert following(text) == [m if ":" in m else f"{m} 00:00" for m in moments]


def test_with_five_fields_one_of_the_days_is_enough_and_with_six_both_must_fit() -> None:
    assert following("0 0 13 * FRI") == ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-13 00:00"]
    assert following("0 0 0 13 * FRI")[0] == "2026-02-13 00:00"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("0 0 0 1 1 ? 2026", "7 fields"),
        ("60 * * * *", "no minute from 0 to 59"),
        ("0 24 * * *", "no hour from 0 to 23"),
        ("0 0 0 * *", "no day of month from 1 to 31"),
        ("0 0 * 13 *", "no month from 1 to 12"),
        ("0 0 * * 8", "no day of week from 0 to 7"),
        ("0 0 * * MOND", "no day of week of a cron"),
        ("0 0 * MON *", "no month from"),
        ("*/0 * * * *", "steps by 0"),
        ("*/60 * * * *", "steps by 60"),
        ("30-10 * * * *", "ends before it begins"),
        ("? * * * *", "no minute of a cron"),
        ("1,,2 * * * *", "no minute of a cron"),
        ("0 0 * * L", "names no day of the week"),
        ("0 0 * * MON#6", "no day of week of a cron"),
        ("0 0 L-31 * *", "before every month"),
        ("0 0 W * *", "no day of month of a cron"),
        ("0 0 30 2 ?", "never comes"),
        ("0 0 0 30 2 MON", "never comes"),
        ("0 0 * * *@Europe/Lutetia", "no time zone"),
        ("@sometimes", "1 fields"),
    ],
)
def test_what_is_no_pattern_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Cron.parsed(text)


def test_given_hours_come_once_when_clocks_change() -> None:
    spring, autumn = datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)
    text = "15,45 2 * * *@Europe/Paris"
    # 2:15 and 2:45 are skipped, and are both 3:00.
    assert following(text, spring, 2) == ["2026-03-29 01:00", "2026-03-30 00:15"]
    assert following(text, autumn, 3) == [
        *("2026-10-25 00:15", "2026-10-25 00:45"),
        "2026-10-26 01:15",
    ]


def test_every_half_hour_goes_on_when_clocks_change() -> None:
    text, autumn = "*/30 * * * *@Europe/Paris", datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert following(text, autumn, 4) == [
        *("2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30", "2026-10-25 02:00"),
    ]


def brute_force(cron: Cron, low: datetime, high: datetime) -> list[datetime]:
    """Give the moments later than `low` and not later than `high`, from nothing but the definition."""
    if cron.running:
        count = int((high - low) / MINUTE)
        minutes = (low + n * MINUTE for n in range(1, count + 1))
        return [m for m in minutes if fits(cron, wall(m, cron.zone))]
    first = wall(low, cron.zone).replace(fold=0) - timedelta(days=2)
    locals_ = (first + n * MINUTE for n in range(int((high - low) / MINUTE) + 4 * 1440))
    found = {instant(local, cron.zone) for local in locals_ if fits(cron, local)}
    return sorted(m for m in found if low < m <= high)


def fits(cron: Cron, local: datetime) -> bool:
    """Whether a local minute has the numbers of the fields, which are all given in these tests."""
    week_day = (local.weekday() + 1) % 7
    days = local.day in cron.month_days.given or cron.month_days.every
    week_days = week_day in cron.week_days.given or cron.week_days.every
    both_given = not cron.month_days.every and not cron.week_days.every
    on_day = (days or week_days) if cron.either and both_given else (days and week_days)
    return on_day and (local.hour, local.minute) in {
        (h, m) for h in cron.hours for m in cron.minutes
    }


def listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))


@st.composite
def patterns(draw: st.DrawFn) -> str:
    """Draw a pattern of five fields, and some hours around the change of clocks."""
    minutes = draw(st.sets(st.integers(0, 59), min_size=1, max_size=4))
    hours = draw(
        st.one_of(
            st.just("*"),
            st.just("*/2"),
            st.sets(st.integers(0, 6), min_size=1, max_size=4).map(listed),
        )
    )
    days = draw(st.one_of(st.just("*"), st.sets(st.integers(24, 31), min_size=1).map(listed)))
    week_days = draw(st.one_of(st.just("*"), st.sets(st.integers(0, 6), min_size=1).map(listed)))
    return f"{listed(minutes)} {hours} {days} * {week_days}"


@pytest.mark.parametrize(("zone", "begin"), CHANGES)
@given(text=patterns(), offset=st.integers(0, 1440))
@settings(max_examples=25)
def test_no_moment_is_lost_or_made_up_when_clocks_change(
    zone: str, begin: datetime, text: str, offset: int
) -> None:
    cron = Cron.parsed(text, zone=zone_named(zone))
    low = begin + offset * MINUTE
    high = low + timedelta(days=2)
    found, at = [], cron.after(low)
    while at <= high:
        found.append(at)
        at = cron.after(at)
    assert found == brute_force(cron, low, high)


@pytest.mark.parametrize(("zone", "begin"), CHANGES)
@given(text=patterns(), offset=st.integers(0, 1440), late=st.integers(0, 2880))
@settings(max_examples=25)
def test_what_was_missed_is_counted(
    zone: str, begin: datetime, text: str, offset: int, late: int
) -> None:
    cron = Cron.parsed(text, zone=zone_named(zone))
    low = begin + offset * MINUTE
    high = low + late * MINUTE
    counted = cron.missed(due=low, at=high)
    passed = brute_force(cron, low, high)
    # Several times of one skip are one moment, but each of them was a time that was missed.
    if zone == "UTC" or cron.running:
        assert counted == len(passed)
    assert counted >= len(passed)


def test_ten_years_of_seconds_are_counted_at_once() -> None:
    cron = Cron.parsed("* * * * * *")
    assert cron.missed(due=NEW_YEAR, at=NEW_YEAR + timedelta(days=3650)) == 3650 * 86_400

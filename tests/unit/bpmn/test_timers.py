"""ISO 8601 times, and series that neither drift nor pile up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bpmn.timers import Cycle, Duration, Schedule, moment, rearmed

START = datetime(2026, 1, 31, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("PT0S", START),
        ("PT1.5S", START + timedelta(seconds=1.5)),
        ("P1DT2H3M4S", START + timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("P2W", START + timedelta(weeks=2)),
        ("P1M", datetime(2026, 2, 28, 8, tzinfo=UTC)),
        ("P1Y1M", datetime(2027, 2, 28, 8, tzinfo=UTC)),
        ("P2Y1M", datetime(2028, 2, 29, 8, tzinfo=UTC)),
        ("P11M", datetime(2026, 12, 31, 8, tzinfo=UTC)),
    ],
)
def test_duration_is_added_by_the_calendar(text: str, after: datetime) -> None:
    assert Duration.parsed(text).after(START) == after


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1H", "-PT1H", "P1H", "PT1D", "PT1,5S", "pt1s", "P1.5D"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an ISO 8601 duration"):
        Duration.parsed(text)


def test_moment_needs_its_zone_and_becomes_utc() -> None:
    assert moment("2026-01-05T08:00:00+02:00") == datetime(2026, 1, 5, 6, tzinfo=UTC)
    with pytest.raises(ValueError, match="with its zone"):
        moment("2026-01-05T08:00:00")


def test_cycle_without_number_repeats_for_ever() -> None:
    assert Cycle.parsed("R/PT1H") == Cycle(times=None, period="PT1H")


@given(period=st.integers(1, 500), late=st.integers(0, 5000), left=st.integers(0, 20))
def test_missed_firings_are_spent_and_the_next_is_on_schedule(
    period: int, late: int, left: int
) -> None:
    armed = Schedule(due_at=START, period=f"PT{period}S", repeats_left=left)
    following, missed = rearmed(armed, at=START + timedelta(seconds=late))
    planned = [START + timedelta(seconds=period * n) for n in range(1, left + 1)]
    ahead = [at for at in planned if at > START + timedelta(seconds=late)]
    assert missed == len(planned) - len(ahead)
    if not ahead:
        assert following is None
        return
    assert following is not None
    assert (following.due_at, following.repeats_left) == (ahead[0], len(ahead) - 1)


def test_long_absence_costs_nothing() -> None:
    armed = Schedule(due_at=START, period="PT0.001S", repeats_left=None)
    following, missed = rearmed(armed, at=START + timedelta(days=3650))
    assert missed == 3650 * 86_400_000
    assert following is not None


def test_months_are_counted_by_the_calendar() -> None:
    armed = Schedule(due_at=datetime(2026, 1, 5, tzinfo=UTC), period="P1M", repeats_left=None)
    following, missed = rearmed(armed, at=datetime(2026, 4, 6, tzinfo=UTC))
    assert following is not None
    assert (following.due_at, missed) == (datetime(2026, 5, 5, tzinfo=UTC), 3)

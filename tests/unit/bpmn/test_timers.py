"""ISO 8601 times in their zones, and series that neither drift nor pile up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bpmn.durations import Duration, moment
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.series import Cycle
from pilothouse.bpmn.timers import Schedule, TimerKind, read_schedule, rearmed
from pilothouse.bpmn.zones import instant, zone_named

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

START = datetime(2026, 1, 31, 8, tzinfo=UTC)
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")


def armed(text: str, at: datetime = START) -> Schedule:
    return read_schedule(TimerKind.CYCLE, text, at=at)


def firings(text: str, at: datetime, count: int) -> list[str]:
    """Give the first firings of a cycle, each taken at its very moment."""
    schedule: Schedule | None = armed(text, at)
    found: list[str] = []
    while schedule is not None and len(found) < count:
        found.append(schedule.due_at.astimezone(UTC).isoformat())
        schedule, _ = rearmed(schedule, at=schedule.due_at)
    return found


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


def test_a_day_in_a_zone_is_the_same_hour_and_24_hours_are_elapsed_time() -> None:
    before_summer = datetime(2026, 3, 28, 7, tzinfo=UTC)  # 8:00 in Paris
    day = read_schedule(TimerKind.DURATION, "P1D@Europe/Paris", at=before_summer)
    hours = read_schedule(TimerKind.DURATION, "PT24H@Europe/Paris", at=before_summer)
    assert day.due_at == datetime(2026, 3, 29, 6, tzinfo=UTC)
    assert hours.due_at == datetime(2026, 3, 29, 7, tzinfo=UTC)


def test_moment_needs_its_zone_and_becomes_utc() -> None:
    assert moment("2026-01-05T08:00:00+02:00") == datetime(2026, 1, 5, 6, tzinfo=UTC)
    with pytest.raises(ValueError, match="with its zone"):
        moment("2026-01-05T08:00:00")


@pytest.mark.parametrize(
    "text",
    [
        "2026-07-05T08:00:00@Europe/Paris",
        "2026-07-05T08:00:00+02:00[Europe/Paris]",
        "2026-07-05T08:00:00+02:00@Europe/Paris",
        "2026-07-05T06:00:00Z",
    ],
)
def test_moment_takes_a_region(text: str) -> None:
    assert moment(text) == datetime(2026, 7, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("2026-07-05T08:00:00@Europe/Lutetia", "no time zone"),
        ("2026-07-05T08:00:00@../../etc/passwd", "no time zone"),
        ("2026-07-05T08:00:00+01:00[Europe/Paris]", "an offset that is not"),
    ],
)
def test_moment_of_no_region_or_of_two_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        moment(text)


@pytest.mark.parametrize("name", ZONES)
@given(seconds=st.integers(0, 20 * 366 * 86_400))
def test_every_local_time_has_one_moment_by_the_rule(name: str, seconds: int) -> None:
    zone = zone_named(name)
    local = datetime(2005, 1, 1) + timedelta(seconds=seconds)  # noqa: DTZ001 local
    at = instant(local, zone)
    shown = at.astimezone(zone)
    if shown.replace(tzinfo=None) == local:
        assert shown.fold == 0
    else:  # it was skipped, and `at` is the first second after the skip
        before = (at - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert before < local < shown.replace(tzinfo=None)


def test_cycle_without_number_repeats_for_ever() -> None:
    assert Cycle.parsed("R/PT1H") == Cycle(times=None, period="PT1H")


def test_cycle_with_a_start_fires_at_the_start() -> None:
    assert firings("R3/2026-02-01T08:00:00Z/P1D", START, 9) == [
        "2026-02-01T08:00:00+00:00",
        "2026-02-02T08:00:00+00:00",
        "2026-02-03T08:00:00+00:00",
    ]


def test_cycle_ends_at_its_end() -> None:
    text = "R/2026-02-01T08:00:00Z/P1D/2026-02-02T08:00:00Z"
    assert firings(text, START, 9) == ["2026-02-01T08:00:00+00:00", "2026-02-02T08:00:00+00:00"]


def test_moments_before_it_was_armed_are_used_up() -> None:
    at = datetime(2026, 2, 2, 8, 0, 1, tzinfo=UTC)
    text = "R3/2026-02-01T08:00:00Z/P1D"
    assert firings(text, at, 9) == ["2026-02-03T08:00:00+00:00"]
    with pytest.raises(ValueError, match="have passed"):
        armed(text, at + timedelta(days=1))


def test_series_on_the_31st_does_not_drift_to_the_28th() -> None:
    assert firings("R3/2026-01-31T08:00:00Z/P1M", START, 3) == [
        "2026-01-31T08:00:00+00:00",
        "2026-02-28T08:00:00+00:00",
        "2026-03-31T08:00:00+00:00",
    ]


def test_days_of_a_series_follow_the_clocks_of_their_zone_and_come_back_after_a_skip() -> None:
    text = "R3/2026-03-28T02:30:00/P1D@Europe/Paris"
    assert firings(text, START, 3) == [
        "2026-03-28T01:30:00+00:00",
        "2026-03-29T01:00:00+00:00",  # 2:30 was skipped: 3:00
        "2026-03-30T00:30:00+00:00",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "R0/PT1H",
        "R/PT0S",
        "3/PT1H",
        "R/P1D/P1D",
        "R//P1D",
        "R/soon/P1D",
        "R/2026-01-05T08:00:00/P1D",
    ],
)
def test_what_is_no_cycle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"repeat|zone|cron"):
        armed(text)


@given(period=st.integers(1, 500), late=st.integers(0, 5000), left=st.integers(0, 20))
def test_missed_firings_are_spent_and_the_next_is_on_schedule(
    period: int, late: int, left: int
) -> None:
    given = Schedule(due_at=START, period=f"PT{period}S", repeats_left=left)
    following, missed = rearmed(given, at=START + timedelta(seconds=late))
    planned = [START + timedelta(seconds=period * n) for n in range(1, left + 1)]
    ahead = [at for at in planned if at > START + timedelta(seconds=late)]
    assert missed == len(planned) - len(ahead)
    if not ahead:
        assert following is None
        return
    assert following is not None
    assert (following.due_at, following.repeats_left) == (ahead[0], len(ahead) - 1)


@pytest.mark.parametrize("name", ZONES)
@given(
    days=st.integers(0, 3),
    months=st.integers(0, 3),
    hours=st.integers(12, 30),
    anchor=st.integers(0, 700 * 24),
    late=st.integers(0, 400 * 24),
)
def test_a_series_in_a_zone_goes_on_after_every_missed_moment(
    name: str, days: int, months: int, hours: int, anchor: int, late: int
) -> None:
    length = f"P{months}M{days}DT{hours}H"
    begin = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=anchor)
    text = f"R/{begin.isoformat()}/{length}@{name}"
    first = armed(text, begin)
    now = begin + timedelta(hours=late)
    following, missed = rearmed(first, at=now)
    zone, duration = zone_named(name), Duration.parsed(length)
    moments = [duration.after(begin, zone=zone, times=n) for n in range(1, late // 12 + 30)]
    assert first.due_at == begin
    assert following is not None
    assert following.due_at == next(m for m in moments if m > now)
    assert missed == sum(m <= now for m in moments)


def test_long_absence_costs_nothing() -> None:
    given = Schedule(due_at=START, period="PT0.001S", repeats_left=None)
    following, missed = rearmed(given, at=START + timedelta(days=3650))
    assert missed == 3650 * 86_400_000
    assert following is not None


def test_months_are_counted_by_the_calendar() -> None:
    given = Schedule(due_at=datetime(2026, 1, 5, tzinfo=UTC), period="P1M", repeats_left=None)
    following, missed = rearmed(given, at=datetime(2026, 4, 6, tzinfo=UTC))
    assert following is not None
    assert (following.due_at, missed) == (datetime(2026, 5, 5, tzinfo=UTC), 3)


# drawn


def reminded(pen: Pen, timer: str, process: str = "") -> bytes:
    """Draw a task with a cyclic reminder."""
    drawn = pen.document(
        pen.start
        + '<userTask id="ask"/><boundaryEvent id="remind" attachedToRef="ask" cancelActivity="false">'
        + f"{timer}</boundaryEvent>"
        + pen.end
        + pen.service("tell")
        + '<endEvent id="told"/>',
        flows="start>ask ask>end remind>tell tell>told",
    )
    return drawn.replace(b'<process id="test"', f'<process id="test" {process}'.encode())


def cycle(text: str, attributes: str = "") -> str:
    return (
        f"<timerEventDefinition {attributes}><timeCycle>{text}</timeCycle></timerEventDefinition>"
    )


def due(play: Play) -> str:
    return play.job("remind").due_at.isoformat()


def test_a_drawn_timer_is_read_in_the_zone_of_its_text(pen: Pen) -> None:
    play = Play(pen.read(reminded(pen, cycle("0 8 * * MON-FRI@Europe/Paris"))))
    assert due(play) == "2026-01-01T07:00:00+00:00"
    play.advance(timedelta(days=4))
    assert due(play) == "2026-01-05T07:00:00+00:00"


def test_the_zone_of_the_process_holds_unless_the_timer_has_its_own(pen: Pen) -> None:
    process = 'pilothouse:timeZone="Asia/Tokyo"'
    inherited = pen.read(reminded(pen, cycle("0 8 * * *"), process))
    own = pen.read(reminded(pen, cycle("0 8 * * *", 'pilothouse:timeZone="UTC"'), process))
    assert due(Play(inherited)) == "2026-01-01T23:00:00+00:00"
    assert due(Play(own)) == "2026-01-01T08:00:00+00:00"


@pytest.mark.parametrize(
    ("timer", "problem"),
    [
        (cycle("0 8 * *"), "4 fields"),
        (cycle("0 8 30 2 *"), "never comes"),
        (cycle("R3/PT5M", 'pilothouse:timeZone="Mars/Olympus"'), "no time zone"),
        (cycle("R3/PT5M@Mars/Olympus"), "no time zone"),
    ],
)
def test_a_timer_that_cannot_fire_is_refused_at_its_line(
    pen: Pen, timer: str, problem: str
) -> None:
    with pytest.raises(DefinitionRejectedError) as refused:
        pen.read(reminded(pen, timer))
    (found,) = refused.value.problems
    assert found.element == "remind"
    assert problem in found.problem


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("P1D@Europe/Paris", timedelta(days=1)),
        ("2026-01-02T01:00:00@Europe/Paris", timedelta(days=1)),
        ("PT36H", timedelta(hours=36)),
    ],
)
def test_a_due_date_may_have_its_zone(pen: Pen, text: str, after: timedelta) -> None:
    due_date = f'<extensionElements><zeebe:taskSchedule dueDate="{text}"/></extensionElements>'
    play = Play(pen.draw(f'<userTask id="ask">{due_date}</userTask>', "start>ask ask>end"))
    assert play.task("ask").due_at == play.now + after

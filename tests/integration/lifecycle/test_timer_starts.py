"""Life cycles that timers start: once for each moment, of the version that is used, for the services that are named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.domain.ids import ServiceTag, StageName
from pilothouse.domain.routes import Route, Variant
from pilothouse.testing.clock import START
from tests.integration.lifecycle.house import BATCH, MODEL, ONLINE, OPAL, RISK, Killed, MortalWork
from tests.integration.lifecycle.starters import by_timer

if TYPE_CHECKING:
    from pilothouse.wire.runs import RunSummary
    from tests.integration.lifecycle.house import House

HOUR = timedelta(hours=1)


def upload(house: House, xml: bytes, group: str = RISK) -> str:
    who = OPAL if group == RISK else SYSTEM
    return house.plane.definitions.upload(who, group=group, xml=xml).full_name


def runs(house: House) -> list[RunSummary]:
    return list(house.plane.runs.page(SYSTEM).items)


def after(house: House, time: timedelta) -> list[RunSummary]:
    house.clock.advance(time)
    house.plane.timed_starts.run_once()
    return runs(house)


def about(house: House) -> list[tuple[str | None, str | None]]:
    return sorted((r.heading.service or "", r.heading.snapshot) for r in runs(house))


def test_a_cycle_starts_a_run_at_each_of_its_moments(any_house: House) -> None:
    upload(any_house, by_timer("timeCycle", "R2/PT1H"))

    counts = [len(after(any_house, HOUR)) for _ in range(4)]

    assert counts == [1, 2, 2, 2]
    [run, _] = runs(any_house)
    assert (run.heading.group, run.heading.service, run.heading.snapshot) == (RISK, None, None)
    assert any_house.plane.timed_starts.next_due() is None


def test_nothing_starts_before_its_moment(house: House) -> None:
    upload(house, by_timer("timeDuration", "PT1H"))
    assert after(house, HOUR - timedelta(seconds=1)) == []
    assert len(after(house, timedelta(seconds=1))) == 1
    assert len(after(house, HOUR)) == 1


def test_missed_moments_start_one_run_and_the_next_is_the_one_that_was_planned(
    house: House,
) -> None:
    upload(house, by_timer("timeCycle", "0 0 * * * *"))
    planned = house.plane.timed_starts.next_due()
    assert planned is not None

    assert len(after(house, 5 * HOUR + timedelta(minutes=7))) == 1

    following = house.plane.timed_starts.next_due()
    assert following is not None
    assert (following.minute, following.second) == (0, 0)
    assert following > house.clock.now()
    [missed] = house.audited("miss-timer", "lifecycle")
    assert missed == {"start_event": "on", "moments": 4}


def test_a_date_that_has_passed_is_used_up_and_the_audit_says_so(house: House) -> None:
    upload(house, by_timer("timeDate", "2020-01-05T08:00:00Z"))
    assert after(house, HOUR) == []
    [armed] = house.audited("arm", "lifecycle")
    assert (armed["element"], armed["due_at"]) == ("on", None)


def test_only_the_latest_active_version_is_armed(any_house: House) -> None:
    house = any_house
    first = upload(house, by_timer("timeCycle", "R/PT1H"))
    second = upload(house, by_timer("timeCycle", "R/PT2H"))
    assert after(house, HOUR) == []
    assert [r.heading.definition for r in after(house, HOUR)] == [second]

    house.plane.definitions.retire(OPAL, name=second)
    assert [r.heading.definition for r in after(house, HOUR)] == [first, second]

    house.plane.definitions.retire(OPAL, name=first)
    assert house.plane.timed_starts.next_due() is None

    upload(house, by_timer("timeCycle", "R/PT1H"))
    assert len(after(house, HOUR)) == 3


def test_the_same_file_again_leaves_its_timer_alone(house: House) -> None:
    upload(house, by_timer("timeCycle", "R/PT1H"))
    house.clock.advance(timedelta(minutes=40))
    upload(house, by_timer("timeCycle", "R/PT1H"))
    assert len(after(house, timedelta(minutes=20))) == 1


def test_each_named_service_has_a_run_about_its_latest_snapshot(house: House) -> None:
    house.tag(f"{MODEL}@1", BATCH)
    upload(house, by_timer("timeCycle", "R/PT1H", about=f'services="{BATCH}" snapshot="latest"'))
    after(house, HOUR)
    assert about(house) == [(BATCH, f"{MODEL}@1")]


def test_every_service_is_every_one_of_the_group(house: House) -> None:
    upload(house, by_timer("timeCycle", "R/PT1H", about='services="*"'))
    after(house, HOUR)
    assert about(house) == [(ONLINE, None), (BATCH, None)]


def test_everybodys_life_cycle_starts_for_the_groups_that_use_it(house: House) -> None:
    upload(house, by_timer("timeCycle", "R/PT1H", about='services="*"'), group="*")
    after(house, HOUR)
    assert about(house) == [(ONLINE, None), (BATCH, None)]

    upload(house, by_timer("timeCycle", "R/PT3H", about='services="*"'))
    assert len(after(house, HOUR)) == 2


def test_the_champion_is_the_heaviest_of_the_route_of_the_stage(house: House) -> None:
    house.take_snapshot(2)
    with house.database.open_work(SYSTEM) as work:
        weights = {1: 0.9, 2: 0.1}
        variants = tuple(
            Variant(snapshot_id=s.id, snapshot=s.name, weight=weights[s.number])
            for s in work.snapshots.all()
        )
        route = Route(
            id="rou_1",
            group=RISK,
            service=ServiceTag(ONLINE),
            stage=StageName("PROD"),
            generation=1,
            variants=variants,
            shadows=(),
            changed_at=START,
        )
        work.routes.add(route)
        work.commit(None)
    wanted = f'services="{ONLINE}" snapshot="champion" stage="PROD"'
    upload(house, by_timer("timeCycle", "R/PT1H", about=wanted))
    after(house, HOUR)
    assert about(house) == [(ONLINE, f"{MODEL}@1")]


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (f'services="{ONLINE}" snapshot="champion" stage="PROD"', "no champion snapshot"),
        (f'services="{ONLINE}" snapshot="latest"', "no latest snapshot"),
        ('services="nobody"', "no service 'nobody'"),
    ],
)
def test_what_cannot_start_is_in_the_audit_and_the_timer_goes_on(
    house: House, wanted: str, reason: str
) -> None:
    upload(house, by_timer("timeCycle", "R/PT1H", about=wanted))
    assert after(house, HOUR) == []
    assert after(house, HOUR) == []
    first, _ = house.audited("start-failed", "lifecycle")
    assert reason in str(first["reason"])


def test_a_run_about_the_same_that_is_under_way_is_not_doubled(house: House) -> None:
    house.tag(f"{MODEL}@1", BATCH)
    upload(house, by_timer("timeCycle", "R/PT1H", about=f'services="{BATCH}" snapshot="latest"'))
    assert len(after(house, HOUR)) == 1
    assert len(after(house, HOUR)) == 1
    assert len(house.audited("start-failed", "lifecycle")) == 1


@pytest.mark.parametrize("commits", range(1, 5))
@pytest.mark.parametrize("committed", [False, True])
def test_each_moment_starts_one_run_however_often_a_worker_is_killed(
    any_house: House, commits: int, committed: bool
) -> None:
    house = any_house
    upload(house, by_timer("timeDuration", "PT1H", about='services="*"'))
    house.clock.advance(HOUR)
    life = MortalWork(house.database.open_work)
    life.die_at, life.die_after_commit = commits, committed
    with pytest.raises(Killed):
        house.built(life, owner="mortal").timed_starts.run_once()

    after(house, timedelta(minutes=2))

    assert about(house) == [(ONLINE, None), (BATCH, None)]
    assert house.plane.timed_starts.next_due() is None


def test_two_workers_never_fire_one_moment_twice(any_house: House) -> None:
    house = any_house
    upload(house, by_timer("timeDuration", "PT1H"))
    house.clock.advance(HOUR)
    other = house.built(house.database.open_work, owner="other")
    with house.database.open_work(SYSTEM) as work:
        [claimed] = work.start_events.claim(owner="slow", lease_s=60.0, limit=9)
        work.commit(None)

    assert not other.timed_starts.run_once()
    house.clock.advance(timedelta(seconds=61))
    assert other.timed_starts.run_once()

    with house.database.open_work(SYSTEM) as work:
        assert not work.start_events.fired(claimed, None)
        work.commit(None)
    assert len(runs(house)) == 1

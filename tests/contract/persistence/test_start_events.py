"""Start events that are armed: found by kind and name, timers claimed as jobs are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.lifecycles import StartEvent, StartKind
from tests.contract.persistence import values

if TYPE_CHECKING:
    from pilothouse.persistence.engine import Database
    from tests.contract.persistence.conftest import HandClock

ADA = values.principal()
SIGNAL = StartEvent(
    id="sta_1",
    definition_id=values.definition().id,
    group=values.RISK,
    key="watch",
    kind=StartKind.SIGNAL,
    element="on",
    name="called",
)


def timer(number: int, *, seconds: float = 0.0) -> StartEvent:
    due_at = values.NOON + timedelta(seconds=seconds)
    return replace(
        SIGNAL,
        id=f"stt_{number}",
        key=f"timed-{number}",
        kind=StartKind.TIMER,
        name="",
        due_at=due_at,
        period="PT1H",
        repeats_left=3,
    )


def arm(database: Database, *events: StartEvent) -> None:
    with database.open_work(ADA) as work:
        for event in events:
            work.start_events.replace((event,), group=event.group, key=event.key)
        work.commit(None)


def claim(database: Database, owner: str = "w1") -> tuple[StartEvent, ...]:
    with database.open_work(ADA) as work:
        return work.commit(work.start_events.claim(owner=owner, lease_s=10.0, limit=9))


def test_what_is_armed_is_found_by_kind_and_name_for_its_group_and_everybodys(
    company: Database,
) -> None:
    everybodys = replace(SIGNAL, id="sta_2", group=EVERY_GROUP)
    other = replace(SIGNAL, id="sta_3", key="other", name="other")
    arm(company, SIGNAL, everybodys, other)
    with company.open_work.reading(ADA) as work:
        found = work.start_events.waiting(StartKind.SIGNAL, group=values.RISK, name="called")
        every = work.start_events.waiting(StartKind.SIGNAL, group=values.RISK)
        none = work.start_events.waiting(StartKind.MESSAGE, group=values.RISK, name="called")
    assert (found, every, none) == ((SIGNAL, everybodys), (SIGNAL, everybodys, other), ())


def test_what_is_armed_anew_replaces_what_was(company: Database) -> None:
    again = replace(SIGNAL, id="sta_9")
    arm(company, SIGNAL, again)
    with company.open_work(ADA) as work:
        assert work.start_events.of(group=values.RISK, key="watch") == (again,)
        work.start_events.replace((), group=values.RISK, key="watch")
        assert work.start_events.of(group=values.RISK, key="watch") == ()


def test_a_due_timer_is_claimed_once_until_its_lease_is_over(
    company: Database, clock: HandClock
) -> None:
    arm(company, timer(1), timer(2, seconds=60.0), SIGNAL)
    [first] = claim(company)
    assert (first.id, first.attempt, first.lease_owner) == ("stt_1", 1, "w1")
    assert claim(company, "w2") == ()
    clock.forward(11)
    [again] = claim(company, "w2")
    assert (again.attempt, again.lease_owner) == (2, "w2")


def test_only_the_claim_that_counts_lets_a_timer_go_on(company: Database, clock: HandClock) -> None:
    arm(company, timer(1))
    [stale] = claim(company)
    clock.forward(11)
    [held] = claim(company, "w2")
    following = replace(
        held, due_at=values.NOON + timedelta(hours=1), lease_owner=None, lease_until=None
    )
    with company.open_work(ADA) as work:
        assert not work.start_events.fired(stale, None)
        assert work.start_events.fired(held, following)
        assert work.start_events.next_due() == following.due_at
        assert work.start_events.fired(following, None)
        assert work.start_events.next_due() is None
        work.commit(None)


def test_the_next_is_due_at_its_moment_or_when_its_lease_ends(company: Database) -> None:
    arm(company, timer(1, seconds=-5.0), timer(2, seconds=90.0))
    with company.open_work.reading(ADA) as work:
        assert work.start_events.next_due() == values.NOON - timedelta(seconds=5)
    [held] = claim(company)
    with company.open_work.reading(ADA) as work:
        assert work.start_events.next_due() == held.lease_until

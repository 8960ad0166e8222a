"""Outbox, messages, keyed calls, leases and audit keep their contract on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import KeyedCall, KeyReusedError, Principal
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.events import Event, EventType, Message
from pilothouse.domain.ids import GroupName, TokenId
from tests.contract.persistence import values

if TYPE_CHECKING:
    from pilothouse.persistence.engine import Database
    from tests.contract.persistence.conftest import HandClock

ADA = values.principal()
NOON = values.NOON


def event(number: int, kind: EventType = EventType.SNAPSHOT_CREATED) -> Event:
    return Event(
        id=f"evt_{number}",
        type=kind,
        group=values.RISK,
        subject="snp_1",
        payload={"n": number, "share": 1.0},
        at=NOON + timedelta(seconds=number),
    )


def publish(database: Database, *events: Event) -> None:
    with database.open_work(ADA) as work:
        for one in events:
            work.outbox.publish(one)
        work.commit(None)


def claim(database: Database, subscriber: str = "starter", *, limit: int = 10) -> tuple[Event, ...]:
    with database.open_work(ADA) as work:
        return work.commit(work.outbox.claim(subscriber, owner="w1", lease_s=60, limit=limit))


def test_an_event_reaches_each_of_its_subscribers(company: Database) -> None:
    publish(company, event(1), event(2, EventType.JOB_FINISHED))
    assert claim(company, "starter") == (event(1), event(2, EventType.JOB_FINISHED))
    assert claim(company, "reporter") == (event(1),)
    assert claim(company, "nobody") == ()


def test_events_come_oldest_first_within_the_limit(company: Database) -> None:
    publish(company, event(3), event(1), event(2))
    assert [e.id for e in claim(company, limit=2)] == ["evt_1", "evt_2"]
    assert [e.id for e in claim(company, limit=2)] == ["evt_3"]


def test_an_undelivered_event_comes_again_after_its_lease(
    company: Database, clock: HandClock
) -> None:
    publish(company, event(1))
    taken = [claim(company), claim(company)]
    clock.forward(60)
    taken.append(claim(company))
    assert [len(events) for events in taken] == [1, 0, 1]


def test_a_delivered_event_leaves_only_its_own_queue(company: Database) -> None:
    publish(company, event(1))
    with company.open_work(ADA) as work:
        work.outbox.delivered("starter", "evt_1")
        work.outbox.delivered("starter", "evt_unknown")
        work.commit(None)
    assert (claim(company, "starter"), claim(company, "reporter")) == ((), (event(1),))


def test_waiting_counts_events_not_deliveries(company: Database) -> None:
    publish(company, event(1), event(2))
    with company.open_work.reading(ADA) as work:
        assert work.outbox.waiting() == dict.fromkeys(EventType, 0) | {
            EventType.SNAPSHOT_CREATED: 2
        }


def test_an_event_of_a_unit_that_is_not_committed_is_not_kept(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.outbox.publish(event(1))
    assert claim(company) == ()


def message(number: int = 1, *, group: str = "risk", key: str = "job_1") -> Message:
    return Message(
        id=f"msg_{number}",
        group=GroupName(group),
        name="finished",
        correlation_key=key,
        payload={"n": number},
        received_at=NOON + timedelta(seconds=number),
        expires_at=NOON + timedelta(seconds=100 + number),
    )


def keep(database: Database, *messages: Message) -> list[bool]:
    with database.open_work(ADA) as work:
        return work.commit([work.messages.add(one) for one in messages])


def take(database: Database, *, key: str = "job_1", group: str = "risk") -> Message | None:
    with database.open_work(ADA) as work:
        return work.commit(work.messages.take(group=group, name="finished", correlation_key=key))


def test_a_message_is_taken_once_oldest_first(company: Database) -> None:
    keep(company, message(2), message(1), message(3, key="job_3"))
    assert [take(company), take(company), take(company)] == [message(1), message(2), None]


def test_a_message_that_comes_twice_is_kept_once_even_after_it_was_taken(
    company: Database,
) -> None:
    first = keep(company, message(), message())
    take(company)
    assert (first, keep(company, message()), take(company)) == ([True, False], [False], None)


def test_an_id_of_one_group_does_not_shadow_another_groups(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.groups.add(values.group("cards"))
        work.commit(None)
    assert keep(company, message(), message(group="cards")) == [True, True]
    assert take(company, group="cards") == message(group="cards")


def test_a_message_past_its_time_is_not_taken(company: Database, clock: HandClock) -> None:
    keep(company, message(1))
    clock.forward(101)
    assert take(company) is None


def test_expiring_counts_only_what_nobody_took(company: Database, clock: HandClock) -> None:
    keep(company, message(1), message(2), message(3), message(50))
    take(company)
    clock.forward(103)
    with company.open_work(ADA) as work:
        gone = [work.messages.expire(), work.messages.expire()]
        work.commit(None)
    assert (gone, take(company)) == ([2, 0], message(50))


def keyed(key: str = "k1", request: str = "r1", name: str = "ada") -> Principal:
    return values.principal(name, call=KeyedCall(key=key, request=request))


def test_a_repeated_call_finds_its_answer(company: Database) -> None:
    who = keyed()
    with company.open_work(who) as work:
        before = work.calls.answer(who)
        work.commit(values.stage("DEV", 1))
    with company.open_work(who) as work:
        after = work.calls.answer(who)
    assert before is None
    assert after == {
        "name": "DEV",
        "position": 1,
        "production": True,
        "created_at": "2026-01-05T12:00:00.000000Z",
        "version": 1,
    }


def test_a_key_with_another_request_is_refused(company: Database) -> None:
    with company.open_work(keyed()) as work:
        work.commit({"a": 1})
    other = keyed(request="r2")
    with company.open_work(other) as work, pytest.raises(KeyReusedError) as caught:
        work.calls.answer(other)
    assert caught.value.key == "k1"


def test_keys_belong_to_persons(company: Database) -> None:
    with company.open_work(keyed()) as work:
        work.commit({"a": 1})
    bob = keyed(name="bob")
    with company.open_work(bob) as work:
        assert work.calls.answer(bob) is None


def test_a_call_without_a_key_has_no_answer(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.commit({"a": 1})
    with company.open_work(ADA) as work:
        assert work.calls.answer(ADA) is None


def test_a_call_that_was_not_committed_is_new(company: Database) -> None:
    who = keyed()
    with company.open_work(who) as work:
        work.models.save(work.models.get("mod_1"))
    with company.open_work(who) as work:
        assert work.calls.answer(who) is None


def test_a_call_answered_meanwhile_is_a_conflict_and_changes_nothing(company: Database) -> None:
    with company.open_work(keyed()) as work:
        work.commit({"a": 1})
    with company.open_work(keyed()) as work:
        work.models.save(work.models.get("mod_1"))
        with pytest.raises(ConflictError) as caught:
            work.commit({"a": 2})
    with company.open_work.reading(ADA) as work:
        assert work.models.get("mod_1").version == 1
    assert caught.value.name == "k1"


def test_a_keyed_call_that_found_nothing_to_do_may_find_nothing_again(company: Database) -> None:
    answers = []
    for _ in range(2):
        with company.open_work(keyed()) as work:
            answers.append(work.calls.answer(keyed()))
            work.commit(None)
    assert answers == [None, None]


def test_a_keyed_call_that_found_nothing_to_do_cannot_do_something_later(
    company: Database,
) -> None:
    with company.open_work(keyed()) as work:
        work.commit(None)
    with company.open_work(keyed()) as work:
        work.models.save(work.models.get("mod_1"))
        with pytest.raises(ConflictError):
            work.commit({"a": 1})
    with company.open_work.reading(ADA) as work:
        assert work.models.get("mod_1").version == 1


def acquire(database: Database, owner: str, *, lease_s: float = 10) -> bool:
    with database.open_work(ADA) as work:
        return work.commit(work.leases.acquire("reconciler", owner=owner, lease_s=lease_s))


def release(database: Database, owner: str) -> None:
    with database.open_work(ADA) as work:
        work.leases.release("reconciler", owner=owner)
        work.commit(None)


def test_a_lease_has_one_owner_until_it_ends(company: Database, clock: HandClock) -> None:
    held = [acquire(company, "a"), acquire(company, "b"), acquire(company, "a", lease_s=20)]
    clock.forward(19)
    held.append(acquire(company, "b"))
    clock.forward(1)
    held += [acquire(company, "b"), acquire(company, "a")]
    assert held == [True, False, True, False, True, False]


def test_only_the_owner_gives_a_lease_up(company: Database) -> None:
    acquire(company, "a")
    release(company, "b")
    held = acquire(company, "b")
    release(company, "a")
    release(company, "a")
    assert (held, acquire(company, "b")) == (False, True)


def test_audit_says_who_did_what_when_and_why_newest_first(
    company: Database, clock: HandClock
) -> None:
    who = replace(values.principal(cause="run run_1"), token_id=TokenId("tok_1"))
    for action in ("create", "deploy"):
        with company.open_work(who) as work:
            work.audit.record(
                action, noun="model", subject="mod_1", group=values.RISK, detail={"n": 1.0}
            )
            work.commit(None)
        clock.forward(1)
    with company.open_work.reading(ADA) as work:
        page = work.audit.page(limit=1)
        rest = work.audit.page(after=page.next, groups=frozenset({values.RISK}))
        none = work.audit.page(groups=frozenset({GroupName("cards")}), action="deploy")
    entry = page.items[0]
    assert (entry.action, entry.at, entry.detail) == (
        "deploy",
        NOON + timedelta(seconds=1),
        {"n": 1.0},
    )
    assert (entry.actor, entry.actor_name, entry.token_id) == ("per_ada", "ada", "tok_1")
    assert (entry.cause, [e.action for e in rest.items], none.items) == (
        "run run_1",
        ["create"],
        (),
    )


def test_an_audit_row_may_stand_in_every_group(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.audit.record("create", noun="stage", subject="DEV", group=GroupName("*"), detail={})
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        assert [e.group for e in work.audit.page(noun="stage").items] == ["*"]

"""Clocks and ids, real and fake, keep the same contract."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.testing.clock import CountingIds, SetClock

if TYPE_CHECKING:
    from pilothouse.ports.clock import Clock, Ids


@pytest.mark.parametrize("clock", [SystemClock(), SetClock()], ids=["real", "fake"])
def test_a_clock_gives_utc_and_never_goes_back(clock: Clock) -> None:
    first, second = clock.now(), clock.now()

    assert first.tzinfo is UTC
    assert first <= second


@pytest.mark.parametrize("ids", [SystemIds(), CountingIds()], ids=["real", "fake"])
def test_ids_are_never_the_same_twice(ids: Ids) -> None:
    made = [ids.new("job") for _ in range(1000)]

    assert len(set(made)) == 1000
    assert {len(one) for one in made} == {30}
    assert all(one.startswith("job_") for one in made)


@pytest.mark.parametrize("ids", [SystemIds(), CountingIds()], ids=["real", "fake"])
@pytest.mark.parametrize("size", [1, 10, 37, 1024])
def test_entropy_has_the_asked_size_and_differs(ids: Ids, size: int) -> None:
    drawn = [ids.entropy(size) for _ in range(2)]

    assert [len(one) for one in drawn] == [size, size]
    assert size < 10 or drawn[0] != drawn[1]


def test_counting_ids_are_the_same_in_every_run_and_sorted() -> None:
    first, second = CountingIds(), CountingIds()

    made = [first.new("job") for _ in range(300)]

    assert made == [second.new("job") for _ in range(300)] == sorted(made)


def test_a_set_clock_moves_by_hand_alone() -> None:
    clock = SetClock()
    before = clock.now()

    clock.advance(timedelta(hours=5))

    assert clock.now() - before == timedelta(hours=5)
    clock.set(before)
    assert clock.now() == before

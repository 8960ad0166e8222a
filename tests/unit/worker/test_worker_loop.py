"""The worker: its loops go on whatever one round meets, and say how they fare."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from pilothouse.testing.clock import START, SetClock
from pilothouse.worker.loop import Loop, LoopHealth, Worker

PATIENCE_S = 30.0


def test_run_once_goes_on_until_no_loop_has_anything_left() -> None:
    left = {"a": 3, "b": 1}

    def round_of(name: str) -> bool:
        if left[name] == 0:
            return False
        left[name] -= 1
        return True

    loops = [Loop(name=n, run_once=lambda n=n: round_of(n), poll_s=1.0) for n in left]  # type: ignore[misc]

    done = Worker(loops, clock=SetClock()).run_once()

    assert (done, left) == (4, {"a": 0, "b": 0})


def test_run_once_raises_what_a_loop_raises() -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Worker([Loop(name="broken", run_once=broken, poll_s=1.0)], clock=SetClock()).run_once()


def test_loops_that_are_never_done_are_an_error() -> None:
    busy = Loop(name="busy", run_once=lambda: True, poll_s=1.0)

    with pytest.raises(RuntimeError, match="still busy"):
        Worker([busy], clock=SetClock()).run_once(rounds=5)


def test_a_loop_that_is_stopped_lays_down_its_work() -> None:
    begun, laid_down = threading.Event(), []

    def turn() -> bool:
        begun.set()
        return False

    loop = Loop(name="one", run_once=turn, poll_s=60.0, at_end=lambda: laid_down.append(1))
    worker = Worker([loop], clock=SetClock())
    worker.start()
    assert begun.wait(PATIENCE_S)

    assert worker.stop()

    assert laid_down == [1]


def test_a_loop_that_cannot_lay_down_its_work_ends_and_says_so() -> None:
    def broken() -> None:
        raise ZeroDivisionError("held")

    loop = Loop(name="one", run_once=lambda: False, poll_s=60.0, at_end=broken)
    worker = Worker([loop], clock=SetClock())
    worker.start()

    assert worker.stop()

    assert worker.health()["one"].last_error == "ZeroDivisionError: held"


def test_two_loops_of_one_name_are_refused() -> None:
    loop = Loop(name="same", run_once=lambda: False, poll_s=1.0)

    with pytest.raises(ValueError, match="one name"):
        Worker([loop, loop], clock=SetClock())


def test_a_loop_that_raises_is_counted_shown_and_goes_on() -> None:
    healed, rounds = threading.Event(), []

    def sometimes() -> bool:
        rounds.append(1)
        if len(rounds) == 1:
            raise ZeroDivisionError("once")
        healed.set()
        return False

    worker = Worker([Loop(name="shaky", run_once=sometimes, poll_s=60.0)], clock=SetClock())
    worker.start()
    first = _until_failing(worker)
    worker.wake("shaky")
    assert healed.wait(PATIENCE_S)
    assert worker.stop()

    assert (first.failing, first.last_error, first.healthy) == (
        1,
        "ZeroDivisionError: once",
        False,
    )
    after = worker.health()["shaky"]
    assert (after.failures, after.failing, after.alive) == (1, 0, False)
    assert after.last_round_at == START


def _until_failing(worker: Worker) -> LoopHealth:
    for _ in range(10_000_000):
        health = worker.health()["shaky"]
        if health.failing:
            return health
    raise AssertionError("it never failed")


def test_one_loop_that_fails_does_not_hold_up_another() -> None:
    went = threading.Event()

    def broken() -> bool:
        raise ZeroDivisionError

    def well() -> bool:
        went.set()
        return False

    worker = Worker(
        [
            Loop(name="broken", run_once=broken, poll_s=60.0),
            Loop(name="well", run_once=well, poll_s=60.0),
        ],
        clock=SetClock(),
    )
    worker.start()

    assert went.wait(PATIENCE_S)
    assert worker.stop()


def test_a_woken_loop_looks_for_work_at_once() -> None:
    rounds = threading.Semaphore(0)

    def count() -> bool:
        rounds.release()
        return False

    worker = Worker([Loop(name="sleepy", run_once=count, poll_s=3600.0)], clock=SetClock())
    worker.start()
    assert rounds.acquire(timeout=PATIENCE_S)

    worker.wake("sleepy")

    assert rounds.acquire(timeout=PATIENCE_S)
    assert worker.stop()


@pytest.mark.parametrize(
    ("ahead_s", "pause_s"), [(None, 60.0), (5.0, 5.0), (600.0, 60.0), (-5.0, 0.02)]
)
def test_a_loop_sleeps_until_something_is_due_and_no_longer_than_its_poll(
    ahead_s: float | None, pause_s: float
) -> None:
    due = None if ahead_s is None else START + timedelta(seconds=ahead_s)
    loop = Loop(name="timed", run_once=lambda: False, poll_s=60.0, next_due=lambda: due)

    assert Worker([loop], clock=SetClock())._round(loop) == pause_s


def test_a_failing_loop_waits_longer_each_time_up_to_a_minute() -> None:
    def broken() -> bool:
        raise ZeroDivisionError

    loop = Loop(name="broken", run_once=broken, poll_s=1.0)
    worker = Worker([loop], clock=SetClock())

    assert [worker._round(loop) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_worker_that_runs_cannot_be_started_again() -> None:
    worker = Worker([Loop(name="a", run_once=lambda: False, poll_s=60.0)], clock=SetClock())
    worker.start()

    with pytest.raises(RuntimeError, match="runs already"):
        worker.start()

    assert worker.stop()

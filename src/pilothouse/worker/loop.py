"""Loops: what is done over and over, each in a thread of its own, and how it fares."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import datetime  # noqa: TC003 - the codec reads the annotations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilothouse.ports.clock import Clock

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
SHORTEST_PAUSE_S = 0.02
"""Before a round that should find work: another worker may be at it, and spinning would only get in its way."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """
    Something that is done over and over.

    Attributes
    ----------
    run_once
        Does what there is to do now, in short steps; True asks to be called again at once. It may be killed
        at any instant.
    next_due
        Says when there will be something to do; None of it means after `poll_s`.
    poll_s
        The longest pause, in seconds above 0.
    at_end
        Lays down what the loop has taken up and not begun, when it is stopped.
    """

    name: str
    run_once: Callable[[], bool]
    poll_s: float
    next_due: Callable[[], datetime | None] | None = None
    at_end: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopHealth:
    """How a loop fares: `failing` counts the failures since it last went well."""

    name: str
    alive: bool = False
    rounds: int = 0
    failures: int = 0
    failing: int = 0
    last_error: str = ""
    last_round_at: datetime | None = None

    @property
    def healthy(self) -> bool:
        """Whether the loop runs and its last round went well."""
        return self.alive and not self.failing


class Worker:
    """
    Runs loops in threads until it is stopped.

    A loop that raises is logged and counted, and goes on after a pause that doubles up to a minute; the others
    do not notice. `health` shows it.
    """

    def __init__(self, loops: Sequence[Loop], *, clock: Clock) -> None:
        names = [loop.name for loop in loops]
        if len(set(names)) != len(names):
            raise ValueError(f"two loops have one name: {', '.join(names)}")
        self._loops = tuple(loops)
        self._clock = clock
        self._stopping = threading.Event()
        self._wakes = {loop.name: threading.Event() for loop in loops}
        self._health = {loop.name: LoopHealth(name=loop.name) for loop in loops}
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start a thread for each loop."""
        if self._threads:
            raise RuntimeError("the worker runs already")
        self._stopping.clear()
        for loop in self._loops:
            thread = threading.Thread(
                target=self._turn, args=(loop,), name=f"loop-{loop.name}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self, *, timeout_s: float = 30.0) -> bool:
        """Let each loop end its round; False when one has not within the time (it is killed with the process)."""
        self._stopping.set()
        self.wake()
        deadline = self._clock.now().timestamp() + timeout_s
        for thread in self._threads:
            thread.join(max(deadline - self._clock.now().timestamp(), 0.0))
        ended = not any(thread.is_alive() for thread in self._threads)
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        return ended

    def wake(self, name: str | None = None) -> None:
        """Let a loop, or all of them, look for work now."""
        for known, event in self._wakes.items():
            if name in (None, known):
                event.set()

    def health(self) -> Mapping[str, LoopHealth]:
        """Say how each loop fares."""
        with self._lock:
            return dict(self._health)

    def run_once(self, *, rounds: int = 1000) -> int:
        """
        Run all loops in this thread until none has anything left to do at this moment; give how often one had.

        For tests and for programs that drive time themselves: nothing sleeps, and what a loop raises is raised.

        Raises
        ------
        RuntimeError
            When after so many rounds there is still something to do.
        """
        done = 0
        for _ in range(rounds):
            busy = sum(loop.run_once() for loop in self._loops)
            done += busy
            if not busy:
                return done
        raise RuntimeError(f"the loops are still busy after {rounds} rounds")

    def _turn(self, loop: Loop) -> None:
        self._note(loop, alive=True)
        wake = self._wakes[loop.name]
        try:
            while not self._stopping.is_set():
                pause_s = self._round(loop)
                if pause_s > 0 and not self._stopping.is_set():
                    wake.wait(pause_s)
                wake.clear()
            self._laid_down(loop)
        finally:
            self._note(loop, alive=False)

    def _laid_down(self, loop: Loop) -> None:
        try:
            if loop.at_end:
                loop.at_end()
        # What cannot be laid down now is free when its lease is over; the thread ends all the same.
        except Exception as error:
            log.exception("the loop %s could not lay down its work", loop.name)
            self._failed(loop, error)

    def _round(self, loop: Loop) -> float:
        """Do one round, and give the pause after it in seconds."""
        try:
            again = loop.run_once()
            pause_s = 0.0 if again else self._idle_s(loop)
        # A loop outlives whatever one of its rounds meets: the next one may go well.
        except Exception as error:
            log.exception("the loop %s failed", loop.name)
            return self._failed(loop, error)
        health = self._health[loop.name]
        self._note(loop, rounds=health.rounds + 1, failing=0, last_round_at=self._clock.now())
        return pause_s

    def _idle_s(self, loop: Loop) -> float:
        due = loop.next_due() if loop.next_due else None
        if due is None:
            return loop.poll_s
        ahead_s = (due - self._clock.now()).total_seconds()
        return min(max(ahead_s, SHORTEST_PAUSE_S), loop.poll_s)

    def _failed(self, loop: Loop, error: Exception) -> float:
        health = self._health[loop.name]
        failing = health.failing + 1
        self._note(
            loop,
            failures=health.failures + 1,
            failing=failing,
            last_error=f"{type(error).__name__}: {error}",
        )
        return float(min(FIRST_PAUSE_S * 2.0 ** min(failing - 1, 30), LONGEST_PAUSE_S))

    def _note(self, loop: Loop, **changes: object) -> None:
        with self._lock:
            self._health[loop.name] = replace(self._health[loop.name], **changes)  # type: ignore[arg-type]

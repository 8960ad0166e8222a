"""Lanes: how calls reach a scorer; in the event loop, or one by one on a thread behind a bounded queue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from typing import TYPE_CHECKING, Protocol

from pilothouse.domain.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.schemas import Scalar
    from pilothouse.scoring.models import Columns, Scorer

log = logging.getLogger(__name__)


class QueueFullError(UnavailableError):
    """As many requests wait for this snapshot as may."""

    code = "queue-full"

    def __init__(self, *, snapshot: str, limit: int) -> None:
        self.snapshot, self.limit = snapshot, limit
        super().__init__(
            f"{limit} requests wait for snapshot {snapshot} already; nothing was done for this one. "
            "Send it again a little later, or give the service more runtimes.",
            retry_after_s=1.0,
        )


class DeadlineExceededError(UnavailableError):
    """The answer did not come in time."""

    code = "deadline-exceeded"

    def __init__(self, *, snapshot: str, timeout_s: float) -> None:
        self.snapshot, self.timeout_s = snapshot, timeout_s
        super().__init__(
            f"Snapshot {snapshot} did not answer within {timeout_s:g} s. Send fewer rows or allow more time.",
            retry_after_s=1.0,
        )


class Lane(Protocol):
    """A way to one scorer."""

    @property
    def waiting(self) -> int:
        """How many calls wait or run."""
        ...

    def admit(self) -> None:
        """
        Say whether one more call may come, before anything is done for it.

        Raises
        ------
        QueueFullError
            When as many wait as may.
        """
        ...

    async def score(
        self, columns: Columns, rows: int, *, timeout_s: float
    ) -> Mapping[str, Sequence[Scalar]]:
        """
        Score a table.

        Raises
        ------
        QueueFullError
            As `admit` does.
        DeadlineExceededError
            When it takes longer than `timeout_s`.
        """
        ...

    def close(self) -> None:
        """Take no more calls; what waits is still answered."""
        ...


class InlineLane:
    """
    Scores in the event loop itself.

    Parameters
    ----------
    scorer
        One that says `inline`: its calls take microseconds.
    """

    waiting = 0

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def admit(self) -> None:
        """Let every call in: none ever waits."""

    async def score(
        self,
        columns: Columns,
        rows: int,
        *,
        timeout_s: float,  # noqa: ARG002, RUF100 a call of microseconds cannot be late
    ) -> Mapping[str, Sequence[Scalar]]:
        """Score at once."""
        return self._scorer.score(columns, rows)

    def close(self) -> None:
        """Nothing waits here."""


class _Call:
    """One call on its way through a thread."""

    __slots__ = ("columns", "future", "rows")

    def __init__(
        self, columns: Columns, rows: int, future: asyncio.Future[Mapping[str, Sequence[Scalar]]]
    ) -> None:
        self.columns, self.rows, self.future = columns, rows, future


class ThreadLane:
    """
    Scores on one thread of its own, in order of arrival.

    Everything but the thread's own loop runs in the event loop.

    Parameters
    ----------
    scorer
        One whose calls block.
    snapshot
        The snapshot's name, for errors and the thread's name.
    limit
        How many calls may wait or run, 1 or more.
    """

    def __init__(self, scorer: Scorer, *, snapshot: str, limit: int) -> None:
        self._scorer, self._snapshot, self._limit = scorer, snapshot, limit
        self._loop = asyncio.get_running_loop()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._waiting = 0
        self._thread = threading.Thread(target=self._work, name=f"score {snapshot}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many calls wait or run."""
        return self._waiting

    def admit(self) -> None:
        """Let a call in while fewer than the limit wait."""
        if self._waiting >= self._limit:
            raise QueueFullError(snapshot=self._snapshot, limit=self._limit)

    async def score(
        self, columns: Columns, rows: int, *, timeout_s: float
    ) -> Mapping[str, Sequence[Scalar]]:
        """Score once the calls before it are answered."""
        self.admit()
        future: asyncio.Future[Mapping[str, Sequence[Scalar]]] = self._loop.create_future()
        self._waiting += 1
        self._calls.put(_Call(columns, rows, future))
        late = self._loop.call_later(timeout_s, self._expire, future, timeout_s)
        try:
            return await future
        finally:
            late.cancel()

    def close(self) -> None:
        """Take no more calls; what waits is still answered."""
        self._calls.put(None)

    def _expire(
        self, future: asyncio.Future[Mapping[str, Sequence[Scalar]]], timeout_s: float
    ) -> None:
        if not future.done():
            future.set_exception(
                DeadlineExceededError(snapshot=self._snapshot, timeout_s=timeout_s)
            )

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            outcome: Mapping[str, Sequence[Scalar]] | Exception | None = None
            if not call.future.done():  # nobody waits any more for one that is too late
                try:
                    outcome = self._scorer.score(call.columns, call.rows)
                except Exception as problem:  # noqa: BLE001 a worker loop: the caller gets whatever the model raised
                    outcome = problem
            with contextlib.suppress(RuntimeError):  # the loop has ended, and every caller with it
                self._loop.call_soon_threadsafe(self._done, call, outcome)

    def _done(
        self, call: _Call, outcome: Mapping[str, Sequence[Scalar]] | Exception | None
    ) -> None:
        self._waiting -= 1
        if call.future.done():
            return
        if isinstance(outcome, Exception):
            call.future.set_exception(outcome)
        else:
            call.future.set_result(outcome or {})

"""
The pace of a load test: requests are due at fixed moments, whatever has become of those before.

Latency counts from the moment that a request was due, so one slow answer that holds the next ones up shows in theirs as
well; a test that only waited for each answer would leave out just the requests that a stalled server never got.

References
----------
.. [1] Gil Tene, "How NOT to Measure Latency", 2013, on coordinated omission.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pilothouse.domain.jobs import JobProgress
from pilothouse.scoring.load.connection import Connection, Target
from pilothouse.scoring.load.figures import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilothouse.domain.jobs import LoadPlan

TICK_S = 0.2
START_S = 0.02


class Pace:
    """
    One load test.

    Parameters
    ----------
    plan
        How much for how long.
    target
        Where to.
    bodies
        What is sent, one after the other and again from the first.
    progress
        Told how many requests were sent; may raise to end the test.
    """

    def __init__(
        self,
        plan: LoadPlan,
        *,
        target: Target,
        bodies: Sequence[bytes],
        progress: Callable[[JobProgress], None],
    ) -> None:
        self._plan, self._target, self._bodies = plan, target, bodies
        self._progress = progress
        self._tally, self._next, self._start, self._last = Tally(), 0, 0.0, 0.0

    async def run(self) -> dict[str, float | None]:
        """Send everything, and sum up."""
        self._start = self._last = asyncio.get_running_loop().time() + START_S
        senders = [asyncio.create_task(self._send()) for _ in range(self._plan.concurrency)]
        try:
            pending = set(senders)
            while pending:
                done, pending = await asyncio.wait(pending, timeout=TICK_S)
                for sender in done:
                    sender.result()
                self._progress(self.told)
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)
        elapsed_s = max(self._last - self._start, 1 / self._plan.rate_per_s)
        return self._tally.figures(planned=self._plan.requests, elapsed_s=elapsed_s)

    @property
    def told(self) -> JobProgress:
        """How far it is."""
        sent, errors = self._tally.sent, self._tally.errors
        return JobProgress(
            rows_read=sent,
            rows_scored=sent - errors,
            rows_rejected=errors,
            rows_total=self._plan.requests,
        )

    async def _send(self) -> None:
        """Send what is next until nothing is, or it is too late for more."""
        plan, loop = self._plan, asyncio.get_running_loop()
        connection = Connection(self._target, timeout_s=plan.timeout_s)
        latest = self._start + plan.duration_s + plan.timeout_s
        try:
            while self._next < plan.requests and loop.time() < latest:
                number, self._next = self._next, self._next + 1
                due = self._start + number / plan.rate_per_s
                await asyncio.sleep(max(0.0, due - loop.time()))
                status = await connection.ask(self._bodies[number % len(self._bodies)])
                self._last = max(self._last, loop.time())
                self._tally.add(status, latency_s=loop.time() - due)
        finally:
            connection.close()

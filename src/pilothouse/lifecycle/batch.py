"""
The jobs that one worker has claimed together: what waits, what is being worked on, what is done but not reported.

They are worked on one after the other and reported in one unit of work, which is what makes short tasks cheap. No
job may wait for a long one before it: a watch breaks the batch up when its time is over.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from pilothouse.bpmn.happenings import Happening
    from pilothouse.bpmn.state import Job
    from pilothouse.lifecycle.acting import Acting

TOGETHER_S = 0.25
"""How long the jobs of a batch wait for one another; handlers of milliseconds never notice."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of one claimed job, for its run."""

    job: Job
    happening: Happening


class Batch:
    """
    Claimed jobs in the order in which they are worked on; its methods may be called from two threads.

    Attributes
    ----------
    run_ids
        The runs of its jobs.
    acting
        Who acts for each of them, once that has been looked up.
    broken_up
        Whether it took so long that the watch stepped in.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.run_ids = tuple({job.run_id: None for job in jobs})
        self.acting: Mapping[str, Acting] = {}
        self._waiting = deque(jobs)
        self._current: Job | None = None
        self._reports: list[Report] = []
        self._lock = threading.Lock()
        self.broken_up = False

    def next(self) -> Job | None:
        """Take the next job to work on; None when there is no more."""
        with self._lock:
            self._current = self._waiting.popleft() if self._waiting else None
            return self._current

    @property
    def current(self) -> Job | None:
        """The job that is being worked on."""
        return self._current

    def note(self, report: Report) -> None:
        """Keep a report until it is taken."""
        with self._lock:
            self._reports.append(report)

    def reports(self) -> tuple[Report, ...]:
        """Take the reports that nobody has taken yet."""
        with self._lock:
            taken, self._reports = tuple(self._reports), []
            return taken

    def waiting(self) -> tuple[Job, ...]:
        """Take the jobs that nobody has begun; they will not be worked on here."""
        with self._lock:
            self.broken_up = True
            taken, self._waiting = tuple(self._waiting), deque()
            return taken


class Watch:
    """
    Watches over a batch from a thread of its own: ``with Watch(...)``.

    When the batch's time is over, what is done is reported and what waits goes back to whoever is free. From then
    on, and as long as one job takes, its lease is lengthened each third of its length; a beat that fails is
    tried again.

    Parameters
    ----------
    break_up
        Reports and gives back.
    beat
        Lengthens the lease of a job; False when it has gone to somebody else.
    beat_s
        The time between two beats, in seconds above 0.
    """

    def __init__(
        self,
        *,
        batch: Batch,
        break_up: Callable[[Batch], None],
        beat: Callable[[Job], bool],
        beat_s: float,
    ) -> None:
        self._batch, self._break_up, self._beat, self._beat_s = batch, break_up, beat, beat_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="life-cycle-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        if self._ended.wait(min(TOGETHER_S, self._beat_s)):
            return
        self._tried(lambda: self._break_up(self._batch))
        while not self._ended.wait(self._beat_s):
            job = self._batch.current
            if job is not None:
                self._tried(lambda job=job: self._beat(job))  # type: ignore[misc]

    @staticmethod
    def _tried(act: Callable[[], object]) -> None:
        try:
            act()
        # The watch must outlive what one report or one beat meets, or the job at work would lose its lease.
        except Exception:
            log.exception("the watch over claimed jobs met trouble and goes on")

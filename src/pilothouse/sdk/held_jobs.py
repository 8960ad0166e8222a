"""Jobs that a worker holds: kept by a heartbeat, reported on until the server has heard."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pilothouse.domain.errors import PilothouseError, UnavailableError
from pilothouse.sdk.errors import ApiError
from pilothouse.sdk.worker_errors import JobLostError
from pilothouse.wire.external_jobs import ExtendJob, FailJob

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.sdk.external_jobs import ExternalJobs
    from pilothouse.wire.external_jobs import ExternalJob, Report

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 15.0
LONGEST_MESSAGE = 2000
CONFLICT, BROKEN = 409, 500
UNKEEPABLE = (400, 413, 422)
"""Answers to a report that is unreadable, too large or invalid, and will stay so."""
log = logging.getLogger(__name__)


class HeldJob:
    """
    A job while a worker's function does it.

    Parameters
    ----------
    until
        When its lock ends if no beat lengthens it, by this process's monotonic clock, in seconds.
    """

    def __init__(self, job: ExternalJob, *, until: float) -> None:
        self.job = job
        self._until = until
        self._lost = threading.Event()

    @property
    def id(self) -> str:
        """The same over all tries: the key by which an effect happens once."""
        return self.job.id

    @property
    def variables(self) -> Mapping[str, object]:
        """What the life cycle gives to the step."""
        return self.job.variables

    @property
    def lost(self) -> bool:
        """Whether the server has said that the job is not this worker's any more."""
        return self._lost.is_set()

    def confirm(self) -> None:
        """
        Make sure, before an effect that cannot be taken back, that nobody else can have the job.

        Raises
        ------
        JobLostError
            When the job is not this worker's any more, or no beat was answered for as long as its lock.
        """
        if self.lost or time.monotonic() > self._until:
            raise JobLostError(job=self.job.id, attempt=self.job.attempt)

    def lengthen(self, *, until: float) -> None:
        """Note an answered beat."""
        self._until = until

    def lose(self) -> None:
        """Note that the job is not this worker's any more."""
        self._lost.set()


class Holding:
    """
    What one worker holds.

    Parameters
    ----------
    lock_s
        How long a job is the worker's own after a beat, in seconds.
    """

    def __init__(self, jobs: ExternalJobs, *, worker: str, lock_s: float) -> None:
        self._jobs, self._worker, self._lock_s = jobs, worker, lock_s
        self._held: dict[str, HeldJob] = {}
        self._guard = threading.Lock()

    def take(self, jobs: tuple[ExternalJob, ...], *, asked_at: float) -> list[HeldJob]:
        """Keep jobs that were asked for at a moment of the monotonic clock."""
        taken = [HeldJob(job, until=asked_at + self._lock_s) for job in jobs]
        with self._guard:
            self._held |= {held.id: held for held in taken}
        return taken

    def drop(self, held: HeldJob) -> None:
        """Keep a job no longer."""
        with self._guard:
            del self._held[held.id]

    def report(self, held: HeldJob, said: Report, *, stopping: threading.Event) -> None:
        """
        Say what a job came to until the server has heard, or the job is another's.

        A worker that stops gives up once the lock would have ended: the job is tried again then.

        Raises
        ------
        ApiError
            When the server refuses the worker itself.
        """
        pause_s, until = FIRST_PAUSE_S, time.monotonic() + self._lock_s
        while not held.lost:
            try:
                self._jobs.report(held.id, said)
            except PilothouseError as error:
                if not may_pass(error):
                    self._refused(held, said, error)
                    return
                if stopping.is_set() and time.monotonic() > until:
                    log.error("job %s is not reported and will be tried again: %s", held.id, error)  # noqa: TRY400
                    return
                time.sleep(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            else:
                return
        log.warning("what job %s came to is dropped: another worker may have it", held.id)

    def _refused(self, held: HeldJob, said: Report, error: PilothouseError) -> None:
        """Drop a report that comes too late; let one that cannot be kept cost the job a try; raise all else."""
        status = error.status if isinstance(error, ApiError) else None
        if status == CONFLICT:
            log.warning("what job %s came to is dropped: %s", held.id, error)
            return
        if status not in UNKEEPABLE or isinstance(said, FailJob):
            raise error
        log.error("what job %s came to cannot be kept: %s", held.id, error)
        code = error.problem_code if isinstance(error, ApiError) else error.code
        self._jobs.report(
            held.id,
            FailJob(
                worker=self._worker,
                attempt=held.job.attempt,
                message=worded(error.message),
                code=code,
            ),
        )

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Keep what is held until the block ends: a third of the lock passes between two beats."""
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(self._lock_s / 3):
                self.beat()

        thread = threading.Thread(target=beat, name="pilothouse-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def beat(self) -> None:
        """Lengthen the lock of everything that is held."""
        with self._guard:
            held = [job for job in self._held.values() if not job.lost]
        for job in held:
            self._extend(job)

    def _extend(self, held: HeldJob) -> None:
        asked_at = time.monotonic()
        wanted = ExtendJob(worker=self._worker, attempt=held.job.attempt, lock_s=self._lock_s)
        try:
            self._jobs.extend(held.id, wanted)
        except PilothouseError as error:
            if isinstance(error, ApiError) and error.status == CONFLICT:
                held.lose()
            log.warning("the lock of job %s is not lengthened: %s", held.id, error)
        else:
            held.lengthen(until=asked_at + self._lock_s)


def may_pass(error: PilothouseError) -> bool:
    """Whether it is worth while to try again what failed."""
    return isinstance(error, UnavailableError) or (
        isinstance(error, ApiError) and error.status >= BROKEN
    )


def worded(message: str) -> str:
    r"""
    Write an error's words so that every database keeps them: no NUL, no half characters, not the length of a log.

    Examples
    --------
    >>> worded("no\0thing"), worded("\ud800")
    ('no\\x00thing', '\\ud800')
    >>> worded("a" * 5000)[-30:]
    'aaaaaaaaaaa… (5000 characters)'
    """
    plain = message.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    if len(plain) <= LONGEST_MESSAGE:
        return plain
    return f"{plain[:LONGEST_MESSAGE]}… ({len(plain)} characters)"

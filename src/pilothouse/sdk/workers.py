"""
Workers: a company's own steps of life cycles, done by functions of its own, in a process of its own.

A worker fetches jobs of its topics, keeps them by a heartbeat while its functions work, and reports what they came
to. It may be killed at any instant: the jobs that it held are fetched again once their locks end. So a function makes
sure rather than does, by the job's id, which stays the same over all tries.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plain import canonical
from pilothouse.sdk.held_jobs import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    HeldJob,
    Holding,
    may_pass,
    worded,
)
from pilothouse.sdk.worker_errors import (
    BpmnError,
    JobFailedError,
    JobLaterError,
    JobLostError,
    WorkerInvalidError,
)
from pilothouse.wire.external_jobs import (
    CompleteJob,
    FailJob,
    FetchJobs,
    PostponeJob,
    Report,
    ThrowError,
)

if TYPE_CHECKING:
    from types import FrameType

    from pilothouse.sdk.client import Client

CRASHED = "worker-crashed"
Handler = Callable[[HeldJob], Mapping[str, object] | None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """
    How a worker goes about it.

    Attributes
    ----------
    threads
        How many jobs it does at once, from 1 to 100.
    lock_s
        How long a job is its own after the last heartbeat, in seconds from 1; how long a job stands still when the
        worker is killed.
    wait_s
        How long one fetch waits for jobs, in seconds from 0 to 20; a stop waits for the fetch at most.
    """

    threads: int = 1
    lock_s: float = 30.0
    wait_s: float = 5.0


class Worker:
    """
    Does the jobs of some topics until it is stopped.

    Parameters
    ----------
    client
        Signed in with a token of somebody who has the role worker in the group.
    group
        Whose life cycles it works for.
    topics
        By topic the function that does its jobs. What it returns goes to the run's variables. It raises `BpmnError`,
        `JobFailedError` or `JobLaterError` to say something else; whatever else it raises costs the job a try.
    name
        What it is called in the audit; host and process without it.

    Raises
    ------
    WorkerInvalidError
        When there is no topic or no thread.
    """

    def __init__(
        self,
        client: Client,
        *,
        group: str,
        topics: Mapping[str, Handler],
        name: str | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._jobs, self._group, self._topics = client.external_jobs, group, dict(topics)
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._pace = pace or Pace()
        if not topics or self._pace.threads < 1:
            raise WorkerInvalidError(problem="it needs a topic and a thread at least")
        self._holding = Holding(self._jobs, worker=self._name, lock_s=self._pace.lock_s)
        self._stopping = threading.Event()
        self._free = threading.Semaphore(self._pace.threads)
        self._failure: Exception | None = None

    def stop(self) -> None:
        """Fetch no more jobs; those under way are done first."""
        self._stopping.set()

    def run_once(self) -> int:
        """Do the jobs that wait now, in this thread, and give how many there were; for tests and for cron."""
        jobs = self._fetched(self._pace.threads, wait_s=0.0)
        with self._holding.beating():
            for held in jobs:
                self._work(held)
        self._raise_failure()
        return len(jobs)

    def run(self) -> None:
        """
        Work until `stop`, SIGTERM or SIGINT; then finish what is under way and return.

        What the server cannot do for the moment is tried again, after pauses that double to 15 seconds.

        Raises
        ------
        ApiError
            When the server refuses the worker itself: its token, its group, its topics.
        """
        pool = ThreadPoolExecutor(self._pace.threads, thread_name_prefix="pilothouse-worker")
        with self._stopped_by_signals(), self._holding.beating(), pool:
            pause_s = FIRST_PAUSE_S
            while not self._stopping.is_set():
                if self._round(pool):
                    pause_s = FIRST_PAUSE_S
                else:
                    self._stopping.wait(pause_s)
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
        self._raise_failure()

    def _round(self, pool: ThreadPoolExecutor) -> bool:
        """Fetch jobs for the threads that are free; False when the server has to be left alone for a moment."""
        free = self._slots()
        if self._stopping.is_set():
            return True
        try:
            jobs = self._fetched(free, wait_s=self._pace.wait_s)
        except PilothouseError as error:
            self._free.release(free)
            if may_pass(error):
                log.warning("no jobs can be fetched now: %s", error)
            else:
                self._fail(error)
            return False
        for _ in range(free - len(jobs)):
            self._free.release()
        for held in jobs:
            pool.submit(self._work_and_free, held)
        return True

    def _slots(self) -> int:
        """Wait for a thread that is free, and take all that are."""
        self._free.acquire()
        taken = 1
        while self._free.acquire(blocking=False):
            taken += 1
        return taken

    def _fetched(self, most: int, *, wait_s: float) -> list[HeldJob]:
        asked_at = time.monotonic()
        wanted = FetchJobs(
            group=self._group,
            topics=tuple(self._topics),
            worker=self._name,
            lock_s=self._pace.lock_s,
            most=most,
            wait_s=wait_s,
        )
        return self._holding.take(self._jobs.fetch(wanted), asked_at=asked_at)

    def _work_and_free(self, held: HeldJob) -> None:
        try:
            self._work(held)
        finally:
            self._free.release()

    def _work(self, held: HeldJob) -> None:
        try:
            said = self._said(held)
            if said is not None:
                self._holding.report(held, said, stopping=self._stopping)
        # Nobody would see an error in a thread of the pool: it stops the worker, and `run` raises it.
        except Exception as error:  # noqa: BLE001
            self._fail(error)
        finally:
            self._holding.drop(held)

    def _said(self, held: HeldJob) -> Report | None:
        """Do a job and give what to say of it; None when it is somebody else's by now."""
        worker, attempt = self._name, held.job.attempt
        if self._stopping.is_set():  # fetched and not begun
            return PostponeJob(worker=worker, attempt=attempt)
        try:
            given = self._topics[held.job.topic](held) or {}
            canonical(given)  # what has no JSON is the function's failure too
            return CompleteJob(worker=worker, attempt=attempt, variables=given)
        except JobLostError as lost:
            log.warning("%s", lost)
            return None
        except JobLaterError as later:
            return PostponeJob(worker=worker, attempt=attempt, after_s=later.after_s)
        except BpmnError as error:
            return _thrown(worker, attempt, error)
        except JobFailedError as failure:
            return _failed(worker, attempt, failure)
        # A function is anybody's code: whatever it raises is the job's failure, never the worker's.
        except Exception as error:
            log.exception("the function of %s failed on job %s", held.job.topic, held.id)
            words = worded(f"{type(error).__name__}: {error}")
            return FailJob(worker=worker, attempt=attempt, message=words, code=CRASHED)

    @contextmanager
    def _stopped_by_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT stop the worker; only the main thread of a process can ask for that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_: int, __: FrameType | None) -> None:
            self.stop()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self.stop()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _thrown(worker: str, attempt: int, error: BpmnError) -> ThrowError:
    return ThrowError(
        worker=worker,
        attempt=attempt,
        code=error.error_code,
        message=worded(error.message),
        variables=error.variables,
    )


def _failed(worker: str, attempt: int, failure: JobFailedError) -> FailJob:
    return FailJob(
        worker=worker,
        attempt=attempt,
        message=worded(failure.message),
        code=failure.failure_code,
        retry_in_s=failure.retry_in_s,
        retries=failure.retries,
    )

"""External jobs on the wire: what a worker asks for, gets, and reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.external_jobs import (
    LONGEST_LOCK_S,
    LONGEST_PAUSE_S,
    LONGEST_TOPIC,
    LONGEST_WAIT_S,
    LONGEST_WORKER,
    MOST_JOBS,
    MOST_TOPICS,
    SHORTEST_LOCK_S,
)
from pilothouse.domain.plain import DocumentError
from pilothouse.wire.requests import request

LONGEST_CODE = LONGEST_TOPIC


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class FetchJobs:
    """
    Lock jobs for a worker.

    Attributes
    ----------
    worker
        What the worker calls itself; whoever reports on a job must be the one who fetched it. 1 to 100 characters.
    lock_s
        How long the jobs are out of others' reach, in seconds from 1 to 86,400; `extend` lengthens it.
    most
        The largest number of jobs, 1 to 100.
    wait_s
        How long to wait for the first one, in seconds from 0 to 20.
    """

    group: str
    topics: tuple[str, ...]
    worker: str
    lock_s: float = 30.0
    most: int = 1
    wait_s: float = 0.0

    def __post_init__(self) -> None:
        _check_count("topics", len(self.topics), MOST_TOPICS)
        _check_count("most", self.most, MOST_JOBS)
        _check_worker(self.worker)
        _check_lock(self.lock_s)
        _check_between("wait_s", self.wait_s, 0.0, LONGEST_WAIT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalJob:
    """
    A job that is locked for a worker.

    Attributes
    ----------
    id
        Stays the same however often the job is tried: the key by which its effect happens once.
    attempt
        Which lock this is; every report names it.
    retries_left
        How many tries there are, this one among them.
    """

    id: str
    attempt: int
    topic: str
    run_id: str
    definition: str
    element: str
    group: str
    service: str | None
    snapshot: str | None
    digest: str | None
    variables: Mapping[str, object]
    headers: Mapping[str, str]
    retries_left: int
    failures: int
    created_at: datetime
    locked_until: datetime


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendJob:
    """Keep a job for longer: `lock_s` seconds from now."""

    worker: str
    attempt: int
    lock_s: float = 30.0

    def __post_init__(self) -> None:
        _check_worker(self.worker)
        _check_lock(self.lock_s)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteJob:
    """A job is done; its variables go to the run, through the task's output mapping."""

    worker: str
    attempt: int
    variables: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_worker(self.worker)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class FailJob:
    """
    A job could not be done, for a technical reason; it costs one try.

    Attributes
    ----------
    code
        What an incident is called by, once no try is left.
    retry_in_s
        When it is tried again; without it after the task's own back-off.
    retries
        How many tries are left, at most as many as the life cycle leaves; 0 asks for a person at once.
    """

    worker: str
    attempt: int
    message: str
    code: str = "worker-failed"
    retry_in_s: float | None = None
    retries: int | None = None

    def __post_init__(self) -> None:
        _check_worker(self.worker)
        _check_code(self.code)
        if self.retry_in_s is not None:
            _check_between("retry_in_s", self.retry_in_s, 0.0, LONGEST_PAUSE_S)
        if self.retries is not None and self.retries < 0:
            raise DocumentError(path="retries", problem="less than no try cannot be left")


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class ThrowError:
    """A job has an outcome that the drawing may provide for: the nearest error event of that code catches it."""

    worker: str
    attempt: int
    code: str
    message: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_worker(self.worker)
        _check_code(self.code)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class PostponeJob:
    """Give a job back for so many seconds, for any worker to fetch then; it costs no try."""

    worker: str
    attempt: int
    after_s: float = 0.0

    def __post_init__(self) -> None:
        _check_worker(self.worker)
        _check_between("after_s", self.after_s, 0.0, LONGEST_PAUSE_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLock:
    """Until when a job is kept for the worker that holds it."""

    id: str
    locked_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReceipt:
    """What a report came to: the run, and where it stands now."""

    id: str
    run_id: str
    run_state: RunStatus


Report = CompleteJob | FailJob | ThrowError | PostponeJob


def _check_between(path: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise DocumentError(path=path, problem=f"{value:g} is not between {least:g} and {most:g}")


def _check_count(path: str, count: int, most: int) -> None:
    _check_between(path, count, 1, most)


def _check_lock(lock_s: float) -> None:
    _check_between("lock_s", lock_s, SHORTEST_LOCK_S, LONGEST_LOCK_S)


def _check_worker(worker: str) -> None:
    if not 1 <= len(worker) <= LONGEST_WORKER or not worker.isprintable():
        problem = f"a worker is called by 1 to {LONGEST_WORKER} printable characters"
        raise DocumentError(path="worker", problem=problem)


def _check_code(code: str) -> None:
    if not 1 <= len(code) <= LONGEST_CODE or not code.isprintable():
        problem = f"a code has 1 to {LONGEST_CODE} printable characters"
        raise DocumentError(path="code", problem=problem)

"""
Suspended runs: nothing moves in them, and nothing that happens meanwhile is lost.

What was under way outside is not called back: a worker that has a job may still report, and a signal comes only
once. Both are taken, and where they send a token it is held until the run is resumed. Everything else waits
where it is: timers and jobs in their rows, messages in their buffer, people before a task.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import RunNotSuspendedError, RunSuspendedError
from pilothouse.bpmn.happenings import (
    Cancelled,
    Happening,
    JobBusinessError,
    JobCompleted,
    JobFailed,
    JobPostponed,
    Resumed,
    SignalArrived,
    Suspended,
    TokensMoved,
    VariablesEdited,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import Job, JobKind, JobStatus, Run, RunStatus, TokenStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board

TAKEN = (
    *(JobCompleted, JobFailed, JobBusinessError, JobPostponed, SignalArrived),
    *(Cancelled, Resumed, VariablesEdited, TokensMoved),
)
"""What a suspended run takes."""
HOLDABLE = frozenset({JobStatus.READY, JobStatus.OFFERED})


def check_taken(run: Run, happening: Happening) -> None:
    """
    Let pass what the run can take as it stands.

    Raises
    ------
    RunSuspendedError
        When it is suspended and the happening would move it.
    RunNotSuspendedError
        When it is to be resumed and is not suspended.
    """
    suspended = run.state is RunStatus.SUSPENDED
    if suspended and not isinstance(happening, TAKEN):
        raise RunSuspendedError(run_id=run.id, order=type(happening).__name__)
    if not suspended and isinstance(happening, Resumed):
        raise RunNotSuspendedError(run_id=run.id)


def suspend(board: Board, order: Suspended) -> None:
    """Let everything stand where it stands."""
    board.run = replace(board.run, state=RunStatus.SUSPENDED)
    board.record(HistoryEvent.RUN_SUSPENDED, reason=order.reason)


def resume(board: Board, order: Resumed) -> None:
    """Let everything go on; a timer whose moment has passed is due at once."""
    board.run = replace(board.run, state=RunStatus.ACTIVE)
    board.record(HistoryEvent.RUN_RESUMED, reason=order.reason)
    for job in [j for j in board.jobs.values() if j.state is JobStatus.SUSPENDED]:
        # A lease is kept: whoever has the job may be at work on it still.
        board.put(replace(job, state=JobStatus.READY))
    held = (t for t in board.tokens.values() if t.state is TokenStatus.HELD)
    for token in sorted(held, key=lambda t: t.id):
        inner = board.inner_scope(token)
        if inner is not None and board.running_in(inner.id):
            board.wait(token)  # a signal has begun something in it since
        else:
            board.move(token)


def hold(board: Board) -> None:
    """Hold what the step has moved or made ready in a suspended run."""
    board.queue.clear()
    for token in [t for t in board.tokens.values() if t.state is TokenStatus.MOVING]:
        board.wait(token, TokenStatus.HELD)
    for job in [j for j in board.jobs.values() if j.state in HOLDABLE]:
        board.put(_held(job))


def _held(job: Job) -> Job:
    if (
        job.kind is JobKind.TIMER
    ):  # a firing that was claimed is refused, and not in anybody's hands
        return replace(job, state=JobStatus.SUSPENDED, lease_owner=None, lease_until=None)
    return replace(job, state=JobStatus.SUSPENDED)

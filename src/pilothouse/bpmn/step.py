"""
The engine: ``start`` and ``step``, pure functions from rows to changes of rows.

Nothing is read but the arguments: time is ``at``, identity is ``ids``, and expressions were compiled into
the definition when it was read. The caller loads the run's rows under a lock on the run, calls, and writes
the changes with their history in one transaction; a step that raises has changed nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.arrivals import arrived, task_happened, timer_due
from pilothouse.bpmn.board import Board
from pilothouse.bpmn.editing import variables_edited
from pilothouse.bpmn.errors import AlreadyOverError, UnexpectedHappeningError
from pilothouse.bpmn.flowing import finish
from pilothouse.bpmn.happenings import (
    Begin,
    Cancelled,
    Happening,
    IncidentRetried,
    JobBusinessError,
    JobCompleted,
    JobFailed,
    JobPostponed,
    MessageArrived,
    Resumed,
    SignalArrived,
    Suspended,
    TaskClaimed,
    TaskCompleted,
    TaskReleased,
    TimerDue,
    TokensMoved,
    VariablesEdited,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.modifying import tokens_moved
from pilothouse.bpmn.moving import settle
from pilothouse.bpmn.outcomes import incident_retried, job_happened
from pilothouse.bpmn.state import (
    UNDER_WAY,
    Changes,
    IdPrefix,
    Ids,
    Run,
    RunState,
    RunStatus,
    Scope,
    ScopeKind,
)
from pilothouse.bpmn.suspending import check_taken, hold, resume, suspend
from pilothouse.bpmn.variables import plain_all, write_local
from pilothouse.bpmn.waiting import begin_in

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.bpmn.definition import Definition, Start


def start(definition: Definition, begin: Begin, *, at: datetime, ids: Ids) -> Changes:
    """
    Begin a run and move it to its first waits.

    Parameters
    ----------
    definition
        What to run.
    begin
        The run's id, who begins it, with which variables, and by which start event.
    at
        The moment, aware.
    ids
        Makes the ids of new rows from a prefix.

    Returns
    -------
    Changes
        All rows of the run as added ones; the run may have ended at once.

    Raises
    ------
    UnexpectedHappeningError
        When the definition has no such start event.
    VariableInvalidError
        When a variable is not JSON-able.
    """
    run = Run(
        id=begin.run_id,
        definition_id=begin.definition_id,
        business_key=begin.business_key,
        state=RunStatus.ACTIVE,
        revision=0,
        history_length=0,
        started_at=at,
        started_by=begin.actor,
    )
    event = _start_event(definition, begin)
    board = Board(definition=definition, state=RunState(run=run), at=at, ids=ids, actor=begin.actor)
    variables = plain_all(begin.variables)
    scope = _root_scope(board)
    write_local(board, scope.id, variables)
    board.record(HistoryEvent.RUN_STARTED, definition=definition.id, variables=variables)
    begin_in(board, scope, event.id)
    settle(board)
    return board.changes()


def _root_scope(board: Board) -> Scope:
    scope = Scope(
        id=board.new_id(IdPrefix.SCOPE),
        run_id=board.run.id,
        parent_id=None,
        token_id=None,
        element=board.definition.id,
        kind=ScopeKind.PROCESS,
    )
    board.put(scope)
    return scope


def _start_event(definition: Definition, begin: Begin) -> Start:
    fitting = [
        s
        for s in definition.starts
        if (
            s.id == begin.event if begin.event else s.trigger is None or len(definition.starts) == 1
        )
    ]
    if len(fitting) != 1:
        names = ", ".join(s.id for s in definition.starts)
        raise UnexpectedHappeningError(
            name=f"The life cycle {definition.id}",
            happening=f"start by {begin.event or 'hand'}",
            cure=f"Name one of its start events: {names}.",
        )
    return fitting[0]


def step(
    definition: Definition, state: RunState, happening: Happening, *, at: datetime, ids: Ids
) -> Changes:
    """
    Take one happening and move the run to its next waits.

    Parameters
    ----------
    definition
        The very version that the run was started with.
    state
        All rows of the run.
    happening
        What happened.
    at
        The moment, aware.
    ids
        Makes the ids of new rows from a prefix.

    Returns
    -------
    Changes
        What to write; ``changes.run.revision`` is one more than ``state.run.revision``.

    Raises
    ------
    StaleAttemptError
        When a worker's attempt is not the job's current one.
    AlreadyOverError
        When the run, task, timer, subscription or incident is over.
    TimerNotDueError, UnexpectedHappeningError, TaskHeldError, MoveRefusedError
        When the happening does not fit what stands there.
    RunSuspendedError, RunNotSuspendedError
        When a suspended run cannot take it, or a run that is not suspended is to be resumed.
    FormAnswerError, VariableInvalidError, ExpressionFailedError
        When what was sent cannot be taken.
    """
    if state.run.state not in UNDER_WAY:
        raise AlreadyOverError(noun="run", name=state.run.id)
    check_taken(state.run, happening)
    actor = getattr(happening, "actor", None)
    board = Board(definition=definition, state=state, at=at, ids=ids, actor=actor)
    _take(board, happening)
    finish_step(board)
    return board.changes()


def finish_step(board: Board) -> None:
    """Move all that has arrived somewhere to its next wait; in a suspended run, let it stand."""
    if board.run.state is RunStatus.SUSPENDED:
        hold(board)
    else:
        settle(board)


def _take(board: Board, happening: Happening) -> None:
    match happening:
        case JobCompleted() | JobFailed() | JobBusinessError() | JobPostponed():
            job_happened(board, happening)
        case TimerDue():
            timer_due(board, happening)
        case TaskClaimed() | TaskReleased() | TaskCompleted():
            task_happened(board, happening)
        case MessageArrived() | SignalArrived():
            arrived(board, happening)
        case IncidentRetried():
            incident_retried(board, happening)
        case Cancelled(reason=reason):
            finish(board, RunStatus.TERMINATED, outcome=reason)
        case _:
            _operated(board, happening)


def _operated(board: Board, order: Suspended | Resumed | VariablesEdited | TokensMoved) -> None:
    match order:
        case Suspended():
            suspend(board, order)
        case Resumed():
            resume(board, order)
        case VariablesEdited():
            variables_edited(board, order)
        case TokensMoved():
            tokens_moved(board, order)

"""What a throw event, an end event or a send task sends: messages, signals, escalations, and orders to undo."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.catching import escalated
from pilothouse.bpmn.definition import (
    CompensationThrown,
    EscalationThrown,
    Mapped,
    MessageThrown,
    SignalThrown,
    Thrown,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import (
    Compensation,
    IdPrefix,
    Notice,
    NoticeKind,
    Scope,
    ScopeKind,
    Token,
)
from pilothouse.bpmn.variables import mapped, visible, write_local
from pilothouse.bpmn.waiting import begin_token

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board


def throw(board: Board, token: Token, thrown: Thrown, inputs: tuple[Mapped, ...]) -> bool:
    """
    Send what is thrown where `token` stands; give whether the token may go on.

    It may not where an escalation has interrupted it, and while handlers undo what was done.

    Raises
    ------
    ExpressionFailedError
        When a name, key or mapping cannot be evaluated; nothing has been sent then.
    """
    seen = visible(board, token.scope_id)
    given = mapped(inputs, seen)
    match thrown:
        case MessageThrown(name=name, correlation_key=key, time_to_live_s=life):
            notice = Notice(
                kind=NoticeKind.MESSAGE_THROWN,
                run_id=board.run.id,
                subject_id=board.new_id(IdPrefix.THROWN),
                element=token.element,
                text=name.text_given(seen, purpose="message name"),
                correlation_key=key.text_given(seen, purpose="correlation key"),
                time_to_live_s=life,
                variables=given,
            )
            _tell(board, token, notice, HistoryEvent.MESSAGE_THROWN)
        case SignalThrown(name=name):
            notice = Notice(
                kind=NoticeKind.SIGNAL_THROWN,
                run_id=board.run.id,
                subject_id=board.new_id(IdPrefix.THROWN),
                element=token.element,
                text=name.text_given(seen, purpose="signal name"),
                variables=given,
            )
            _tell(board, token, notice, HistoryEvent.SIGNAL_THROWN)
        case EscalationThrown(code=code):
            escalated(board, token, code.text_given(seen, purpose="escalation code"), given)
        case CompensationThrown(activity=activity):
            return _undo(board, token, activity)
    return token.id in board.tokens


def _tell(board: Board, token: Token, notice: Notice, event: HistoryEvent) -> None:
    board.tell(notice)
    board.record(
        event,
        token=token,
        name=notice.text,
        message=notice.subject_id,
        correlation_key=notice.correlation_key,
        variables=sorted(notice.variables),
    )


def _undo(board: Board, token: Token, activity: str | None) -> bool:
    """Undo one activity after the other, those completed last first; give whether all is undone."""
    scope = board.inner_scope(token)
    if scope is None:
        scope = _collect(board, token, activity)
    if scope is None:
        return True
    if board.running_in(scope.id):
        return False
    rows = [c for c in board.compensations.values() if c.scope_id == scope.id]
    if rows:
        _undo_one(board, token, scope, max(rows, key=lambda row: row.sequence))
    return not rows


def _collect(board: Board, token: Token, activity: str | None) -> Scope | None:
    """Take what is to be undone out of its scope, so that nothing is undone twice."""
    reach = _reach(board, token)
    rows = [c for c in board.compensations.values() if c.scope_id in reach]
    rows = [c for c in rows if activity is None or board.definition.within(c.element, activity)]
    undone = [c.element for c in sorted(rows, key=lambda row: -row.sequence)]
    board.record(HistoryEvent.COMPENSATION_THROWN, token=token, activities=undone)
    if not rows:
        return None
    scope = Scope(
        id=board.new_id(IdPrefix.SCOPE),
        run_id=board.run.id,
        parent_id=token.scope_id,
        token_id=token.id,
        element=token.element,
        kind=ScopeKind.COMPENSATION,
    )
    board.put(scope)
    for row in rows:
        board.put(replace(row, scope_id=scope.id))
    board.wait(token)
    return scope


def _reach(board: Board, token: Token) -> set[str]:
    """Its own scope; out of an event sub-process also the scope that it belongs to."""
    scope = board.scope_of(token)
    reach = {scope.id}
    while scope.kind is ScopeKind.EVENT_SUBPROCESS and scope.parent_id:
        scope = board.scopes[scope.parent_id]
        reach.add(scope.id)
    return reach


def _undo_one(board: Board, token: Token, scope: Scope, row: Compensation) -> None:
    board.drop(row)
    for variable in [v for v in board.variables.values() if v.scope_id == scope.id]:
        board.drop(variable)
    write_local(board, scope.id, row.variables)
    board.wait(token)
    board.record(HistoryEvent.COMPENSATED, token=token, activity=row.element, by=row.handler)
    begin_token(board, scope.id, row.handler)

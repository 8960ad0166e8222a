"""Who catches: boundary events and event sub-processes, from where something happens outwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Boundary, ErrorCode, Escalation, EventStart, SubProcess
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import IdPrefix, ScopeKind, Token, TokenStatus
from pilothouse.bpmn.variables import check_subject, deliver, mapped, visible, write
from pilothouse.bpmn.waiting import begin_token, open_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.bpmn.board import Board

Catcher = Boundary | EventStart


def caught(
    board: Board, token: Token, code: str, message: str, variables: Mapping[str, object]
) -> bool:
    """Give a business error to the nearest event that catches its code, from `token` outwards."""
    found = _catcher(board, token, ErrorCode, code)
    if found is None:
        return False
    place, node = found
    error = {"code": code, "message": message}
    given = {**variables, "error": error} if node.outputs else variables
    fire(board, place, node, given, HistoryEvent.ERROR_CAUGHT, code=code)
    return True


def escalated(board: Board, token: Token, code: str, variables: Mapping[str, object]) -> None:
    """Give an escalation to the nearest event that catches its code; one that nobody catches is noted."""
    found = _catcher(board, token, Escalation, code)
    board.record(
        HistoryEvent.ESCALATION_THROWN, token=token, code=code, by=found[1].id if found else None
    )
    if found is not None:
        place, node = found
        given = {**variables, "escalation": {"code": code}} if node.outputs else variables
        fire(board, place, node, given, HistoryEvent.ESCALATION_CAUGHT, code=code)


def _catcher(
    board: Board, token: Token, kind: type[ErrorCode | Escalation], code: str
) -> tuple[Token, Catcher] | None:
    at: Token | None = token
    left = ""
    while at is not None:
        boundary = _fitting(board.boundaries(at), kind, code)
        if boundary is not None:
            return at, boundary
        listening = {t.element: t for t in board.in_scope(at.scope_id) if _listens(t)}
        nodes = (board.definition.nodes[element] for element in listening)
        # An event sub-process does not catch what comes out of itself.
        starts = (n for n in nodes if isinstance(n, EventStart) and n.scope != left)
        start = _fitting(starts, kind, code)
        if start is not None:
            return listening[start.id], start
        left, at = board.scope_of(at).element, board.holder(at)
    return None


def _listens(token: Token) -> bool:
    return token.state is TokenStatus.LISTENING


def _fitting(
    nodes: Iterable[Catcher], kind: type[ErrorCode | Escalation], code: str
) -> Catcher | None:
    catching = {
        node.trigger.code: node
        for node in nodes
        if isinstance(node.trigger, ErrorCode | Escalation) and isinstance(node.trigger, kind)
    }
    return catching.get(code) or catching.get(None)


def fire(
    board: Board,
    token: Token,
    node: Catcher,
    given: Mapping[str, object],
    event: HistoryEvent,
    **data: object,
) -> None:
    """
    Let a boundary event or the start of an event sub-process take effect, where `token` stands.

    Raises
    ------
    ExpressionFailedError
        When a mapping fails; nothing has been moved then.
    """
    if isinstance(node, EventStart):
        _open_by_event(board, token, node, given, event, data)
        return
    deliver(board, token.scope_id, node.outputs, given)
    board.record(event, token=token, by=node.id, **data)
    if node.interrupting:
        board.record(HistoryEvent.CANCELLED, token=token, by=node.id)
        board.clear(token)
        board.move(token, element=node.id, incoming_flow=None)
    else:
        begin_token(board, token.scope_id, node.id)


def _open_by_event(
    board: Board,
    token: Token,
    node: EventStart,
    given: Mapping[str, object],
    event: HistoryEvent,
    data: Mapping[str, object],
) -> None:
    process = board.definition.nodes[node.scope]
    if not isinstance(process, SubProcess):
        raise TypeError(f"{node.scope} is opened by an event and is no sub-process.")
    if not node.outputs:
        check_subject(board, token.scope_id, given)
    seen = visible(board, token.scope_id)
    inputs = mapped(process.inputs, seen)
    values = mapped(node.outputs, {**seen, **inputs, **given}) if node.outputs else given
    board.record(event, token=token, by=process.id, **data)
    if node.interrupting:
        for other in board.in_scope(token.scope_id):
            if other.id != token.id:
                board.cancel(other)
        board.clear(token)
        holder = replace(token, element=process.id)
    else:
        holder = replace(token, id=board.new_id(IdPrefix.TOKEN), element=process.id)
    board.wait(holder)
    scope_id = open_scope(board, holder, ScopeKind.EVENT_SUBPROCESS, inputs, process.start)
    board.record(HistoryEvent.ENTERED, token=holder, scope=scope_id)
    write(board, scope_id, values, otherwise=scope_id if node.outputs else None)

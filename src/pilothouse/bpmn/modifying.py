"""
Tokens moved by a person: what stands at some elements is cancelled, and others are begun.

An element is begun in the open scope around it. Scopes that are not open yet are opened, without their own start;
one of which several are open, or that an event or a repetition opens, cannot be meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Definition,
    EventStart,
    Inclusive,
    Parallel,
    SubProcess,
)
from pilothouse.bpmn.errors import MoveRefusedError
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import (
    BODIES,
    REPETITIONS,
    IdPrefix,
    Scope,
    ScopeKind,
    Token,
    TokenStatus,
)
from pilothouse.bpmn.variables import mapped, visible, write_local
from pilothouse.bpmn.waiting import arm_boundaries, begin_token

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.happenings import TokensMoved

OPENED = frozenset({ScopeKind.PROCESS, ScopeKind.SUBPROCESS, ScopeKind.EVENT_SUBPROCESS})
"""Scopes in which elements stand as they are drawn."""


def tokens_moved(board: Board, order: TokensMoved) -> None:
    """
    Begin before some elements, and cancel what stands at others.

    Raises
    ------
    MoveRefusedError
        When nothing stands where it is to be cancelled, an element cannot be begun, or nothing would be left.
    ExpressionFailedError
        When a scope around an element cannot be opened.
    """
    if not (order.cancelled or order.begun):
        cure = "Name elements to cancel, elements to begin, or both."
        raise MoveRefusedError(element="the order", problem="names no element", cure=cure)
    leaving = [t for element in dict.fromkeys(order.cancelled) for t in _standing(board, element)]
    for element in order.begun:
        _check_beginning(board.definition, element)
    board.record(
        HistoryEvent.TOKENS_MOVED,
        cancelled=list(order.cancelled),
        begun=list(order.begun),
        reason=order.reason,
    )
    for node in (board.definition.nodes[element] for element in order.begun):
        # A parallel gateway counts the flows by which tokens come, also where there is but one.
        flow = node.incoming[0] if len(node.incoming) == 1 else None
        begin_token(board, _open_around(board, node).id, node.id, flow)
    for token in leaving:
        if token.id in board.tokens:
            _cancel(board, token)


def _standing(board: Board, element: str) -> list[Token]:
    """Give what stands at an element; a repeated activity stands there once, with all its instances."""
    found = [
        t
        for t in board.tokens.values()
        if t.element == element
        and t.state is not TokenStatus.LISTENING
        and board.scope_of(t).kind not in BODIES | REPETITIONS
    ]
    if not found:
        places = {t.element for t in board.tokens.values() if t.state is not TokenStatus.LISTENING}
        cure = f"Name an element where one stands: {', '.join(sorted(places))}."
        raise MoveRefusedError(element=element, problem="has no token to cancel", cure=cure)
    return sorted(found, key=lambda t: t.id)


def _check_beginning(definition: Definition, element: str) -> None:
    """Refuse what is reached by other ways than a flow, and joins, which count the flows by which tokens come."""
    node = definition.nodes.get(element)
    if node is None:
        names = ", ".join(sorted(definition.nodes))
        raise MoveRefusedError(
            element=element, problem="is no element of the drawing", cure=f"Name one of {names}."
        )
    problem = _obstacle(definition, node)
    if problem:
        cure = "Begin the element that comes before or after it in the drawing instead."
        raise MoveRefusedError(element=element, problem=problem, cure=cure)


def _obstacle(definition: Definition, node: AnyNode) -> str:
    match node:
        case Boundary():
            return f"hangs on {node.attached_to} and comes by its event"
        case EventStart() | SubProcess(by_event=True):
            return "is opened by its event alone"
        case Parallel() | Inclusive() if len(node.incoming) > 1:
            return "joins branches, and a token put there would belong to none of them"
    handlers = {definition.handler_of(activity) for activity in definition.boundaries}
    return "only undoes another activity" if node.id in handlers else ""


def _open_around(board: Board, node: AnyNode) -> Scope:
    """Give the open scope in which an element stands, opened now where it is not."""
    found = [s for s in board.scopes.values() if s.element == node.scope and s.kind in OPENED]
    if len(found) == 1:
        return found[0]
    if found:
        problem = f"lies in {node.scope}, of which {len(found)} are open"
        cure = f"Begin {node.scope} as a whole, or something after it."
        raise MoveRefusedError(element=node.id, problem=problem, cure=cure)
    around = board.definition.nodes[node.scope]
    if not isinstance(around, SubProcess) or around.by_event:
        problem = f"lies in {node.scope}, which only its event opens"
        cure = "Send the event, or begin something outside of it."
        raise MoveRefusedError(element=node.id, problem=problem, cure=cure)
    if around.id in board.definition.loops:
        problem = f"lies in {around.id}, which is repeated"
        cure = f"Begin {around.id} as a whole."
        raise MoveRefusedError(element=node.id, problem=problem, cure=cure)
    return _opened(board, around, _open_around(board, around))


def _opened(board: Board, process: SubProcess, outer: Scope) -> Scope:
    """Open a sub-process without its start event: its inputs are mapped and its events armed."""
    seen = visible(board, outer.id)
    holder = Token(
        id=board.new_id(IdPrefix.TOKEN),
        run_id=board.run.id,
        scope_id=outer.id,
        element=process.id,
        state=TokenStatus.WAITING,
    )
    scope = Scope(
        id=board.new_id(IdPrefix.SCOPE),
        run_id=board.run.id,
        parent_id=outer.id,
        token_id=holder.id,
        element=process.id,
        kind=ScopeKind.SUBPROCESS,
    )
    board.put(holder)
    board.put(scope)
    write_local(board, scope.id, mapped(process.inputs, seen))
    for aside in board.definition.opened_by_events(process.id):
        begin_token(board, scope.id, aside.start)
    arm_boundaries(board, holder, seen)
    board.record(HistoryEvent.ENTERED, token=holder, scope=scope.id)
    return scope


def _cancel(board: Board, token: Token) -> None:
    """Cancel a token, and the scopes around it in which nothing is left."""
    board.cancel(token)
    if board.running_in(token.scope_id):
        return
    scope, holder = board.scope_of(token), board.holder(token)
    if holder is None:
        cure = "Begin another element in the same order, or cancel the run."
        raise MoveRefusedError(
            element=token.element, problem="is all that is left of the run", cure=cure
        )
    if scope.kind not in OPENED or board.scope_of(holder).kind in BODIES | REPETITIONS:
        problem = f"is all that is left of an instance or an order to undo in {scope.element}"
        cure = f"Cancel {scope.element} as a whole."
        raise MoveRefusedError(element=token.element, problem=problem, cure=cure)
    _cancel(board, holder)

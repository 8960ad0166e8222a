"""How tokens move: into whatever element they come to, until all of them wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.catching import caught
from pilothouse.bpmn.conditions import fire_one
from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Catch,
    End,
    EndKind,
    EventBased,
    EventStart,
    Exclusive,
    Human,
    Inclusive,
    Link,
    Parallel,
    Pass,
    Service,
    Start,
    SubProcess,
    Throw,
)
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.flowing import consume, finish, hand_over, leave, pass_link
from pilothouse.bpmn.gateways import (
    choose,
    join_and_fork,
    join_or_split,
    open_inclusive_join,
    wait_for_events,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.looping import end_one, repeat
from pilothouse.bpmn.state import BODIES, REPETITIONS, RunStatus, Token, TokenStatus
from pilothouse.bpmn.throwing import throw
from pilothouse.bpmn.variables import mapped, visible, write
from pilothouse.bpmn.waiting import enter_activity, listen

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board

Event = Start | Boundary | Pass | EventStart | Link | Throw | End
MAXIMUM_MOVES = 1000
"""More nodes than this in one step, without a wait, is a loop that would never end."""


def settle(board: Board) -> None:
    """Move every token until all of them wait, then look for joins that nothing can complete."""
    going = True
    while going:
        while board.queue:
            _move(board, board.queue.popleft())
        # What the variables are, and who can still come to an inclusive join, is known only once nobody moves.
        going = _condition_fires(board) or open_inclusive_join(board)
    _find_starved_joins(board)


def _condition_fires(board: Board) -> bool:
    """Let a condition take effect; two that make one another true for ever go on with the next step."""
    return board.moves <= MAXIMUM_MOVES and fire_one(board)


def _move(board: Board, token_id: str) -> None:
    token = board.tokens.get(token_id)
    if token is None or token.state is not TokenStatus.MOVING:
        return
    # Of a repeated activity the end of each instance counts, so that a thousand may begin together.
    board.moves += board.scope_of(token).kind not in REPETITIONS
    if board.moves > MAXIMUM_MOVES:
        board.stop(token, code="livelock", message=_livelock(token))
        return
    try:
        _enter(board, token)
    except ExpressionFailedError as error:
        board.clear(token)
        board.stop(token, code=error.code, message=error.message)


def _livelock(token: Token) -> str:
    return (
        f"More than {MAXIMUM_MOVES:,} elements were passed without a wait, last {token.element}. "
        "Correct the variable that keeps the loop going and retry, or cancel the run."
    )


def _enter(board: Board, token: Token) -> None:
    loop = board.definition.loops.get(token.element)
    kind = board.scope_of(token).kind
    if loop is None or kind in REPETITIONS:
        _enter_node(board, token, board.node(token))
    elif kind in BODIES:
        end_one(board, token, loop)
    else:
        repeat(board, token, loop)


def _enter_node(board: Board, token: Token, node: AnyNode) -> None:
    match node:
        case Start() | Boundary() | Pass() | EventStart() | Link() | Throw() | End():
            _enter_event(board, token, node)
        case Exclusive():
            choose(board, token, node)
        case Inclusive():
            join_or_split(board, token, node)
        case Parallel():
            join_and_fork(board, token, node)
        case EventBased():
            wait_for_events(board, token, node)
        case SubProcess() if board.inner_scope(token) is not None:
            _close_inner(board, token, node)
        case Service() | Human() | Catch() | SubProcess():
            enter_activity(board, token, node)


def _enter_event(board: Board, token: Token, node: Event) -> None:
    match node:
        case Start() | Boundary() | Pass():
            leave(board, token, HistoryEvent.PASSED)
        case EventStart() if board.scope_of(token).element == node.scope:
            leave(board, token, HistoryEvent.PASSED)
        case EventStart():
            listen(board, token, node)
        case Link():
            pass_link(board, token, node)
        case Throw():
            if throw(board, token, node.thrown, node.inputs):
                leave(board, token, HistoryEvent.PASSED)
        case End():
            _end(board, token, node)


def _end(board: Board, token: Token, node: End) -> None:
    match node.kind:
        case EndKind.NONE:
            board.record(HistoryEvent.PASSED, token=token)
            consume(board, token)
        case EndKind.TERMINATE:
            board.record(HistoryEvent.PASSED, token=token)
            _terminate(board, token)
        case EndKind.ERROR:
            code = node.error_code or ""
            board.record(HistoryEvent.ERROR_THROWN, token=token, code=code)
            if not caught(board, token, code, node.name, {}):
                board.drop(token)
                finish(board, RunStatus.FAILED, outcome=code)
        case EndKind.MESSAGE | EndKind.SIGNAL | EndKind.ESCALATION | EndKind.COMPENSATION:
            if node.thrown is None or throw(board, token, node.thrown, node.inputs):
                board.record(HistoryEvent.PASSED, token=token)
                consume(board, token)


def _terminate(board: Board, token: Token) -> None:
    for other in board.in_scope(token.scope_id):
        if other.id != token.id:
            board.cancel(other)
    consume(board, token)


def _close_inner(board: Board, token: Token, node: SubProcess) -> None:
    scope = board.inner_scope(token)
    if scope is None or board.running_in(scope.id):
        return
    try:
        given = mapped(node.outputs, visible(board, scope.id))
    except ExpressionFailedError as error:
        # The scope stays, so that a retry maps again and repeats nothing of what was done inside.
        board.stop(token, code=error.code, message=error.message)
        return
    write(board, token.scope_id, given, otherwise=token.scope_id)
    if board.definition.handler_of(node.id) is None:
        hand_over(board, scope, token.scope_id)
    leave(board, token, HistoryEvent.COMPLETED)


def _find_starved_joins(board: Board) -> None:
    if not any(token.state is TokenStatus.JOINING for token in board.tokens.values()):
        return
    troubled = {incident.token_id for incident in board.incidents.values()}
    for scope in board.scopes.values():
        tokens = board.running_in(scope.id)
        joining = all(t.state is TokenStatus.JOINING for t in tokens)
        if tokens and joining and not any(t.id in troubled for t in tokens):
            # An inclusive join only waits for others; the one that starves is the parallel one among them.
            token = next((t for t in tokens if isinstance(board.node(t), Parallel)), tokens[0])
            board.raise_incident(token, code="join-starved", message=_starved(board, token))


def _starved(board: Board, token: Token) -> str:
    present = {
        t.incoming_flow for t in board.in_scope(token.scope_id) if t.element == token.element
    }
    missing = [flow for flow in board.node(token).incoming if flow not in present]
    return (
        f"The join {token.element} waits for {', '.join(missing)}, which no token can reach any more. "
        "Cancel the run and draw an exclusive gateway before the join, or a parallel one before the branches."
    )

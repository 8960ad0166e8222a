"""How tokens move: through gateways and events, into activities, along flows, and out of scopes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Catch,
    End,
    EndKind,
    ErrorCode,
    Exclusive,
    Flow,
    Human,
    Parallel,
    Service,
    Start,
    SubProcess,
)
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.state import (
    HistoryEvent,
    NoticeKind,
    RunStatus,
    Scope,
    Token,
    TokenStatus,
)
from pilothouse.bpmn.variables import deliver, mapped, visible, write
from pilothouse.bpmn.waiting import begin_token, enter_activity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.board import Board

MAXIMUM_MOVES = 1000
"""More nodes than this in one step, without a wait, is a loop that would never end."""

ENDINGS = {
    RunStatus.COMPLETED: HistoryEvent.RUN_COMPLETED,
    RunStatus.FAILED: HistoryEvent.RUN_FAILED,
    RunStatus.TERMINATED: HistoryEvent.RUN_TERMINATED,
}


def settle(board: Board) -> None:
    """Move every token until all of them wait, then look for joins that nothing can complete."""
    while board.queue:
        token = board.tokens.get(board.queue.popleft())
        if token is None or token.state is not TokenStatus.MOVING:
            continue
        board.moves += 1
        if board.moves > MAXIMUM_MOVES:
            board.stop(token, code="livelock", message=_livelock(token))
            continue
        _enter(board, token)
    _find_starved_joins(board)


def _livelock(token: Token) -> str:
    return (
        f"More than {MAXIMUM_MOVES:,} elements were passed without a wait, last {token.element}. "
        "Correct the variable that keeps the loop going and retry, or cancel the run."
    )


def _enter(board: Board, token: Token) -> None:
    try:
        _enter_node(board, token, board.node(token))
    except ExpressionFailedError as error:
        board.clear(token)
        board.stop(token, code=error.code, message=error.message)


def _enter_node(board: Board, token: Token, node: AnyNode) -> None:
    match node:
        case Start() | Boundary():
            leave(board, token, HistoryEvent.PASSED)
        case End():
            _end(board, token, node)
        case Exclusive():
            _choose(board, token, node)
        case Parallel():
            _join_and_fork(board, token, node)
        case SubProcess() if board.inner_scope(token) is not None:
            _close_inner(board, token, node)
        case Service() | Human() | Catch() | SubProcess():
            enter_activity(board, token, node)


def leave(board: Board, token: Token, event: HistoryEvent, **data: object) -> None:
    """Send a token on along all outgoing flows of its node, or consume it where there are none."""
    board.record(event, token=token, **data)
    board.clear(token)
    flows = [board.definition.flows[flow] for flow in board.node(token).outgoing]
    if not flows:
        consume(board, token)
        return
    _take(board, token, flows[0])
    for flow in flows[1:]:
        begin_token(board, token.scope_id, flow.target, flow.id)


def _take(board: Board, token: Token, flow: Flow) -> None:
    board.move(replace(token, element=flow.target, incoming_flow=flow.id))


def _choose(board: Board, token: Token, node: Exclusive) -> None:
    seen = visible(board, token.scope_id)
    flows = [board.definition.flows[flow] for flow in node.outgoing]
    chosen = next((f for f in flows if f.id != node.default and _holds(f, seen)), None)
    if chosen is None and node.default is not None:
        chosen = board.definition.flows[node.default]
    if chosen is None:
        message = (
            f"At {node.name or node.id} no outgoing flow has a condition that holds, and there is no default. "
            "Correct the variables and retry, or draw a default flow."
        )
        board.stop(token, code="no-flow-matches", message=message)
        return
    board.record(HistoryEvent.PASSED, token=token, flow=chosen.id)
    _take(board, token, chosen)


def _holds(flow: Flow, seen: Mapping[str, object]) -> bool:
    if flow.condition is None:
        return True
    value = flow.condition.given(seen)
    if not isinstance(value, bool):
        raise ExpressionFailedError(
            expression=flow.condition.text, problem=f"gives {value!r}, not true or false"
        )
    return value


def _join_and_fork(board: Board, token: Token, node: Parallel) -> None:
    standing = [t for t in board.in_scope(token.scope_id) if _joins_at(t, node)]
    oldest = {t.incoming_flow: t for t in reversed(standing)}
    # Distinct flows count, not arrivals: a second token of one flow waits for the next round.
    arrived = {token.incoming_flow, *oldest}
    if not arrived >= set(node.incoming):
        board.record(HistoryEvent.JOINED, token=token, flow=token.incoming_flow)
        board.wait(token, TokenStatus.JOINING)
        return
    for other in oldest.values():
        board.clear(other)
        board.drop(other)
    leave(board, token, HistoryEvent.PASSED)


def _joins_at(token: Token, node: Parallel) -> bool:
    return token.element == node.id and token.state is TokenStatus.JOINING


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
            if not caught(board, _holder(board, token), code, node.name, {}):
                board.drop(token)
                finish(board, RunStatus.FAILED, outcome=code)


def _terminate(board: Board, token: Token) -> None:
    for other in board.in_scope(token.scope_id):
        if other.id != token.id:
            board.record(HistoryEvent.CANCELLED, token=other)
            board.clear(other)
            board.drop(other)
    consume(board, token)


def consume(board: Board, token: Token) -> None:
    """Remove a token; the last one of a scope ends the scope."""
    board.clear(token)
    board.drop(token)
    if board.in_scope(token.scope_id):
        return
    scope = board.scopes[token.scope_id]
    holder = board.tokens.get(scope.token_id or "")
    if holder is None:
        finish(board, RunStatus.COMPLETED, outcome=token.element)
    else:
        board.move(holder)


def _close_inner(board: Board, token: Token, node: SubProcess) -> None:
    scope = board.inner_scope(token)
    if scope is None or board.in_scope(scope.id):
        return
    try:
        given = mapped(node.outputs, visible(board, scope.id))
    except ExpressionFailedError as error:
        # The scope stays, so that a retry maps again and repeats nothing of what was done inside.
        board.stop(token, code=error.code, message=error.message)
        return
    write(board, token.scope_id, given, otherwise=token.scope_id)
    leave(board, token, HistoryEvent.COMPLETED)


def finish(board: Board, status: RunStatus, *, outcome: str | None) -> None:
    """End the run: every row goes, the process variables go into the history."""
    root = next(s for s in board.scopes.values() if s.parent_id is None)
    variables = visible(board, root.id)
    board.close(root)
    board.queue.clear()
    board.run = replace(board.run, state=status, ended_at=board.at, outcome=outcome)
    board.record(ENDINGS[status], outcome=outcome, variables=variables)
    board.notify(
        NoticeKind.RUN_ENDED, subject_id=board.run.id, element=outcome, text=f"The run is {status}."
    )


def _holder(board: Board, token: Token) -> Token | None:
    scope: Scope = board.scopes[token.scope_id]
    return board.tokens[scope.token_id] if scope.token_id else None


def caught(
    board: Board, token: Token | None, code: str, message: str, variables: Mapping[str, object]
) -> bool:
    """Give a business error to the nearest boundary event that catches its code, from `token` outwards."""
    while token is not None:
        boundary = _catcher(board.definition.boundaries.get(token.element, ()), code)
        if boundary is not None:
            error = {"code": code, "message": message}
            given = {**variables, "error": error} if boundary.outputs else variables
            fire(board, token, boundary, given, HistoryEvent.ERROR_CAUGHT, code=code)
            return True
        token = _holder(board, token)
    return False


def _catcher(boundaries: tuple[Boundary, ...], code: str) -> Boundary | None:
    catching = {b.trigger.code: b for b in boundaries if isinstance(b.trigger, ErrorCode)}
    return catching.get(code) or catching.get(None)


def fire(
    board: Board,
    token: Token,
    boundary: Boundary,
    given: Mapping[str, object],
    event: HistoryEvent,
    **data: object,
) -> None:
    """
    Let a boundary event of the activity where `token` stands take effect.

    Raises
    ------
    ExpressionFailedError
        When its output mapping fails; nothing has been moved then.
    """
    deliver(board, token.scope_id, boundary.outputs, given)
    board.record(event, token=token, by=boundary.id, **data)
    if boundary.interrupting:
        board.record(HistoryEvent.CANCELLED, token=token, by=boundary.id)
        board.clear(token)
        board.move(replace(token, element=boundary.id, incoming_flow=None))
    else:
        begin_token(board, token.scope_id, boundary.id)


def _find_starved_joins(board: Board) -> None:
    troubled = {incident.token_id for incident in board.incidents.values()}
    for scope in board.scopes.values():
        tokens = board.in_scope(scope.id)
        joining = all(t.state is TokenStatus.JOINING for t in tokens)
        if tokens and joining and not any(t.id in troubled for t in tokens):
            board.raise_incident(tokens[0], code="join-starved", message=_starved(board, tokens[0]))


def _starved(board: Board, token: Token) -> str:
    present = {
        t.incoming_flow for t in board.in_scope(token.scope_id) if t.element == token.element
    }
    missing = [flow for flow in board.node(token).incoming if flow not in present]
    return (
        f"The join {token.element} waits for {', '.join(missing)}, which no token can reach any more. "
        "Cancel the run and draw an exclusive gateway before the join, or a parallel one before the branches."
    )

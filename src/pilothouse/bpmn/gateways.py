"""Gateways: who goes on, along which flows, and who waits for whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    Boundary,
    Catch,
    Definition,
    EventBased,
    Exclusive,
    Flow,
    Inclusive,
    Link,
    Parallel,
)
from pilothouse.bpmn.expressions import truth
from pilothouse.bpmn.flowing import leave, take
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import Token, TokenStatus
from pilothouse.bpmn.variables import visible
from pilothouse.bpmn.waiting import arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.bpmn.board import Board


def choose(board: Board, token: Token, node: Exclusive) -> None:
    """Send a token along the first flow whose condition holds, or the default one."""
    held = next(_holding(board, token, node), None)
    _go(board, token, node, [held] if held else [])


def split(board: Board, token: Token, node: Inclusive) -> None:
    """Send a token along every flow whose condition holds, or the default one."""
    _go(board, token, node, list(_holding(board, token, node)))


def _holding(board: Board, token: Token, node: Exclusive | Inclusive) -> Iterator[Flow]:
    seen = visible(board, token.scope_id)
    for flow in (board.definition.flows[flow] for flow in node.outgoing if flow != node.default):
        if flow.condition is None or truth(flow.condition, seen):
            yield flow


def _go(board: Board, token: Token, node: Exclusive | Inclusive, flows: list[Flow]) -> None:
    chosen = flows or ([board.definition.flows[node.default]] if node.default else [])
    if not chosen:
        message = (
            f"At {node.name or node.id} no outgoing flow has a condition that holds, and there is no default. "
            "Correct the variables and retry, or draw a default flow."
        )
        board.stop(token, code="no-flow-matches", message=message)
        return
    board.record(HistoryEvent.PASSED, token=token, flow=", ".join(flow.id for flow in chosen))
    take(board, token, chosen)


def join_and_fork(board: Board, token: Token, node: Parallel) -> None:
    """Wait for a token on every incoming flow, then go on along all outgoing ones."""
    oldest = _oldest_by_flow(board, token.scope_id, node)
    # Distinct flows count, not arrivals: a second token of one flow waits for the next round.
    arrived = {token.incoming_flow, *oldest}
    if not arrived >= set(node.incoming):
        _wait_to_join(board, token)
        return
    for other in oldest.values():
        board.clear(other)
        board.drop(other)
    leave(board, token, HistoryEvent.PASSED)


def join_or_split(board: Board, token: Token, node: Inclusive) -> None:
    """Wait for the tokens that can still come where flows meet, or else fork at once."""
    if len(node.incoming) > 1 and token.incoming_flow is not None:
        _wait_to_join(board, token)
    else:
        split(board, token, node)


def _wait_to_join(board: Board, token: Token) -> None:
    board.record(HistoryEvent.JOINED, token=token, flow=token.incoming_flow)
    board.wait(token, TokenStatus.JOINING)


def _oldest_by_flow(board: Board, scope_id: str, node: Parallel | Inclusive) -> dict[str, Token]:
    standing = [t for t in board.in_scope(scope_id) if _joins_at(t, node)]
    return {t.incoming_flow or "": t for t in reversed(standing)}


def _joins_at(token: Token, node: Parallel | Inclusive) -> bool:
    return token.element == node.id and token.state is TokenStatus.JOINING


def open_inclusive_join(board: Board) -> bool:
    """
    Let the first inclusive join go on that waits for nobody any more; give whether there was one.

    References
    ----------
    .. [1] OMG, "Business Process Model and Notation 2.0.2", 13.4.3: it waits while a token elsewhere can reach
       an incoming flow without a token, unless the same token can also reach one that has a token, each
       without passing the gateway itself.
    """
    joining = (t for t in board.tokens.values() if t.state is TokenStatus.JOINING)
    for token in sorted(joining, key=lambda t: t.id):
        node = board.node(token)
        if not isinstance(node, Inclusive):
            continue
        oldest = _oldest_by_flow(board, token.scope_id, node)
        if _nobody_comes(board, token.scope_id, node, set(oldest)):
            _merge(board, list(oldest.values()))
            return True
    return False


def _nobody_comes(board: Board, scope_id: str, node: Inclusive, filled: set[str]) -> bool:
    missing = set(node.incoming) - filled
    to_missing = _reaching(board.definition, missing, node.id)
    to_filled = _reaching(board.definition, filled, node.id)
    return not any(t.element in to_missing - to_filled for t in board.running_in(scope_id))


def _reaching(definition: Definition, flows: set[str], gateway: str) -> set[str]:
    """Give the nodes from which one of the flows can be reached without passing the gateway."""
    before = _before(definition)
    reached: set[str] = set()
    ahead = [definition.flows[flow].source for flow in flows]
    while ahead:
        node = ahead.pop()
        if node not in reached and node != gateway:
            reached.add(node)
            ahead += before[node]
    return reached


def _before(definition: Definition) -> Mapping[str, list[str]]:
    """Give the nodes from which a token comes to each node: by a flow, a boundary event or a link."""
    before: dict[str, list[str]] = defaultdict(list)
    for flow in definition.flows.values():
        before[flow.target].append(flow.source)
    for node in definition.nodes.values():
        if isinstance(node, Boundary):
            before[node.id].append(node.attached_to)
        if isinstance(node, Link):
            before[node.target].append(node.id)
    return before


def _merge(board: Board, tokens: list[Token]) -> None:
    for other in tokens[1:]:
        board.clear(other)
        board.drop(other)
    # Without its flow the token counts as joined, also when a person retries it here.
    board.move(tokens[0], incoming_flow=None)


def wait_for_events(board: Board, token: Token, node: EventBased) -> None:
    """Arm every event after the gateway; the first one takes the token."""
    seen = visible(board, token.scope_id)
    board.wait(token)
    for flow in node.outgoing:
        event = board.definition.nodes[board.definition.flows[flow].target]
        if isinstance(event, Catch):
            arm(board, token, event.id, event.trigger, seen)
    board.record(HistoryEvent.ENTERED, token=token)


def decided(board: Board, token: Token, event: Catch) -> Token:
    """Give the token that stands at an event that has come: its own, or that of the gateway before it."""
    if token.element == event.id:
        return token
    (flow,) = set(event.incoming) & set(board.node(token).outgoing)
    board.record(HistoryEvent.PASSED, token=token, flow=flow)
    board.clear(token)
    moved = replace(token, element=event.id, incoming_flow=flow)
    board.put(moved)
    return moved

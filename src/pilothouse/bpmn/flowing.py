"""How tokens go on: along flows, out of activities and scopes, to the end of the run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import (
    REPETITIONS,
    Compensation,
    IdPrefix,
    NoticeKind,
    RunStatus,
    Scope,
    Token,
)
from pilothouse.bpmn.variables import inner, visible
from pilothouse.bpmn.waiting import begin_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.definition import Flow, Link

ENDINGS = {
    RunStatus.COMPLETED: HistoryEvent.RUN_COMPLETED,
    RunStatus.FAILED: HistoryEvent.RUN_FAILED,
    RunStatus.TERMINATED: HistoryEvent.RUN_TERMINATED,
}


def leave(board: Board, token: Token, event: HistoryEvent, **data: object) -> None:
    """Send a token on along all outgoing flows of its node, or consume it where there are none."""
    board.record(event, token=token, **data)
    if event is HistoryEvent.COMPLETED:
        _remember(board, token)
    board.clear(token)
    flows = [board.definition.flows[flow] for flow in board.node(token).outgoing]
    if not flows or board.scope_of(token).kind in REPETITIONS:
        consume(board, token)
    else:
        take(board, token, flows)


def take(board: Board, token: Token, flows: Sequence[Flow]) -> None:
    """Send a token along one flow or more."""
    board.move(token, element=flows[0].target, incoming_flow=flows[0].id)
    for flow in flows[1:]:
        begin_token(board, token.scope_id, flow.target, flow.id)


def pass_link(board: Board, token: Token, node: Link) -> None:
    """Send a token from the throwing end of a link to its catching end."""
    board.record(HistoryEvent.PASSED, token=token, to=node.target)
    board.clear(token)
    board.move(token, element=node.target, incoming_flow=None)


def _remember(board: Board, token: Token) -> None:
    """Keep how a completed activity can be undone, if its drawing says so; each instance for itself."""
    handler = board.definition.handler_of(token.element)
    repeated = token.element in board.definition.loops
    if handler is None or (repeated and board.scope_of(token).kind not in REPETITIONS):
        return
    row = Compensation(
        id=board.new_id(IdPrefix.COMPENSATION),
        run_id=board.run.id,
        scope_id=token.scope_id,
        sequence=board.history_length,
        element=token.element,
        handler=handler,
        variables=inner(board, token.scope_id),
    )
    board.put(row)


def hand_over(board: Board, scope: Scope, outer_id: str) -> None:
    """Let the scope around one that ends undo what was done in it."""
    for row in [c for c in board.compensations.values() if c.scope_id == scope.id]:
        board.put(replace(row, scope_id=outer_id))


def consume(board: Board, token: Token) -> None:
    """Remove a token; the last one that keeps a scope open ends the scope."""
    board.clear(token)
    board.drop(token)
    if board.running_in(token.scope_id):
        return
    holder = board.holder(token)
    if holder is None:
        finish(board, RunStatus.COMPLETED, outcome=token.element)
    else:
        board.move(holder)


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

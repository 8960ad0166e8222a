"""Events that wait for a condition: looked at whenever a run has come to rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.arrivals import come
from pilothouse.bpmn.definition import Boundary, Catch, Condition, EventStart
from pilothouse.bpmn.errors import AlreadyOverError, ExpressionFailedError
from pilothouse.bpmn.expressions import holds
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import Subscription, SubscriptionKind, Token
from pilothouse.bpmn.variables import visible

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board


def fire_one(board: Board) -> bool:
    """
    Let the condition that has waited longest among those that have become true take effect.

    Give whether there was one. The others are looked at again once nothing moves. A condition that cannot be
    evaluated is an incident of its own, and is not looked at again before that is retried.
    """
    risen = [wait for wait in _waits(board) if _has_risen(board, wait)]
    return any(_takes_effect(board, wait) for wait in risen)


def _waits(board: Board) -> list[Subscription]:
    found = (s for s in board.subscriptions.values() if s.kind is SubscriptionKind.CONDITION)
    return sorted((s for s in found if s.held is not None), key=lambda s: s.id)


def _has_risen(board: Board, wait: Subscription) -> bool:
    """Look at a condition; one that holds no more is noted, so that it can become true again."""
    token = board.tokens[wait.token_id]
    try:
        true = holds(_condition(board, wait).value, visible(board, token.scope_id))
    except ExpressionFailedError as error:
        _fail(board, wait, token, error)
        return False
    if wait.held and not true:
        board.put(replace(wait, held=False))
    return true and not wait.held


def _takes_effect(board: Board, wait: Subscription) -> bool:
    token, text = board.tokens[wait.token_id], _condition(board, wait).value.text
    board.put(replace(wait, held=True))
    try:
        come(board, token, wait.element, {}, HistoryEvent.CONDITION_MET, {"condition": text})
    except ExpressionFailedError as error:
        _fail(board, wait, token, error)
        return False
    return True


def _condition(board: Board, wait: Subscription) -> Condition:
    node = board.definition.nodes[wait.element]
    if isinstance(node, Boundary | Catch | EventStart) and isinstance(node.trigger, Condition):
        return node.trigger
    raise AlreadyOverError(noun="condition", name=wait.element)


def _fail(board: Board, wait: Subscription, token: Token, error: ExpressionFailedError) -> None:
    board.put(replace(wait, held=None))
    board.raise_incident(token, code=error.code, message=f"{wait.element}: {error.message}")


def look_again(board: Board, token: Token) -> None:
    """Look again at the conditions of a token that could not be evaluated."""
    for wait in [s for s in board.subscriptions.values() if s.token_id == token.id]:
        if wait.kind is SubscriptionKind.CONDITION and wait.held is None:
            board.put(replace(wait, held=False))

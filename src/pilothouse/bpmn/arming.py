"""What is armed where a token stands: in one version of a life cycle and in another, and how one becomes the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Catch, Condition, EventBased, EventStart, Message, Signal
from pilothouse.bpmn.state import BODIES, REPETITIONS, Job, JobKind, Subscription, TokenStatus
from pilothouse.bpmn.timers import Timer
from pilothouse.bpmn.variables import visible
from pilothouse.bpmn.waiting import Trigger, arm

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.pairing import Versions
    from pilothouse.bpmn.state import Token

Armed = Job | Subscription


def sync_triggers(board: Board, pair: Versions, old: Token, new: Token) -> None:
    """
    Arm at a token what the new version has there.

    What is drawn as before stays armed, with its moment; what is drawn in another way is armed anew; what has
    fired, and does not repeat, stays fired.

    Raises
    ------
    ExpressionFailedError
        When a timer, message or signal cannot be evaluated; a condition is looked at afterwards.
    """
    rows = {row.element: row for row in _rows(board, old)}
    before = _triggers(board, pair.old, old)
    after = _triggers(board, pair.new, new)
    origins = {pair.becomes[element]: element for element in before if element in pair.becomes}
    kept: set[str] = set()
    seen = visible(board, new.scope_id)
    for element, trigger in after.items():
        origin = origins.get(element)
        row = rows.get(origin or "")
        if origin is None:
            arm(board, new, element, trigger, seen)
        elif row is None:
            continue
        elif _drawn(before[origin]) == _drawn(trigger):
            board.put(replace(row, element=element))
            kept.add(row.id)
        else:
            arm(board, new, element, trigger, seen)
    for row in rows.values():
        if row.id not in kept:
            _disarm(board, row)


def _rows(board: Board, token: Token) -> list[Armed]:
    timers = [
        j
        for j in board.jobs.values()
        if j.token_id == token.id and j.kind is JobKind.TIMER and j.topic is None
    ]
    return [*timers, *(s for s in board.subscriptions.values() if s.token_id == token.id)]


def _disarm(board: Board, row: Armed) -> None:
    for incident in [i for i in board.incidents.values() if i.job_id == row.id]:
        board.drop(incident)
    board.drop(row)


def _triggers(board: Board, definition: Definition, token: Token) -> dict[str, Trigger]:
    """Give what is armed, or was, at a token where nothing has gone wrong, by the element of each."""
    node = definition.nodes[token.element]
    if token.state is TokenStatus.LISTENING and isinstance(node, EventStart):
        return {node.id: node.trigger} if isinstance(node.trigger, Trigger) else {}
    if token.state is not TokenStatus.WAITING and board.inner_scope(token) is None:
        return {}
    found: dict[str, Trigger] = {}
    if isinstance(node, Catch):
        found[node.id] = node.trigger
    if isinstance(node, EventBased):
        nodes = (definition.nodes[definition.flows[flow].target] for flow in node.outgoing)
        found |= {event.id: event.trigger for event in nodes if isinstance(event, Catch)}
    if board.scope_of(token).kind not in BODIES | REPETITIONS:
        for boundary in definition.boundaries.get(token.element, ()):
            if isinstance(boundary.trigger, Trigger):
                found[boundary.id] = boundary.trigger
    return found


def _drawn(trigger: Trigger) -> tuple[str | None, ...]:
    """Give the words of a trigger, which arm the same thing where they are the same."""
    match trigger:
        case Timer(kind=kind, value=value, zone=zone):
            return (kind.value, value.text, zone)
        case Message(name=name, correlation_key=key):
            return ("message", name.text, key.text if key else None)
        case Signal(name=name):
            return ("signal", name.text)
        case Condition(value=value):
            return ("condition", value.text)

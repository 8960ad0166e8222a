"""
Migration: the rows of a run, carried over from one version of its life cycle to another.

Nothing is begun again and nothing done twice. Tokens, jobs, tasks and scopes keep their ids, so work in flight is
reported as ever; only the elements that they stand at, and what is armed there, become those of the new version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.arming import sync_triggers
from pilothouse.bpmn.board import Board
from pilothouse.bpmn.definition import EventStart, Inclusive, Parallel
from pilothouse.bpmn.errors import AlreadyOverError, MigrationRefusedError, Obstacle
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.pairing import Versions, map_obstacles, paired, repeated_alike
from pilothouse.bpmn.state import UNDER_WAY, Changes, Ids, RunState, ScopeKind, Token, TokenStatus
from pilothouse.bpmn.step import finish_step
from pilothouse.bpmn.waiting import begin_token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.state import Scope

MOVE = "Pair it with an element of its kind, or move its token first: `pilothouse runs move`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """The order to carry a run over; ``pairs`` say which old element becomes which new one where the ids differ."""

    actor: str
    definition_id: str
    name: str
    reason: str
    pairs: Mapping[str, str]


def migrate(
    versions: tuple[Definition, Definition],
    state: RunState,
    order: Migrated,
    *,
    at: datetime,
    ids: Ids,
) -> Changes:
    """
    Carry a run over from the first of two versions to the second.

    Raises
    ------
    AlreadyOverError
        When the run has ended.
    MigrationRefusedError
        When something that stands in the run has no place in the new version; all reasons are given.
    ExpressionFailedError
        When a timer, message or signal of the new version cannot be armed with the run's variables.
    """
    if state.run.state not in UNDER_WAY:
        raise AlreadyOverError(noun="run", name=state.run.id)
    old, new = versions
    obstacles = map_obstacles(old, new, order.pairs)
    pair = Versions(old=old, new=new, becomes={} if obstacles else paired(old, new, order.pairs))
    obstacles = obstacles or _obstacles(pair, state)
    if obstacles:
        raise MigrationRefusedError(run_id=state.run.id, to=order.name, obstacles=obstacles)
    board = Board(definition=new, state=state, at=at, ids=ids, actor=order.actor)
    board.run = replace(board.run, definition_id=order.definition_id)
    board.record(
        HistoryEvent.RUN_MIGRATED,
        to=order.name,
        pairs=dict(order.pairs) or None,
        reason=order.reason,
    )
    _carry(board, pair)
    finish_step(board)
    return board.changes()


def _obstacles(pair: Versions, state: RunState) -> tuple[Obstacle, ...]:
    """Say what of a run has no place; each element once."""
    tokens = [t for t in state.tokens.values() if t.state is not TokenStatus.LISTENING]
    scopes = [s for s in state.scopes.values() if s.parent_id is not None]
    found = [
        *(_place_obstacle(pair, token.element) for token in tokens),
        *(_place_obstacle(pair, scope.element) for scope in scopes),
        *(_join_obstacle(pair, token) for token in tokens),
        *(_undoing_obstacle(pair, row.element) for row in state.compensations.values()),
    ]
    return tuple({o.element: o for o in reversed(found) if o}.values())[::-1]


def _undoing_obstacle(pair: Versions, element: str) -> Obstacle | None:
    image = pair.image(element)
    if image is not None and pair.new.handler_of(image) is not None:
        return None
    problem = "was done and can be undone, and nothing undoes it in the new version"
    cure = "Draw its compensation there too, or pair it with an activity that has one."
    return Obstacle(element=element, problem=problem, cure=cure)


def _place_obstacle(pair: Versions, element: str) -> Obstacle | None:
    target = pair.image(element)
    if target is None:
        problem = "has no partner in the new version, and the run stands there"
        return Obstacle(element=element, problem=problem, cure=MOVE)
    scope, wanted = pair.old.nodes[element].scope, pair.new.nodes[target].scope
    if pair.image(scope) != wanted:
        problem = f"lies in {scope}, and {target} lies in {wanted}"
        return Obstacle(element=element, problem=problem, cure=MOVE)
    if not repeated_alike(pair.old.loops.get(element), pair.new.loops.get(target)):
        problem = f"is repeated in another way than {target}"
        return Obstacle(element=element, problem=problem, cure=MOVE)
    return None


def _join_obstacle(pair: Versions, token: Token) -> Obstacle | None:
    target = pair.image(token.element)
    if target is None or token.incoming_flow is None:
        return None
    joins = isinstance(pair.new.nodes[target], Parallel | Inclusive)
    if joins and pair.flow_image(token.incoming_flow, target) is None:
        problem = f"has a token that came by {token.incoming_flow}, which does not lead to {target}"
        cure = "Draw that flow there too, from the partner of its source."
        return Obstacle(element=token.element, problem=problem, cure=cure)
    return None


def _carry(board: Board, pair: Versions) -> None:
    before = {t.id: t for t in board.tokens.values()}
    scopes = list(board.scopes.values())
    for scope in scopes:
        board.put(replace(scope, element=_image(pair, scope.element)))
    for row in list(board.compensations.values()):
        element = _image(pair, row.element)
        handler = pair.new.handler_of(element) or row.handler
        board.put(replace(row, element=element, handler=handler))
    for token in before.values():
        _carry_token(board, pair, token)
    for scope in scopes:
        _listen_for_new(board, pair, scope, list(before.values()))


def _image(pair: Versions, element: str) -> str:
    image = pair.image(element)
    if image is None:
        raise ValueError(f"{element} stands in the run and has no partner")
    return image


def _carry_token(board: Board, pair: Versions, token: Token) -> None:
    image = pair.image(token.element)
    if token.state is TokenStatus.LISTENING and not _still_listens(pair, token.element, image):
        board.cancel(token)
        return
    element = _image(pair, token.element)
    flow = pair.flow_image(token.incoming_flow, element)
    moved = replace(token, element=element, incoming_flow=flow)
    board.put(moved)
    _carry_work(board, token, element)
    sync_triggers(board, pair, token, moved)
    if token.state is TokenStatus.JOINING and _waits_for_others(pair, token.element, element):
        board.move(moved)  # whom it waits for is another question in the new version


def _still_listens(pair: Versions, element: str, image: str | None) -> bool:
    """Whether the start of an event sub-process has a partner in the partner of the scope around it."""
    if image is None:
        return False
    inner, new_inner = pair.old.nodes[element].scope, pair.new.nodes[image].scope
    return pair.image(pair.old.nodes[inner].scope) == pair.new.nodes[new_inner].scope


def _waits_for_others(pair: Versions, element: str, target: str) -> bool:
    incoming = pair.old.nodes[element].incoming
    images = {pair.flow_image(flow, target) for flow in incoming}
    return images != set(pair.new.nodes[target].incoming)


def _carry_work(board: Board, token: Token, element: str) -> None:
    """Let the job, task and incidents of a token be those of its new element; what is armed there is another matter."""
    for job in [j for j in board.jobs.values() if j.token_id == token.id]:
        if job.topic is not None:  # also the timers of a task, which are the task's own
            board.put(replace(job, element=element))
    for task in [t for t in board.tasks.values() if t.token_id == token.id]:
        board.put(replace(task, element=element))
    for incident in [i for i in board.incidents.values() if i.token_id == token.id]:
        board.put(replace(incident, element=element))


def _listen_for_new(board: Board, pair: Versions, old: Scope, before: list[Token]) -> None:
    """Let the event sub-processes listen that the new version has more, where none has interrupted the scope."""
    if old.kind not in (ScopeKind.PROCESS, ScopeKind.SUBPROCESS, ScopeKind.EVENT_SUBPROCESS):
        return
    inside = [t for t in before if t.scope_id == old.id]
    if any(_interrupts(pair.old, t.element) for t in inside):
        return
    images = set(pair.becomes.values())
    for process in pair.new.opened_by_events(_image(pair, old.element)):
        if process.id not in images:
            begin_token(board, old.id, process.start)


def _interrupts(definition: Definition, element: str) -> bool:
    """Whether a token at an element has interrupted all else in its scope."""
    start = definition.nodes.get(getattr(definition.nodes[element], "start", ""))
    return isinstance(start, EventStart) and start.interrupting

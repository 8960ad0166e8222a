"""
Repeated activities: an instance for each item of a collection, or a round while a condition holds.

The activity's token holds a body scope. In it each instance or round is a token of its own, which holds the
scope where the activity runs as if it were drawn plainly; so an instance has its own variables, and what
interrupts the whole activity removes all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Loop, Mapped, MultiInstance, StandardLoop
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.expressions import truth
from pilothouse.bpmn.flowing import consume, hand_over, leave
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import IdPrefix, Scope, ScopeKind, Token, TokenStatus
from pilothouse.bpmn.variables import home, mapped, plain, visible, write, write_local
from pilothouse.bpmn.waiting import arm_boundaries, begin_token

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.expressions import Variables

MAXIMUM_INSTANCES = 1000
COUNTER = "loopCounter"
"""The variable that says which instance or round it is, from 1."""


def repeat(board: Board, token: Token, loop: Loop) -> None:
    """
    Begin a repeated activity, or end it once all its instances have.

    Raises
    ------
    ExpressionFailedError
        When the collection, the number or the condition cannot be evaluated; nothing stands then.
    """
    body = board.inner_scope(token)
    if body is not None:
        _close(board, token, loop, body)
        return
    match loop:
        case MultiInstance():
            _open_instances(board, token, loop)
        case StandardLoop():
            _open_rounds(board, token, loop)


def _open_instances(board: Board, token: Token, loop: MultiInstance) -> None:
    seen = visible(board, token.scope_id)
    items = _items(loop, seen)
    if len(items) > MAXIMUM_INSTANCES:
        message = (
            f"{token.element} is to have {len(items):,} instances, more than {MAXIMUM_INSTANCES:,}. "
            "Correct the collection and retry, or draw the work in portions."
        )
        board.stop(token, code="too-many-instances", message=message)
        return
    body = replace(
        _body(board, token, ScopeKind.MULTI_INSTANCE),
        size=len(items),
        items=tuple(items) if loop.sequential else None,
        outputs=(None,) * len(items) if loop.output_collection else None,
    )
    board.put(body)
    _enter(board, token, body, seen, empty=not items)
    for item in items[:1] if loop.sequential else items:
        body = _begin(board, body, _instance_variables(loop, item))


def _items(loop: MultiInstance, seen: Variables) -> list[object]:
    if loop.collection is not None:
        value = loop.collection.given(seen)
        if isinstance(value, list | tuple):
            return [plain("item", item) for item in value]
        problem = f"gives {value!r} for the collection, not a list"
        raise ExpressionFailedError(expression=loop.collection.text, problem=problem)
    if loop.cardinality is None:
        raise TypeError("A multi-instance activity has a collection or a number.")
    text = loop.cardinality.text_given(seen, purpose="number of instances")
    if not (text.isascii() and text.isdigit()):
        problem = f"gives {text!r} for the number of instances, not a whole number"
        raise ExpressionFailedError(expression=loop.cardinality.text, problem=problem)
    # One more than is allowed is enough to be refused, and costs nothing.
    return [None] * min(int(text[:9]), MAXIMUM_INSTANCES + 1)


def _instance_variables(loop: MultiInstance, item: object) -> dict[str, object]:
    """Give an instance its item, and of its own the variable that a bare output element names."""
    bare = loop.output_element.text.removeprefix("=").strip() if loop.output_element else ""
    own: dict[str, object] = {bare: None} if bare.isidentifier() else {}
    return own | ({loop.input_element: item} if loop.input_element else {})


def _open_rounds(board: Board, token: Token, loop: StandardLoop) -> None:
    seen = visible(board, token.scope_id)
    skipped = loop.before and not truth(loop.condition, {**seen, COUNTER: 0})
    body = _body(board, token, ScopeKind.LOOP)
    _enter(board, token, body, seen, empty=skipped)
    if not skipped:
        _begin(board, body, {})


def _body(board: Board, token: Token, kind: ScopeKind) -> Scope:
    body = Scope(
        id=board.new_id(IdPrefix.SCOPE),
        run_id=board.run.id,
        parent_id=token.scope_id,
        token_id=token.id,
        element=token.element,
        kind=kind,
    )
    board.put(body)
    return body


def _enter(board: Board, token: Token, body: Scope, seen: Variables, *, empty: bool) -> None:
    board.wait(token)
    arm_boundaries(board, token, seen)
    board.record(HistoryEvent.ENTERED, token=token, scope=body.id, instances=body.size)
    if empty:
        board.move(token)


def _begin(board: Board, body: Scope, own: dict[str, object]) -> Scope:
    number = body.started + 1
    holder = Token(
        id=board.new_id(IdPrefix.TOKEN),
        run_id=board.run.id,
        scope_id=body.id,
        element=body.element,
        state=TokenStatus.WAITING,
    )
    many = body.kind is ScopeKind.MULTI_INSTANCE
    scope = Scope(
        id=board.new_id(IdPrefix.SCOPE),
        run_id=board.run.id,
        parent_id=body.id,
        token_id=holder.id,
        element=body.element,
        kind=ScopeKind.INSTANCE if many else ScopeKind.ROUND,
        number=number,
    )
    grown = replace(body, started=number)
    for row in (grown, holder, scope):
        board.put(row)
    write_local(board, scope.id, {**own, COUNTER: number})
    begin_token(board, scope.id, body.element)
    return grown


def end_one(board: Board, holder: Token, loop: Loop) -> None:
    """End an instance or round, and begin the next one or the end of all."""
    scope, body = board.inner_scope(holder), board.scope_of(holder)
    if scope is None or board.running_in(scope.id):
        return
    try:
        match loop:
            case MultiInstance():
                ended, over = _collected(board, body, scope, loop)
            case StandardLoop():
                ended, over = body, not _another_round(board, scope, loop)
    except ExpressionFailedError as error:
        # The scope stays, so that a retry evaluates again and repeats nothing of what was done inside.
        board.stop(holder, code=error.code, message=error.message)
        return
    ended = replace(ended, ended=body.ended + 1)
    board.put(ended)
    hand_over(board, scope, body.id)
    board.clear(holder)
    if over:
        for other in board.in_scope(body.id):
            if other.id != holder.id:
                board.cancel(other)
    else:
        _begin_next(board, ended, loop)
    consume(board, holder)


def _collected(board: Board, body: Scope, scope: Scope, loop: MultiInstance) -> tuple[Scope, bool]:
    """Keep what an instance gives, and say whether the others are needed no more."""
    seen = visible(board, scope.id)
    counts: dict[str, object] = {
        "numberOfInstances": body.size,
        "numberOfActiveInstances": body.started - body.ended - 1,
        "numberOfCompletedInstances": body.ended + 1,
        "numberOfTerminatedInstances": 0,
    }
    name, kept = loop.output_collection, body
    if name is not None and loop.output_element is not None and body.outputs is not None:
        given = mapped((Mapped(source=loop.output_element, target=name),), seen)
        outputs = list(body.outputs)
        outputs[(scope.number or 1) - 1] = given[name]
        kept, counts[name] = replace(body, outputs=tuple(outputs)), outputs
    return kept, loop.completion is not None and truth(loop.completion, {**seen, **counts})


def _another_round(board: Board, scope: Scope, loop: StandardLoop) -> bool:
    number = scope.number or 1
    if loop.maximum is not None and number >= loop.maximum:
        return False
    return truth(loop.condition, visible(board, scope.id))


def _begin_next(board: Board, body: Scope, loop: Loop) -> None:
    if isinstance(loop, StandardLoop):
        _begin(board, body, {})
    elif body.items is not None and body.started < len(body.items):
        _begin(board, body, _instance_variables(loop, body.items[body.started]))


def _close(board: Board, token: Token, loop: Loop, body: Scope) -> None:
    if board.running_in(body.id):
        return
    if isinstance(loop, MultiInstance) and loop.output_collection is not None:
        given = {loop.output_collection: list(body.outputs or ())}
        write(board, token.scope_id, given, otherwise=home(board, token.scope_id))
    hand_over(board, body, token.scope_id)
    leave(board, token, HistoryEvent.COMPLETED, instances=body.ended)

"""Variables of a run, changed by a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import ScopeUnknownError, VariableUnknownError
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.variables import check_subject, plain_all, write_local

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.happenings import VariablesEdited
    from pilothouse.bpmn.state import Scope


def variables_edited(board: Board, order: VariablesEdited) -> None:
    """
    Set variables in a scope and remove others; jobs that are there keep the inputs that they were given.

    Raises
    ------
    ScopeUnknownError
        When no open scope, or more than one, is meant.
    VariableUnknownError
        When one that is to be removed is not there.
    VariableInvalidError, ExpressionFailedError
        When a value cannot be kept, or would change what the run is about.
    """
    scope, given = _scope(board, order.scope), plain_all(order.given)
    check_subject(board, scope.id, {**given, **dict.fromkeys(order.removed)})
    known = tuple(v.name for v in board.variables.values() if v.scope_id == scope.id)
    unknown = tuple(name for name in order.removed if name not in known)
    if unknown:
        raise VariableUnknownError(names=unknown, known=tuple(sorted(known)))
    for name in dict.fromkeys(order.removed):
        board.drop(board.variables[f"{scope.id}/{name}"])
    write_local(board, scope.id, given)
    board.record(
        HistoryEvent.VARIABLES_CHANGED,
        scope=scope.element if scope.parent_id else None,
        variables=given,
        removed=sorted(set(order.removed)),
        reason=order.reason,
    )


def _scope(board: Board, name: str | None) -> Scope:
    if name is None:
        return next(s for s in board.scopes.values() if s.parent_id is None)
    inner = [s for s in board.scopes.values() if s.parent_id is not None]
    found = [s for s in inner if s.id == name] or [s for s in inner if s.element == name]
    if len(found) != 1:
        known = tuple(f"{s.id} ({s.element})" for s in sorted(inner, key=lambda s: s.id))
        raise ScopeUnknownError(run_id=board.run.id, scope=name, known=known)
    return found[0]

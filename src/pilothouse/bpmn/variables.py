"""Variables of a run: looked up from the inner scope outwards, written where they are known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import ExpressionFailedError, VariableInvalidError
from pilothouse.bpmn.state import Scope, ScopeKind, Variable
from pilothouse.domain.plain import rfc3339

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.definition import Mapped
    from pilothouse.bpmn.expressions import Variables

MAXIMUM_DEPTH = 32
NAME_LENGTH = 200
SUBJECT = frozenset(
    {
        *("snapshot", "snapshot_id", "digest", "model", "number", "risk_tier"),
        *("service", "author", "group"),
    }
)
"""Variables that say what a run is about; once there, only an output mapping that somebody has drawn changes them."""


def visible(board: Board, scope_id: str) -> dict[str, object]:
    """Give all variables that a scope sees; an inner one hides an outer one of its name."""
    return _gathered(board, _outwards(board, scope_id))


def inner(board: Board, scope_id: str) -> dict[str, object]:
    """Give the variables that a scope sees and that are not the process's own."""
    return _gathered(board, _outwards(board, scope_id)[:-1])


def _gathered(board: Board, scopes: list[Scope]) -> dict[str, object]:
    own: dict[str, dict[str, object]] = {scope.id: {} for scope in reversed(scopes)}
    for variable in board.variables.values():
        if variable.scope_id in own:
            own[variable.scope_id][variable.name] = variable.value
    return {name: value for values in own.values() for name, value in values.items()}


def _outwards(board: Board, scope_id: str) -> list[Scope]:
    scopes, at = [], board.scopes.get(scope_id)
    while at is not None:
        scopes.append(at)
        at = board.scopes[at.parent_id] if at.parent_id else None
    return scopes


def mapped(mappings: tuple[Mapped, ...], variables: Variables) -> dict[str, object]:
    """
    Evaluate input or output mappings; a later one sees what an earlier one gave.

    Raises
    ------
    ExpressionFailedError
        When one fails or gives what cannot be kept.
    """
    seen, given = dict(variables), {}
    for mapping in mappings:
        value = mapping.source.given(seen)
        try:
            given[mapping.target] = seen[mapping.target] = plain(mapping.target, value)
        except VariableInvalidError as error:
            raise ExpressionFailedError(
                expression=mapping.source.text, problem=f"cannot be kept: {error}"
            ) from error
    return given


def write_local(board: Board, scope_id: str, values: Mapping[str, object]) -> None:
    """Set variables in this very scope."""
    for name, value in values.items():
        board.put(
            Variable(run_id=board.run.id, scope_id=scope_id, name=name, value=plain(name, value))
        )


def write(
    board: Board, scope_id: str, values: Mapping[str, object], *, otherwise: str | None = None
) -> None:
    """Set variables in the nearest scope that has them, or else in `otherwise` (the process scope)."""
    scopes = _outwards(board, scope_id)
    for name, value in values.items():
        home = (s.id for s in scopes if f"{s.id}/{name}" in board.variables)
        write_local(board, next(home, otherwise or scopes[-1].id), {name: value})


def deliver(
    board: Board, scope_id: str, outputs: tuple[Mapped, ...], given: Mapping[str, object]
) -> None:
    """
    Set what an output mapping makes of `given`, or all of it where nothing is mapped.

    What is known nowhere yet belongs to the scope itself where it is mapped, and else to the process; in an
    instance of a multi-instance activity it stays with the instance, so that instances do not overwrite one
    another.
    """
    if outputs:
        values = mapped(outputs, {**visible(board, scope_id), **given})
        write(board, scope_id, values, otherwise=scope_id)
    elif given:
        check_subject(board, scope_id, given)
        write(board, scope_id, given, otherwise=home(board, scope_id))


def check_subject(board: Board, scope_id: str, given: Mapping[str, object]) -> None:
    """
    Refuse what comes from outside and would change what the run is about: approvals hang on that.

    Raises
    ------
    ExpressionFailedError
        When it would.
    """
    scopes = _outwards(board, scope_id)
    for name in sorted(SUBJECT.intersection(given)):
        held = (board.variables.get(f"{scope.id}/{name}") for scope in scopes)
        nearest = next((variable for variable in held if variable is not None), None)
        if (
            nearest is not None
            and nearest.scope_id == scopes[-1].id
            and nearest.value != plain(name, given[name])
        ):
            raise ExpressionFailedError(
                expression=name,
                problem="says what the run is about, and no answer changes it: leave it out, or draw an output "
                "mapping that gives it another name",
            )


def home(board: Board, scope_id: str) -> str:
    """Give the scope where unmapped variables belong: the instance around it, or else the process."""
    scopes = _outwards(board, scope_id)
    around = (s.id for s in scopes if s.kind is ScopeKind.INSTANCE)
    return next(around, scopes[-1].id)


def plain_all(values: Mapping[str, object]) -> dict[str, object]:
    """
    Check variables that come from outside.

    Raises
    ------
    VariableInvalidError
        When a name is empty or too long, or a value is not plain.
    """
    for name in values:
        if not 0 < len(name) <= NAME_LENGTH:
            raise VariableInvalidError(
                name=name[:NAME_LENGTH], problem="has no name of 1 to 200 characters"
            )
    return {name: plain(name, value) for name, value in values.items()}


def plain(name: str, value: object, depth: int = 0) -> object:
    """
    Give a value the form in which it is kept: what JSON knows.

    Dates and times become ISO 8601 text and decimal numbers become floats (whole ones integers), as in
    any JSON that leaves an expression.

    Raises
    ------
    VariableInvalidError
        When the value has no such form, or is nested too deep.

    Examples
    --------
    >>> plain("limits", {"low": Decimal("0.5"), "on": date(2026, 1, 5)})
    {'low': 0.5, 'on': '2026-01-05'}
    """
    if depth > MAXIMUM_DEPTH:
        raise VariableInvalidError(
            name=name, problem=f"is nested deeper than {MAXIMUM_DEPTH} levels"
        )
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise VariableInvalidError(name=name, problem="has an entry whose name is not text")
        return {key: plain(name, item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(name, item, depth + 1) for item in value]
    return _plain_scalar(name, value)


def _plain_scalar(name: str, value: object) -> object:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, datetime):
        return rfc3339(value) if value.tzinfo else value.isoformat()
    if isinstance(value, timedelta):
        return f"PT{value.total_seconds():.6f}".rstrip("0").rstrip(".") + "S"
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise VariableInvalidError(name=name, problem=f"is {value!r}, which JSON has no form for")

"""Functions on booleans. Source: DMN 1.5, sections 10.3.4.3 and 10.3.4.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.functions.registry import Registry

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget
    from pilothouse.feel.values import Value

LOGIC = Registry()


@LOGIC.add("not", "negand")
def negation(budget: Budget, negand: Value) -> Value:
    """Turn true into false and false into true; of anything else, null."""
    return (not negand) if isinstance(negand, bool) else None


@LOGIC.add("all", "list", variadic=True)
def all_true(budget: Budget, values: Value) -> Value:
    """Say whether no item is false: null when one is neither true nor false, and none is false."""
    return _joined(budget, values, decisive=False)


@LOGIC.add("any", "list", variadic=True)
def any_true(budget: Budget, values: Value) -> Value:
    """Say whether an item is true: null when none is, and one is neither true nor false."""
    return _joined(budget, values, decisive=True)


def _joined(budget: Budget, values: Value, *, decisive: bool) -> Value:
    items = spread(values)
    if items is None:
        return None
    budget.charge(len(items))
    if any(item is decisive for item in items):
        return decisive
    return (not decisive) if all(isinstance(item, bool) for item in items) else None


def spread(values: Value) -> tuple[Value, ...] | None:
    """
    Give the items that a function on lists works on: ``f([1, 2])`` and ``f(1, 2)`` mean the same.

    Examples
    --------
    >>> spread(((1, 2),)), spread((1, 2))
    ((1, 2), (1, 2))
    """
    if not isinstance(values, tuple):
        return None
    if len(values) == 1 and isinstance(values[0], tuple):
        return values[0]
    return values

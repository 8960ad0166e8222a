"""Functions on booleans, and identity. Source: DMN 1.5, sections 10.3.4.2, 10.3.4.4 and 10.3.4.10."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.functions.registry import Calls, Registry, spread
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import Range, Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

LOGIC = Registry()


@LOGIC.add("not", "negand")
def negation(budget: Budget, negand: Value) -> Value:
    """Turn true into false and false into true; of anything else, null."""
    if isinstance(negand, bool):
        return not negand
    if negand is None:
        return None
    if isinstance(negand, tuple) and len(negand) == 1:
        return negation(budget, negand[0])
    return budget.null(f"not() has no value: 'negand' is a {kind_of(negand)}, not a boolean")


@LOGIC.add("all", "list", variadic=True)
def all_true(budget: Budget, values: tuple[Value, ...]) -> Value:
    """Say whether no item is false: null when one is neither true nor false, and none is false."""
    return _joined(budget, "all", values, decisive=False)


@LOGIC.add("any", "list", variadic=True)
def any_true(budget: Budget, values: tuple[Value, ...]) -> Value:
    """Say whether an item is true: null when none is, and one is neither true nor false."""
    return _joined(budget, "any", values, decisive=True)


def _joined(budget: Budget, name: str, values: tuple[Value, ...], *, decisive: bool) -> Value:
    if values == (None,):
        return budget.null(f"{name}() has no value: 'list' is null")
    items = spread(values)
    budget.charge(len(items))
    if any(item is decisive for item in items):
        return decisive
    for i, item in enumerate(items, 1):
        if item is not None and not isinstance(item, bool):
            return budget.null(
                f"{name}() has no value: item {i} is a {kind_of(item)}, not a boolean"
            )
    return None if None in items else not decisive


@LOGIC.add("is", "value1", "value2")
def identical(budget: Budget, value1: Value, value2: Value) -> Value:
    """Say whether two values are the same one of FEEL's values, zones and all."""
    return _same(budget, value1, value2, 0)


@LOGIC.add_for(Calls.BY_NAME, "is", "value1")
@LOGIC.add_for(Calls.BY_NAME, "is", "value2")
def identical_to_null(budget: Budget, value: Value) -> Value:
    """Say whether the one value that was given is null, as the other is."""
    return value is None


def _same(budget: Budget, left: Value, right: Value, depth: int) -> bool:
    if type(left) is not type(right):
        return False
    budget.check_depth(depth)
    if isinstance(left, tuple) and isinstance(right, tuple):
        pairs = list(zip(left, right, strict=True)) if len(left) == len(right) else None
    elif isinstance(left, dict) and isinstance(right, dict):
        shared = left.keys() == right.keys()
        pairs = [(value, right[key]) for key, value in left.items()] if shared else None
    elif isinstance(left, Range) and isinstance(right, Range):
        return _same_range(budget, left, right, depth)
    else:
        return left == right
    if pairs is None:
        return False
    budget.charge(len(pairs))
    return all(_same(budget, a, b, depth + 1) for a, b in pairs)


def _same_range(budget: Budget, left: Range, right: Range, depth: int) -> bool:
    if _shape(left) != _shape(right):
        return False
    return _same(budget, left.start, right.start, depth + 1) and _same(
        budget, left.end, right.end, depth + 1
    )


def _shape(bounds: Range) -> tuple[Operator | None, bool, bool]:
    # (>= 2) and [2..) are the same range; (= 2) and (!= 2) are no range with those ends.
    exact = bounds.operator in (Operator.EQUAL, Operator.UNEQUAL)
    return bounds.operator if exact else None, bounds.start_included, bounds.end_included

"""Functions on lists. Source: DMN 1.5, section 10.3.4.4 (table 76)."""

from __future__ import annotations

from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING

from pilothouse.feel.arithmetic import calculate
from pilothouse.feel.comparison import equal, ordered
from pilothouse.feel.functions.logic import spread
from pilothouse.feel.functions.numbers import integer
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.syntax import Operator
from pilothouse.feel.values import NUMBERS, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.budget import Budget

LISTS = Registry()


def _items(value: Value) -> tuple[Value, ...] | None:
    """Take a list; a single value is a list of one (DMN 1.5, section 10.3.2.9.4), null is none."""
    if value is None or isinstance(value, tuple):
        return value
    return (value,)


@LISTS.add("list contains", "list", "element")
def list_contains(budget: Budget, values: Value, element: Value) -> Value:
    """Say whether an item equals the element."""
    items = _items(values)
    if items is None:
        return None
    budget.charge(len(items))
    return any(equal(item, element, budget) is True for item in items)


@LISTS.add("count", "list", variadic=True)
def count(budget: Budget, values: Value) -> Value:
    """Count the items."""
    items = spread(values)
    if items is None or values == (None,):
        return None
    return Decimal(len(items))


@LISTS.add("sum", "list", variadic=True)
def total(budget: Budget, values: Value) -> Value:
    """Add the items up; null when there are none, or one cannot be added."""
    items = spread(values)
    if not items:
        return None
    budget.charge(len(items))
    result: Value = items[0] if not isinstance(items[0], str) else None
    for item in items[1:]:
        result = calculate(Operator.ADD, result, item, budget)
    return result if isinstance(result, Decimal) or len(items) > 1 else None


@LISTS.add("mean", "list", variadic=True)
def mean(budget: Budget, values: Value) -> Value:
    """Give the arithmetic mean; null when there are no items, or one is no number."""
    result = total(budget, values)
    items = spread(values)
    if not isinstance(result, Decimal) or not items:
        return None
    return NUMBERS.divide(result, Decimal(len(items)))


@LISTS.add("product", "list", variadic=True)
def product(budget: Budget, values: Value) -> Value:
    """Multiply the items; null when there are none, or one is no number."""
    items = spread(values)
    if not items:
        return None
    budget.charge(len(items))
    result = Decimal(1)
    try:
        for item in items:
            if not isinstance(item, Decimal):
                return None
            result = NUMBERS.multiply(result, item)
    except DecimalException:
        return None
    return result


def _enter_extreme(name: str, operator: Operator) -> Callable[[Budget, Value], Value]:
    @LISTS.add(name, "list", variadic=True)
    def run(budget: Budget, values: Value) -> Value:
        items = spread(values)
        if not items:
            return None
        budget.charge(len(items))
        best = items[0]
        for item in items:
            order = ordered(operator, item, best)
            if order is None:
                return None
            best = item if order else best
        return best

    def typed(budget: Budget, values: Value) -> Value:
        return run(budget, values)

    return typed


minimum = _enter_extreme("min", Operator.LESS)
maximum = _enter_extreme("max", Operator.MORE)


@LISTS.add("append", "list", "item", variadic=True)
def append(budget: Budget, values: Value, added: Value) -> Value:
    """Put items at the end."""
    items = _items(values)
    if items is None or not isinstance(added, tuple):
        return None
    return _built(budget, items + added)


@LISTS.add("concatenate", "list", variadic=True)
def concatenate(budget: Budget, lists: Value) -> Value:
    """Put lists one behind the other."""
    if not isinstance(lists, tuple):
        return None
    joined: list[Value] = []
    for values in lists:
        items = _items(values)
        if items is None:
            return None
        budget.charge(len(items))
        joined.extend(items)
    return tuple(joined)


@LISTS.add("distinct values", "list")
def distinct_values(budget: Budget, values: Value) -> Value:
    """Leave out items that are equal to an earlier one."""
    items = _items(values)
    return None if items is None else _distinct(budget, items)


def _distinct(budget: Budget, items: tuple[Value, ...]) -> tuple[Value, ...]:
    kept: list[Value] = []
    for item in items:
        budget.charge(1 + len(kept))
        if not any(equal(item, other, budget) is True for other in kept):
            kept.append(item)
    return tuple(kept)


@LISTS.add("union", "list", variadic=True)
def union(budget: Budget, lists: Value) -> Value:
    """Put lists together without repeated items."""
    joined = concatenate(budget, lists)
    return _distinct(budget, joined) if isinstance(joined, tuple) else None


@LISTS.add("flatten", "list")
def flatten(budget: Budget, values: Value) -> Value:
    """Replace each list in a list by its items, at all depths."""
    items = _items(values)
    if items is None:
        return None
    flat: list[Value] = []
    _flatten(budget, items, flat, 0)
    return tuple(flat)


def _flatten(budget: Budget, items: tuple[Value, ...], flat: list[Value], depth: int) -> None:
    budget.check_depth(depth)
    budget.charge(len(items))
    for item in items:
        if isinstance(item, tuple):
            _flatten(budget, item, flat, depth + 1)
        else:
            flat.append(item)


@LISTS.add("reverse", "list")
def reverse(budget: Budget, values: Value) -> Value:
    """Turn the order around."""
    items = _items(values)
    return None if items is None else _built(budget, items[::-1])


@LISTS.add("index of", "list", "match")
def index_of(budget: Budget, values: Value, match: Value) -> Value:
    """List the positions, from 1, of the items that equal `match`."""
    items = _items(values)
    if items is None:
        return None
    budget.charge(len(items))
    return tuple(Decimal(i) for i, v in enumerate(items, 1) if equal(v, match, budget) is True)


@LISTS.add("sublist", "list", "start position", "length", optional=1)
def sublist(budget: Budget, values: Value, start: Value, length: Value) -> Value:
    """Cut out a part; positions count from 1, negative ones from the end."""
    items, first, wanted = _items(values), integer(start), integer(length)
    if items is None or not first or abs(first) > len(items):
        return None
    if length is not None and (wanted is None or wanted < 0):
        return None
    begin = first - 1 if first > 0 else len(items) + first
    end = len(items) if wanted is None else begin + wanted
    return _built(budget, items[begin:end]) if end <= len(items) else None


@LISTS.add("get value", "m", "key")
def get_value(budget: Budget, context: Value, key: Value) -> Value:
    """Give the entry of a context by its key; null where there is none."""
    if not isinstance(context, dict) or not isinstance(key, str):
        return None
    return context.get(key)


@LISTS.add("get entries", "m")
def get_entries(budget: Budget, context: Value) -> Value:
    """List the entries of a context as contexts of ``key`` and ``value``."""
    if not isinstance(context, dict):
        return None
    budget.charge(len(context))
    return tuple({"key": key, "value": value} for key, value in context.items())


def _built(budget: Budget, items: tuple[Value, ...]) -> tuple[Value, ...]:
    budget.charge(len(items))
    return items

"""Functions that look through lists and change them. Source: DMN 1.5, section 10.3.4.4 (table 76)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.feel.functions.distinct import Distinct, same
from pilothouse.feel.functions.parameters import function, integer, items, number, whole
from pilothouse.feel.functions.registry import Calls, Registry
from pilothouse.feel.invocation import invoke
from pilothouse.feel.values import Function, Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

LISTS = Registry()


@LISTS.add("list contains", items("list"), "element")
def list_contains(budget: Budget, values: tuple[Value, ...], element: Value) -> Value:
    """Say whether an item equals the element."""
    budget.charge(len(values))
    return any(same(item, element, budget) for item in values)


@LISTS.add("append", items("list"), "item", variadic=True)
def append(budget: Budget, values: tuple[Value, ...], added: tuple[Value, ...]) -> Value:
    """Put items at the end."""
    return _built(budget, values + added)


@LISTS.add("concatenate", "list", variadic=True)
def concatenate(budget: Budget, lists: tuple[Value, ...]) -> Value:
    """Put lists one behind the other."""
    return _joined(budget, "concatenate", lists)


def _joined(budget: Budget, name: str, lists: tuple[Value, ...]) -> tuple[Value, ...] | None:
    joined: list[Value] = []
    for i, values in enumerate(lists, 1):
        if values is None:
            return budget.null(f"{name}() has no value: list {i} is null")
        inner = values if isinstance(values, tuple) else (values,)
        budget.charge(len(inner))
        joined.extend(inner)
    return tuple(joined)


@LISTS.add("distinct values", items("list"))
def distinct_values(budget: Budget, values: tuple[Value, ...]) -> Value:
    """Leave out items that are equal to an earlier one."""
    seen = Distinct(budget)
    return tuple([value for value in values if seen.add(value)])


@LISTS.add("duplicate values", items("list"))
def duplicate_values(budget: Budget, values: tuple[Value, ...]) -> Value:
    """List the items that are there more than once, each one time, in the order in which they first come."""
    seen, repeated = Distinct(budget), Distinct(budget)
    for value in values:
        if not seen.add(value):
            repeated.add(value)
    firsts = Distinct(budget)
    return tuple([v for v in values if firsts.add(v) and not repeated.add(v)])


@LISTS.add("union", "list", variadic=True)
def union(budget: Budget, lists: tuple[Value, ...]) -> Value:
    """Put lists together without repeated items."""
    joined = _joined(budget, "union", lists)
    return None if joined is None else distinct_values(budget, joined)


@LISTS.add("flatten", items("list"))
def flatten(budget: Budget, values: tuple[Value, ...]) -> Value:
    """Replace each list in a list by its items, at all depths."""
    flat: list[Value] = []
    _flatten(budget, values, flat, 0)
    return tuple(flat)


def _flatten(budget: Budget, values: tuple[Value, ...], flat: list[Value], depth: int) -> None:
    budget.check_depth(depth)
    budget.charge(len(values))
    for value in values:
        if isinstance(value, tuple):
            _flatten(budget, value, flat, depth + 1)
        else:
            flat.append(value)


@LISTS.add("reverse", items("list"))
def reverse(budget: Budget, values: tuple[Value, ...]) -> Value:
    """Turn the order around."""
    return _built(budget, values[::-1])


@LISTS.add("index of", items("list"), "match")
def index_of(budget: Budget, values: tuple[Value, ...], match: Value) -> Value:
    """List the positions, from 1, of the items that equal `match`."""
    budget.charge(len(values))
    return tuple(Decimal(i) for i, v in enumerate(values, 1) if same(v, match, budget))


@LISTS.add("sublist", items("list"), whole("start position"), number("length"), optional=1)
def sublist(budget: Budget, values: tuple[Value, ...], start: int, length: Decimal | None) -> Value:
    """Cut out a part; positions count from 1, negative ones from the end; the fraction of a length is cut off."""
    begin = _index(budget, "sublist", start, values)
    if begin is None:
        return None
    if length is None:
        return _built(budget, values[begin:])
    left = len(values) - begin
    if not 1 <= length < left + 1:
        return budget.null(
            f"sublist() has no value: 'length' must be from 1 to {left} here, not {length}"
        )
    return _built(budget, values[begin : begin + int(length)])


@LISTS.add("insert before", items("list"), whole("position"), "newItem")
def insert_before(budget: Budget, values: tuple[Value, ...], position: int, item: Value) -> Value:
    """Put an item before the one at a position."""
    index = _index(budget, "insert before", position, values)
    return None if index is None else _built(budget, (*values[:index], item, *values[index:]))


@LISTS.add("remove", items("list"), whole("position"))
def remove(budget: Budget, values: tuple[Value, ...], position: int) -> Value:
    """Take out the item at a position."""
    index = _index(budget, "remove", position, values)
    return None if index is None else _built(budget, values[:index] + values[index + 1 :])


@LISTS.add_for(Calls.BY_POSITION, "list replace", items("list"), "position or match", "newItem")
def replace(budget: Budget, values: tuple[Value, ...], which: Value, item: Value) -> Value:
    """Replace the item at a position, or each one that a function chooses."""
    if isinstance(which, Function):
        return replace_matching(budget, values, which, item)
    position = integer(which)
    if position is None:
        found = "null" if which is None else f"a {kind_of(which)}"
        return budget.null(
            f"list replace() has no value: it needs a whole number or a function, not {found}"
        )
    return replace_at(budget, values, position, item)


@LISTS.add_for(Calls.BY_NAME, "list replace", items("list"), whole("position"), "newItem")
def replace_at(budget: Budget, values: tuple[Value, ...], position: int, item: Value) -> Value:
    """Replace the item at a position."""
    index = _index(budget, "list replace", position, values)
    return None if index is None else _built(budget, (*values[:index], item, *values[index + 1 :]))


@LISTS.add_for(Calls.BY_NAME, "list replace", items("list"), function("match"), "newItem")
def replace_matching(
    budget: Budget, values: tuple[Value, ...], match: Function, item: Value
) -> Value:
    """Replace each item for which a function of it and the new item is true."""
    budget.charge(len(values))
    replaced: list[Value] = []
    for old in values:
        answer = invoke(match, (old, item), (), budget)
        if not isinstance(answer, bool):
            return budget.null("list replace() has no value: 'match' must give true or false")
        replaced.append(item if answer else old)
    return tuple(replaced)


def _index(budget: Budget, name: str, position: int, values: tuple[Value, ...]) -> int | None:
    """Turn a position from 1, or from -1 at the end, into an index from 0."""
    if position == 0 or abs(position) > len(values):
        return budget.null(
            f"{name}() has no value: there is no position {position} in a list of {len(values)} items"
        )
    return position - 1 if position > 0 else len(values) + position


def _built(budget: Budget, values: tuple[Value, ...]) -> tuple[Value, ...]:
    budget.charge(len(values))
    return values

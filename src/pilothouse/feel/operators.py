"""Closures of operators: each shape of node, made fast for numbers. Source: DMN 1.5, section 10.3.2.15."""

from __future__ import annotations

import operator as python
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING

from pilothouse.feel.arithmetic import NUMERIC, calculate, negate
from pilothouse.feel.comparison import equal, ordered
from pilothouse.feel.functions.parameters import integer
from pilothouse.feel.intervals import interval
from pilothouse.feel.lookups import followed
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.budget import Budget, Place
    from pilothouse.feel.checks import Check
    from pilothouse.feel.scope import Closure, State

_NUMBERS_ORDERED: dict[Operator, Callable[[Decimal, Decimal], bool]] = {
    Operator.EQUAL: python.eq,
    Operator.UNEQUAL: python.ne,
    Operator.LESS: python.lt,
    Operator.AT_MOST: python.le,
    Operator.MORE: python.gt,
    Operator.AT_LEAST: python.ge,
}


def binary(operator: Operator, left: Closure, right: Closure, place: Place) -> Closure:
    """Apply one operator of arithmetic."""
    numeric = NUMERIC[operator]

    def run(state: State) -> Value:
        a, b = left(state), right(state)
        if type(a) is Decimal and type(b) is Decimal:
            try:
                return numeric(a, b)
            except DecimalException:
                pass  # `calculate` meets it again, and keeps the reason
        result = calculate(operator, a, b, state.budget)
        if result is None:
            state.budget.locate(place)
        return result

    return run


def chain(first: Closure, rest: tuple[tuple[Operator, Closure], ...], place: Place) -> Closure:
    """Apply operators of one rank from the left."""

    def run(state: State) -> Value:
        result = first(state)
        for operator, operand in rest:
            result = calculate(operator, result, operand(state), state.budget)
            if result is None:
                state.budget.locate(place)
        return result

    return run


def negation(operand: Closure, place: Place) -> Closure:
    """Change the sign."""

    def run(state: State) -> Value:
        result = negate(operand(state), state.budget)
        if result is None:
            state.budget.locate(place)
        return result

    return run


def compared(operator: Operator, left: Closure, right: Closure, place: Place) -> Closure:
    """Compare two values."""
    numeric = _NUMBERS_ORDERED[operator]

    def run(state: State) -> Value:
        a, b = left(state), right(state)
        if type(a) is Decimal and type(b) is Decimal:
            return numeric(a, b)
        return _compared(operator, a, b, state.budget, place)

    return run


def compared_to(operator: Operator, left: Closure, constant: Value, place: Place) -> Closure:
    """Compare a value with one known while compiling."""
    if not isinstance(constant, (Decimal, str)):
        return compared(operator, left, lambda state: constant, place)
    numeric: Callable[[object, object], bool] = _NUMBERS_ORDERED[operator]  # type: ignore[assignment]
    kind = type(constant)

    def run(state: State) -> Value:
        a = left(state)
        if type(a) is kind:
            return numeric(a, constant)
        return _compared(operator, a, constant, state.budget, place)

    return run


def _compared(operator: Operator, left: Value, right: Value, budget: Budget, place: Place) -> Value:
    if operator in (Operator.EQUAL, Operator.UNEQUAL):
        answer = equal(left, right, budget)
        if answer is not None and operator is Operator.UNEQUAL:
            return not answer
    else:
        answer = ordered(operator, left, right, budget)
    if answer is None:
        budget.locate(place)
    return answer


def between(value: Closure, low: Closure, high: Closure, place: Place) -> Closure:
    """Compare a value with two bounds, both included."""

    def run(state: State) -> Value:
        found, least, most = value(state), low(state), high(state)
        above = ordered(Operator.AT_LEAST, found, least, state.budget)
        below = ordered(Operator.AT_MOST, found, most, state.budget)
        if above is None or below is None:
            state.budget.locate(place)
            return False if above is False or below is False else None
        return above and below

    return run


def conjunction(parts: tuple[Closure, ...]) -> Closure:
    """Join by ``and``, with null for what is unknown."""

    def run(state: State) -> Value:
        result: bool | None = True
        for part in parts:
            value = part(state)
            if value is False:
                return False
            if value is not True:
                result = None
        return result

    return run


def disjunction(parts: tuple[Closure, ...]) -> Closure:
    """Join by ``or``, with null for what is unknown."""

    def run(state: State) -> Value:
        result: bool | None = False
        for part in parts:
            value = part(state)
            if value is True:
                return True
            if value is not False:
                result = None
        return result

    return run


def passing(value: Closure, checks: tuple[Check, ...], slot: int | None, place: Place) -> Closure:
    """Say whether a value passes one of several tests; `slot` is for it where one of them reads ``?``."""

    def run(state: State) -> Value:
        found = value(state)
        if slot is not None:
            state.frame[slot] = found
        answer = any_passed(state, found, checks)
        if answer is None:
            state.budget.locate(place)
        return answer

    return run


def any_passed(state: State, value: Value, checks: tuple[Check, ...]) -> bool | None:
    """Join the answers of tests by ``or``."""
    result: bool | None = False
    for check in checks:
        answer = check(state, value)
        if answer is True:
            return True
        if answer is not False:
            result = None
    return result


def members(base: Closure, names: tuple[str, ...], place: Place) -> Closure:
    """Take members inside members."""
    return lambda state: followed(state, base(state), names, place)


def position(base: Closure, number: Decimal, place: Place) -> Closure:
    """Take the item at a position that is known while compiling."""
    return lambda state: item_at(base(state), number, state.budget, place)


def item_at(value: Value, number: Decimal, budget: Budget, place: Place) -> Value:
    """
    Take an item of a list by its position, from 1, or from the end where it is negative.

    Parameters
    ----------
    value
        The list; any other value stands for a list of it.
    number
        The position.
    budget, place
        Keep the reason where there is no such item.

    Examples
    --------
    >>> from pilothouse.feel.budget import Budget
    >>> budget = Budget()
    >>> item_at(("a", "b"), Decimal(-1), budget, ("", 0)), item_at(("a", "b"), Decimal(3), budget, ("", 0))
    ('b', None)
    >>> budget.nulls[0].problem
    'there is no item 3 in a list of 2'
    """
    at = integer(number)
    items = value if isinstance(value, tuple) else (value,)
    if not at or abs(at) > len(items):
        return budget.null(f"there is no item {number} in a list of {len(items)}", place=place)
    return items[at - 1 if at > 0 else at]


def context(entries: tuple[tuple[str, int, Closure], ...]) -> Closure:
    """Build a context; each entry sees the ones before it."""

    def run(state: State) -> Value:
        built: dict[str, Value] = {}
        for key, slot, closure in entries:
            built[key] = state.frame[slot] = closure(state)
        return built

    return run


def ambiguous(keys: list[str], place: Place) -> Closure:
    """Give null for a context whose keys are not all different, as 10.3.2.6 has it."""
    twice = next(key for key in keys if keys.count(key) > 1)
    problem = f"the context has no value: it has the key {twice!r} more than once"
    return lambda state: state.budget.null(problem, place=place)


def range_between(
    low: Closure, high: Closure, included: tuple[bool, bool], place: Place
) -> Closure:
    """Make a range of two ends."""

    def run(state: State) -> Value:
        found = interval(low(state), high(state), included, state.budget)
        if found is None:
            state.budget.locate(place)
        return found

    return run


def range_beyond(operator: Operator, operand: Closure, place: Place) -> Closure:
    """Make the range that a comparison with one value describes."""

    def run(state: State) -> Value:
        end = operand(state)
        bounds = operator not in (Operator.EQUAL, Operator.UNEQUAL)
        if end is None or (bounds and ordered(operator, end, end) is None):
            said = f"the range {operator} {kind_of(end)} has no value"
            return state.budget.null(said, place=place)
        return Range.compared(operator, end)

    return run


def choice(condition: Closure, chosen: Closure, otherwise: Closure) -> Closure:
    """Choose by a condition: what is not true counts as false."""
    return lambda state: chosen(state) if condition(state) is True else otherwise(state)

"""Closures of operators: each shape of node, made fast for numbers. Source: DMN 1.5, section 10.3.2.10."""

from __future__ import annotations

import operator as python
from decimal import Decimal, DecimalException
from typing import TYPE_CHECKING

from pilothouse.feel.arithmetic import NUMERIC, calculate
from pilothouse.feel.comparison import equal, ordered
from pilothouse.feel.functions.numbers import integer
from pilothouse.feel.members import member
from pilothouse.feel.syntax import Operator
from pilothouse.feel.values import Range, Value

if TYPE_CHECKING:
    from collections.abc import Callable

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


def binary(operator: Operator, left: Closure, right: Closure) -> Closure:
    """Apply one operator of arithmetic."""
    numeric = NUMERIC[operator]

    def run(state: State) -> Value:
        a, b = left(state), right(state)
        if type(a) is Decimal and type(b) is Decimal:
            try:
                return numeric(a, b)
            except DecimalException:
                return None
        return calculate(operator, a, b, state.budget)

    return run


def chain(first: Closure, rest: tuple[tuple[Operator, Closure], ...]) -> Closure:
    """Apply operators of one rank from the left."""

    def run(state: State) -> Value:
        result = first(state)
        for operator, operand in rest:
            result = calculate(operator, result, operand(state), state.budget)
        return result

    return run


def compared(operator: Operator, left: Closure, right: Closure) -> Closure:
    """Compare two values."""
    numeric = _NUMBERS_ORDERED[operator]

    def run(state: State) -> Value:
        a, b = left(state), right(state)
        if type(a) is Decimal and type(b) is Decimal:
            return numeric(a, b)
        return _compared(operator, a, b, state)

    return run


def compared_to(operator: Operator, left: Closure, constant: Value) -> Closure:
    """Compare a value with one known while compiling."""
    if not isinstance(constant, (Decimal, str)):
        return compared(operator, left, lambda state: constant)
    numeric: Callable[[object, object], bool] = _NUMBERS_ORDERED[operator]  # type: ignore[assignment]
    kind = type(constant)

    def run(state: State) -> Value:
        a = left(state)
        if type(a) is kind:
            return numeric(a, constant)
        return _compared(operator, a, constant, state)

    return run


def _compared(operator: Operator, left: Value, right: Value, state: State) -> Value:
    if operator is Operator.EQUAL:
        return equal(left, right, state.budget)
    if operator is Operator.UNEQUAL:
        answer = equal(left, right, state.budget)
        return None if answer is None else not answer
    return ordered(operator, left, right)


def between(value: Closure, low: Closure, high: Closure) -> Closure:
    """Compare a value with two bounds, both included."""

    def run(state: State) -> Value:
        found, least, most = value(state), low(state), high(state)
        above = ordered(Operator.AT_LEAST, found, least)
        below = ordered(Operator.AT_MOST, found, most)
        if above is False or below is False:
            return False
        return None if above is None or below is None else True

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


def passing(value: Closure, checks: tuple[Check, ...]) -> Closure:
    """Say whether a value passes one of several tests."""

    def run(state: State) -> Value:
        found = value(state)
        return any_passed(state, found, checks)

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


def members(base: Closure, names: tuple[str, ...]) -> Closure:
    """Take members inside members."""

    def run(state: State) -> Value:
        value = base(state)
        for name in names:
            value = member(value, name, state.budget)
        return value

    return run


def position(base: Closure, number: Decimal) -> Closure:
    """Take the item at a position that is known while compiling."""
    return lambda state: item_at(base(state), number)


def item_at(value: Value, number: Decimal) -> Value:
    """
    Take an item of a list by its position, from 1, or from the end where it is negative.

    Examples
    --------
    >>> item_at(("a", "b"), Decimal(-1)), item_at(("a", "b"), Decimal(3))
    ('b', None)
    """
    place = integer(number)
    items = value if isinstance(value, tuple) else (value,)
    if not place or abs(place) > len(items):
        return None
    return items[place - 1 if place > 0 else place]


def context(entries: tuple[tuple[str, int, Closure], ...]) -> Closure:
    """Build a context; each entry sees the ones before it."""

    def run(state: State) -> Value:
        built: dict[str, Value] = {}
        for key, slot, closure in entries:
            built[key] = state.frame[slot] = closure(state)
        return built

    return run


def interval(low: Value, high: Value, included: tuple[bool, bool]) -> Value:
    """Make a range; null when its ends have no order, or stand the wrong way round."""
    if ordered(Operator.AT_MOST, low, high) is not True:
        return None
    return Range(start=low, end=high, start_included=included[0], end_included=included[1])

"""
Closures of unary tests, the cells of decision tables and the right side of ``in``.

A test by value is passed by what equals it, lies in its range, or is in its list; a test that is true or
false by itself (a condition on ``?``, a comparison of other variables) is passed when it is true.
Source: DMN 1.5, section 10.3.2.10 and table 55.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from pilothouse.feel.comparison import equal, member, ordered, within
from pilothouse.feel.scope import Closure, State
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import Range, Value

Check: TypeAlias = Callable[[State, Value], "bool | None"]
"""A compiled unary test: run it in a state on a value."""


def operator_check(operator: Operator, operand: Closure) -> Check:
    """Compile ``< operand`` and its relatives."""
    if operator is Operator.EQUAL:
        return lambda state, value: equal(value, operand(state), state.budget)
    if operator is Operator.UNEQUAL:
        return lambda state, value: _denied(equal(value, operand(state), state.budget))
    return lambda state, value: ordered(operator, value, operand(state))


def _denied(answer: bool | None) -> bool | None:
    return None if answer is None else not answer


def value_check(closure: Closure, *, constant: Value = None) -> Check:
    """Compile a test by value; `constant` is its value where that is known while compiling."""
    if isinstance(constant, (Decimal, str)):
        return _constant_check(constant)
    return lambda state, value: member(value, closure(state), state.budget)


def _constant_check(constant: Decimal | str) -> Check:
    kind = type(constant)

    def check(state: State, value: Value) -> bool | None:
        return value == constant if type(value) is kind else equal(value, constant, state.budget)

    return check


def range_check(closure: Closure) -> Check:
    """Compile a test by a range written out; ends without an order make the answer null."""

    def check(state: State, value: Value) -> bool | None:
        bounds = closure(state)
        return within(value, bounds) if isinstance(bounds, Range) else None

    return check


def condition_check(closure: Closure) -> Check:
    """Compile a test that speaks of ``?`` itself: it is passed when it is true, or by what equals its value."""

    def check(state: State, value: Value) -> bool | None:
        test = closure(state)
        if test is None or isinstance(test, bool):
            return test
        return member(value, test, state.budget)

    return check


def cell_check(closure: Closure) -> Check:
    """Compile a cell's test that is no constant: by value, or true by itself where the input is no boolean."""

    def check(state: State, value: Value) -> bool | None:
        test = closure(state)
        if isinstance(test, bool) and value is not None and not isinstance(value, bool):
            return test
        return member(value, test, state.budget)

    return check

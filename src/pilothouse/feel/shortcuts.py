"""
Shorter ways for what conditions are made of: a variable, or a member of one, compared with a constant.

Each looks at the caller's own value. Where that is a plain Python number or text, whose answer is sure to be the
one that FEEL gives, it answers without making a FEEL value; else it asks the general closure. So a shortcut never
decides what is null, what is refused, or why.

Why the answers are the same: a float means the decimal number of its shortest text, and the floats have the order
of these texts; so where the constant too is the shortest text of a float, the two floats may be compared instead.
A whole number below 10^15 lies on the same side of such a float as of the constant, since neither falls
on a whole number unless both do.
"""

from __future__ import annotations

import operator as python
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from pilothouse.feel.signs import Operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.scope import Closure, State
    from pilothouse.feel.values import Value

Variable: TypeAlias = tuple[str, tuple[str, ...]]
"""The name of a variable of the context, and the members inside members to take of it."""

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: python.eq,
    Operator.UNEQUAL: python.ne,
    Operator.LESS: python.lt,
    Operator.AT_MOST: python.le,
    Operator.MORE: python.gt,
    Operator.AT_LEAST: python.ge,
}
_LARGEST_INTEGER = 10**15
_LARGEST_FLOAT = 1e300


def comparison(
    operator: Operator, variable: Variable, constant: Value, general: Closure
) -> Closure:
    """
    Compare a variable with a constant.

    Parameters
    ----------
    operator
        How.
    variable
        What stands on the left.
    constant
        What stands on the right.
    general
        The closure of the whole comparison.
    """
    if isinstance(constant, str):
        return _of_text(_COMPARE[operator], variable, constant, general)
    if isinstance(constant, Decimal) and abs(constant) < _LARGEST_INTEGER:
        nearest = float(constant)
        if Decimal(repr(nearest)) == constant:
            return _of_number(_COMPARE[operator], variable, constant, general)
    return general


def membership(variable: Variable, constants: tuple[Value, ...], general: Closure) -> Closure:
    """
    Look for a variable among texts.

    Parameters
    ----------
    variable
        What stands on the left.
    constants
        The items of the list, or the tests, on the right.
    general
        The closure of the whole test.
    """
    if not constants or not all(isinstance(constant, str) for constant in constants):
        return general
    texts, (name, members) = frozenset(constants), variable

    def run(state: State) -> Value:
        raw: Any = state.variables.get(name)
        for key in members:
            if type(raw) is not dict:
                return general(state)
            raw = raw.get(key)
        return raw in texts if type(raw) is str else general(state)

    return run


def _of_text(
    compare: Callable[[Any, Any], bool], variable: Variable, constant: str, general: Closure
) -> Closure:
    name, members = variable

    def run(state: State) -> Value:
        raw: Any = state.variables.get(name)
        for key in members:
            if type(raw) is not dict:
                return general(state)
            raw = raw.get(key)
        return compare(raw, constant) if type(raw) is str else general(state)

    return run


def _of_number(
    compare: Callable[[Any, Any], bool], variable: Variable, constant: Decimal, general: Closure
) -> Closure:
    (name, members), as_float = variable, float(constant)
    as_integer = int(constant) if constant == constant.to_integral_value() else as_float

    def run(state: State) -> Value:
        raw: Any = state.variables.get(name)
        for key in members:
            if type(raw) is not dict:
                return general(state)
            raw = raw.get(key)
        kind = type(raw)
        if kind is float and -_LARGEST_FLOAT < raw < _LARGEST_FLOAT:  # neither infinite nor NaN
            return compare(raw, as_float)
        if kind is int and -_LARGEST_INTEGER < raw < _LARGEST_INTEGER:
            return compare(raw, as_integer)
        if kind is Decimal and state.trusted:
            return compare(raw, constant)
        return general(state)

    return run

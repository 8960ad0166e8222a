"""
Arithmetic by the types of its operands. Source: DMN 1.5, tables 57 to 60.

What has no result (a division by zero, an overflow, a number plus a string) is null.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException

from pilothouse.feel.budget import Budget
from pilothouse.feel.syntax import Operator
from pilothouse.feel.temporal import difference, measure, negated, ratio, resized, shifted
from pilothouse.feel.values import NUMBERS, Value, YearsMonths

_DURATIONS = (timedelta, YearsMonths)
_MOMENTS = (date, datetime, time)

Binary = Callable[[Value, Value, Budget], Value]


def add(left: Value, right: Value, budget: Budget) -> Value:
    """Add numbers, join strings, move moments and durations."""
    if isinstance(left, str) and isinstance(right, str):
        budget.charge_text(len(left) + len(right))
        return left + right
    if isinstance(left, _DURATIONS) and isinstance(right, _MOMENTS):
        return shifted(right, left)
    return shifted(left, right)


def subtract(left: Value, right: Value, budget: Budget) -> Value:
    """Subtract numbers, moments and durations."""
    return difference(left, right)


def multiply(left: Value, right: Value, budget: Budget) -> Value:
    """Multiply numbers; lengthen a duration."""
    if isinstance(left, _DURATIONS) and isinstance(right, Decimal):
        return resized(left, NUMBERS.multiply(measure(left), right))
    if isinstance(left, Decimal) and isinstance(right, _DURATIONS):
        return resized(right, NUMBERS.multiply(measure(right), left))
    return None


def divide(left: Value, right: Value, budget: Budget) -> Value:
    """Divide numbers; shorten a duration; count how often one fits into another."""
    if isinstance(left, _DURATIONS) and isinstance(right, Decimal):
        return resized(left, NUMBERS.divide(measure(left), right))
    if isinstance(left, _DURATIONS) and isinstance(right, _DURATIONS):
        return ratio(left, right)
    return None


def power(left: Value, right: Value, budget: Budget) -> Value:
    """Raise to a power: only numbers can."""
    return None


NUMERIC: dict[Operator, Callable[[Decimal, Decimal], Decimal]] = {
    Operator.ADD: NUMBERS.add,
    Operator.SUBTRACT: NUMBERS.subtract,
    Operator.MULTIPLY: NUMBERS.multiply,
    Operator.DIVIDE: NUMBERS.divide,
    Operator.POWER: NUMBERS.power,
}
"""What each operator does to two numbers; it raises where there is no result."""

GENERAL: dict[Operator, Binary] = {
    Operator.ADD: add,
    Operator.SUBTRACT: subtract,
    Operator.MULTIPLY: multiply,
    Operator.DIVIDE: divide,
    Operator.POWER: power,
}
"""What each operator does to two values of which one is not a number."""


def calculate(operator: Operator, left: Value, right: Value, budget: Budget) -> Value:
    """
    Apply an operator of arithmetic.

    Raises
    ------
    FeelBudgetError
        When a joined string would be too long.

    Examples
    --------
    >>> calculate(Operator.DIVIDE, Decimal(1), Decimal(0), Budget()) is None
    True
    >>> calculate(Operator.ADD, "a", "b", Budget())
    'ab'
    """
    try:
        if type(left) is Decimal and type(right) is Decimal:
            return NUMERIC[operator](left, right)
        return GENERAL[operator](left, right, budget)
    except DecimalException:
        return None


def negate(value: Value) -> Value:
    """Change the sign of a number or duration; of anything else, null."""
    if type(value) is Decimal:
        return NUMBERS.minus(value)
    if isinstance(value, _DURATIONS):
        return negated(value)
    return None

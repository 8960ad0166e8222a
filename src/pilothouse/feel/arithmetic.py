"""
Arithmetic by the types of its operands. Source: DMN 1.5, tables 56 to 60 and 62.

What has no result (a division by zero, an overflow, a number plus a string) is null, with its reason in the budget.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DecimalException, DivisionByZero, Overflow

from pilothouse.feel.budget import Budget
from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import (
    Date,
    DateTime,
    Duration,
    Time,
    days_time,
    difference,
    negated,
    shifted,
    years_months,
)
from pilothouse.feel.values import NUMBERS, DaysTime, Value, YearsMonths, kind_of

DURATIONS = (DaysTime, YearsMonths)
_MOMENTS = (Date, DateTime, Time)
_LARGEST_MEASURE = Decimal(10) ** 34

Binary = Callable[[Value, Value, Budget], Value]


def add(left: Value, right: Value, budget: Budget) -> Value:
    """Add numbers, join strings, move moments and durations."""
    if isinstance(left, str) and isinstance(right, str):
        budget.charge_text(len(left) + len(right))
        return left + right
    if isinstance(left, DURATIONS) and isinstance(right, _MOMENTS):
        return shifted(right, left)
    return shifted(left, right) if isinstance(right, DURATIONS) else None


def subtract(left: Value, right: Value, budget: Budget) -> Value:
    """Subtract numbers, moments and durations."""
    return difference(left, right)


def multiply(left: Value, right: Value, budget: Budget) -> Value:
    """Multiply numbers; lengthen a duration."""
    if isinstance(left, DURATIONS) and isinstance(right, Decimal):
        return _resized(left, NUMBERS.multiply(_measure(left), right))
    if isinstance(left, Decimal) and isinstance(right, DURATIONS):
        return _resized(right, NUMBERS.multiply(_measure(right), left))
    return None


def divide(left: Value, right: Value, budget: Budget) -> Value:
    """Divide numbers; shorten a duration; count how often one fits into another."""
    if isinstance(left, DURATIONS) and isinstance(right, Decimal):
        return _resized(left, NUMBERS.divide(_measure(left), right))
    if isinstance(left, DURATIONS) and type(left) is type(right):
        return NUMBERS.divide(_measure(left), _measure(right))
    return None


def power(left: Value, right: Value, budget: Budget) -> Value:
    """Raise to a power: only numbers can."""
    return None


def _measure(value: Duration) -> Decimal:
    """Count the months, or the nanoseconds, of a duration."""
    return Decimal(value.months if isinstance(value, YearsMonths) else value.nanoseconds)


def _resized(value: Duration, count: Decimal) -> Value:
    """Give a duration of the type of `value` and of this measure, cut towards zero to whole units."""
    if abs(count) > _LARGEST_MEASURE:
        return None
    return years_months(int(count)) if isinstance(value, YearsMonths) else days_time(int(count))


def _power(base: Decimal, exponent: Decimal) -> Decimal:
    # The decimal library gives infinity for the first, without any signal, and nothing for the second.
    if not base and exponent < 0:
        raise DivisionByZero
    if not exponent:
        return Decimal(1)  # for every base, as IEEE 754-2019 has it in section 9.2.1
    return NUMBERS.power(base, exponent)


NUMERIC: dict[Operator, Callable[[Decimal, Decimal], Decimal]] = {
    Operator.ADD: NUMBERS.add,
    Operator.SUBTRACT: NUMBERS.subtract,
    Operator.MULTIPLY: NUMBERS.multiply,
    Operator.DIVIDE: NUMBERS.divide,
    Operator.POWER: _power,
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

    Parameters
    ----------
    operator
        One of the five of arithmetic.
    left, right
        The operands, of any types.
    budget
        Pays for joined strings; keeps the reason where there is no result.

    Raises
    ------
    FeelBudgetError
        When a joined string would be too long.

    Examples
    --------
    >>> budget = Budget()
    >>> calculate(Operator.DIVIDE, Decimal(1), Decimal(0), budget) is None
    True
    >>> budget.nulls[0].problem
    'number / number has no value: the divisor is 0'
    >>> calculate(Operator.ADD, "a", "b", budget)
    'ab'
    """
    try:
        if type(left) is Decimal and type(right) is Decimal:
            return NUMERIC[operator](left, right)
        result = GENERAL[operator](left, right, budget)
    except DecimalException as error:
        return _without(operator, left, right, budget, _why(operator, error))
    if result is None:
        return _without(operator, left, right, budget, _why_not(left, right))
    return result


def _without(operator: Operator, left: Value, right: Value, budget: Budget, why: str) -> None:
    said = f"{kind_of(left)} {operator.value} {kind_of(right)} has no value"
    return budget.null(f"{said}: {why}" if why else said)


def _why(operator: Operator, error: DecimalException) -> str:
    if isinstance(error, Overflow):
        return "it would be 1E+6145 or more"
    if isinstance(error, DivisionByZero):
        return "the divisor is 0"
    return "the divisor is 0" if operator is Operator.DIVIDE else "it would be no real number"


def _why_not(left: Value, right: Value) -> str:
    """Say what stands against a result where the types alone do not."""
    if isinstance(left, (Date, DateTime)) and isinstance(right, (Date, DateTime)):
        return "one has a zone and the other has none (a date counts as midnight UTC)"
    if isinstance(left, Time) and isinstance(right, Time):
        return "their zones cannot be brought together without a date"
    return ""


def negate(value: Value, budget: Budget | None = None) -> Value:
    """
    Change the sign of a number or duration; of anything else, null.

    Parameters
    ----------
    value
        The operand.
    budget
        Keeps the reason where there is no result.

    Examples
    --------
    >>> negate(YearsMonths(months=1)), negate("a")
    (YearsMonths(months=-1), None)
    """
    if type(value) is Decimal:
        return NUMBERS.minus(value)
    if isinstance(value, DURATIONS):
        return negated(value)
    return None if budget is None else budget.null(f"- {kind_of(value)} has no value")

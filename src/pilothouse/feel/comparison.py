"""
Equality and order of values, by type. Source: DMN 1.5, tables 52 to 55.

Values of different types are neither equal nor in any order: the answer is null. Null equals null only. Of a time
with a zone and one without, the standard gives an order (the one borrows the zone of the other) but no equality.
"""

from __future__ import annotations

import operator as python
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import (
    LOCAL,
    Date,
    DateTime,
    DaysTime,
    Moment,
    Time,
    YearsMonths,
    moment_key,
    wall_key,
)
from pilothouse.feel.values import Function, Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.budget import Budget

_ORDERS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.LESS: python.lt,
    Operator.AT_MOST: python.le,
    Operator.MORE: python.gt,
    Operator.AT_LEAST: python.ge,
}
MOMENTS = (Date, DateTime, Time, DaysTime, YearsMonths)
"""The types of time and of its lengths."""


def equal(left: Value, right: Value, budget: Budget) -> bool | None:
    """
    Say whether two values are equal; null, with its reason in the budget, when they cannot be compared.

    Raises
    ------
    FeelBudgetError
        When they are too big to compare.

    Examples
    --------
    >>> from pilothouse.feel.budget import Budget
    >>> equal(Decimal("1.0"), Decimal(1), Budget()), equal(Decimal(1), "1", Budget())
    (True, None)
    """
    answer = _equal(left, right, budget, 0)
    return _incomparable("=", left, right, budget) if answer is None else answer


def _incomparable(sign: str, left: Value, right: Value, budget: Budget | None) -> None:
    if budget is None:
        return None
    said = f"{kind_of(left)} {sign} {kind_of(right)} has no value"
    zones = type(left) is type(right) and isinstance(left, (Time, DateTime))
    return budget.null(f"{said}: their zones do not compare" if zones else said)


def _equal(left: Value, right: Value, budget: Budget, depth: int) -> bool | None:
    if left is None or right is None:
        return left is right
    if type(left) is not type(right):
        return None
    if isinstance(left, (bool, Decimal, str)):
        return left == right
    if isinstance(left, MOMENTS) and isinstance(right, MOMENTS):
        (left_line, left_place), (right_line, right_place) = moment_key(left), moment_key(right)
        return left_place == right_place if left_line == right_line else None
    if isinstance(left, Function):
        return left is right
    budget.check_depth(depth)
    return _equal_parts(left, right, budget, depth + 1)


def _equal_parts(left: Value, right: Value, budget: Budget, depth: int) -> bool:
    pairs: list[tuple[Value, Value]] = []
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            return False
        pairs = list(zip(left, right, strict=True))
    elif isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        pairs = [(value, right[key]) for key, value in left.items()]
    elif isinstance(left, Range) and isinstance(right, Range):
        if _shape(left) != _shape(right):
            return False
        pairs = [(left.start, right.start), (left.end, right.end)]
    budget.charge(len(pairs))
    return all(_equal(a, b, budget, depth) is True for a, b in pairs)


def _shape(bounds: Range) -> tuple[Operator | None, bool, bool]:
    # (>= 2) and [2..) are the same range; (= 2) and (!= 2) are no range with those ends.
    exact = bounds.operator in (Operator.EQUAL, Operator.UNEQUAL)
    return bounds.operator if exact else None, bounds.start_included, bounds.end_included


def ordered(
    operator: Operator, left: Value, right: Value, budget: Budget | None = None
) -> bool | None:
    """
    Compare two values by an operator other than equality; null when they have no order.

    Parameters
    ----------
    operator
        One of the four orders.
    left, right
        The values.
    budget
        Keeps the reason of a null; without it nobody asks for one.

    Examples
    --------
    >>> ordered(Operator.LESS, "a", "b"), ordered(Operator.LESS, "a", Decimal(1))
    (True, None)
    """
    if type(left) is type(right):
        if isinstance(left, (Decimal, str)):
            return _ORDERS[operator](left, right)
        if isinstance(left, MOMENTS) and isinstance(right, MOMENTS):
            places = _places(left, right)
            if places is not None:
                return _ORDERS[operator](*places)
    return _incomparable(operator.value, left, right, budget)


def _places(left: Moment, right: Moment) -> tuple[int, int] | None:
    """Give the places of two moments of one type on a common line."""
    (left_line, left_place), (right_line, right_place) = moment_key(left), moment_key(right)
    if left_line == right_line:
        return left_place, right_place
    if LOCAL in (left_line, right_line):
        # Table 54: what has no zone borrows the offset of the other, so that their clocks are compared.
        return _clock(left), _clock(right)
    return None


def _clock(value: Moment) -> int:
    return wall_key(value) if isinstance(value, (DateTime, Time)) else moment_key(value)[1]


def within(value: Value, bounds: Range, budget: Budget | None = None) -> bool | None:
    """
    Say whether a value lies in a range; null when it has no order with an end.

    Parameters
    ----------
    value
        The value.
    bounds
        The range.
    budget
        Keeps the reason of a null.

    Examples
    --------
    >>> within(Decimal(5), Range(start=Decimal(1), end=Decimal(5), end_included=False))
    False
    >>> within(Decimal(5), Range.compared(Operator.UNEQUAL, Decimal(4)))
    True
    """
    if bounds.operator is Operator.UNEQUAL:
        same = within(value, Range.compared(Operator.EQUAL, bounds.start), budget)
        return None if same is None else not same
    low = Operator.AT_LEAST if bounds.start_included else Operator.MORE
    high = Operator.AT_MOST if bounds.end_included else Operator.LESS
    above = True if bounds.start is None else ordered(low, value, bounds.start, budget)
    if above is False:
        return False
    below = True if bounds.end is None else ordered(high, value, bounds.end, budget)
    if below is False:
        return False
    return None if above is None or below is None else True


def member(value: Value, test: Value, budget: Budget) -> bool | None:
    """
    Say whether a value passes a test by value: equal to it, in its range, or in its list.

    Raises
    ------
    FeelBudgetError
        When the test is too big to search.
    """
    if isinstance(test, Range) and not isinstance(value, Range):
        return within(value, test, budget)
    if isinstance(test, tuple):
        budget.charge(len(test))
        if isinstance(value, tuple) and _equal(value, test, budget, 0) is True:
            return True
        return any(_listed(value, item, budget) for item in test)
    return equal(value, test, budget)


def _listed(value: Value, item: Value, budget: Budget) -> bool:
    if isinstance(item, Range) and not isinstance(value, Range):
        return within(value, item) is True
    return _equal(value, item, budget, 0) is True

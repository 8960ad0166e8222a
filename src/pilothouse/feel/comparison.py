"""
Equality and order of values, by type. Source: DMN 1.5, tables 52 to 54.

Values of different types are neither equal nor in any order: the answer is null. Null equals null only.
"""

from __future__ import annotations

import operator as python
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pilothouse.feel.syntax import Operator
from pilothouse.feel.temporal import moment_key
from pilothouse.feel.values import Range, Value, YearsMonths

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.budget import Budget

_ORDERS: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.LESS: python.lt,
    Operator.AT_MOST: python.le,
    Operator.MORE: python.gt,
    Operator.AT_LEAST: python.ge,
}
_MOMENTS = (date, datetime, time, timedelta, YearsMonths)


def equal(left: Value, right: Value, budget: Budget) -> bool | None:
    """
    Say whether two values are equal; null when their types differ.

    Raises
    ------
    FeelBudgetError
        When they are too big to compare.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> equal(Decimal("1.0"), Decimal(1), Budget()), equal(Decimal(1), "1", Budget())
    (True, None)
    """
    return _equal(left, right, budget, 0)


def _equal(left: Value, right: Value, budget: Budget, depth: int) -> bool | None:
    if left is None or right is None:
        return left is right
    if type(left) is not type(right):
        return None
    if isinstance(left, _MOMENTS) and isinstance(right, _MOMENTS):
        (left_zoned, left_place), (right_zoned, right_place) = moment_key(left), moment_key(right)
        return left_place == right_place if left_zoned == right_zoned else None
    if isinstance(left, (bool, Decimal, str)):
        return left == right
    budget.check_depth(depth)
    return _equal_parts(left, right, budget, depth + 1)


def _equal_parts(left: Value, right: Value, budget: Budget, depth: int) -> bool | None:
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            return False
        pairs = list(zip(left, right, strict=True))
    elif isinstance(left, dict) and isinstance(right, dict):
        if left.keys() != right.keys():
            return False
        pairs = [(value, right[key]) for key, value in left.items()]
    elif isinstance(left, Range) and isinstance(right, Range):
        if (left.start_included, left.end_included) != (right.start_included, right.end_included):
            return False
        pairs = [(left.start, right.start), (left.end, right.end)]
    else:
        return None
    budget.charge(len(pairs))
    return all(_equal(a, b, budget, depth) is True for a, b in pairs)


def ordered(operator: Operator, left: Value, right: Value) -> bool | None:
    """
    Compare two values by an operator other than equality; null when they have no order.

    Examples
    --------
    >>> ordered(Operator.LESS, "a", "b"), ordered(Operator.LESS, "a", Decimal(1))
    (True, None)
    """
    if type(left) is not type(right):
        return None
    if isinstance(left, (Decimal, str)):
        return _ORDERS[operator](left, right)
    if isinstance(left, _MOMENTS) and isinstance(right, _MOMENTS):
        (left_zoned, left_place), (right_zoned, right_place) = moment_key(left), moment_key(right)
        return _ORDERS[operator](left_place, right_place) if left_zoned == right_zoned else None
    return None


def within(value: Value, bounds: Range) -> bool | None:
    """
    Say whether a value lies in a range; null when it has no order with an end.

    Examples
    --------
    >>> within(Decimal(5), Range(start=Decimal(1), end=Decimal(5), end_included=False))
    False
    """
    low = Operator.AT_LEAST if bounds.start_included else Operator.MORE
    high = Operator.AT_MOST if bounds.end_included else Operator.LESS
    above = True if bounds.start is None else ordered(low, value, bounds.start)
    below = True if bounds.end is None else ordered(high, value, bounds.end)
    if above is False or below is False:
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
        return within(value, test)
    if isinstance(test, tuple):
        budget.charge(len(test))
        if isinstance(value, tuple) and equal(value, test, budget) is True:
            return True
        return any(_listed(value, item, budget) for item in test)
    return equal(value, test, budget)


def _listed(value: Value, item: Value, budget: Budget) -> bool:
    if isinstance(item, Range) and not isinstance(value, Range):
        return within(value, item) is True
    return equal(value, item, budget) is True

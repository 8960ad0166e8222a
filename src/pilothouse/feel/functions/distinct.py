"""Which values were there before, by FEEL's equality."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.feel.comparison import equal

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget
    from pilothouse.feel.values import Value


def same(left: Value, right: Value, budget: Budget) -> bool:
    """
    Say whether two values are equal by FEEL's equality; values of different types are not.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> same(Decimal(1), Decimal("1.0"), Budget()), same(Decimal(1), "1", Budget())
    (True, False)
    """
    return type(left) is type(right) and equal(left, right, budget) is True


class Distinct:
    """
    A growing collection of values no two of which are equal.

    Numbers, strings, booleans and null are looked up at once; other values are compared with each other one there.

    Parameters
    ----------
    budget
        Pays a step for each value, and one for each comparison.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> seen = Distinct(Budget())
    >>> seen.add(Decimal(1)), seen.add("1"), seen.add(Decimal("1.0"))
    (True, True, False)
    """

    __slots__ = ("_budget", "_others", "_simple")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._simple: set[tuple[type, Value]] = set()
        self._others: list[Value] = []

    def add(self, value: Value) -> bool:
        """Take a value in; say whether none equal to it was there."""
        self._budget.charge(1)
        if value is None or isinstance(value, (bool, Decimal, str)):
            key = (type(value), value)
            new = key not in self._simple
            self._simple.add(key)
            return new
        self._budget.charge(len(self._others))
        new = not any(same(value, other, self._budget) for other in self._others)
        if new:
            self._others.append(value)
        return new

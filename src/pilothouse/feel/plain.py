"""FEEL values as the plain values that JSON and the database keep."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.budget import Budget
from pilothouse.feel.errors import FeelValueError
from pilothouse.feel.functions.writing import written_value

if TYPE_CHECKING:
    from pilothouse.feel.values import Value

Plain: TypeAlias = bool | int | float | str | list["Plain"] | dict[str, "Plain"] | None

_SAFE_INTEGER = 10**15


def plain_value(value: Value, *, budget: Budget | None = None) -> Plain:
    """
    Give a value without FEEL's own types.

    Parameters
    ----------
    value
        What an expression gave.
    budget
        Pays for walking over it; by default 20,000 steps.

    Returns
    -------
    Plain
        Whole numbers below 1E+15 as ``int``; other numbers as the nearest ``float``, which keeps 15 of FEEL's 34
        digits (write ``string(x)`` in the expression to keep all); dates, times, durations and ranges as
        the text that ``string()`` gives.

    Raises
    ------
    FeelBudgetError
        When the value is too big or nested too deeply.
    FeelValueError
        When a number is beyond all floats (1E+309 and more).

    Examples
    --------
    >>> plain_value({"n": Decimal("2.0"), "share": Decimal("0.1"), "tags": ("a",)})
    {'n': 2, 'share': 0.1, 'tags': ['a']}
    """
    return _plain(value, Budget() if budget is None else budget, 0)


def _plain(value: Value, budget: Budget, depth: int) -> Plain:
    budget.charge(1)
    budget.check_depth(depth)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Decimal):
        return _plain_number(value)
    if isinstance(value, tuple):
        return [_plain(item, budget, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, budget, depth + 1) for key, item in value.items()}
    return written_value(value, budget)


def _plain_number(number: Decimal) -> int | float:
    if abs(number) < _SAFE_INTEGER and number == number.to_integral_value():
        return int(number)
    nearest = float(number)
    if math.isinf(nearest):
        raise FeelValueError(name="result", problem=f"{number} is beyond the largest float")
    return nearest

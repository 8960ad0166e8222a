"""Ranges between two ends. Source: DMN 1.5, section 10.3.2.7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.comparison import ordered
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import Range, Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget


def interval(
    low: Value, high: Value, included: tuple[bool, bool], budget: Budget | None = None
) -> Range | None:
    """
    Make a range; null when its ends have no order, or stand the wrong way round.

    Parameters
    ----------
    low, high
        Its ends.
    included
        Whether each of them belongs to it.
    budget
        Keeps the reason of a null.

    Examples
    --------
    >>> from decimal import Decimal
    >>> interval(Decimal(3), Decimal(1), (True, True)) is None
    True
    """
    answer = ordered(Operator.AT_MOST, low, high)
    if answer is True:
        return Range(start=low, end=high, start_included=included[0], end_included=included[1])
    if budget is None:
        return None
    said = f"the range from {kind_of(low)} to {kind_of(high)} has no value"
    return budget.null(f"{said}: its start is beyond its end" if answer is False else said)

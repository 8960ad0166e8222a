"""``sort``, by a function that says which of two items comes first. Source: DMN 1.5, section 10.3.4.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.functions.parameters import function, items
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.invocation import invoke

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget
    from pilothouse.feel.values import Function, Value

SORTING = Registry()


@SORTING.add("sort", items("list"), function("precedes"))
def sort(budget: Budget, values: tuple[Value, ...], precedes: Function) -> Value:
    """Order a list; items of which neither precedes the other keep their order."""
    budget.charge(len(values))
    runs: list[list[Value]] = [[value] for value in values]
    while len(runs) > 1:
        longer: list[list[Value]] = []
        for i in range(0, len(runs) - 1, 2):
            merged = _merged(budget, runs[i], runs[i + 1], precedes)
            if merged is None:
                return budget.null("sort() has no value: 'precedes' must give true or false")
            longer.append(merged)
        runs = [*longer, *runs[2 * len(longer) :]]
    return tuple(runs[0]) if runs else ()


def _merged(
    budget: Budget, left: list[Value], right: list[Value], precedes: Function
) -> list[Value] | None:
    """Merge two ordered lists; `None` where the function gives neither true nor false."""
    merged: list[Value] = []
    i = j = 0
    while i < len(left) and j < len(right):
        answer = invoke(precedes, (right[j], left[i]), (), budget)
        if not isinstance(answer, bool):
            return None
        if answer:
            merged.append(right[j])
            j += 1
        else:
            merged.append(left[i])
            i += 1
    return [*merged, *left[i:], *right[j:]]

"""Calling a function value: arguments meet parameters, types are held, calls are counted. Source: DMN 1.5, 10.3.2.13.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget
    from pilothouse.feel.values import Function, Value


def invoke(
    function: Function, arguments: tuple[Value, ...], names: tuple[str, ...], budget: Budget
) -> Value:
    """
    Call a function.

    Parameters
    ----------
    function
        The function.
    arguments
        The arguments.
    names
        Their names in the same order, or nothing where they are given by position.
    budget
        What the call may do; pays one step.

    Returns
    -------
    Value
        What the function gives; null, with its reason in the budget, where the arguments do not fit.

    Raises
    ------
    FeelBudgetError
        When the budget is used up or calls nest too deeply.
    """
    budget.charge(1)
    values = _arranged(function, arguments, names, budget)
    if values is None:
        return None
    if function.types:
        values = _coerced(function, values, budget)
        if values is None:
            return None
    budget.enter_call()
    try:
        result = function.run(budget, values)
    finally:
        budget.leave_call()
    return result if function.result is None else function.result.coerced(result, budget)


def _arranged(
    function: Function, arguments: tuple[Value, ...], names: tuple[str, ...], budget: Budget
) -> tuple[Value, ...] | None:
    if function.variadic and not names:
        return arguments
    wanted = function.parameters
    if not names and len(arguments) == len(wanted):
        return arguments
    given = dict(zip(names, arguments, strict=True)) if names else {}
    if given and len(given) == len(names) and given.keys() <= set(wanted):
        # 10.3.2.13.5: a parameter that a call by names leaves out is null.
        return tuple(given.get(name) for name in wanted)
    said = ", ".join(names) if names else f"{len(arguments)} arguments"
    return budget.null(f"{function.name or 'the function'}({', '.join(wanted)}) cannot take {said}")


def _coerced(
    function: Function, values: tuple[Value, ...], budget: Budget
) -> tuple[Value, ...] | None:
    """Hold the arguments to their types; an argument that was there and does not fit makes the call null."""
    held = tuple(
        value if kind is None else kind.coerced(value, budget)
        for value, kind in zip(values, function.types, strict=True)
    )
    lost = any(h is None and v is not None for h, v in zip(held, values, strict=True))
    return None if lost else held

"""
Closures of calls and of functions written in FEEL.

A function written in FEEL is a lexical closure: it keeps the variables and the slots of the place where it was made,
and each call works on a copy of them. Source: DMN 1.5, sections 10.3.2.13 and table 63.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.feel.functions.registry import BuiltIn, call
from pilothouse.feel.invocation import invoke
from pilothouse.feel.scope import Closure, State
from pilothouse.feel.values import Function, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel.budget import Budget, Place
    from pilothouse.feel.types import Inferred, Type

_SLOTS_PER_STEP = 100


def built_in_call(
    function: BuiltIn, arguments: tuple[Closure, ...], names: tuple[str, ...], place: Place
) -> Closure:
    """Call a built-in function."""

    def run(state: State) -> Value:
        result = call(function, tuple([a(state) for a in arguments]), names, state.budget)
        if result is None:
            state.budget.locate(place)
        return result

    return run


def value_call(
    callee: Closure,
    arguments: tuple[Closure, ...],
    names: tuple[str, ...],
    place: Place,
    otherwise: Closure | None,
) -> Closure:
    """Call a value; where it is no function, do `otherwise` if that is given (the built-in function of this name)."""

    def run(state: State) -> Value:
        found = callee(state)
        if not isinstance(found, Function):
            if otherwise is not None:
                return otherwise(state)
            return state.budget.null(f"{kind_of(found)} cannot be called", place=place)
        result = invoke(found, tuple([a(state) for a in arguments]), names, state.budget)
        if result is None:
            state.budget.locate(place)
        return result

    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    A function as it was compiled.

    Parameters
    ----------
    parameters
        The names of its parameters.
    types
        What is declared for them; empty where nothing is.
    slots
        The slots of the parameters.
    own
        The slot of the context entry that the function is, where it may call itself by it.
    result
        What it gives.
    body, cost
        What it does, and the steps that this costs.
    """

    parameters: tuple[str, ...]
    types: tuple[Type | None, ...]
    slots: tuple[int, ...]
    own: int | None
    result: Inferred
    body: Closure
    cost: int


def function_closure(definition: Definition) -> Closure:
    """Make the function, with the variables and slots of the place."""

    def make(state: State) -> Value:
        kept = state.frame.copy()
        state.budget.charge(len(kept) // _SLOTS_PER_STEP)
        function = Function(
            name="",
            parameters=definition.parameters,
            run=_running(definition, state, kept),
            types=definition.types,
            result=definition.result,
        )
        if definition.own is not None:
            kept[definition.own] = function
        return function

    return make


def _running(
    definition: Definition, made_in: State, kept: list[Value]
) -> Callable[[Budget, tuple[Value, ...]], Value]:
    variables, trusted = made_in.variables, made_in.trusted
    slots, body = definition.slots, definition.body
    cost = definition.cost + 1 + len(kept) // _SLOTS_PER_STEP

    def run(budget: Budget, values: tuple[Value, ...]) -> Value:
        budget.charge(cost)
        frame = kept.copy()
        for slot, value in zip(slots, values, strict=True):
            frame[slot] = value
        return body(State(variables, frame, budget, trusted=trusted))

    return run

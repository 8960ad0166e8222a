"""
The built-in functions by name, and how arguments meet parameters. Source: DMN 1.5, section 10.3.4.

A call whose arguments do not fit the function is null by the standard, so the registry answers null too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.feel.values import Value

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

Implementation = Callable[..., Value]
Wrapper = Callable[[Implementation], Implementation]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltIn:
    """
    One function of the standard.

    Parameters
    ----------
    name
        As it is written in FEEL.
    parameters
        The names of its parameters, in order.
    required
        How many of them must be given.
    variadic
        Whether the last one takes all remaining arguments, as a list.
    run
        The function itself: the budget, then one value for each parameter (`None` where it was not given).
    aliases
        Other names of parameters, for functions that the standard gives several forms.
    takes_null
        Whether null for an optional parameter means that it was not given; else the answer is null.
    """

    name: str
    parameters: tuple[str, ...]
    required: int
    variadic: bool
    run: Implementation
    aliases: Mapping[str, str] = field(default_factory=dict)
    takes_null: bool = False

    def arranged(self, count: int, names: tuple[str, ...]) -> tuple[int | None, ...] | None:
        """
        Say which argument each parameter takes; `None` instead of all where they do not fit.

        Parameters
        ----------
        count
            The number of arguments.
        names
            Their names, or nothing where they are given in order.
        """
        if not names:
            fits = self.required <= count <= len(self.parameters)
            return (
                tuple(i if i < count else None for i in range(len(self.parameters)))
                if fits
                else None
            )
        places = {self.aliases.get(name, name): i for i, name in enumerate(names)}
        if len(places) != count or not places.keys() <= set(self.parameters):
            return None
        if not places.keys() >= set(self.parameters[: self.required]):
            return None
        return tuple(places.get(name) for name in self.parameters)


class Registry:
    """A collection of built-in functions, filled by decorators."""

    def __init__(self) -> None:
        self.functions: dict[str, BuiltIn] = {}

    def add(
        self,
        name: str,
        *parameters: str,
        optional: int = 0,
        variadic: bool = False,
        aliases: Mapping[str, str] | None = None,
        takes_null: bool = False,
    ) -> Wrapper:
        """
        Make the decorator that enters a function.

        Parameters
        ----------
        name, parameters
            As the standard writes them.
        optional
            How many of the last parameters may be left out.
        variadic
            Whether the last parameter takes all remaining arguments as a list.
        aliases
            Other names of parameters.
        takes_null
            Whether null for an optional parameter means that it was not given.
        """

        def enter(run: Implementation) -> Implementation:
            self.functions[name] = BuiltIn(
                name=name,
                parameters=parameters,
                required=len(parameters) - optional,
                variadic=variadic,
                run=run,
                aliases=aliases or {},
                takes_null=takes_null,
            )
            return run

        return enter


def call(
    function: BuiltIn, arguments: tuple[Value, ...], names: tuple[str, ...], budget: Budget
) -> Value:
    """
    Call a function with values.

    Raises
    ------
    FeelBudgetError
        When the function needs more than is left.
    """
    if function.variadic and not names:
        fixed = len(function.parameters) - 1
        if len(arguments) < fixed + 1:
            return None
        return function.run(budget, *arguments[:fixed], arguments[fixed:])
    places = function.arranged(len(arguments), names)
    if places is None:
        return None
    values = [None if i is None else arguments[i] for i in places]
    if function.variadic:
        values[-1] = (values[-1],)
    elif not function.takes_null and _null_given(places, values, function.required):
        return None
    return function.run(budget, *values)


def _null_given(places: tuple[int | None, ...], values: list[Value], required: int) -> bool:
    optional = zip(places[required:], values[required:], strict=True)
    return any(place is not None and value is None for place, value in optional)


def merged(*registries: Registry) -> Mapping[str, BuiltIn]:
    """Put the functions of several registries together."""
    return {name: f for registry in registries for name, f in registry.functions.items()}

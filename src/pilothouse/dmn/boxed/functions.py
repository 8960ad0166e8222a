"""Function definitions and invocations. Source: DMN 1.5, sections 10.2.2.2, 10.2.2.9 and 10.4."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.feel.invocation import invoke
from pilothouse.feel.types import ANY, FunctionType, bare
from pilothouse.feel.values import Function, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.dmn.taking import Logic, Taking
    from pilothouse.feel import Budget, Value
    from pilothouse.feel.types import Type

    Runs = Callable[[Budget, tuple[Value, ...]], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    A parameter of a function.

    Parameters
    ----------
    name
        How arguments and the body call it.
    type
        What it must be; None for any.
    """

    name: str
    type: Type | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefinition:
    """
    Logic whose value is a function.

    Parameters
    ----------
    name
        Under which the body may call the function itself; empty where it has no name.
    parameters
        Its parameters, in order.
    body
        What gives its results.
    result
        What its results must be; None for any.
    names
        The variables that the body reads from outside.
    """

    name: str
    parameters: tuple[Parameter, ...]
    body: Logic
    result: Type | None
    names: frozenset[str]

    def held(self, declared: Type) -> FunctionDefinition:
        """
        Hold the function to a type.

        Parameters
        ----------
        declared
            A function type, which says what its parameters and results must be where they do not say it
            themselves; or, as older files have it, the type of its results.
        """
        kind = bare(declared)
        if not isinstance(kind, FunctionType):
            return replace(self, result=declared)
        if len(kind.parameters) != len(self.parameters):
            return self
        parameters = tuple(
            replace(own, type=given) if own.type is None and given is not ANY else own
            for own, given in zip(self.parameters, kind.parameters, strict=True)
        )
        result = self.result if kind.result is ANY else kind.result
        return replace(self, parameters=parameters, result=result)

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the function, which keeps this scope."""
        around = dict(scope)

        def run(budget: Budget, values: tuple[Value, ...]) -> Value:
            budget.charge(1)
            return self.body.evaluate(self.inner_scope(around, values), taking)

        function = self.function(run)
        if self.name:
            around[self.name] = function
        return function

    def inner_scope(
        self, around: Mapping[str, Value], values: tuple[Value, ...]
    ) -> dict[str, Value]:
        """Give what the body sees: the scope around it, and the arguments."""
        given = zip((p.name for p in self.parameters), values, strict=True)
        return {**around, **dict(given)}

    def function(self, run: Runs) -> Function:
        """Make the value, with what runs it."""
        return Function(
            name=self.name,
            parameters=tuple(p.name for p in self.parameters),
            run=run,
            types=tuple(p.type for p in self.parameters),
            result=self.result,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """
    A call, with each argument in a box of its own.

    Parameters
    ----------
    called
        What gives the function.
    bindings
        Names of parameters, with what gives their arguments.
    label
        The text of the call, for messages.
    names
        The variables that it reads.
    """

    called: Logic
    bindings: tuple[tuple[str, Logic], ...]
    label: str
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give what the function gives."""
        budget, place = taking.budget, (self.label, 0)
        function = self.called.evaluate(scope, taking)
        if not isinstance(function, Function):
            problem = f"{self.label} cannot be invoked: it is a {kind_of(function)}, not a function"
            return budget.null(problem, place=place)
        names = tuple(name for name, _ in self.bindings)
        arguments = tuple(logic.evaluate(scope, taking) for _, logic in self.bindings)
        value = invoke(function, arguments, names, budget)
        if value is None:
            budget.locate(place)
        return value

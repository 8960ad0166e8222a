"""Literal expressions, conditionals, and logic with a declared type. Source: DMN 1.5, sections 7.3.3 and 10.2.2.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn.taking import NOWHERE, held
from pilothouse.feel.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.taking import Logic, Taking
    from pilothouse.feel import Expression, Value
    from pilothouse.feel.types import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """
    FEEL text.

    Parameters
    ----------
    expression
        What it compiled to.
    """

    expression: Expression

    @property
    def names(self) -> frozenset[str]:
        """The variables that it reads."""
        return self.expression.names

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the value of the text."""
        return self.expression.run(scope, taking.budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """
    Logic whose value is held to a type.

    Parameters
    ----------
    logic
        What gives the value.
    type
        What the value is made, by the standard's rules (10.3.2.9.4).
    """

    logic: Logic
    type: Type

    @property
    def names(self) -> frozenset[str]:
        """The variables that it reads."""
        return self.logic.names

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the value, as one of the type."""
        return held(self.type, self.logic.evaluate(scope, taking), taking.budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """
    One of two values.

    Parameters
    ----------
    condition
        What decides: true takes the first, false and null the second; by anything else the value is null.
    first, second
        The values.
    names
        The variables that they read.
    """

    condition: Logic
    first: Logic
    second: Logic
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the value that the condition says."""
        budget = taking.budget
        budget.charge(1)
        condition = self.condition.evaluate(scope, taking)
        if condition is True:
            return self.first.evaluate(scope, taking)
        if condition is False or condition is None:
            return self.second.evaluate(scope, taking)
        problem = f"the condition of a conditional is a {kind_of(condition)}, not a boolean"
        return budget.null(problem, place=NOWHERE)

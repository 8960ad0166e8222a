"""One evaluation under way: what it may still do, and what it has to show so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.outcomes import FiredRule
    from pilothouse.feel import Budget, Value
    from pilothouse.feel.budget import Place
    from pilothouse.feel.types import Type
    from pilothouse.feel.values import Function


NOWHERE: Place = ("", -1)
"""The place of reasons that stand in no text."""


def held(kind: Type, value: Value, budget: Budget) -> Value:
    """
    Make a value one of a type by the standard's rules (DMN 1.5, 10.3.2.9.4), else null with its reason in the budget.

    Parameters
    ----------
    kind
        The type.
    value
        The value.
    budget
        Keeps the reason, which stands in no text.
    """
    fitting = kind.coerced(value, budget)
    if fitting is None and value is not None:
        budget.locate(NOWHERE)
    return fitting


class Taking:
    """
    The evaluation of a decision, with all that it requires.

    Parameters
    ----------
    budget
        What it may still do; it also keeps why values became null.
    """

    __slots__ = ("budget", "decision", "fired", "functions")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.decision = ""
        """The id of the decision, or of the business knowledge model, that is being evaluated."""
        self.fired: list[FiredRule] = []
        """The rules that counted so far."""
        self.functions: dict[str, Function] = {}
        """The business knowledge models and decision services that were made values of so far."""


class Logic(Protocol):
    """What gives a decision, or a part of one, its value: a table or another boxed expression."""

    @property
    def names(self) -> frozenset[str]:
        """The variables that it reads from its scope."""
        ...

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """
        Give the value; null, with its reason in the budget, where the standard says so.

        Parameters
        ----------
        scope
            The variables, FEEL's values already.
        taking
            The evaluation that this is part of.

        Raises
        ------
        FeelBudgetError
            When it needs more than the budget.
        """
        ...

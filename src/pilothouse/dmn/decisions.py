"""The decisions of a file, and how they are taken with all that they require."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn.errors import DecisionNotFoundError, DmnValueError
from pilothouse.dmn.outcomes import FiredRule, Outcome
from pilothouse.dmn.tables import DecisionTable
from pilothouse.feel import Budget, admit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.types import Type
    from pilothouse.feel import Expression

DEFAULT_STEPS = 200_000
"""What one evaluation may do unless the caller says otherwise: ten times a plain expression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputData:
    """
    An input that the file declares.

    Parameters
    ----------
    name
        The variable.
    type
        What its value must be.
    """

    name: str
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    One decision.

    Parameters
    ----------
    id, name
        How it is known.
    variable
        The variable that holds its value for decisions that require it.
    type
        What its value must be.
    logic
        Its table or expression.
    inputs
        The declared inputs that it requires.
    requires
        The ids of the decisions to take before it, in order, each after what it requires itself.
    """

    id: str
    name: str
    variable: str
    type: Type
    logic: DecisionTable | Expression
    inputs: tuple[InputData, ...] = ()
    requires: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The variables that it reads."""
        return self.logic.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """
    The decisions of one file.

    Parameters
    ----------
    name
        The name of the file's definitions.
    decisions
        All decisions by id.
    """

    name: str
    decisions: Mapping[str, Decision]

    def find(self, id_or_name: str) -> Decision:
        """
        Find a decision.

        Raises
        ------
        DecisionNotFoundError
            When the file has none of this id or name.
        """
        found = self.decisions.get(id_or_name)
        if found is not None:
            return found
        for decision in self.decisions.values():
            if decision.name == id_or_name:
                return decision
        raise DecisionNotFoundError(name=id_or_name, known=tuple(self.decisions))

    def needed(self, id_or_name: str) -> frozenset[str]:
        """
        List the variables that must be given to take a decision.

        Raises
        ------
        DecisionNotFoundError
            When the file has none of this id or name.
        """
        asked = self.find(id_or_name)
        taken = [*(self.decisions[i] for i in asked.requires), asked]
        read = frozenset().union(*(d.names for d in taken))
        declared = {i.name for d in taken for i in d.inputs}
        return (read | declared) - {d.variable for d in taken[:-1]}

    def evaluate(
        self, id_or_name: str, inputs: Mapping[str, object], *, budget: Budget | None = None
    ) -> Outcome:
        """
        Take a decision, after all decisions that it requires.

        Parameters
        ----------
        id_or_name
            The decision.
        inputs
            The variables. Every one that `needed` lists must be there; give `None` for what is not known.
            Where one is named as a required decision is, the decision's own result is used.
        budget
            What it may do; by default 200,000 steps.

        Raises
        ------
        DecisionNotFoundError
            When the file has no such decision.
        DmnValueError
            When an input is missing, or a value does not fit.
        DmnConflictError
            When rules match that may not match together.
        FeelValueError
            When an input is none of FEEL's values.
        FeelBudgetError
            When it needs more than the budget.
        """
        allowed = Budget(steps=DEFAULT_STEPS) if budget is None else budget
        asked = self.find(id_or_name)
        context: dict[str, object] = dict(inputs)
        fired: list[FiredRule] = []
        for required in asked.requires:
            decision = self.decisions[required]
            outcome = _taken(decision, context, allowed)
            context[decision.variable] = outcome.value
            fired.extend(outcome.fired)
        outcome = _taken(asked, context, allowed)
        return Outcome(value=outcome.value, fired=outcome.fired, earlier=tuple(fired))


def _taken(decision: Decision, context: Mapping[str, object], budget: Budget) -> Outcome:
    _check_inputs(decision, context, budget)
    if isinstance(decision.logic, DecisionTable):
        outcome = decision.logic.evaluate(context, budget=budget)
    else:
        outcome = Outcome(value=decision.logic.evaluate(context, budget=budget))
    trouble = decision.type.trouble(outcome.value, budget=budget)
    if trouble:
        raise DmnValueError(decision=decision.id, clause="its result", problem=trouble)
    return outcome


def _check_inputs(decision: Decision, context: Mapping[str, object], budget: Budget) -> None:
    for name in sorted(decision.names | {i.name for i in decision.inputs}):
        if name not in context:
            raise DmnValueError(
                decision=decision.id, clause=f"input {name!r}", problem="is not given"
            )
    for declared in decision.inputs:
        value = admit(context[declared.name], name=declared.name, budget=budget)
        trouble = declared.type.trouble(value, budget=budget)
        if trouble:
            clause = f"input {declared.name!r}"
            raise DmnValueError(decision=decision.id, clause=clause, problem=trouble)

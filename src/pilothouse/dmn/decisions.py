"""The decisions of a file, and how they are taken with all that they require."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pilothouse.dmn.errors import DecisionNotFoundError
from pilothouse.dmn.evaluation import Evaluation, raise_problems
from pilothouse.dmn.inputs import ABSENT, Given
from pilothouse.dmn.model import Decision, InputData, Knowledge, Service
from pilothouse.dmn.outcomes import Outcome
from pilothouse.dmn.taking import Taking, held
from pilothouse.feel import Budget, FeelBudgetError, Resource, admit
from pilothouse.feel.budget import MAXIMUM_DEPTH
from pilothouse.feel.invocation import invoke
from pilothouse.feel.names import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.dmn.errors import Problem
    from pilothouse.dmn.graph import Graph
    from pilothouse.feel import Value

    Imported = Mapping[str, Mapping[str, object]]

DEFAULT_STEPS = 100_000
"""What one evaluation may do unless the caller says otherwise: five times a plain expression."""

NONE_IMPORTED: Imported = {}
_Named = TypeVar("_Named", Decision, Knowledge, Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """
    The decisions of one file.

    Parameters
    ----------
    name, namespace
        The name of the file's definitions, and the namespace of what it defines.
    decisions, functions, services
        All its decisions, business knowledge models and decision services, by id.
    inputs
        All inputs that it declares, by id.
    imports
        What it calls the files that it imports, by their namespaces.
    problems
        What cannot be used as the file says it; empty unless the file was read leniently.
    """

    name: str
    namespace: str
    decisions: Mapping[str, Decision]
    functions: Mapping[str, Knowledge]
    services: Mapping[str, Service]
    inputs: Mapping[str, InputData]
    imports: Mapping[str, str]
    problems: tuple[Problem, ...] = ()
    _graph: Graph = field(repr=False, compare=False)

    @property
    def final(self) -> tuple[Decision, ...]:
        """The decisions that no other decision of the file requires."""
        required = {need.id for d in self.decisions.values() for need in d.requires}
        return tuple(d for d in self.decisions.values() if d.id not in required)

    def find(self, id_or_name: str) -> Decision:
        """
        Find a decision.

        Raises
        ------
        DecisionNotFoundError
            When the file has none of this id or name.
        """
        return _found(self.decisions, id_or_name, "decision")

    def needed(self, id_or_name: str) -> frozenset[str]:
        """
        List the variables that must be given to take a decision; an input of an import as ``Import.Name``.

        Raises
        ------
        DecisionNotFoundError
            When the file has none of this id or name.
        """
        plan = self._graph.of_decision(self.find(id_or_name))
        read = frozenset[str]().union(*(d.names & d.free for d in plan.decisions))
        return read.union(self._called(element) for element in plan.inputs)

    def evaluate(
        self,
        id_or_name: str,
        inputs: Mapping[str, object],
        *,
        imported: Imported = NONE_IMPORTED,
        budget: Budget | None = None,
    ) -> Outcome:
        """
        Take a decision, after all decisions that it requires.

        Parameters
        ----------
        id_or_name
            The decision.
        inputs
            The variables that `needed` lists. One that is not there is null, with its reason in the outcome.
        imported
            Inputs of imported files, by their namespaces and names; see `pilothouse.dmn.inputs.Given`.
        budget
            What it may do, and what time it is; by default 100,000 steps and no time.

        Returns
        -------
        Outcome
            The value, the rules that fired, and why values became null.

        Raises
        ------
        DecisionNotFoundError
            When the file has no such decision.
        DmnRejectedError
            When the file was read leniently, and the decision or one that it requires cannot run.
        FeelValueError
            When an input is none of FEEL's values.
        FeelBudgetError
            When it needs more than the budget.
        """
        asked = self.find(id_or_name)

        def run(evaluation: Evaluation, given: Given, taking: Taking) -> tuple[Value, int]:
            plan = self._graph.of_decision(asked)
            raise_problems(plan.problems)
            values = _input_values(evaluation, given, plan.inputs, taking.budget)
            mark = evaluation.take(plan, values, given.inputs)
            return values[asked.id], mark

        return self._run(asked, run, given=self._given(inputs, imported), budget=budget)

    def evaluate_service(
        self,
        id_or_name: str,
        inputs: Mapping[str, object],
        *,
        imported: Imported = NONE_IMPORTED,
        budget: Budget | None = None,
    ) -> Outcome:
        """
        Call a decision service: its output decision's value, or a context of them where there are several.

        Parameters
        ----------
        id_or_name
            The service.
        inputs
            The values of its input data and input decisions, by their names. One that is not there is null,
            with its reason in the outcome.
        imported
            Inputs of imported files, by their namespaces and names.
        budget
            What it may do, and what time it is; by default 100,000 steps and no time.

        Raises
        ------
        DecisionNotFoundError
            When the file has no such service.
        DmnRejectedError
            When the file was read leniently, and the service or a decision of it cannot run.
        FeelValueError
            When an input is none of FEEL's values.
        FeelBudgetError
            When it needs more than the budget.
        """
        asked = _found(self.services, id_or_name, "decision service")

        def run(evaluation: Evaluation, given: Given, taking: Taking) -> tuple[Value, int]:
            function = evaluation.function(asked)
            parameters = evaluation.parameters(asked)
            values = _input_values(evaluation, given, parameters, taking.budget)
            arguments = tuple(values[p.id] for p in parameters)
            return invoke(function, arguments, (), taking.budget), 0

        return self._run(asked, run, given=self._given(inputs, imported), budget=budget)

    def evaluate_function(
        self, id_or_name: str, arguments: Mapping[str, object], *, budget: Budget | None = None
    ) -> Outcome:
        """
        Call a business knowledge model.

        Parameters
        ----------
        id_or_name
            The business knowledge model.
        arguments
            Its arguments by the names of its parameters. One that is not there is null; where one does not fit
            or there is no such parameter, the value is null. The reasons are in the outcome.
        budget
            What it may do, and what time it is; by default 100,000 steps and no time.

        Raises
        ------
        DecisionNotFoundError
            When the file has no such business knowledge model.
        DmnRejectedError
            When the file was read leniently, and it or one that it requires cannot run.
        FeelValueError
            When an argument is none of FEEL's values.
        FeelBudgetError
            When it needs more than the budget.
        """
        asked = _found(self.functions, id_or_name, "business knowledge model")

        def run(evaluation: Evaluation, given: Given, taking: Taking) -> tuple[Value, int]:
            function = evaluation.function(asked)
            values = {
                name: admit(raw, name=name, budget=taking.budget)
                for name, raw in given.inputs.items()
            }
            for name in function.parameters:
                if name not in values:
                    values[name] = evaluation.missing(name)
            called = invoke(function, tuple(values.values()), tuple(values), taking.budget)
            return called, 0

        return self._run(asked, run, given=Given(inputs=arguments), budget=budget)

    def _given(self, inputs: Mapping[str, object], imported: Imported) -> Given:
        own = self.inputs.values()
        return Given(inputs=inputs, imported=imported, imports=self.imports, own=own)

    def _run(
        self,
        asked: Decision | Knowledge | Service,
        run: Callable[[Evaluation, Given, Taking], tuple[Value, int]],
        *,
        given: Given,
        budget: Budget | None,
    ) -> Outcome:
        taking = Taking(Budget(steps=DEFAULT_STEPS) if budget is None else budget)
        known, beyond = len(taking.budget.nulls), taking.budget.nulls_beyond
        taking.budget.where = asked.name
        try:
            value, mark = run(Evaluation(self._graph, taking), given, taking)
        except RecursionError:
            raise FeelBudgetError(resource=Resource.DEPTH, limit=MAXIMUM_DEPTH) from None
        return Outcome(
            value=value,
            fired=tuple(taking.fired[mark:]),
            earlier=tuple(taking.fired[:mark]),
            nulls=taking.budget.nulls[known:],
            nulls_beyond=taking.budget.nulls_beyond - beyond,
        )

    def _called(self, element: InputData) -> str:
        called = self.imports.get(element.namespace, "")
        return f"{called}.{element.name}" if called else element.name


def _found(elements: Mapping[str, _Named], id_or_name: str, noun: str) -> _Named:
    found = elements.get(id_or_name)
    if found is not None:
        return found
    name = normal(id_or_name)
    for element in elements.values():
        if element.name == name:
            return element
    raise DecisionNotFoundError(name=id_or_name, known=tuple(elements), noun=noun)


def _input_values(
    evaluation: Evaluation,
    given: Given,
    elements: tuple[InputData | Decision, ...],
    budget: Budget,
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for element in elements:
        raw = given.find(element)
        if raw is ABSENT:
            values[element.id] = evaluation.missing(element.variable)
        else:
            value = admit(raw, name=element.variable, budget=budget)
            values[element.id] = held(element.type, value, budget)
    return values

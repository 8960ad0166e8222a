"""
One evaluation: decisions taken in order, each with exactly what it requires in its scope.

Source: DMN 1.5, sections 10.4 (decisions and business knowledge models) and 5.2.2, 10.4 (decision services).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pilothouse.dmn.errors import DmnRejectedError
from pilothouse.dmn.model import Decision, InputData, Knowledge, Service
from pilothouse.dmn.taking import NOWHERE, held
from pilothouse.feel import admit
from pilothouse.feel.budget import Fault
from pilothouse.feel.types import ANY
from pilothouse.feel.values import Function

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.dmn.errors import Problem
    from pilothouse.dmn.graph import Graph
    from pilothouse.dmn.model import Need, Plan
    from pilothouse.dmn.taking import Taking
    from pilothouse.feel import Budget, Value

_CALL = 3
"""The steps of a call, apart from what the function does: it takes about as long as three operations."""

NO_VARIABLES: Mapping[str, object] = {}


class Evaluation:
    """
    One evaluation of a model.

    Parameters
    ----------
    graph
        The elements.
    taking
        The budget, and what there is to show.
    """

    def __init__(self, graph: Graph, taking: Taking) -> None:
        self._graph = graph
        self._taking = taking

    def take(self, plan: Plan, values: dict[str, Value], variables: Mapping[str, object]) -> int:
        """
        Take the decisions of a plan, and put each value where those after it find it.

        Parameters
        ----------
        plan
            The decisions, in order.
        values
            The values of the inputs, by the ids of the elements; those of the decisions are added.
        variables
            What the caller gave for names that no element provides.

        Returns
        -------
        int
            How many rules had counted before the last decision.

        Raises
        ------
        DmnRejectedError
            When a decision cannot be taken as its file says it.
        FeelBudgetError
            When it needs more than the budget.
        """
        raise_problems(plan.problems)
        mark = 0
        for decision in plan.decisions:
            mark = len(self._taking.fired)
            values[decision.id] = self._taken(decision, values, variables)
        return mark

    def missing(self, name: str) -> None:
        """Note that an input was not given, which makes it null."""
        problem = f"the input {name!r} is not given"
        return self._taking.budget.null(problem, place=NOWHERE, fault=Fault.MISSING)

    def function(self, element: Knowledge | Service) -> Function:
        """
        Give a business knowledge model or a decision service as a value.

        Raises
        ------
        DmnRejectedError
            When it cannot be called as its file says it.
        """
        made = self._taking.functions.get(element.id)
        if made is None:
            raise_problems(element.problems)
            if isinstance(element, Knowledge):
                made = self._knowledge(element)
            else:
                made = self._service(element)
            self._taking.functions[element.id] = made
        return made

    def _taken(
        self, decision: Decision, values: Mapping[str, Value], variables: Mapping[str, object]
    ) -> Value:
        taking, budget = self._taking, self._taking.budget
        budget.charge(1)
        taking.decision, budget.where = decision.id, decision.name
        if decision.logic is None:
            problem = f"the decision {decision.name!r} has no logic"
            return budget.null(problem, place=NOWHERE, fault=Fault.MISSING)
        scope = self._scope(decision, values, variables)
        value = decision.logic.evaluate(scope, taking)
        return value if decision.type is ANY else held(decision.type, value, budget)

    def _scope(
        self, decision: Decision, values: Mapping[str, Value], variables: Mapping[str, object]
    ) -> dict[str, Value]:
        budget = self._taking.budget
        scope = {
            name: admit(variables[name], name=name, budget=budget)
            for name in decision.free
            if name in variables
        }
        for need in (*decision.inputs, *decision.requires):
            put(scope, need.path, values[need.id])
        self._add_functions(scope, decision.knowledge)
        return scope

    def _add_functions(self, scope: dict[str, Value], needs: Iterable[Need]) -> None:
        for need in needs:
            element = self._graph.elements[need.id]
            if isinstance(element, (Knowledge, Service)):
                put(scope, need.path, self.function(element))

    def _knowledge(self, element: Knowledge) -> Function:
        taking, definition = self._taking, element.definition
        if definition is None:
            return _undefined(element)

        def run(budget: Budget, values: tuple[Value, ...]) -> Value:
            budget.charge(_CALL)
            before = taking.decision, budget.where
            taking.decision, budget.where = element.id, element.name
            around: dict[str, Value] = {}
            self._add_functions(around, element.knowledge)
            around[element.name] = itself
            value = definition.body.evaluate(definition.inner_scope(around, values), taking)
            taking.decision, budget.where = before
            return value

        itself = definition.function(run)
        return itself

    def _service(self, element: Service) -> Function:
        parameters = self.parameters(element)
        plan = self._graph.of_service(element)
        taking = self._taking

        def run(budget: Budget, arguments: tuple[Value, ...]) -> Value:
            before = taking.decision, budget.where
            values = dict(zip((p.id for p in parameters), arguments, strict=True))
            for unfed in plan.inputs:
                values[unfed.id] = self.missing(unfed.name)
            self.take(plan, values, NO_VARIABLES)
            taking.decision, budget.where = before
            return self._output(element, values)

        return Function(
            name=element.name,
            parameters=tuple(p.variable for p in parameters),
            run=run,
            types=tuple(p.type for p in parameters),
            result=element.type,
        )

    def parameters(self, element: Service) -> tuple[InputData | Decision, ...]:
        """Give the inputs and decisions that are the parameters of a service, in order."""
        found = (self._graph.elements[need.id] for need in element.parameters)
        return tuple(e for e in found if isinstance(e, (InputData, Decision)))

    def _output(self, element: Service, values: Mapping[str, Value]) -> Value:
        if len(element.outputs) == 1:
            return values[element.outputs[0].id]
        return {need.path[-1]: values[need.id] for need in element.outputs}


def raise_problems(problems: tuple[Problem, ...]) -> None:
    """
    Refuse to run what has problems.

    Raises
    ------
    DmnRejectedError
        When there are any.
    """
    if problems:
        raise DmnRejectedError(problems=problems)


def put(scope: dict[str, Value], path: tuple[str, ...], value: Value) -> None:
    """Put a value into a scope; what comes from an import goes into the context that stands for the import."""
    for name in path[:-1]:
        # No other name of a file is that of an import, so this is the context made here.
        scope = cast("dict[str, Value]", scope.setdefault(name, {}))
    scope[path[-1]] = value


def _undefined(element: Knowledge) -> Function:
    def run(budget: Budget, values: tuple[Value, ...]) -> Value:
        problem = f"the business knowledge model {element.name!r} has no logic"
        return budget.null(problem, place=NOWHERE, fault=Fault.MISSING)

    return Function(name=element.name, parameters=(), run=run, variadic=True)

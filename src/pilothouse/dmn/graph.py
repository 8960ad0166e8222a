"""The elements of a model and of all files that it imports, with what each evaluation of them must do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.model import Decision, InputData, Plan, Service
from pilothouse.dmn.requirements import ordered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.model import Element


class Graph:
    """
    All elements, by the ids under which the whole model knows them.

    Parameters
    ----------
    elements
        The elements.
    """

    def __init__(self, elements: Mapping[str, Element]) -> None:
        self.elements = elements
        self._plans: dict[tuple[tuple[str, ...], frozenset[str]], Plan] = {}

    def of_decision(self, decision: Decision) -> Plan:
        """Plan to take a decision, which comes last."""
        return self._plan((decision.id,), frozenset())

    def of_service(self, service: Service) -> Plan:
        """Plan to take the output decisions of a service, whose parameters are given."""
        outputs = tuple(need.id for need in service.outputs)
        return self._plan(outputs, frozenset(need.id for need in service.parameters))

    def _plan(self, wanted: tuple[str, ...], given: frozenset[str]) -> Plan:
        known = self._plans.get((wanted, given))
        if known is None:
            known = self._planned(ordered(wanted, self._required, given=given))
            self._plans[wanted, given] = known  # two threads may both do it, to the same end
        return known

    def _planned(self, order: tuple[str, ...]) -> Plan:
        met = [self.elements[i] for i in order]
        return Plan(
            inputs=tuple(e for e in met if isinstance(e, InputData)),
            decisions=tuple(e for e in met if isinstance(e, Decision)),
            problems=tuple(p for e in met for p in e.problems),
        )

    def _required(self, known_as: str) -> tuple[str, ...]:
        element = self.elements[known_as]
        if not isinstance(element, Decision):
            return ()
        return tuple(need.id for need in (*element.inputs, *element.requires))

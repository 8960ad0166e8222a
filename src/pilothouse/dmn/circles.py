"""Circles of requirements in a model: decisions that need their own value, functions that need themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.model import Decision, Knowledge, Service
from pilothouse.dmn.requirements import circles, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.dmn.model import Element

MAXIMUM_TAKEN = 100_000
"""How many decisions the services of a file may take together, each counted for every service that takes it."""


class CircleSearch:
    """
    The circles among the elements of a file.

    A decision service takes the decisions that it gives and encapsulates, not those that are its parameters: so
    it is in a circle only where one of the former needs the service.

    Parameters
    ----------
    elements
        The elements, by id.
    """

    def __init__(self, elements: Mapping[str, Element]) -> None:
        self._elements = elements
        self._left = MAXIMUM_TAKEN
        self._through: dict[tuple[str, str], str] = {}
        self._decisions = {
            known_as: tuple(need.id for need in element.requires if need.id in elements)
            for known_as, element in elements.items()
            if isinstance(element, Decision)
        }
        self._functions = {
            known_as: self._called(element)
            for known_as, element in elements.items()
            if isinstance(element, (Knowledge, Service))
        }

    @property
    def too_much(self) -> bool:
        """Whether the services take so many decisions that the search did not look at all of them."""
        return self._left < 0

    def circles(self) -> Iterator[tuple[str, ...]]:
        """Give the ids of the members of each circle, in order."""
        yield from circles(self._decisions)
        for circle in circles(self._functions):
            yield self._with_decisions(circle)

    def _called(self, element: Knowledge | Service) -> set[str]:
        if isinstance(element, Knowledge):
            return {need.id for need in element.knowledge if need.id in self._elements}
        return self._called_by_service(element)

    def _called_by_service(self, service: Service) -> set[str]:
        """Find the functions that the decisions of a service require, and note which decision requires each."""
        given = frozenset(need.id for need in service.parameters)
        outputs = [need.id for need in service.outputs if need.id in self._decisions]
        called = set[str]()
        for taken in (
            () if self.too_much else ordered(outputs, self._decisions.__getitem__, given=given)
        ):
            self._left -= 1
            decision = self._elements[taken]
            for need in decision.knowledge if isinstance(decision, Decision) else ():
                if need.id in self._elements:
                    called.add(need.id)
                    self._through.setdefault((service.id, need.id), taken)
        return called

    def _with_decisions(self, circle: tuple[str, ...]) -> tuple[str, ...]:
        """Put the decision through which a service requires the next function between the two."""
        following = (*circle[1:], circle[0])
        return tuple(
            member
            for one, other in zip(circle, following, strict=True)
            for member in (one, self._through.get((one, other), ""))
            if member
        )

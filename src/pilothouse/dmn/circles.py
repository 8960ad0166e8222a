"""Circles of requirements in a model: decisions that need their own value, functions that need themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.model import Decision, Knowledge, Service
from pilothouse.dmn.requirements import circles, ordered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.dmn.model import Element


def circles_among(elements: Mapping[str, Element]) -> Iterator[tuple[str, ...]]:
    """
    Find the circles among the elements of a file.

    A decision service takes the decisions that it gives and encapsulates, not those that are its parameters: so
    it is in a circle only where one of the former needs the service.

    Parameters
    ----------
    elements
        The elements, by id.

    Yields
    ------
    tuple
        The ids of the members of a circle, in order.
    """
    decisions = {i: _own(e, elements) for i, e in elements.items() if isinstance(e, Decision)}
    yield from circles(decisions)
    through: dict[tuple[str, str], str] = {}
    functions: dict[str, set[str]] = {}
    for known_as, element in elements.items():
        if isinstance(element, Knowledge):
            functions[known_as] = {n.id for n in element.knowledge if n.id in elements}
        elif isinstance(element, Service):
            functions[known_as] = _called(element, elements, decisions, through)
    for circle in circles(functions):
        yield _with_decisions(circle, through)


def _own(decision: Decision, elements: Mapping[str, Element]) -> tuple[str, ...]:
    return tuple(need.id for need in decision.requires if need.id in elements)


def _called(
    service: Service,
    elements: Mapping[str, Element],
    decisions: Mapping[str, tuple[str, ...]],
    through: dict[tuple[str, str], str],
) -> set[str]:
    """Find the functions that the decisions of a service require, and note which decision requires each."""
    given = frozenset(need.id for need in service.parameters)
    outputs = [need.id for need in service.outputs if need.id in decisions]
    called = set()
    for taken in ordered(outputs, decisions.__getitem__, given=given):
        decision = elements[taken]
        needs = decision.knowledge if isinstance(decision, Decision) else ()
        for need in needs:
            if need.id in elements:
                called.add(need.id)
                through.setdefault((service.id, need.id), taken)
    return called


def _with_decisions(
    circle: tuple[str, ...], through: Mapping[tuple[str, str], str]
) -> tuple[str, ...]:
    """Put the decision through which a service requires the next function between the two."""
    following = (*circle[1:], circle[0])
    return tuple(
        member
        for one, other in zip(circle, following, strict=True)
        for member in (one, through.get((one, other), ""))
        if member
    )

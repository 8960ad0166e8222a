"""Gateways from XML: exclusive, inclusive, parallel and event-based ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import EventBased, Exclusive, Inclusive, Parallel

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Base, Reading
    from pilothouse.bpmn.xml import Element


def read_exclusive(reading: Reading, element: Element, base: Base) -> Exclusive:
    """Read an exclusive gateway with its default flow."""
    return Exclusive(**base, default=_default(reading, element, base))


def read_inclusive(reading: Reading, element: Element, base: Base) -> Inclusive:
    """Read an inclusive gateway with its default flow."""
    return Inclusive(**base, default=_default(reading, element, base))


def read_parallel(reading: Reading, element: Element, base: Base) -> Parallel:
    """Read a parallel gateway."""
    _plain(reading, element)
    return Parallel(**base)


def read_event_based(reading: Reading, element: Element, base: Base) -> EventBased:
    """Read an event-based gateway that waits for the first of its events."""
    _plain(reading, element)
    if element.get("instantiate") == "true":
        reading.reject(
            element,
            "it would start a run",
            "Draw a start event for each event that starts the process.",
        )
    if element.get("eventGatewayType") == "Parallel":
        reading.reject(
            element,
            "it waits for all of its events",
            "Use a parallel gateway before the catch events.",
        )
    return EventBased(**base)


def _default(reading: Reading, element: Element, base: Base) -> str | None:
    _plain(reading, element)
    default = element.get("default")
    if default is not None and default not in base["outgoing"]:
        reading.reject(
            element, f"the default flow {default!r} does not leave it", "Choose one that does."
        )
    return default


def _plain(reading: Reading, element: Element) -> None:
    reading.check_children(element)
    reading.extensions(element)

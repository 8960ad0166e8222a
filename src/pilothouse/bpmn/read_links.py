"""Links from XML: pairs of events that stand for a sequence flow within one process or sub-process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Link, Pass
from pilothouse.bpmn.xml import Element, children

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Base, Reading


def read_link_throw(reading: Reading, element: Element, definition: Element, base: Base) -> Link:
    """Read the throwing end of a link: exactly one catching end of its name stands beside it."""
    reading.extensions(element)
    name = reading.required(definition, "name", what="name of the link")
    targets = _ends(element, "intermediateCatchEvent", name)
    if len(targets) != 1:
        reading.reject(
            element,
            f"{len(targets)} intermediate catch events beside it have the link {name!r}, not one",
            "Draw one in the same process or sub-process.",
        )
    if base["outgoing"]:
        reading.reject(
            element, "a flow leaves a link", "Draw the flow after the catching end of the link."
        )
    return Link(**base, target=targets[0] if targets else "")


def read_link_catch(reading: Reading, element: Element, definition: Element, base: Base) -> Pass:
    """Read the catching end of a link."""
    reading.extensions(element)
    name = reading.required(definition, "name", what="name of the link")
    if not _ends(element, "intermediateThrowEvent", name):
        reading.reject(
            element,
            f"no intermediate throw event beside it has the link {name!r}",
            "Draw one in the same process or sub-process.",
        )
    if base["incoming"]:
        reading.reject(
            element, "a flow leads into a link", "Draw the flow to the throwing end of the link."
        )
    return Pass(**base)


def _ends(element: Element, kind: str, name: str) -> list[str]:
    container = element.getparent()
    return [
        str(event.get("id"))
        for event in (children(container, kind) if container is not None else ())
        for definition in children(event, "linkEventDefinition")
        if (definition.get("name") or "").strip() == name
    ]

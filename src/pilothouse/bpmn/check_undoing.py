"""What must hold of compensation: who undoes what, and what an order to undo may name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    AnyNode,
    CompensationThrown,
    Definition,
    End,
    SubProcess,
    Throw,
    UndoneBy,
)
from pilothouse.bpmn.xml import Element, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

Finding = tuple[str, str, str]
"""The id of an element, what is wrong with it, and the cure."""


def compensations(definition: Definition, elements: dict[str, Element]) -> Iterator[Finding]:
    """Find what is wrong with compensation events, and with the activities that undo."""
    handlers = [e for e in definition.nodes if _undoes(elements.get(e))]
    named: set[str] = set()
    for boundary in (b for bs in definition.boundaries.values() for b in bs):
        if not isinstance(boundary.trigger, UndoneBy):
            continue
        handler = definition.nodes.get(boundary.trigger.handler)
        named.add(boundary.trigger.handler)
        if handler is None or handler.id not in handlers or handler.scope != boundary.scope:
            yield (
                boundary.id,
                f"{boundary.trigger.handler!r} is no activity beside it that undoes",
                'Draw the association to an activity with isForCompensation="true".',
            )
        if boundary.outgoing:
            yield boundary.id, "a flow leaves a compensation event", "Draw an association instead."
    for handler_id in handlers:
        yield from _handler(definition, definition.nodes[handler_id], named, elements)
    yield from _throws(definition, elements)


def _handler(
    definition: Definition, handler: AnyNode, named: set[str], elements: dict[str, Element]
) -> Iterator[Finding]:
    if handler.incoming or handler.outgoing or handler.id in definition.boundaries:
        yield (
            handler.id,
            "an activity that undoes has a flow or a boundary event",
            "Remove it: the compensation event leads to the activity, and it ends by itself.",
        )
    if handler.id not in named or not is_activity(handler, elements):
        yield (
            handler.id,
            "it is to undo, and no compensation event leads to it",
            "Draw an association from a compensation boundary event to a task or sub-process.",
        )


def _throws(definition: Definition, elements: dict[str, Element]) -> Iterator[Finding]:
    for node in definition.nodes.values():
        thrown = node.thrown if isinstance(node, Throw | End) else None
        if not isinstance(thrown, CompensationThrown) or thrown.activity is None:
            continue
        activity = definition.nodes.get(thrown.activity)
        if activity is None or activity.scope not in _scopes_undone(definition, node.scope):
            yield (
                node.id,
                f"it is to undo {thrown.activity!r}, which is no activity of its scope",
                "Refer to an activity beside it, or remove activityRef to undo all.",
            )
        elif not _can_be_undone(definition, activity, elements):
            yield (
                node.id,
                f"it is to undo {thrown.activity!r}, and nothing says how",
                "Draw a compensation boundary event at the activity.",
            )


def _can_be_undone(definition: Definition, activity: AnyNode, elements: dict[str, Element]) -> bool:
    """Whether an activity has a compensation event, or an activity inside it has."""
    return is_activity(activity, elements) and any(
        definition.handler_of(node) is not None and definition.within(node, activity.id)
        for node in definition.nodes
    )


def _scopes_undone(definition: Definition, scope: str) -> set[str]:
    scopes = {scope}
    around = definition.nodes.get(scope)
    while isinstance(around, SubProcess) and around.by_event:
        scopes.add(around.scope)
        around = definition.nodes.get(around.scope)
    return scopes


def _undoes(element: Element | None) -> bool:
    return element is not None and element.get("isForCompensation") == "true"


def tag_of(node: AnyNode, elements: dict[str, Element]) -> str:
    """Give the local name of a node's element."""
    element = elements.get(node.id)
    return name_of(element).local if element is not None else ""


def is_activity(node: AnyNode | None, elements: dict[str, Element]) -> bool:
    """Whether a node is a task that takes time, or a sub-process that a flow leads to."""
    tag = tag_of(node, elements) if node is not None else ""
    opened = isinstance(node, SubProcess) and node.by_event
    lasting = tag.endswith("Task") or tag == "callActivity"
    return (lasting and tag != "manualTask") or (tag == "subProcess" and not opened)

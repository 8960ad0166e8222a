"""What must hold between the elements of a definition, so that every token has somewhere to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Catch,
    Definition,
    End,
    ErrorCode,
    Exclusive,
    Human,
    Parallel,
    Service,
    Start,
    SubProcess,
)
from pilothouse.bpmn.xml import Element, Namespace, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.bpmn.reading import Reading

Finding = tuple[str, str, str]
"""The id of an element, what is wrong with it, and the cure."""


def check(reading: Reading, definition: Definition, process: Element) -> None:
    """Note every structural problem."""
    elements = {str(e.get("id")): e for e in process.iter(etree.Element) if e.get("id")}
    for finding in (
        *_starts(definition),
        *_flows(definition, reading.left_out),
        *_ends(definition),
        *_gateways(definition),
        *_boundaries(definition, elements, reading.left_out),
        *(() if reading.left_out else _unreachable(definition)),
    ):
        identity, problem, cure = finding
        reading.reject(elements.get(identity, process), problem, cure)


def _starts(definition: Definition) -> Iterator[Finding]:
    if not definition.starts:
        yield definition.id, "the process has no start event", "Draw one."
    triggers = [
        (type(s.trigger), s.trigger.name.text if s.trigger else "") for s in definition.starts
    ]
    for start, trigger in zip(definition.starts, triggers, strict=True):
        if triggers.count(trigger) > 1:
            yield start.id, "another start event has the same trigger", "Keep one of them."


def _flows(definition: Definition, left_out: set[str]) -> Iterator[Finding]:
    for flow in definition.flows.values():
        if left_out & {flow.source, flow.target}:
            continue
        source, target = definition.nodes.get(flow.source), definition.nodes.get(flow.target)
        if source is None or target is None:
            end = flow.source if source is None else flow.target
            yield flow.id, f"the flow ends at {end!r}, which is no element", "Connect both ends."
        elif flow.id not in target.incoming or flow.id not in source.outgoing:
            yield (
                flow.id,
                "the flow crosses the border of a sub-process",
                "Connect the sub-process itself.",
            )
        if flow.condition is not None and not isinstance(source, Exclusive):
            yield (
                flow.id,
                "only a flow out of an exclusive gateway has a condition",
                "Draw an exclusive gateway before it.",
            )


def _ends(definition: Definition) -> Iterator[Finding]:
    for node in definition.nodes.values():
        if node.incoming and isinstance(node, (Start, Boundary)):
            yield node.id, "a flow leads into it", "Draw the flow to the element after it."
        if node.outgoing and isinstance(node, End):
            yield node.id, "a flow leaves an end event", "Remove the flow."
        if not node.outgoing and isinstance(node, (Start, Boundary, Exclusive, Parallel)):
            yield node.id, "no flow leaves it", "Draw where the run goes on."


def _gateways(definition: Definition) -> Iterator[Finding]:
    for node in definition.nodes.values():
        if not isinstance(node, Exclusive) or len(node.outgoing) < 2:
            continue
        for flow in (definition.flows[f] for f in node.outgoing if f != node.default):
            if flow.condition is None:
                yield (
                    flow.id,
                    f"the flow leaves the exclusive gateway {node.id} without a condition",
                    "Write a FEEL condition, or make it the default flow.",
                )


def _boundaries(
    definition: Definition, elements: dict[str, Element], left_out: set[str]
) -> Iterator[Finding]:
    for activity, boundaries in definition.boundaries.items():
        if activity in left_out:
            continue
        host = definition.nodes.get(activity)
        codes = [b.trigger.code for b in boundaries if isinstance(b.trigger, ErrorCode)]
        for boundary in boundaries:
            if not _is_activity(host, elements) or (host and host.scope != boundary.scope):
                yield (
                    boundary.id,
                    f"it is attached to {activity!r}, which is no activity beside it",
                    "Attach it to a task or sub-process.",
                )
            if isinstance(boundary.trigger, ErrorCode) and codes.count(boundary.trigger.code) > 1:
                yield boundary.id, "another one catches the same error", "Keep one of them."


def _is_activity(node: AnyNode | None, elements: dict[str, Element]) -> bool:
    if isinstance(node, Catch):
        element = elements.get(node.id)
        name = name_of(element) if element is not None else None
        return name is not None and name.space == Namespace.BPMN and name.local == "receiveTask"
    return isinstance(node, (Service, Human, SubProcess))


def _unreachable(definition: Definition) -> Iterator[Finding]:
    reached: set[str] = set()
    ahead = [start.id for start in definition.starts]
    while ahead:
        node = definition.nodes.get(ahead.pop())
        if node is None or node.id in reached:
            continue
        reached.add(node.id)
        ahead += [definition.flows[flow].target for flow in node.outgoing]
        ahead += [boundary.id for boundary in definition.boundaries.get(node.id, ())]
        if isinstance(node, SubProcess):
            ahead.append(node.start)
    for node in definition.nodes.values():
        astray = isinstance(node, Boundary) and node.attached_to not in definition.nodes
        if node.id not in reached and not astray:
            yield node.id, "no start event leads to it", "Connect it, or remove it."

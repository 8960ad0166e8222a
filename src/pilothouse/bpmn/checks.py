"""What must hold between the elements of a definition, so that every token has somewhere to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.check_undoing import Finding, compensations, is_activity, tag_of
from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Catch,
    Condition,
    Definition,
    ErrorCode,
    Escalation,
    EventBased,
    EventStart,
    Exclusive,
    Inclusive,
    Link,
    Message,
    Parallel,
    Signal,
    Start,
    SubProcess,
    UndoneBy,
)
from pilothouse.bpmn.timers import Timer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.bpmn.reading import Reading
    from pilothouse.bpmn.xml import Element


def check(reading: Reading, definition: Definition, process: Element) -> None:
    """Note every structural problem."""
    elements = {str(e.get("id")): e for e in process.iter(etree.Element) if e.get("id")}
    for finding in (
        *_starts(definition),
        *_flows(definition, reading.left_out),
        *_ends(definition, elements),
        *_gateways(definition),
        *_boundaries(definition, elements, reading.left_out),
        *_event_sub_processes(definition),
        *compensations(definition, elements),
        *(() if reading.left_out else _unreachable(definition)),
    ):
        identity, problem, cure = finding
        reading.reject(elements.get(identity, process), problem, cure)


def _starts(definition: Definition) -> Iterator[Finding]:
    if not definition.starts:
        yield definition.id, "the process has no start event", "Draw one."
    triggers = [_trigger_text(start) for start in definition.starts]
    for start, trigger in zip(definition.starts, triggers, strict=True):
        if triggers.count(trigger) > 1:
            yield start.id, "another start event has the same trigger", "Keep one of them."


def _trigger_text(start: Start) -> tuple[str, str]:
    match start.trigger:
        case Message(name=text) | Signal(name=text) | Condition(value=text) | Timer(value=text):
            return type(start.trigger).__name__, text.text
        case None:
            return "", ""


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
        if flow.condition is not None and not isinstance(source, Exclusive | Inclusive):
            yield (
                flow.id,
                "only a flow out of an exclusive or inclusive gateway has a condition",
                "Draw such a gateway before it.",
            )


def _ends(definition: Definition, elements: dict[str, Element]) -> Iterator[Finding]:
    for node in definition.nodes.values():
        if node.incoming and isinstance(node, Start | EventStart | Boundary):
            yield node.id, "a flow leads into it", "Draw the flow to the element after it."
        if node.outgoing and tag_of(node, elements) == "endEvent":
            yield node.id, "a flow leaves an end event", "Remove the flow."
        if not node.outgoing and _goes_on(node):
            yield node.id, "no flow leaves it", "Draw where the run goes on."


def _goes_on(node: AnyNode) -> bool:
    if isinstance(node, Boundary):
        return not isinstance(node.trigger, UndoneBy)
    return isinstance(node, Start | EventStart | Exclusive | Inclusive | Parallel | EventBased)


def _gateways(definition: Definition) -> Iterator[Finding]:
    for node in definition.nodes.values():
        if isinstance(node, EventBased):
            yield from _event_gateway(definition, node)
        if not isinstance(node, Exclusive) or len(node.outgoing) < 2:
            continue
        for flow in (definition.flows[f] for f in node.outgoing if f != node.default):
            if flow.condition is None:
                yield (
                    flow.id,
                    f"the flow leaves the exclusive gateway {node.id} without a condition",
                    "Write a FEEL condition, or make it the default flow.",
                )


def _event_gateway(definition: Definition, node: EventBased) -> Iterator[Finding]:
    if len(node.outgoing) == 1:
        yield node.id, "it waits for one event alone", "Draw the event without the gateway."
    for target in (definition.nodes.get(definition.flows[f].target) for f in node.outgoing):
        if target is None:
            continue
        bare = target.id not in {*definition.boundaries, *definition.loops}
        if not isinstance(target, Catch) or len(target.incoming) != 1 or not bare:
            yield (
                target.id,
                f"it follows the event-based gateway {node.id} and is no catch event of its own",
                "Draw a catch event or receive task with no other incoming flow, boundary event or loop.",
            )


def _boundaries(
    definition: Definition, elements: dict[str, Element], left_out: set[str]
) -> Iterator[Finding]:
    for activity, boundaries in definition.boundaries.items():
        if activity in left_out:
            continue
        host = definition.nodes.get(activity)
        for boundary in boundaries:
            if not is_activity(host, elements) or (host and host.scope != boundary.scope):
                yield (
                    boundary.id,
                    f"it is attached to {activity!r}, which is no activity beside it",
                    "Attach it to a task or sub-process.",
                )
        yield from _twice(boundaries)


def _twice(catchers: Sequence[Boundary | EventStart]) -> Iterator[Finding]:
    """Find events beside one another that catch the same."""
    triggers = [c.trigger for c in catchers]
    for catcher in catchers:
        match catcher.trigger:
            case ErrorCode() if triggers.count(catcher.trigger) > 1:
                yield catcher.id, "another one catches the same error", "Keep one of them."
            case Escalation() if triggers.count(catcher.trigger) > 1:
                yield catcher.id, "another one catches the same escalation", "Keep one of them."
            case UndoneBy() if sum(isinstance(t, UndoneBy) for t in triggers) > 1:
                yield catcher.id, "another one undoes the same activity", "Keep one of them."
            case _:
                pass


def _event_sub_processes(definition: Definition) -> Iterator[Finding]:
    for scope in (definition.id, *definition.nodes):
        inner = definition.opened_by_events(scope)
        starts = [definition.nodes.get(process.start) for process in inner]
        yield from _twice([start for start in starts if isinstance(start, EventStart)])


def _unreachable(definition: Definition) -> Iterator[Finding]:
    reached: set[str] = set()
    ahead = [start.id for start in definition.starts]
    ahead += [process.id for process in definition.opened_by_events(definition.id)]
    while ahead:
        node = definition.nodes.get(ahead.pop())
        if node is not None and node.id not in reached:
            reached.add(node.id)
            ahead += _after(definition, node)
    for node in definition.nodes.values():
        astray = isinstance(node, Boundary) and node.attached_to not in definition.nodes
        if node.id not in reached and not astray:
            yield node.id, "no start event leads to it", "Connect it, or remove it."


def _after(definition: Definition, node: AnyNode) -> Iterator[str]:
    yield from (definition.flows[flow].target for flow in node.outgoing)
    for boundary in definition.boundaries.get(node.id, ()):
        yield boundary.id
        if isinstance(boundary.trigger, UndoneBy):
            yield boundary.trigger.handler
    if isinstance(node, Link):
        yield node.target
    if isinstance(node, SubProcess):
        yield node.start
        yield from (process.id for process in definition.opened_by_events(node.id))

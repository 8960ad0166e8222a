"""
BPMN 2.0 XML to a `Definition`, or to the list of everything in it that cannot run.

The dialect is Camunda 8's: zeebe extensions and FEEL behind a leading ``=``; what Pilothouse adds stands in the
namespace ``https://pilothouse.dev/bpmn/1``. Nothing is skipped: an element that is not executed and not mere
drawing is a problem, with its id, its line, and what to draw instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.advice import for_element
from pilothouse.bpmn.camunda7 import from_camunda7, is_camunda7
from pilothouse.bpmn.checks import check
from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Definition,
    EventStart,
    Flow,
    Start,
    SubProcess,
)
from pilothouse.bpmn.errors import DefinitionRejectedError, Problem
from pilothouse.bpmn.read_events import read_boundary, read_catch, read_start
from pilothouse.bpmn.read_gateways import (
    read_event_based,
    read_exclusive,
    read_inclusive,
    read_parallel,
)
from pilothouse.bpmn.read_loops import LOOPS, read_loop
from pilothouse.bpmn.read_tasks import (
    read_call,
    read_receive,
    read_rule,
    read_service,
    read_user,
)
from pilothouse.bpmn.read_throws import read_end, read_manual, read_send, read_throw
from pilothouse.bpmn.reading import Base, Reading, Topics
from pilothouse.bpmn.spreading import spread_properties
from pilothouse.bpmn.xml import FILE, Element, Namespace, children, line_of, name_of, parse

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Expressions

DRAWN = frozenset(
    {
        "documentation",
        "extensionElements",
        "incoming",
        "outgoing",
        "sequenceFlow",
        "laneSet",
        "textAnnotation",
        "group",
        "dataObject",
        "dataObjectReference",
        "dataStoreReference",
    }
)
"""What a process may contain besides flow nodes: for the reader's eye only."""

READ_ELSEWHERE = frozenset({*LOOPS, "association"})
"""What is no flow node and says something of one, which is read with that one."""

MAXIMUM_NODES = 1_000
MAXIMUM_ELEMENTS = 10_000
"""
What the processes of a file may have in all: events, tasks, gateways and sub-processes; and XML elements of any kind.

Some checks compare each with each, so a file of 2 MB full of them would hold up the server for minutes.
"""

NodeReader = Callable[[Reading, Element, Base], AnyNode]


def read(
    xml: bytes,
    *,
    expressions: Expressions,
    topics: Topics | None = None,
    delegates: Mapping[str, str] | None = None,
) -> Definition:
    """
    Read a definition; one of Camunda 7 is rewritten first, as far as it says the same.

    Parameters
    ----------
    xml
        The file, at most 2 MB.
    expressions
        Compiles every expression in it, now.
    topics
        The topics that somebody works on, each with the parameters that it knows (None: any); None checks
        no topic.
    delegates
        Topics by delegate expression, for a file of Camunda 7.

    Raises
    ------
    DefinitionRejectedError
        When anything in it cannot run; ``problems`` has all of it.

    References
    ----------
    .. [1] OMG, "Business Process Model and Notation 2.0.2", chapters 10 and 13.
    """
    root = parse(xml)
    _check_size(root)
    reading = Reading(expressions=expressions, topics=topics)
    if is_camunda7(root):
        from_camunda7(reading, root, delegates=delegates)
    spread_properties(reading, root)
    _check_ids(reading, root)  # afterwards: the ids of form fields there are names, not ids
    for element in root.iterchildren(etree.Element):
        if element.get("id"):
            reading.declared[str(element.get("id"))] = element
    definition = None
    for process in _processes(reading, root):
        reading.flows, reading.loops = {}, {}
        reading.reject_other_engines(process)
        definition = _read_process(reading, process, hashlib.sha256(xml).hexdigest())
        check(reading, definition, process)
    if reading.problems or definition is None:
        raise DefinitionRejectedError(problems=tuple(dict.fromkeys(reading.problems)))
    return definition


def _check_size(root: Element) -> None:
    elements = [e for p in children(root, "process") for e in p.iter(etree.Element)]
    for what, count, most in (
        ("XML elements", len(elements), MAXIMUM_ELEMENTS),
        ("events, tasks, gateways and sub-processes", _nodes(elements), MAXIMUM_NODES),
    ):
        if count > most:
            problem = f"the file has {count:,} {what}, more than {most:,}"
            cure = "Split the process into several that call one another."
            raise DefinitionRejectedError(
                problems=(Problem(element=FILE, line=0, problem=problem, cure=cure),)
            )


def _nodes(elements: list[Element]) -> int:
    names = (name_of(element) for element in elements)
    kinds = {*READERS, "subProcess"}
    return sum(name.space == Namespace.BPMN and name.local in kinds for name in names)


def _check_ids(reading: Reading, root: Element) -> None:
    if name_of(root).space != Namespace.BPMN or name_of(root).local != "definitions":
        reading.reject(root, "the file is not BPMN 2.0", "Its root must be bpmn:definitions.")
    seen: set[str] = set()
    for element in root.iter(etree.Element):
        identity = element.get("id")
        if identity is not None and identity in seen:
            reading.reject(
                element, f"the id {identity!r} is there twice", "Give each element its own."
            )
        seen.add(identity or "")


def _processes(reading: Reading, root: Element) -> list[Element]:
    """Give the executable process, or else all that may be meant, so that all their problems are told at once."""
    processes = children(root, "process")
    executable = [p for p in processes if p.get("isExecutable") == "true"]
    if len(executable) != 1:
        reading.reject(
            root,
            f"the file has {len(executable)} executable processes, not one",
            'Mark exactly one process with isExecutable="true".',
        )
    return executable or [p for p in processes if _is_drawn(p)] or processes[:1]


def _is_drawn(process: Element) -> bool:
    """Whether a process has anything to run: a participant whose inside is not shown has not."""
    return any(name_of(e).local not in DRAWN for e in process.iterchildren(etree.Element))


def _read_process(reading: Reading, process: Element, digest: str) -> Definition:
    identity = reading.required(process, "id", what="process id")
    reading.extensions(process)
    nodes = {node.id: node for node in _container(reading, process, identity)}
    boundaries: dict[str, tuple[Boundary, ...]] = {}
    for node in nodes.values():
        if isinstance(node, Boundary):
            boundaries[node.attached_to] = (*boundaries.get(node.attached_to, ()), node)
    return Definition(
        id=identity,
        name=process.get("name") or identity,
        digest=digest,
        nodes=nodes,
        flows=reading.flows,
        boundaries=boundaries,
        starts=tuple(n for n in nodes.values() if isinstance(n, Start) and n.scope == identity),
        loops=reading.loops,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flows:
    """The sequence flows of one process or sub-process, and their ids by the elements at their ends."""

    all: list[Flow]
    into: Mapping[str, list[str]]
    out_of: Mapping[str, list[str]]

    @classmethod
    def of(cls, flows: list[Flow]) -> _Flows:
        into: dict[str, list[str]] = {}
        out_of: dict[str, list[str]] = {}
        for flow in flows:
            into.setdefault(flow.target, []).append(flow.id)
            out_of.setdefault(flow.source, []).append(flow.id)
        return cls(all=flows, into=into, out_of=out_of)


def _container(reading: Reading, container: Element, scope: str) -> list[AnyNode]:
    flows = _Flows.of([_flow(reading, element) for element in children(container, "sequenceFlow")])
    reading.flows.update({flow.id: flow for flow in flows.all})
    nodes: list[AnyNode] = []
    for element in container.iterchildren(etree.Element):
        name = name_of(element)
        if name.space == Namespace.BPMN and name.local in {*DRAWN, *READ_ELSEWHERE}:
            continue
        if name.space == Namespace.BPMN and name.local == "subProcess":
            nodes += _sub_process(reading, element, _base(reading, element, scope, flows))
        elif name.space == Namespace.BPMN and name.local in READERS:
            nodes.append(
                READERS[name.local](reading, element, _base(reading, element, scope, flows))
            )
        else:
            reading.reject(element, f"a {name.local} is not executed", for_element(name.local))
            reading.left_out.update(str(e.get("id")) for e in element.iter(etree.Element))
    return nodes


def _flow(reading: Reading, element: Element) -> Flow:
    reading.check_children(element, "conditionExpression")
    reading.extensions(element)
    flow = Flow(
        id=reading.required(element, "id", what="id"),
        source=element.get("sourceRef") or "",
        target=element.get("targetRef") or "",
        name=element.get("name") or "",
    )
    conditions = children(element, "conditionExpression")
    text = (conditions[0].text or "").strip() if conditions else ""
    if conditions and not text.startswith("="):
        reading.reject(
            element,
            f"the condition {text!r} is not FEEL",
            'Write FEEL behind a leading =, such as =evaluation.verdict = "PASS".',
        )
    return replace(flow, condition=reading.value(element, text, what="condition") if text else None)


def _base(reading: Reading, element: Element, scope: str, flows: _Flows) -> Base:
    identity = reading.required(element, "id", what="id")
    for quantity in ("startQuantity", "completionQuantity"):
        if element.get(quantity, "1") != "1":
            reading.reject(element, f"its {quantity} is not 1", "Draw gateways that say the same.")
    loop = read_loop(reading, element)
    if loop is not None:
        reading.loops[identity] = loop
    return Base(
        id=identity,
        name=element.get("name") or "",
        line=line_of(element),
        scope=scope,
        incoming=tuple(flows.into.get(identity, ())),
        outgoing=tuple(flows.out_of.get(identity, ())),
    )


def _sub_process(reading: Reading, element: Element, base: Base) -> list[AnyNode]:
    by_event = element.get("triggeredByEvent") == "true"
    inner = _container(reading, element, base["id"])
    starts = [n for n in inner if isinstance(n, Start | EventStart) and n.scope == base["id"]]
    if len(starts) != 1 or (isinstance(starts[0], Start) and starts[0].trigger is not None):
        wanted = "with a trigger" if by_event else "without a trigger"
        reading.reject(
            element, "it has not exactly one start event of its kind", f"Draw one, {wanted}."
        )
    if by_event and (base["incoming"] or base["outgoing"] or base["id"] in reading.loops):
        reading.reject(
            element,
            "an event sub-process has a flow or repeats",
            "Remove the flows and the loop: its start event opens it.",
        )
    io = reading.extensions(element, "ioMapping").get("ioMapping")
    node = SubProcess(
        **base,
        start=starts[0].id if starts else "",
        by_event=by_event,
        inputs=reading.mappings(io, "input"),
        outputs=reading.mappings(io, "output"),
    )
    return [node, *inner]


READERS: dict[str, NodeReader] = {
    "startEvent": read_start,
    "endEvent": read_end,
    "serviceTask": read_service,
    "sendTask": read_send,
    "manualTask": read_manual,
    "businessRuleTask": read_rule,
    "callActivity": read_call,
    "userTask": read_user,
    "receiveTask": read_receive,
    "intermediateCatchEvent": read_catch,
    "intermediateThrowEvent": read_throw,
    "boundaryEvent": read_boundary,
    "exclusiveGateway": read_exclusive,
    "inclusiveGateway": read_inclusive,
    "parallelGateway": read_parallel,
    "eventBasedGateway": read_event_based,
}

"""Tasks from XML: service, business rule, user and receive tasks, with their zeebe and pilothouse extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Backoff, Called, Catch, Human, Mapped, Service
from pilothouse.bpmn.durations import Duration
from pilothouse.bpmn.forms import FieldType
from pilothouse.bpmn.lanes import lane_role
from pilothouse.bpmn.read_approvals import (
    read_overdue,
    read_quorum,
    read_reminder,
    reject_assignee,
)
from pilothouse.bpmn.read_loops import LOOPS
from pilothouse.bpmn.read_timers import LONG_AGO
from pilothouse.bpmn.read_triggers import read_message
from pilothouse.bpmn.timers import TimerKind, read_schedule
from pilothouse.bpmn.xml import Element, Namespace, children

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Value
    from pilothouse.bpmn.reading import Base, Reading

DECISION_TOPIC = "evaluate-decision"
CALL_TOPIC = "start-life-cycle"
JOB = ("taskDefinition", "ioMapping", "taskHeaders", "retry")
"""The extensions of what has a topic."""


def read_service(reading: Reading, element: Element, base: Base) -> Service:
    """Read a service task."""
    reading.check_children(element, *LOOPS)
    return read_job(reading, element, base, reading.extensions(element, *JOB))


def read_rule(reading: Reading, element: Element, base: Base) -> Service:
    """Read a business rule task: a called decision, or a topic like a service task."""
    reading.check_children(element, *LOOPS)
    found = reading.extensions(element, "calledDecision", *JOB)
    called = found.get("calledDecision")
    if called is None:
        return read_job(reading, element, base, found)
    if "taskDefinition" in found:
        reading.reject(element, "it has a decision and a topic", "Keep one of them.")
    inputs, outputs = _io(reading, found)
    _check_topic(reading, element, DECISION_TOPIC, ())
    decision = reading.required(called, "decisionId", what="decision id")
    return Service(
        **base,
        topic=DECISION_TOPIC,
        retries=reading.whole(called, "retries", default=3, lowest=1),
        backoff=_backoff(reading, found.get("retry")),
        headers=_headers(reading, found.get("taskHeaders")),
        inputs=inputs,
        outputs=outputs,
        decision=reading.value(called, decision, what="decision id"),
        result_variable=reading.literal(called, "resultVariable", what="result variable"),
    )


def read_call(reading: Reading, element: Element, base: Base) -> Service:
    """Read a call activity: a job that starts another life cycle and waits for its end."""
    reading.check_children(element, *LOOPS)
    found = reading.extensions(element, "calledElement", "ioMapping", "retry")
    called = found.get("calledElement")
    # BPMN's own attribute, where the file has no extension; its value is a qualified name.
    process = (element.get("calledElement") or "").rpartition(":")[2]
    if called is not None:
        process = reading.required(called, "processId", what="process id")
    elif not process:
        reading.reject(
            element,
            "it says of no life cycle that it calls it",
            "Give it a zeebe:calledElement with a processId.",
        )
    if called is not None and called.get("bindingType", "latest") != "latest":
        reading.reject(
            element,
            "it calls another version than the latest active one",
            'Remove bindingType, or write processId="key@version".',
        )
    inputs, outputs = _io(reading, found)
    _check_topic(reading, element, CALL_TOPIC, ())
    return Service(
        **base,
        topic=CALL_TOPIC,
        backoff=_backoff(reading, found.get("retry")),
        inputs=inputs,
        outputs=outputs,
        called=Called(
            process=reading.value(element, process, what="process id"),
            all_in=_flag(called, "propagateAllParentVariables"),
            all_out=_flag(called, "propagateAllChildVariables"),
        ),
    )


def _flag(element: Element | None, name: str) -> bool:
    return element is None or element.get(name, "true") == "true"


def read_job(reading: Reading, element: Element, base: Base, found: dict[str, Element]) -> Service:
    """Read what has a topic, from its extensions: a job for a worker."""
    definition = found.get("taskDefinition")
    if definition is None:
        reading.reject(
            element,
            "it has no topic",
            "Give it a zeebe:taskDefinition with a type, such as deploy.",
        )
    topic = reading.literal(definition, "type", what="topic") if definition is not None else ""
    retries = (
        reading.whole(definition, "retries", default=3, lowest=1) if definition is not None else 3
    )
    inputs, outputs = _io(reading, found)
    _check_topic(reading, element, topic, inputs)
    return Service(
        **base,
        topic=topic,
        retries=retries,
        backoff=_backoff(reading, found.get("retry")),
        headers=_headers(reading, found.get("taskHeaders")),
        inputs=inputs,
        outputs=outputs,
    )


def _io(
    reading: Reading, found: dict[str, Element]
) -> tuple[tuple[Mapped, ...], tuple[Mapped, ...]]:
    io = found.get("ioMapping")
    return reading.mappings(io, "input"), reading.mappings(io, "output")


def _check_topic(
    reading: Reading, element: Element, topic: str, inputs: tuple[Mapped, ...]
) -> None:
    if reading.topics is None or not topic:
        return
    if topic not in reading.topics:
        known = ", ".join(sorted(reading.topics)) or "none"
        reading.reject(
            element,
            f"nobody works on the topic {topic!r}",
            f"Known topics: {known}. The group's policy may name more, for workers of its own.",
        )
        return
    parameters = reading.topics[topic]
    for mapping in inputs:
        if parameters is not None and mapping.target not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            reading.reject(
                element,
                f"the topic {topic!r} has no parameter {mapping.target!r}",
                f"Its parameters: {known}.",
            )


def _headers(reading: Reading, element: Element | None) -> dict[str, str]:
    if element is None:
        return {}
    return {
        reading.required(header, "key", what="header's key"): header.get("value") or ""
        for header in children(element, "header", Namespace.ZEEBE)
    }


def _backoff(reading: Reading, element: Element | None) -> Backoff:
    if element is None:
        return Backoff()
    standard = Backoff()
    first = _seconds(reading, element, "backoff", standard.first_s)
    longest = _seconds(reading, element, "longest", max(standard.longest_s, first))
    return Backoff(first_s=first, longest_s=longest)


def _seconds(reading: Reading, element: Element, name: str, default: float) -> float:
    text = element.get(name)
    if text is None:
        return default
    try:
        duration = Duration.parsed(text)
    except ValueError as error:
        reading.reject(
            element, f"the {name} of the retry: {error}", "Write a duration such as PT10S."
        )
        return default
    if duration.months:
        reading.reject(element, f"the {name} of the retry is in months", "Write days or less.")
    return duration.rest.total_seconds()


def read_user(reading: Reading, element: Element, base: Base) -> Human:
    """Read a user task."""
    reading.check_children(element, *LOOPS)
    found = reading.extensions(
        element,
        "userTask",
        "assignmentDefinition",
        "taskSchedule",
        "priorityDefinition",
        "ioMapping",
        "approval",
        "reminder",
        "escalation",
        "form",
    )
    who, inputs_outputs = found.get("assignmentDefinition"), _io(reading, found)
    priority = found.get("priorityDefinition")
    roles = reading.optional(who, "candidateGroups", what="candidate groups")
    people = reading.optional(who, "candidateUsers", what="candidate users")
    if roles is None and people is None:
        roles = lane_role(reading, element)
    assignee = reading.optional(who, "assignee", what="assignee")
    due, form = _due(reading, found.get("taskSchedule")), _form(reading, found.get("form"))
    quorum = read_quorum(reading, found.get("approval"), form)
    if quorum is not None and assignee is not None:
        reject_assignee(reading, element)
    return Human(
        **base,
        candidate_roles=roles,
        candidate_people=people,
        assignee=assignee,
        separate_from=reading.optional(
            found.get("approval"), "separateFrom", what="people to be separate from"
        ),
        due=due,
        priority=50
        if priority is None
        else reading.whole(priority, "priority", default=50, lowest=0),
        form=form,
        quorum=quorum,
        reminder=read_reminder(reading, found.get("reminder"), due),
        overdue=read_overdue(reading, found.get("escalation"), due),
        inputs=inputs_outputs[0],
        outputs=inputs_outputs[1],
    )


def _due(reading: Reading, element: Element | None) -> Value | None:
    due = reading.optional(element, "dueDate", what="due date")
    if element is not None and element.get("followUpDate"):
        reading.reject(element, "a follow-up date is not executed", "Use a timer boundary event.")
    if element is None or due is None or due.text.startswith("="):
        return due
    try:
        kind = TimerKind.DURATION if due.text.startswith("P") else TimerKind.DATE
        read_schedule(kind, due.text, at=LONG_AGO)
    except (ValueError, OverflowError) as error:
        reading.reject(
            element, f"the due date: {error}", "Write a date with its zone, or a duration."
        )
    return due


def _form(reading: Reading, element: Element | None) -> dict[str, object] | None:
    if element is None:
        return None
    fields = [_field(reading, f) for f in children(element, "field", Namespace.PILOTHOUSE)]
    names = [str(f["name"]) for f in fields]
    if not fields or len(set(names)) < len(names):
        reading.reject(
            element,
            "the form has no fields, or two of one name",
            "Give each pilothouse:field a name.",
        )
    return {"fields": fields}


def _field(reading: Reading, element: Element) -> dict[str, object]:
    kind = element.get("type") or FieldType.TEXT.value
    if kind not in list(FieldType):
        known = ", ".join(FieldType)
        reading.reject(
            element, f"a form field of type {kind!r} is not known", f"Use one of {known}."
        )
    name = reading.required(element, "name", what="field's name")
    choices = [c.strip() for c in (element.get("choices") or "").split(",") if c.strip()]
    if (kind == FieldType.CHOICE) != bool(choices):
        reading.reject(
            element,
            f"the form field {name!r} is a choice without choices, or has choices and is none",
            'Write type="choice" choices="approve, reject".',
        )
    return {
        "name": name,
        "type": kind,
        "label": element.get("label") or name,
        "required": element.get("required") == "true",
        "choices": choices,
    }


def read_receive(reading: Reading, element: Element, base: Base) -> Catch:
    """Read a receive task."""
    reading.check_children(element, *LOOPS)
    if element.get("instantiate") == "true":
        reading.reject(
            element,
            "it would start a run",
            "Start the process by a signal start event, or by hand.",
        )
    found = reading.extensions(element, "ioMapping")
    inputs, outputs = _io(reading, found)
    if inputs:
        reading.reject(element, "inputs of a receive task are not executed", "Map its outputs.")
    return Catch(**base, trigger=read_message(reading, element, catching=True), outputs=outputs)

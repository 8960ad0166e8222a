"""Events that catch, from XML: start, intermediate catch and boundary events, with what triggers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    Boundary,
    Catch,
    Condition,
    ErrorCode,
    Escalation,
    EventStart,
    Message,
    Pass,
    Signal,
    Start,
    UndoneBy,
)
from pilothouse.bpmn.read_about import read_about
from pilothouse.bpmn.read_links import read_link_catch
from pilothouse.bpmn.read_triggers import (
    read_definition,
    read_error_code,
    read_escalation_code,
    read_message,
    read_trigger,
)
from pilothouse.bpmn.timers import Timer
from pilothouse.bpmn.xml import Element, Namespace, children

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Base, Reading

WAITING = (
    "timerEventDefinition",
    "messageEventDefinition",
    "signalEventDefinition",
    "conditionalEventDefinition",
)
AROUND = ("errorEventDefinition", "escalationEventDefinition", *WAITING)


def read_start(reading: Reading, element: Element, base: Base) -> Start | EventStart:
    """Read a start event: none, timer, message, signal or condition; in an event sub-process what opens it."""
    around = element.getparent()
    if around is not None and around.get("triggeredByEvent") == "true":
        return _event_start(reading, element, base)
    kind, definition = read_definition(reading, element, *WAITING)
    trigger: Timer | Message | Signal | Condition | None = None
    if definition is not None and kind == "messageEventDefinition":
        trigger = read_message(reading, definition, catching=False)
    elif definition is not None and kind in WAITING:
        trigger = read_trigger(reading, kind, definition, cyclic=True)
    about = reading.extensions(element, *(("about",) if isinstance(trigger, Timer) else ()))
    _no_expression(reading, element, trigger)
    return Start(**base, trigger=trigger, about=read_about(reading, about.get("about")))


def _no_expression(
    reading: Reading, element: Element, trigger: Timer | Message | Signal | Condition | None
) -> None:
    """Refuse what could only be evaluated by a run that has begun."""
    match trigger:
        case Message(name=value) | Signal(name=value) if value.text.startswith("="):
            reading.reject(
                element, "the name of what starts it is an expression", "Write it as plain text."
            )
        case Timer(value=value) if value.text.startswith("="):
            reading.reject(
                element, "the timer that starts it is an expression", "Write it as plain text."
            )
        case _:
            pass


def _event_start(reading: Reading, element: Element, base: Base) -> EventStart:
    kind, definition = read_definition(reading, element, *AROUND)
    interrupting = element.get("isInterrupting") != "false"
    if definition is None:
        reading.reject(
            element,
            "nothing opens the event sub-process",
            "Give its start event an error, escalation, timer, message, signal or condition.",
        )
    io = reading.extensions(element, "ioMapping").get("ioMapping")
    _no_inputs(reading, element, io)
    return EventStart(
        **base,
        interrupting=interrupting,
        trigger=_around(reading, element, kind, definition, interrupting=interrupting),
        outputs=reading.mappings(io, "output"),
    )


def _around(
    reading: Reading,
    element: Element,
    kind: str,
    definition: Element | None,
    *,
    interrupting: bool,
) -> ErrorCode | Escalation | Timer | Message | Signal | Condition:
    """Read what an event around an activity or in a scope waits for."""
    if definition is not None and kind == "errorEventDefinition":
        if not interrupting:
            reading.reject(
                element, "an error always interrupts", "Remove cancelActivity or isInterrupting."
            )
        return ErrorCode(code=read_error_code(reading, definition))
    if definition is not None and kind == "escalationEventDefinition":
        code = read_escalation_code(reading, definition)
        if code is not None and code.text.startswith("="):
            reading.reject(
                element, "the escalation code is an expression", "Write it as plain text."
            )
        return Escalation(code=code.text if code else None)
    return read_trigger(reading, kind, definition, cyclic=not interrupting)


def read_catch(reading: Reading, element: Element, base: Base) -> Catch | Pass:
    """Read an intermediate catch event: timer, message, signal, condition, or the catching end of a link."""
    kind, definition = read_definition(reading, element, *WAITING, "linkEventDefinition")
    if definition is not None and kind == "linkEventDefinition":
        return read_link_catch(reading, element, definition, base)
    if definition is None:
        reading.reject(
            element, "it waits for nothing", "Give it a timer, message, signal or condition."
        )
    io = reading.extensions(element, "ioMapping").get("ioMapping")
    _no_inputs(reading, element, io)
    return Catch(
        **base,
        trigger=read_trigger(reading, kind, definition, cyclic=False),
        outputs=reading.mappings(io, "output"),
    )


def read_boundary(reading: Reading, element: Element, base: Base) -> Boundary:
    """Read a boundary event: error, escalation, timer, message, signal, condition or compensation."""
    kind, definition = read_definition(reading, element, *AROUND, "compensateEventDefinition")
    interrupting = element.get("cancelActivity") != "false"
    if definition is None:
        reading.reject(
            element,
            "it waits for nothing",
            "Give it an error, escalation, timer, message, signal, condition or compensation.",
        )
    trigger: ErrorCode | Escalation | UndoneBy | Timer | Message | Signal | Condition
    if kind == "compensateEventDefinition":
        trigger = _undone_by(reading, element)
    else:
        trigger = _around(reading, element, kind, definition, interrupting=interrupting)
    io = reading.extensions(element, "ioMapping").get("ioMapping")
    _no_inputs(reading, element, io)
    return Boundary(
        **base,
        attached_to=element.get("attachedToRef") or "",
        interrupting=interrupting,
        trigger=trigger,
        outputs=reading.mappings(io, "output"),
    )


def _undone_by(reading: Reading, element: Element) -> UndoneBy:
    """Follow the association from a compensation event to the activity that undoes."""
    process = element.getroottree().getroot()
    targets = [
        str(association.get("targetRef") or "").rpartition(":")[2]
        for association in process.iter(f"{{{Namespace.BPMN}}}association")
        if str(association.get("sourceRef") or "").rpartition(":")[2] == element.get("id")
    ]
    if len(targets) != 1:
        reading.reject(
            element,
            f"{len(targets)} associations lead from it to an activity that undoes, not one",
            'Draw one association to an activity with isForCompensation="true".',
        )
    return UndoneBy(handler=targets[0] if targets else "")


def _no_inputs(reading: Reading, element: Element, io: Element | None) -> None:
    if io is not None and children(io, "input", Namespace.ZEEBE):
        reading.reject(element, "inputs of an event are not executed", "Map its outputs.")

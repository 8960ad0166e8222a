"""Events from XML: start, end, intermediate catch and boundary events, with what triggers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.definition import (
    Boundary,
    Catch,
    End,
    EndKind,
    ErrorCode,
    Message,
    Signal,
    Start,
)
from pilothouse.bpmn.read_timers import NOTHING, read_timer
from pilothouse.bpmn.xml import Element, Namespace, children, name_of

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Base, Reading
    from pilothouse.bpmn.timers import Timer


def _definition(reading: Reading, element: Element, *known: str) -> tuple[str, Element | None]:
    """Give the kind and the element of an event's only definition; ("", None) is a none event."""
    reading.check_children(element, *known)
    found = [
        (name_of(child).local, child)
        for child in element.iterchildren(etree.Element)
        if name_of(child).local.endswith("EventDefinition")
        or name_of(child).local == "eventDefinitionRef"
    ]
    if len(found) > 1:
        reading.reject(element, "it has more than one event definition", "Draw one event for each.")
    kind, definition = found[0] if found else ("", None)
    return (kind, definition) if kind in known or not kind else ("unknown", definition)


def read_start(reading: Reading, element: Element, base: Base) -> Start:
    """Read a start event: none, message or signal."""
    reading.extensions(element)
    kind, definition = _definition(
        reading, element, "messageEventDefinition", "signalEventDefinition"
    )
    trigger: Message | Signal | None = None
    if definition is not None and kind == "messageEventDefinition":
        trigger = read_message(reading, definition, catching=False)
    if definition is not None and kind == "signalEventDefinition":
        trigger = _signal(reading, definition)
    if trigger is not None and trigger.name.text.startswith("="):
        reading.reject(
            element, "the name of what starts it is an expression", "Write it as plain text."
        )
    return Start(**base, trigger=trigger)


def read_end(reading: Reading, element: Element, base: Base) -> End:
    """Read an end event: none, error or terminate."""
    reading.extensions(element)
    kind, definition = _definition(
        reading, element, "errorEventDefinition", "terminateEventDefinition"
    )
    if kind == "terminateEventDefinition":
        return End(**base, kind=EndKind.TERMINATE)
    if definition is None or kind != "errorEventDefinition":
        return End(**base)
    code = _error_code(reading, definition)
    if code is None:
        reading.reject(
            element, "it throws an error without a code", "Refer to an error with an errorCode."
        )
    return End(**base, kind=EndKind.ERROR, error_code=code)


def read_catch(reading: Reading, element: Element, base: Base) -> Catch:
    """Read an intermediate catch event: timer, message or signal."""
    kind, definition = _definition(
        reading,
        element,
        "timerEventDefinition",
        "messageEventDefinition",
        "signalEventDefinition",
    )
    if definition is None:
        reading.reject(element, "it waits for nothing", "Give it a timer, message or signal.")
    io = reading.extensions(element, "ioMapping").get("ioMapping")
    _no_inputs(reading, element, io)
    return Catch(
        **base,
        trigger=_trigger(reading, kind, definition, cyclic=False),
        outputs=reading.mappings(io, "output"),
    )


def read_boundary(reading: Reading, element: Element, base: Base) -> Boundary:
    """Read a boundary event: error, timer, message or signal."""
    kind, definition = _definition(
        reading,
        element,
        "errorEventDefinition",
        "timerEventDefinition",
        "messageEventDefinition",
        "signalEventDefinition",
    )
    interrupting = element.get("cancelActivity") != "false"
    if definition is None:
        reading.reject(
            element, "it waits for nothing", "Give it an error, timer, message or signal."
        )
    trigger: ErrorCode | Timer | Message | Signal
    if definition is not None and kind == "errorEventDefinition":
        trigger = ErrorCode(code=_error_code(reading, definition))
        if not interrupting:
            reading.reject(element, "an error always interrupts", "Remove cancelActivity.")
    else:
        trigger = _trigger(reading, kind, definition, cyclic=not interrupting)
    io = reading.extensions(element, "ioMapping").get("ioMapping")
    _no_inputs(reading, element, io)
    return Boundary(
        **base,
        attached_to=element.get("attachedToRef") or "",
        interrupting=interrupting,
        trigger=trigger,
        outputs=reading.mappings(io, "output"),
    )


def _no_inputs(reading: Reading, element: Element, io: Element | None) -> None:
    if io is not None and children(io, "input", Namespace.ZEEBE):
        reading.reject(element, "inputs of an event are not executed", "Map its outputs.")


def _trigger(
    reading: Reading, kind: str, definition: Element | None, *, cyclic: bool
) -> Timer | Message | Signal:
    if definition is not None and kind == "timerEventDefinition":
        return read_timer(reading, definition, cyclic=cyclic)
    if definition is not None and kind == "messageEventDefinition":
        return read_message(reading, definition, catching=True)
    if definition is not None and kind == "signalEventDefinition":
        return _signal(reading, definition)
    return Signal(name=NOTHING)  # a problem has been noted already


def read_message(reading: Reading, element: Element, *, catching: bool) -> Message:
    """Read the message that an element refers to; one that is caught needs a correlation key."""
    declared = _referred(reading, element, "messageRef", "message")
    if declared is None:
        return Message(name=NOTHING, correlation_key=None)
    name = reading.value(
        declared, reading.required(declared, "name", what="message name"), what="message name"
    )
    subscription = reading.extensions(declared, "subscription").get("subscription")
    key = reading.optional(subscription, "correlationKey", what="correlation key")
    if catching and key is None:
        reading.reject(
            element,
            f"the message {name.text!r} has no correlation key",
            "Give it a zeebe:subscription with a correlationKey, such as =snapshot_id.",
        )
    return Message(name=name, correlation_key=key if catching else None)


def _signal(reading: Reading, element: Element) -> Signal:
    declared = _referred(reading, element, "signalRef", "signal")
    if declared is None:
        return Signal(name=NOTHING)
    name = reading.required(declared, "name", what="signal name")
    return Signal(name=reading.value(declared, name, what="signal name"))


def _error_code(reading: Reading, element: Element) -> str | None:
    if element.get("errorRef") is None:
        return None
    declared = _referred(reading, element, "errorRef", "error")
    if declared is None:
        return None
    return reading.literal(declared, "errorCode", what="error code") or None


def _referred(reading: Reading, element: Element, attribute: str, noun: str) -> Element | None:
    reference = (element.get(attribute) or "").rpartition(":")[2]
    declared = reading.declared.get(reference)
    if declared is None or name_of(declared).local != noun:
        reading.reject(
            element,
            f"it refers to no {noun}" if not reference else f"there is no {noun} {reference!r}",
            f"Declare a bpmn:{noun} and refer to it by {attribute}.",
        )
        return None
    return declared

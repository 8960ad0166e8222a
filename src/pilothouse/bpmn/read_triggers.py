"""What events wait for or send, from XML: messages, signals, errors and escalations, by their declarations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.definition import Condition, Message, Signal
from pilothouse.bpmn.read_timers import NOTHING, read_timer
from pilothouse.bpmn.xml import Element, children, name_of

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Value
    from pilothouse.bpmn.reading import Reading
    from pilothouse.bpmn.timers import Timer


def read_definition(reading: Reading, element: Element, *known: str) -> tuple[str, Element | None]:
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


def read_trigger(
    reading: Reading, kind: str, definition: Element | None, *, cyclic: bool
) -> Timer | Message | Signal | Condition:
    """Read what an event waits for: a timer, a message, a signal or a condition."""
    if definition is not None and kind == "timerEventDefinition":
        return read_timer(reading, definition, cyclic=cyclic)
    if definition is not None and kind == "messageEventDefinition":
        return read_message(reading, definition, catching=True)
    if definition is not None and kind == "signalEventDefinition":
        return read_signal(reading, definition)
    if definition is not None and kind == "conditionalEventDefinition":
        return read_condition(reading, definition)
    return Signal(name=NOTHING)  # a problem has been noted already


def read_message(
    reading: Reading, element: Element, *, catching: bool = False, sending: bool = False
) -> Message:
    """Read the message that an element refers to; one that is caught needs a key, one that starts has none."""
    declared = _referred(reading, element, "messageRef", "message")
    if declared is None:
        return Message(name=NOTHING, correlation_key=NOTHING if sending else None)
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
    return Message(name=name, correlation_key=key if catching or sending else None)


def read_signal(reading: Reading, element: Element) -> Signal:
    """Read the signal that an element refers to."""
    declared = _referred(reading, element, "signalRef", "signal")
    if declared is None:
        return Signal(name=NOTHING)
    name = reading.required(declared, "name", what="signal name")
    return Signal(name=reading.value(declared, name, what="signal name"))


def read_condition(reading: Reading, element: Element) -> Condition:
    """Read the condition that an event waits for."""
    reading.check_children(element, "condition")
    reading.extensions(element)
    given = children(element, "condition")
    text = (given[0].text or "").strip() if given else ""
    if not text.startswith("="):
        reading.reject(
            element,
            f"the condition {text!r} is not FEEL",
            "Write FEEL behind a leading =, such as =drift > 0.2.",
        )
        return Condition(value=NOTHING)
    return Condition(value=reading.value(element, text, what="condition"))


def read_error_code(reading: Reading, element: Element) -> str | None:
    """Read the code of the error that an element refers to; None where it refers to none."""
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


def read_escalation_code(reading: Reading, element: Element) -> Value | None:
    """Read the code of the escalation that an event definition refers to; None where it refers to none."""
    if element.get("escalationRef") is None:
        return None
    declared = _referred(reading, element, "escalationRef", "escalation")
    if declared is None:
        return NOTHING
    code = reading.required(declared, "escalationCode", what="escalation code")
    return reading.value(declared, code, what="escalation code")

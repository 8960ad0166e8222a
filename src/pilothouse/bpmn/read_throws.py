"""What sends, from XML: end events, intermediate throw events, send tasks; and manual tasks, which only pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    CompensationThrown,
    End,
    EndKind,
    EscalationThrown,
    Link,
    Mapped,
    MessageThrown,
    Pass,
    Service,
    SignalThrown,
    Throw,
    Thrown,
)
from pilothouse.bpmn.durations import Duration
from pilothouse.bpmn.read_links import read_link_throw
from pilothouse.bpmn.read_loops import LOOPS
from pilothouse.bpmn.read_tasks import JOB, read_job
from pilothouse.bpmn.read_timers import NOTHING
from pilothouse.bpmn.read_triggers import (
    read_definition,
    read_error_code,
    read_escalation_code,
    read_message,
    read_signal,
)
from pilothouse.bpmn.xml import Element, Namespace, children

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Base, Reading

SENDING = {
    "messageEventDefinition": EndKind.MESSAGE,
    "signalEventDefinition": EndKind.SIGNAL,
    "escalationEventDefinition": EndKind.ESCALATION,
    "compensateEventDefinition": EndKind.COMPENSATION,
}
LONGEST_LIFE_DAYS = 3660
"""How long a message may be kept for somebody who waits for it."""


def read_end(reading: Reading, element: Element, base: Base) -> End | Service:
    """Read an end event: none, error, terminate, or one that sends."""
    ending = ("errorEventDefinition", "terminateEventDefinition")
    kind, definition = read_definition(reading, element, *ending, *SENDING)
    if definition is not None and kind in SENDING:
        sending = _sending(reading, element, kind, definition, base)
        if isinstance(sending, Service):
            return sending
        return End(**base, kind=SENDING[kind], thrown=sending[0], inputs=sending[1])
    reading.extensions(element)
    if kind == "terminateEventDefinition":
        return End(**base, kind=EndKind.TERMINATE)
    if definition is None or kind != "errorEventDefinition":
        return End(**base)
    code = read_error_code(reading, definition)
    if code is None:
        reading.reject(
            element, "it throws an error without a code", "Refer to an error with an errorCode."
        )
    return End(**base, kind=EndKind.ERROR, error_code=code)


def read_throw(reading: Reading, element: Element, base: Base) -> Throw | Pass | Link | Service:
    """Read an intermediate throw event: none, link, or one that sends."""
    kind, definition = read_definition(reading, element, *SENDING, "linkEventDefinition")
    if definition is not None and kind == "linkEventDefinition":
        return read_link_throw(reading, element, definition, base)
    if definition is None or kind not in SENDING:
        reading.extensions(element)
        return Pass(**base)
    sending = _sending(reading, element, kind, definition, base)
    if isinstance(sending, Service):
        return sending
    return Throw(**base, thrown=sending[0], inputs=sending[1])


def read_send(reading: Reading, element: Element, base: Base) -> Throw | Service:
    """Read a send task: with a topic like a service task, or else one that sends its message."""
    reading.check_children(element, *LOOPS)
    sending = _message(reading, element, element, base)
    if isinstance(sending, Service):
        return sending
    return Throw(**base, thrown=sending[0], inputs=sending[1])


def read_manual(reading: Reading, element: Element, base: Base) -> Pass:
    """Read a manual task: work that nobody tells the engine of, so that it is passed at once."""
    reading.check_children(element)
    reading.extensions(element)
    return Pass(**base)


def _sending(
    reading: Reading, element: Element, kind: str, definition: Element, base: Base
) -> Service | tuple[Thrown, tuple[Mapped, ...]]:
    match SENDING[kind]:
        case EndKind.MESSAGE:
            return _message(reading, element, definition, base)
        case EndKind.COMPENSATION:
            reading.extensions(element)
            return _compensation(reading, element, definition), ()
        case EndKind.SIGNAL:
            signal = SignalThrown(name=read_signal(reading, definition).name)
            return signal, _inputs(reading, element)
        case _:
            code = read_escalation_code(reading, definition)
            if code is None:
                reading.reject(
                    element,
                    "it throws an escalation without a code",
                    "Refer to an escalation with an escalationCode.",
                )
            return EscalationThrown(code=code or NOTHING), _inputs(reading, element)


def _message(
    reading: Reading, element: Element, definition: Element, base: Base
) -> Service | tuple[Thrown, tuple[Mapped, ...]]:
    found = reading.extensions(element, *JOB, "publishMessage")
    if "taskDefinition" in found:
        return read_job(reading, element, base, found)
    for name in {"taskHeaders", "retry"} & found.keys():
        reading.reject(element, f"it has {name} and no topic", "Give it a zeebe:taskDefinition.")
    if definition is not element:
        found = reading.extensions(definition, "publishMessage") | found
    message = read_message(reading, definition, sending=True)
    publish = found.get("publishMessage")
    key = reading.optional(publish, "correlationKey", what="correlation key")
    key = key or message.correlation_key
    if key is None:
        reading.reject(
            element,
            "the message that it sends has no correlation key",
            "Give it a zeebe:publishMessage with a correlationKey, such as =snapshot_id.",
        )
    thrown = MessageThrown(
        name=message.name,
        correlation_key=key or NOTHING,
        time_to_live_s=_life(reading, publish),
    )
    return thrown, _mapped(reading, element, found.get("ioMapping"))


def _life(reading: Reading, publish: Element | None) -> float:
    text = publish.get("timeToLive") if publish is not None else None
    if publish is not None and publish.get("messageId"):
        reading.reject(publish, "a messageId is not taken", "Remove it: each message has its own.")
    if publish is None or text is None:
        return MessageThrown(name=NOTHING, correlation_key=NOTHING).time_to_live_s
    try:
        life = Duration.parsed(text)
    except ValueError as error:
        reading.reject(publish, f"the timeToLive: {error}", "Write a duration such as PT1H.")
        return 0.0
    if life.months or life.rest.days >= LONGEST_LIFE_DAYS:
        reading.reject(publish, "the timeToLive is in months, or too long", "Write days or less.")
    return life.rest.total_seconds()


def _inputs(reading: Reading, element: Element) -> tuple[Mapped, ...]:
    return _mapped(reading, element, reading.extensions(element, "ioMapping").get("ioMapping"))


def _mapped(reading: Reading, element: Element, io: Element | None) -> tuple[Mapped, ...]:
    if io is not None and children(io, "output", Namespace.ZEEBE):
        reading.reject(
            element, "outputs of what sends are not executed", "Map inputs: they are sent along."
        )
    return reading.mappings(io, "input")


def _compensation(reading: Reading, element: Element, definition: Element) -> CompensationThrown:
    if definition.get("waitForCompletion") == "false":
        reading.reject(
            element,
            "compensation without waiting for its end is not executed",
            "Remove waitForCompletion.",
        )
    activity = (definition.get("activityRef") or "").rpartition(":")[2]
    return CompensationThrown(activity=activity or None)

"""Small drawings that start by events, and wait for a person so that their runs can be looked at."""

from __future__ import annotations

from tests.integration.lifecycle.drawings import drawing

MESSAGE = '<message id="m" name="ordered"/>'
SIGNAL = '<signal id="s" name="{0}"/>'


def starts(definition: str, *, key: str = "starter", declared: str = "", inner: str = "") -> bytes:
    """Draw a process that starts by an event, with `inner` in its extensions, and then waits."""
    extension = f"<extensionElements>{inner}</extensionElements>" if inner else ""
    body = (
        f'<startEvent id="on">{extension}{definition}</startEvent>'
        '<userTask id="look"><extensionElements><zeebe:userTask/>'
        '<zeebe:assignmentDefinition candidateGroups="operator"/></extensionElements></userTask>'
    )
    return drawing(body, "on>look", key=key, declared=declared)


def by_timer(kind: str, text: str, *, key: str = "starter", about: str = "") -> bytes:
    """Draw a process that a timer starts."""
    timer = f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"
    return starts(timer, key=key, inner=f"<pilothouse:about {about}/>" if about else "")


def by_message(key: str = "starter") -> bytes:
    """Draw a process that the message ``ordered`` starts."""
    return starts('<messageEventDefinition messageRef="m"/>', key=key, declared=MESSAGE)


def by_signal(name: str, key: str = "starter") -> bytes:
    """Draw a process that a signal starts."""
    definition = '<signalEventDefinition signalRef="s"/>'
    return starts(definition, key=key, declared=SIGNAL.format(name))


def by_condition(text: str, key: str = "starter") -> bytes:
    """Draw a process that a condition starts."""
    definition = (
        f"<conditionalEventDefinition><condition>{text}</condition></conditionalEventDefinition>"
    )
    return starts(definition, key=key)

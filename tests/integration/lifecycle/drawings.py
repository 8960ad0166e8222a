"""Small drawings, for what the shipped life cycles do not do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACES = (
    'xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:pilothouse="https://pilothouse.dev/bpmn/1"'
)
ORDERED_MESSAGE = (
    '<message id="paid" name="paid"><extensionElements><zeebe:subscription correlationKey="=order"/>'
    "</extensionElements></message>"
)
CALLED_SIGNAL = '<signal id="called" name="called"/>'


def drawing(body: str, flows: str, *, key: str = "small", declared: str = "") -> bytes:
    """Wrap a process; `flows` are pairs such as ``a>b`` apart by blanks."""
    drawn = "".join(
        f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, _, b in (pair.partition(">") for pair in flows.split())
    )
    return (
        f'<definitions {SPACES} id="file" targetNamespace="test">{declared}'
        f'<process id="{key}" name="Small" isExecutable="true">{body}{drawn}</process></definitions>'
    ).encode()


def service(name: str, topic: str, *, retries: int = 1, **inputs: str) -> str:
    """Draw a service task with its inputs mapped."""
    mapped = "".join(
        f"<zeebe:input source='{source}' target='{target}'/>" for target, source in inputs.items()
    )
    io = f"<zeebe:ioMapping>{mapped}</zeebe:ioMapping>" if mapped else ""
    return (
        f'<serviceTask id="{name}"><extensionElements><zeebe:taskDefinition type="{topic}" retries="{retries}"/>'
        f"{io}</extensionElements></serviceTask>"
    )


def asking(topic: str, inputs: Mapping[str, str], *, retries: int = 1) -> bytes:
    """Draw a process of one service task with these inputs mapped."""
    return one_task(topic, key="small", retries=retries, **inputs)


def one_task(topic: str, *, key: str = "small", retries: int = 1, **inputs: str) -> bytes:
    """Draw a process of one service task."""
    body = f'<startEvent id="start"/>{service("task", topic, retries=retries, **inputs)}<endEvent id="end"/>'
    return drawing(body, "start>task task>end", key=key)


def waits_for_message() -> bytes:
    """Draw a process that waits for the message ``paid`` of its order."""
    body = '<startEvent id="start"/><receiveTask id="wait" messageRef="paid"/><endEvent id="end"/>'
    return drawing(body, "start>wait wait>end", declared=ORDERED_MESSAGE)


def waits_for_signal() -> bytes:
    """Draw a process that waits for the signal ``called``."""
    catch = (
        '<intermediateCatchEvent id="wait"><signalEventDefinition signalRef="called"/>'
        "</intermediateCatchEvent>"
    )
    body = f'<startEvent id="start"/>{catch}<endEvent id="end"/>'
    return drawing(body, "start>wait wait>end", declared=CALLED_SIGNAL)


def asks(assignment: str, extra: str = "") -> bytes:
    """Draw a process with one user task without a form."""
    task = (
        f'<userTask id="ask" name="Ask"><extensionElements><zeebe:userTask/>'
        f"<zeebe:assignmentDefinition {assignment}/>{extra}</extensionElements></userTask>"
    )
    body = f'<startEvent id="start"/>{task}<endEvent id="end"/>'
    return drawing(body, "start>ask ask>end")

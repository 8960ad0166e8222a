"""What is not executed, and what to draw instead."""

from __future__ import annotations

_TOPIC = "Use a service task with a zeebe:taskDefinition type (a topic)."
_CODE = "Code is not run inside the engine: use a FEEL expression in a mapping, or a service task with a topic."
_PARALLEL = "Use an exclusive gateway, or a parallel one with an exclusive gateway on each branch."

ELEMENTS = {
    "task": "Choose what it does: a service task with a topic, or a user task.",
    "manualTask": "Use a user task, so that somebody can say that it is done.",
    "scriptTask": _CODE,
    "sendTask": _TOPIC,
    "callActivity": "Draw the called process as an embedded sub-process.",
    "transaction": "Use an embedded sub-process with error boundary events.",
    "adHocSubProcess": "Use an embedded sub-process with drawn flows.",
    "subChoreography": _TOPIC,
    "inclusiveGateway": _PARALLEL,
    "complexGateway": _PARALLEL,
    "eventBasedGateway": "Use a receive task with a timer boundary event.",
    "intermediateThrowEvent": _TOPIC,
    "multiInstanceLoopCharacteristics": "Draw the steps one by one, or loop back with an exclusive gateway.",
    "standardLoopCharacteristics": "Loop back with an exclusive gateway.",
    "ioSpecification": "Use zeebe:ioMapping.",
    "property": "Use process variables.",
    "dataInputAssociation": "Use zeebe:ioMapping.",
    "dataOutputAssociation": "Use zeebe:ioMapping.",
    "potentialOwner": "Use zeebe:assignmentDefinition.",
    "humanPerformer": "Use zeebe:assignmentDefinition.",
    "performer": "Use zeebe:assignmentDefinition.",
    "resourceRole": "Use zeebe:assignmentDefinition.",
    "script": _CODE,
    "conditionalEventDefinition": "Use a message or signal event, or an exclusive gateway in a loop with a timer.",
    "escalationEventDefinition": "Use a service task with topic notify, or an error event.",
    "compensateEventDefinition": "Draw the steps that undo, after an error boundary event.",
    "cancelEventDefinition": "Use an error event.",
    "linkEventDefinition": "Draw the sequence flow.",
    "timerEventDefinition": "Start by a signal, and wait by an intermediate timer event.",
    "errorEventDefinition": "Catch errors by a boundary event, and throw them by an end event.",
    "messageEventDefinition": _TOPIC,
    "signalEventDefinition": _TOPIC,
    "terminateEventDefinition": "Use a terminate end event.",
    "signalRef": _TOPIC,
}

EXTENSIONS = {
    "executionListeners": "Draw a service task before or after it.",
    "taskListeners": "Draw a service task before or after it.",
    "script": _CODE,
    "loopCharacteristics": "Draw the steps one by one, or loop back with an exclusive gateway.",
    "calledElement": "Draw the called process as an embedded sub-process.",
    "formDefinition": "Use pilothouse:form with pilothouse:field elements.",
    "userTaskForm": "Use pilothouse:form with pilothouse:field elements.",
    "adHoc": "Use an embedded sub-process with drawn flows.",
    "taskDefinition": "Only service and business rule tasks have a topic.",
    "ioMapping": "Map variables at the activity before or after it.",
    "taskHeaders": "Only service and business rule tasks have headers.",
}

GENERAL = "Remove it, or draw the process with the elements that Pilothouse executes."


def for_element(local: str) -> str:
    """
    Say what to use instead of a BPMN element.

    Examples
    --------
    >>> for_element("linkEventDefinition")
    'Draw the sequence flow.'
    """
    return ELEMENTS.get(local, GENERAL)


def for_extension(local: str) -> str:
    """Say what to use instead of an extension element."""
    return EXTENSIONS.get(local, GENERAL)

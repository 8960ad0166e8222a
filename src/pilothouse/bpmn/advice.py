"""What is not executed, and what to draw instead."""

from __future__ import annotations

_TOPIC = "Use a service task with a zeebe:taskDefinition type (a topic)."
_CODE = "Code is not run inside the engine: use a FEEL expression in a mapping, or a service task with a topic."
_REPEAT = (
    "Repeat a service, send, user, receive or business rule task, a call activity or a sub-process."
)

ELEMENTS = {
    "task": "Choose what it does: a service task with a topic, or a user task.",
    "scriptTask": _CODE,
    "transaction": "Use an embedded sub-process with error boundary events and compensation.",
    "adHocSubProcess": "Use an embedded sub-process with drawn flows.",
    "subChoreography": _TOPIC,
    "complexGateway": "Use an inclusive gateway, or a multi-instance activity with a completion condition.",
    "multiInstanceLoopCharacteristics": _REPEAT,
    "standardLoopCharacteristics": _REPEAT,
    "loopDataInputRef": "Use zeebe:loopCharacteristics with an inputCollection.",
    "loopDataOutputRef": "Use zeebe:loopCharacteristics with an outputCollection and an outputElement.",
    "inputDataItem": "Use zeebe:loopCharacteristics with an inputElement.",
    "outputDataItem": "Use zeebe:loopCharacteristics with an outputElement.",
    "complexBehaviorDefinition": "Use a completionCondition.",
    "ioSpecification": "Use zeebe:ioMapping.",
    "property": "Use process variables.",
    "dataInputAssociation": "Use zeebe:ioMapping.",
    "dataOutputAssociation": "Use zeebe:ioMapping.",
    "potentialOwner": "Use zeebe:assignmentDefinition.",
    "humanPerformer": "Use zeebe:assignmentDefinition.",
    "performer": "Use zeebe:assignmentDefinition.",
    "resourceRole": "Use zeebe:assignmentDefinition.",
    "script": _CODE,
    "conditionalEventDefinition": (
        "Wait for a condition by an intermediate catch event, a boundary event or the start of an event sub-process, "
        "or start by one."
    ),
    "escalationEventDefinition": (
        "Throw escalations by an intermediate or end event, and catch them by a boundary event or an event "
        "sub-process."
    ),
    "compensateEventDefinition": (
        "Order compensation by an intermediate throw or end event, and draw what undoes an activity at its "
        "compensation boundary event."
    ),
    "cancelEventDefinition": "Use an error event.",
    "linkEventDefinition": "Link an intermediate throw event with an intermediate catch event.",
    "timerEventDefinition": (
        "Start by a timer, or wait by an intermediate timer event, a boundary event or an event sub-process."
    ),
    "errorEventDefinition": (
        "Catch errors by a boundary event or an event sub-process, and throw them by an end event."
    ),
    "messageEventDefinition": "Catch and send messages by intermediate events and tasks.",
    "signalEventDefinition": "Catch and send signals by intermediate events.",
    "terminateEventDefinition": "Use a terminate end event.",
    "signalRef": "Use a signalEventDefinition.",
    "eventDefinitionRef": "Draw the event definition inside the event.",
}

EXTENSIONS = {
    "executionListeners": "Draw a service task before or after it.",
    "taskListeners": "Draw a service task before or after it.",
    "script": _CODE,
    "loopCharacteristics": "Put it inside multiInstanceLoopCharacteristics.",
    "conditionalFilter": (
        "Remove it: a condition is looked at after every step, and takes effect when it becomes true."
    ),
    "about": "Only the timer start event of the process says what its runs are about.",
    "publishMessage": "Only a send task, and message throw and end events, send messages.",
    "calledElement": "Only a call activity calls another life cycle.",
    "formDefinition": "Use pilothouse:form with pilothouse:field elements.",
    "userTaskForm": "Use pilothouse:form with pilothouse:field elements.",
    "adHoc": "Use an embedded sub-process with drawn flows.",
    "taskDefinition": "Only service, send and business rule tasks, and events that send a message, have a topic.",
    "ioMapping": "Map variables at the activity before or after it.",
    "taskHeaders": "Only what has a topic has headers.",
}

GENERAL = "Remove it, or draw the process with the elements that Pilothouse executes."


def for_element(local: str) -> str:
    """
    Say what to use instead of a BPMN element.

    Examples
    --------
    >>> for_element("linkEventDefinition")
    'Link an intermediate throw event with an intermediate catch event.'
    """
    return ELEMENTS.get(local, GENERAL)


def for_extension(local: str) -> str:
    """Say what to use instead of an extension element."""
    return EXTENSIONS.get(local, GENERAL)

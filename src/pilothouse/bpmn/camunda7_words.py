"""What of Camunda 7 is not taken over, and what to write instead."""

from __future__ import annotations

_WORKER = "Use an external task with a topic: code is not run inside the engine."
_ROUND = "Draw a service task before or after it."
_PRIORITY = "Remove it: what is due is done in the order in which it became due."
_FILTER = (
    "Remove it: a condition is looked at after every step, and takes effect when it becomes true."
)
_FORM = "Use camunda:formData, or pilothouse:form."

MEANINGLESS = frozenset(
    {
        "async",
        "asyncBefore",
        "asyncAfter",
        "exclusive",
        "historyTimeToLive",
        "isStartableInTasklist",
        "modelerTemplate",
        "modelerTemplateVersion",
        "modelerTemplateIcon",
        "properties",
        "versionTag",
    }
)
"""
What says nothing that would change a run.

Each step is a transaction of its own, and the steps of one run never happen at once, whatever ``async`` and
``exclusive`` say; the history is kept by the rules of the installation; the rest is for people and tools.
"""

ATTRIBUTES = {
    "class": _WORKER,
    "expression": _WORKER,
    "delegateExpression": _WORKER,
    "resultVariable": "Map the output of the task.",
    "type": 'Only service, send and business rule tasks have a topic, by camunda:type="external".',
    "topic": "Only service, send and business rule tasks have a topic.",
    "resource": "Write the expression into the file.",
    "jobPriority": _PRIORITY,
    "taskPriority": _PRIORITY,
    "formKey": _FORM,
    "formRef": _FORM,
    "formRefBinding": _FORM,
    "formRefVersion": _FORM,
    "formHandlerClass": _FORM,
    "initiator": "A run knows who started it; give it as a variable of the start.",
    "candidateStarterGroups": "Who may start a run is said by roles.",
    "candidateStarterUsers": "Who may start a run is said by roles.",
    "decisionRefVersion": "The latest active version is taken.",
    "decisionRefVersionTag": "The latest active version is taken.",
    "decisionRefTenantId": "Decisions are found in the group of the life cycle.",
    "errorMessage": "Give the end event that throws the error a name that says it.",
    "variableName": _FILTER,
    "variableEvents": _FILTER,
}

EXTENSIONS = {
    "executionListener": _ROUND,
    "taskListener": _ROUND,
    "connector": _WORKER,
    "script": _WORKER,
    "field": _WORKER,
    "in": "Map variables by camunda:inputOutput.",
    "out": "Map variables by camunda:inputOutput.",
    "errorEventDefinition": "Let the worker answer with the business error itself.",
    "failedJobRetryTimeCycle": "Only service, send and business rule tasks are tried again.",
    "formData": "Only user tasks have a form.",
    "potentialStarter": "Who may start a run is said by roles.",
}

OTHERWISE = "Remove it, or say it in the dialect of Camunda 8."

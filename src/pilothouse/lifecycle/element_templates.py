"""
Element templates for Camunda Modeler: a form for each task type in its properties panel.

What Camunda has no element for is kept in properties that the reader of BPMN knows
(:mod:`pilothouse.bpmn.spreading`), since a template can write no namespace but Camunda's.

References
----------
.. [1] Camunda, "Element templates", the schema ``@camunda/zeebe-element-templates-json-schema``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.bpmn.forms import FieldType
from pilothouse.domain.approvals import Rejection
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, RESULTS, Kind, Parameter, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

Template = dict[str, Any]
SCHEMA = "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json"
MODELER = "^8.5"
"""The platform whose Modeler has all that is used here."""
_INPUTS, _RETRIES, _RESULTS = "inputs", "retries", "results"
_WHO, _TIME, _QUESTION = "who", "time", "question"
GROUPS = {
    _INPUTS: "What it needs",
    _RETRIES: "When it fails",
    _RESULTS: "Where its results go",
    _WHO: "Who answers",
    _TIME: "When nobody answers",
    _QUESTION: "What is asked",
}
_LONG = frozenset({"text", "comment"})
"""Parameters that may have many lines."""
_FROM_THE_RUN = frozenset({"service", "snapshot"})
"""Required parameters that nearly every task takes from the run as it is."""
_DURATION = r"^P.*[0-9][DWHMS]$"


def element_templates() -> list[Template]:
    """
    Give a template for each task type, then those for approvals and for the time zone of a process.

    Examples
    --------
    >>> [template["id"] for template in element_templates()][:2]
    ['pilothouse.deploy', 'pilothouse.smoke-test']
    """
    return [*(_task(topic) for topic in Topic), _approval(), _process()]


def _template(name: str, title: str, *, applies_to: str, properties: list[Template]) -> Template:
    groups = dict.fromkeys(str(p["group"]) for p in properties if "group" in p)
    return {
        "$schema": SCHEMA,
        "name": title,
        "id": f"pilothouse.{name}",
        "appliesTo": [applies_to],
        "elementType": {"value": applies_to},
        "engines": {"camunda": MODELER},
        "groups": [{"id": group, "label": GROUPS[group]} for group in groups],
        "properties": properties,
    }


def _task(topic: Topic) -> Template:
    words = topic.value.replace("-", " ")
    kind: Template = {
        "type": "Hidden",
        "value": topic.value,
        "binding": {"type": "zeebe:taskDefinition", "property": "type"},
    }
    inputs = [_input(name, parameter) for name, parameter in PARAMETERS[topic].items()]
    properties = [kind, *inputs, *_retries(), *(_result(name) for name in RESULTS[topic])]
    title = f"Pilothouse: {words}"
    return _template(topic.value, title, applies_to="bpmn:ServiceTask", properties=properties)


def _input(name: str, parameter: Parameter) -> Template:
    """Give the field of a parameter; one that need not be given leaves no mapping when it is empty."""
    shown: Template = {
        "label": _label(name),
        "description": _description(parameter),
        "group": _INPUTS,
        **_control(name, parameter),
        "binding": {"type": "zeebe:input", "name": name},
    }
    if parameter.required:
        shown["constraints"] = {"notEmpty": True}
        if name in _FROM_THE_RUN:
            shown["value"] = f"={name}"
    else:
        shown["optional"] = True
    return shown


def _control(name: str, parameter: Parameter) -> Template:
    match parameter.kind:
        case Kind.TEXT if parameter.choices:
            choices = [{"name": c, "value": c} for c in parameter.choices]
            if not parameter.required:
                choices.insert(0, {"name": "", "value": ""})
            return {"type": "Dropdown", "choices": choices}
        case Kind.TEXT:
            return {"type": "Text" if name in _LONG else "String", "feel": "optional"}
        case Kind.BOOLEAN if parameter.required:
            return {"type": "Boolean", "feel": "optional"}
        case Kind.BOOLEAN:
            # A switch knows no third state, and off is not the same as left to what it is without it.
            yes_no = (("", ""), ("yes", "=true"), ("no", "=false"))
            return {"type": "Dropdown", "choices": [{"name": n, "value": v} for n, v in yes_no]}
        case Kind.NUMBER | Kind.WHOLE:
            return {"type": "Number", "feel": "optional"}
        case Kind.OBJECT:
            return {"type": "Text", "feel": "required"}


def _label(name: str) -> str:
    words = name.removesuffix("_ms").replace("_", " ")
    unit = " (ms)" if name.endswith("_ms") else ""
    return f"{words[0].upper()}{words[1:]}{unit}"


def _description(parameter: Parameter) -> str:
    ends = ((parameter.lowest, "at least"), (parameter.highest, "at most"))
    bounds = ", ".join(f"{word} {end:g}" for end, word in ends if end is not None)
    said = parameter.description.replace("`", "")
    return f"{said} {bounds[0].upper()}{bounds[1:]}." if bounds else said


def _retries() -> Iterator[Template]:
    yield {
        "label": "Retries",
        "description": "How often it is tried before an incident waits for a person: 1 to 100.",
        "group": _RETRIES,
        "type": "String",
        "value": "3",
        "constraints": {
            "notEmpty": True,
            "pattern": {"value": "^([1-9][0-9]?|100)$", "message": "A whole number, 1 to 100"},
        },
        "binding": {"type": "zeebe:taskDefinition", "property": "retries"},
    }
    yield _duration(
        "retry.backoff", "Pause after the first failure", "Such as PT2S, the standard; it doubles."
    )
    yield _duration("retry.longest", "Longest pause", "Such as PT5M, the standard.")


def _duration(name: str, label: str, description: str) -> Template:
    return _property(
        name,
        label=label,
        description=description,
        group=_RETRIES,
        constraints=_pattern(_DURATION, "A duration such as PT10S"),
    )


def _property(name: str, **shown: object) -> Template:
    """Give a field that writes the property of an extension of Pilothouse's; an empty one writes nothing."""
    binding = {"type": "zeebe:property", "name": f"pilothouse:{name}"}
    return {"type": "String", "optional": True, **shown, "binding": binding}


def _fixed(name: str, value: str) -> Template:
    binding = {"type": "zeebe:property", "name": f"pilothouse:{name}"}
    return {"type": "Hidden", "value": value, "binding": binding}


def _result(name: str, variable: str = "") -> Template:
    return {
        "label": f"Variable for {name.replace('_', ' ')}",
        "description": "What the result is called in the run; two tasks of one kind need two names.",
        "group": _RESULTS,
        "type": "String",
        "value": variable or name,
        "constraints": {
            "notEmpty": True,
            "pattern": {"value": "^[A-Za-z_][A-Za-z0-9_]*$", "message": "Letters, digits and _"},
        },
        "binding": {"type": "zeebe:output", "source": f"={name}"},
    }


def _approval() -> Template:
    """Give a user task that asks for a yes or no and a comment."""
    properties: list[Template] = [
        {"type": "Hidden", "binding": {"type": "zeebe:userTask"}},
        _assigned("candidateGroups", "Roles", "Apart by commas, or FEEL.", value="validator"),
        _assigned("candidateUsers", "People", "Apart by commas, or FEEL."),
        {
            "label": "Due",
            "description": "A duration such as P3D, a date with its zone, or FEEL.",
            "group": _WHO,
            "type": "String",
            "feel": "optional",
            "binding": {"type": "zeebe:taskSchedule", "property": "dueDate"},
        },
        _property(
            "approval.separateFrom",
            label="Not to be answered by",
            description="The people who may not answer, in FEEL.",
            group=_WHO,
            feel="required",
            value="=author",
        ),
        *_votes(),
        *_in_time(),
        *_decision(),
        _result("decision", "approval_decision"),
        _result("comment", "approval_comment"),
    ]
    return _template(
        "approval", "Pilothouse: approval", applies_to="bpmn:UserTask", properties=properties
    )


def _assigned(name: str, label: str, description: str, **more: str) -> Template:
    return {
        "label": label,
        "description": description,
        "group": _WHO,
        "type": "String",
        "feel": "optional",
        **more,
        "binding": {"type": "zeebe:assignmentDefinition", "property": name},
    }


def _votes() -> Iterator[Template]:
    """Give the fields that make the task one for several people."""
    yield _property(
        "approval.quorum",
        label="How many have to approve",
        description="1 to 100; without it one answer is enough.",
        group=_WHO,
        constraints=_pattern("^([1-9][0-9]?|100)$", "A whole number, 1 to 100"),
    )
    yield _property(
        "approval.perRole",
        label="How many of them from each role",
        description="Such as validator: 2, business-owner: 1.",
        group=_WHO,
    )
    yield _property(
        "approval.rejection",
        label="What rejects",
        description="One vote, or as many as would have to approve.",
        group=_WHO,
        type="Dropdown",
        choices=[{"name": n, "value": n} for n in ("", *Rejection)],
    )


def _in_time() -> Iterator[Template]:
    """Give the fields of reminders, and of what happens when nobody answers in time."""
    yield _property(
        "reminder.after",
        label="Remind after",
        description="A duration such as P1D, or a cycle such as R3/P1D.",
        group=_TIME,
        feel="optional",
    )
    yield _property(
        "reminder.before",
        label="Remind before it is due",
        description="A duration such as PT4H.",
        group=_TIME,
        feel="optional",
    )
    yield _property(
        "escalation.roles",
        label="Roles that may answer too when it is overdue",
        description="Apart by commas, or FEEL.",
        group=_TIME,
        feel="optional",
    )
    yield _property(
        "escalation.code",
        label="Escalation thrown when it is overdue",
        description="Its code, which a boundary event may catch.",
        group=_TIME,
        feel="optional",
    )


def _pattern(value: str, message: str) -> Template:
    return {"notEmpty": False, "pattern": {"value": value, "message": message}}


def _decision() -> Iterator[Template]:
    yield _fixed("field.decision.type", FieldType.CHOICE)
    yield _fixed("field.decision.required", "true")
    yield _property(
        "field.decision.label",
        label="Question",
        group=_QUESTION,
        value="May it go on?",
    )
    yield _property(
        "field.decision.choices",
        label="Answers",
        description="Apart by commas.",
        group=_QUESTION,
        value="approve, reject",
    )
    yield _fixed("field.comment.type", FieldType.TEXT)
    yield _fixed("field.comment.label", "Comment")


def _process() -> Template:
    zone = _property(
        "timeZone",
        label="Time zone of its timers",
        description="Such as Europe/Paris; UTC without it.",
    )
    return _template(
        "process", "Pilothouse: life cycle", applies_to="bpmn:Process", properties=[zone]
    )

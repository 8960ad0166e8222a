"""What Pilothouse adds, written as properties by tools that know no other namespace than Camunda's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.definition import Boundary, Human, Service
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.timers import Timer

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import AnyNode
    from pilothouse.bpmn.drawing import Pen

JOB = '<zeebe:taskDefinition type="work"/>'


def properties(**values: str) -> str:
    """Write properties; `__` stands for a dot, and all are Pilothouse's."""
    held = "".join(
        f'<zeebe:property name="pilothouse:{name.replace("__", ".")}" value="{value}"/>'
        for name, value in values.items()
    )
    return f"<zeebe:properties>{held}</zeebe:properties>"


def read(pen: Pen, kind: str, inside: str) -> AnyNode:
    task = f'<{kind} id="task"><extensionElements>{inside}</extensionElements></{kind}>'
    return pen.draw(task, "start>task task>end").nodes["task"]


def problems(pen: Pen, inside: str) -> list[str]:
    with pytest.raises(DefinitionRejectedError) as rejected:
        read(pen, "serviceTask", JOB + inside)
    return [problem.problem for problem in rejected.value.problems]


def test_a_property_says_what_the_attribute_of_the_extension_says(pen: Pen) -> None:
    drawn = read(pen, "serviceTask", JOB + '<pilothouse:retry backoff="PT7S" longest="PT9S"/>')
    listed = read(
        pen, "serviceTask", JOB + properties(retry__backoff="PT7S", retry__longest="PT9S")
    )

    assert isinstance(listed, Service)
    assert isinstance(drawn, Service)
    assert (listed.backoff.first_s, listed.backoff) == (7, drawn.backoff)


def test_fields_of_a_form_are_told_apart_by_their_names(pen: Pen) -> None:
    listed = properties(
        field__decision__type="choice",
        field__decision__choices="yes, no",
        field__why__label="Why?",
        approval__separateFrom="=author",
    )

    task = read(pen, "userTask", listed)

    assert isinstance(task, Human)
    assert task.form is not None
    fields = task.form["fields"]
    assert isinstance(fields, list)
    assert [(f["name"], f["type"], f["label"]) for f in fields] == [
        ("decision", "choice", "decision"),
        ("why", "text", "Why?"),
    ]
    assert task.separate_from is not None


def test_a_time_zone_holds_for_the_timers_below(pen: Pen) -> None:
    timer = (
        f'<boundaryEvent id="late" attachedToRef="task" cancelActivity="false"><extensionElements>'
        f"{properties(timeZone='Europe/Paris')}</extensionElements><timerEventDefinition>"
        "<timeDuration>P1D</timeDuration></timerEventDefinition></boundaryEvent>"
    )
    task = (
        f'<serviceTask id="task"><extensionElements>{JOB}</extensionElements></serviceTask>{timer}'
    )

    late = pen.draw(task, "start>task task>end late>end").nodes["late"]

    assert isinstance(late, Boundary)
    assert isinstance(late.trigger, Timer)
    assert late.trigger.zone == "Europe/Paris"


def test_an_empty_property_says_nothing(pen: Pen) -> None:
    task = read(pen, "serviceTask", JOB + properties(retry__backoff=""))

    assert isinstance(task, Service)
    assert task.backoff.first_s == 2


def test_properties_of_others_are_left_alone(pen: Pen) -> None:
    other = (
        '<zeebe:properties><zeebe:property name="retry.backoff" value="soon"/></zeebe:properties>'
    )

    assert isinstance(read(pen, "serviceTask", JOB + other), Service)


@pytest.mark.parametrize("name", ["retry", "", "retry.", ".backoff", "a.b.c", "field..type", "x.ª"])
def test_a_name_that_stands_for_nothing_is_refused(pen: Pen, name: str) -> None:
    [problem] = problems(pen, properties(**{name: "PT1S"}))

    assert problem == f"the property 'pilothouse:{name}' says nothing to Pilothouse"


def test_an_extension_that_does_not_belong_there_is_refused(pen: Pen) -> None:
    assert problems(pen, properties(approval__separateFrom="=author")) == [
        "the extension approval is not executed here"
    ]


def test_the_same_extension_twice_is_refused(pen: Pen) -> None:
    twice = '<pilothouse:retry backoff="PT7S"/>' + properties(retry__longest="PT9S")

    assert problems(pen, twice) == ["a second retry is not executed here"]

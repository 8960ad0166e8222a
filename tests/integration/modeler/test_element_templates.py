"""The element templates: what Camunda's schema says of them, and what they make of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.bpmn.definition import Human, Service
from pilothouse.bpmn.read import read
from pilothouse.domain.approvals import Quorum, Rejection
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.lifecycle.offline import element_templates, lint
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Kind, Parameter, Topic, known_topics

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import AnyNode, Definition
    from tests.integration.modeler.page import Modeler

BLANK = b"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"
  xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="file" targetNamespace="test"
  modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="8.6.0">
  <bpmn:process id="blank" isExecutable="true">
    <bpmn:startEvent id="start"><bpmn:outgoing>in</bpmn:outgoing></bpmn:startEvent>
    <bpmn:task id="task"><bpmn:incoming>in</bpmn:incoming><bpmn:outgoing>out</bpmn:outgoing></bpmn:task>
    <bpmn:endEvent id="end"><bpmn:incoming>out</bpmn:incoming></bpmn:endEvent>
    <bpmn:sequenceFlow id="in" sourceRef="start" targetRef="task" />
    <bpmn:sequenceFlow id="out" sourceRef="task" targetRef="end" />
  </bpmn:process>
  <bpmndi:BPMNDiagram id="diagram"><bpmndi:BPMNPlane id="plane" bpmnElement="blank">
    <bpmndi:BPMNShape id="start_di" bpmnElement="start"><dc:Bounds x="100" y="122" width="36" height="36" /></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="task_di" bpmnElement="task"><dc:Bounds x="200" y="100" width="100" height="80" /></bpmndi:BPMNShape>
    <bpmndi:BPMNShape id="end_di" bpmnElement="end"><dc:Bounds x="400" y="122" width="36" height="36" /></bpmndi:BPMNShape>
    <bpmndi:BPMNEdge id="in_di" bpmnElement="in"><di:waypoint x="136" y="140" /><di:waypoint x="200" y="140" /></bpmndi:BPMNEdge>
    <bpmndi:BPMNEdge id="out_di" bpmnElement="out"><di:waypoint x="300" y="140" /><di:waypoint x="400" y="140" /></bpmndi:BPMNEdge>
  </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>"""
TEMPLATES: dict[str, Any] = {str(template["id"]): template for template in element_templates()}


def answer(parameter: Parameter) -> object:
    """Give what a person might fill in."""
    if parameter.choices:
        return parameter.choices[0]
    match parameter.kind:
        case Kind.TEXT:
            return "=service"
        case Kind.BOOLEAN:
            return "=true"
        case Kind.NUMBER | Kind.WHOLE:
            return parameter.lowest or 1
        case Kind.OBJECT:
            return "={}"


def applied(modeler: Modeler, name: str, **fields: object) -> bytes:
    """Apply a template to the task, or that of a process to the process."""
    to = "" if name == "process" else "task"
    return modeler.apply(BLANK, TEMPLATES[f"pilothouse.{name}"], to=to, fields=fields)


def drawn(xml: bytes) -> Definition:
    return read(xml, expressions=FeelExpressions(), topics=known_topics())


def task_of(xml: bytes) -> AnyNode:
    return drawn(xml).nodes["task"]


def test_camundas_own_schema_takes_every_template(modeler: Modeler) -> None:
    assert modeler.problems_of(list(TEMPLATES.values())) == []


@pytest.mark.parametrize("topic", Topic)
def test_a_task_with_all_that_must_be_filled_in_uploads_without_a_finding(
    modeler: Modeler, topic: Topic
) -> None:
    needed = {n: answer(p) for n, p in PARAMETERS[topic].items() if p.required}

    xml = applied(modeler, topic, **needed)

    assert lint(xml) == ()
    task = task_of(xml)
    assert isinstance(task, Service)
    assert (task.topic, {m.target for m in task.inputs}) == (topic, set(needed))


@pytest.mark.parametrize("topic", Topic)
def test_a_task_with_every_field_filled_in_maps_every_parameter(
    modeler: Modeler, topic: Topic
) -> None:
    every = {n: answer(p) for n, p in PARAMETERS[topic].items()}

    xml = applied(modeler, topic, **every)

    assert lint(xml) == ()
    task = task_of(xml)
    assert isinstance(task, Service)
    assert {m.target for m in task.inputs} == set(every)


def test_a_number_and_a_switch_are_written_as_feel(modeler: Modeler) -> None:
    xml = applied(modeler, "load-test", stage="UAT", rate=5, duration=30, p99_ms=250)

    task = task_of(xml)
    assert isinstance(task, Service)
    sources = {m.target: m.source.text for m in task.inputs}
    assert (sources["rate"], sources["p99_ms"], sources["stage"]) == ("=5", "=250", "UAT")


def test_a_template_sets_the_pauses_between_retries(modeler: Modeler) -> None:
    pauses = {"pilothouse:retry.backoff": "PT7S", "pilothouse:retry.longest": "PT1M"}

    xml = applied(modeler, "notify", subject="=snapshot", **pauses)

    task = task_of(xml)
    assert isinstance(task, Service)
    assert (task.backoff.first_s, task.backoff.longest_s) == (7, 60)


def test_an_approval_has_its_form_and_keeps_the_author_apart(modeler: Modeler) -> None:
    xml = applied(modeler, "approval", dueDate="P3D")

    assert lint(xml) == ()
    task = task_of(xml)
    assert isinstance(task, Human)
    assert task.separate_from is not None
    assert task.separate_from.text == "=author"
    assert task.form is not None
    assert [(f["name"], f["type"]) for f in task.form["fields"]] == [  # type: ignore[attr-defined]
        ("decision", "choice"),
        ("comment", "text"),
    ]


def test_an_approval_asks_several_reminds_them_and_escalates(modeler: Modeler) -> None:
    several = {
        "pilothouse:approval.quorum": "3",
        "pilothouse:approval.perRole": "validator: 2",
        "pilothouse:approval.rejection": "quorum",
        "pilothouse:reminder.before": "PT4H",
        "pilothouse:escalation.roles": "business-owner",
        "pilothouse:escalation.code": "overdue",
    }

    xml = applied(modeler, "approval", dueDate="P3D", **several)

    assert lint(xml) == ()
    task = task_of(xml)
    assert isinstance(task, Human)
    assert task.quorum == Quorum(count=3, per_role={"validator": 2}, rejection=Rejection.QUORUM)
    assert task.reminder is not None
    assert task.overdue is not None


def test_a_process_gets_the_time_zone_of_its_timers(modeler: Modeler) -> None:
    xml = applied(modeler, "process", **{"pilothouse:timeZone": "Europe/Paris"})

    assert b'name="pilothouse:timeZone" value="Europe/Paris"' in xml
    assert b"<bpmn:task " in xml, "only the process has a template"

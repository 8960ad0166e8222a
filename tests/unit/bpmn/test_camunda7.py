"""Files of Camunda 7: what is taken over, and what is refused with which advice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.definition import Boundary, Human, Service
from pilothouse.bpmn.drawing import Pen
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.read import read
from pilothouse.lifecycle.expressions import FeelExpressions

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.errors import Problem

PEN = Pen(FeelExpressions())
PLATFORM = (
    b'<definitions xmlns:modeler="http://camunda.org/schema/modeler/1.0" '
    b'modeler:executionPlatform="Camunda Platform" modeler:executionPlatformVersion="7.22.0" '
)
EXTERNAL = 'camunda:type="external" camunda:topic="work"'
A_TO_END = "start>a a>end"


def file(body: str, flows: str = A_TO_END, declared: str = "") -> bytes:
    """Draw a file as Camunda Modeler saves it for Camunda 7."""
    xml = PEN.document(PEN.start + body + PEN.end, declared, flows)
    return xml.replace(b"<definitions ", PLATFORM, 1)


def drawn(body: str, flows: str = A_TO_END, declared: str = "") -> Definition:
    return PEN.read(file(body, flows, declared))


def refused(body: str, flows: str = A_TO_END, declared: str = "") -> tuple[Problem, ...]:
    with pytest.raises(DefinitionRejectedError) as caught:
        drawn(body, flows, declared)
    return caught.value.problems


def task(inner: str = "", attributes: str = EXTERNAL, kind: str = "serviceTask") -> str:
    extensions = f"<extensionElements>{inner}</extensionElements>" if inner else ""
    return f'<{kind} id="a" {attributes}>{extensions}</{kind}>'


def service(definition: Definition) -> Service:
    node = definition.nodes["a"]
    assert isinstance(node, Service)
    return node


# work


def test_an_external_task_is_a_job_of_its_topic() -> None:
    node = service(drawn(task()))
    assert (node.topic, node.retries) == ("work", 3)


def test_retries_have_one_pause() -> None:
    cycle = "<camunda:failedJobRetryTimeCycle>R5/PT2M</camunda:failedJobRetryTimeCycle>"
    node = service(drawn(task(cycle)))
    assert (node.retries, node.backoff.after_s(1), node.backoff.after_s(4)) == (5, 120, 120)


def test_inputs_and_outputs_are_mapped() -> None:
    io = (
        "<camunda:inputOutput>"
        '<camunda:inputParameter name="stage">DEV</camunda:inputParameter>'
        '<camunda:inputParameter name="who">${owner.name}</camunda:inputParameter>'
        '<camunda:inputParameter name="words">Take ${snapshot} on</camunda:inputParameter>'
        '<camunda:inputParameter name="nothing" />'
        '<camunda:inputParameter name="many"><camunda:list><camunda:value>x "y"</camunda:value>'
        "<camunda:value>${n}</camunda:value></camunda:list></camunda:inputParameter>"
        '<camunda:inputParameter name="both"><camunda:map><camunda:entry key="k">v</camunda:entry>'
        "</camunda:map></camunda:inputParameter>"
        '<camunda:outputParameter name="got">${answer.value}</camunda:outputParameter>'
        "</camunda:inputOutput>"
    )
    play = Play(drawn(task(io)), {"owner": {"name": "ann"}, "snapshot": "fraud@7", "n": 2})
    assert play.job("a").inputs == {
        "stage": "DEV",
        "who": "ann",
        "words": "Take fraud@7 on",
        "nothing": None,
        "many": ['x "y"', 2],
        "both": {"k": "v"},
    }
    play.complete("a", answer={"value": 5})
    assert play.variables["got"] == 5


def test_a_delegate_stands_for_the_topic_that_the_caller_or_the_file_names() -> None:
    body = task(attributes='camunda:delegateExpression="${deployer}"')
    given = read(file(body), expressions=FeelExpressions(), delegates={"${deployer}": "deploy"})
    declared = (
        "<extensionElements>"
        '<pilothouse:delegate expression="${deployer}" topic="release"/></extensionElements>'
    )
    assert service(given).topic == "deploy"
    assert service(drawn(declared + body)).topic == "release"


def test_a_decision_keeps_its_result_variable() -> None:
    attributes = 'camunda:decisionRef="size" camunda:resultVariable="answer" camunda:mapDecisionResult="singleEntry"'
    node = service(drawn(task(attributes=attributes, kind="businessRuleTask")))
    assert node.decision is not None
    assert (node.topic, node.decision.text, node.result_variable) == (
        *("evaluate-decision", "size"),
        "answer",
    )


# people


def test_a_user_task_keeps_its_people_dates_and_form() -> None:
    form = (
        "<camunda:formData>"
        '<camunda:formField id="decision" label="Go on?" type="enum">'
        '<camunda:value id="yes" name="Yes"/><camunda:value id="no"/>'
        '<camunda:validation><camunda:constraint name="required"/></camunda:validation></camunda:formField>'
        '<camunda:formField id="note" type="string"/><camunda:formField id="n" type="long"/>'
        '<camunda:formField id="sure" type="boolean"/></camunda:formData>'
    )
    attributes = (
        'camunda:candidateGroups="validator,${more}" camunda:candidateUsers="${people}" camunda:dueDate="P3D" '
        'camunda:priority="70"'
    )
    play = Play(
        drawn(task(form, attributes, "userTask")), {"more": "operator", "people": ["ann", "bob"]}
    )
    node, given = play.definition.nodes["a"], play.task("a")
    assert isinstance(node, Human)
    assert (given.candidate_roles, given.candidate_people) == (
        *(("validator", "operator"), ("ann", "bob")),
    )
    assert given.due_at == play.now + timedelta(days=3)
    assert given.priority == 70
    assert node.form is not None
    fields = node.form["fields"]
    assert isinstance(fields, list)
    assert [(f["name"], f["type"], f["required"], f["choices"]) for f in fields] == [
        ("decision", "choice", True, ["yes", "no"]),
        ("note", "text", False, []),
        ("n", "whole-number", False, []),
        ("sure", "boolean", False, []),
    ]


def test_names_of_form_fields_are_no_ids_of_the_drawing() -> None:
    form = '<camunda:formData><camunda:formField id="a" type="string"/></camunda:formData>'
    assert isinstance(drawn(task(form, "", "userTask")).nodes["a"], Human)


# flow


def test_a_condition_becomes_feel() -> None:
    body = PEN.gateway("exclusive", "g", "g-end") + task()
    body += PEN.condition("g", "a", "${metrics.auc >= 0.8 &amp;&amp; tier == 'high'}")
    definition = drawn(body, "start>g g>end a>end")
    chosen = Play(definition, {"metrics": {"auc": 0.9}, "tier": "high"})
    other = Play(definition, {"metrics": {"auc": 0.7}, "tier": "high"})
    assert (chosen.at("a"), other.state.run.outcome) == (1, "end")


def test_timers_and_names_may_be_expressions() -> None:
    body = (
        task(attributes="", kind="userTask")
        + '<boundaryEvent id="late" attachedToRef="a"><timerEventDefinition>'
        "<timeDuration>${patience}</timeDuration></timerEventDefinition></boundaryEvent>"
        '<boundaryEvent id="rung" attachedToRef="a"><signalEventDefinition signalRef="s"/></boundaryEvent>'
    )
    definition = drawn(
        body, "start>a a>end late>end rung>end", '<signal id="s" name="rung-${place}"/>'
    )
    play = Play(definition, {"patience": "PT1H", "place": "here"})
    assert play.job("late").due_at == play.now + timedelta(hours=1)
    assert play.subscription("rung").name == "rung-here"


def test_a_caught_error_gives_its_code_and_words() -> None:
    body = task() + (
        '<boundaryEvent id="edge" attachedToRef="a"><errorEventDefinition errorRef="e" '
        'camunda:errorCodeVariable="code" camunda:errorMessageVariable="words"/></boundaryEvent>'
    )
    definition = drawn(body, "start>a a>end edge>end", '<error id="e" errorCode="bad"/>')
    assert isinstance(definition.nodes["edge"], Boundary)
    play = Play(definition)
    play.refuse("a", "bad")
    assert play.variables == {"code": "bad", "words": "bad"}


def test_an_activity_is_repeated_over_its_collection() -> None:
    loop = (
        '<multiInstanceLoopCharacteristics camunda:collection="${runtimes}" camunda:elementVariable="one">'
        "<completionCondition>${done}</completionCondition></multiInstanceLoopCharacteristics>"
    )
    body = f'<serviceTask id="a" {EXTERNAL}>{loop}</serviceTask>'
    play = Play(drawn(body), {"runtimes": ["x", "y"], "done": False})
    assert sorted(str(job.inputs["one"]) for job in play.state.jobs.values()) == ["x", "y"]


@pytest.mark.parametrize(
    "attributes",
    [
        'camunda:asyncBefore="true"',
        'camunda:asyncAfter="true" camunda:exclusive="false"',
        'camunda:modelerTemplate="house.task"',
    ],
)
def test_what_says_nothing_of_the_run_is_left_out(attributes: str) -> None:
    assert service(drawn(task(attributes=f"{EXTERNAL} {attributes}"))).topic == "work"


def test_a_file_without_a_platform_is_known_by_its_extensions() -> None:
    xml = PEN.document(PEN.start + task() + PEN.end, flows=A_TO_END)
    assert service(PEN.read(xml)).topic == "work"


def test_a_file_for_camunda_8_takes_nothing_of_camunda_7() -> None:
    xml = file(task()).replace(b"Camunda Platform", b"Camunda Cloud")
    with pytest.raises(DefinitionRejectedError, match="written for Camunda 7"):
        PEN.read(xml)


# what is refused


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (task(attributes='camunda:class="org.house.Deploy"'), "camunda:class"),
        (task(attributes='camunda:expression="${bean.run()}"'), "camunda:expression"),
        (task(attributes='camunda:delegateExpression="${bean}"'), "stands for no topic"),
        (task(attributes='camunda:type="mail"'), "of type 'mail'"),
        (task("<camunda:connector/>"), "camunda:connector"),
        (task('<camunda:executionListener event="start"/>'), "camunda:executionListener"),
        (task('<camunda:field name="x"/>'), "camunda:field"),
        (task(attributes=f'{EXTERNAL} camunda:taskPriority="5"'), "camunda:taskPriority"),
        (task('<camunda:taskListener event="create"/>', "", "userTask"), "camunda:taskListener"),
        (task(attributes='camunda:formKey="embedded:x"', kind="userTask"), "camunda:formKey"),
        (task(attributes='camunda:assignee="${bean.who()}"', kind="userTask"), "is a call"),
        (
            task("<camunda:failedJobRetryTimeCycle>PT1M,PT2M</camunda:failedJobRetryTimeCycle>"),
            "not of one pause",
        ),
        (
            task(
                '<camunda:inputOutput><camunda:inputParameter name="x"><camunda:script scriptFormat="groovy">1'
                "</camunda:script></camunda:inputParameter></camunda:inputOutput>"
            ),
            "is a script",
        ),
        (
            task(
                '<camunda:inputOutput><camunda:outputParameter name="x">${execution.id}'
                "</camunda:outputParameter></camunda:inputOutput>"
            ),
            "object of the engine",
        ),
        (
            task(attributes='camunda:decisionRef="d"', kind="businessRuleTask"),
            "mapped by 'resultList'",
        ),
        (
            task(
                attributes='camunda:decisionRef="d" camunda:mapDecisionResult="singleEntry"',
                kind="businessRuleTask",
            ),
            "no result variable",
        ),
        (
            task(
                '<camunda:formData><camunda:formField id="d" type="file"/></camunda:formData>',
                *("", "userTask"),
            ),
            "of type 'file'",
        ),
        (
            task(
                '<camunda:formData><camunda:formField id="d" type="long" defaultValue="7"/></camunda:formData>',
                *("", "userTask"),
            ),
            "default value",
        ),
        (
            task(
                '<camunda:formData><camunda:formField id="d" type="long"><camunda:validation><camunda:constraint '
                'name="min" config="3"/></camunda:validation></camunda:formField></camunda:formData>',
                *("", "userTask"),
            ),
            "checked by 'min'",
        ),
        (task(kind="scriptTask", attributes='scriptFormat="groovy"'), "a scriptTask is not"),
    ],
)
def test_what_is_code_or_has_no_equal_is_refused_at_its_element(body: str, problem: str) -> None:
    found = [p for p in refused(body) if problem in p.problem]
    assert [(p.element, p.line > 0, bool(p.cure)) for p in found] == [("a", True, True)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [("${bean.check(x)}", "is a call"), ("${x", "has no end")],
)
def test_a_condition_that_is_code_is_refused_at_its_flow(text: str, problem: str) -> None:
    body = PEN.gateway("exclusive", "g", "g-end") + task() + PEN.condition("g", "a", text)
    (found,) = refused(body, "start>g g>end a>end")
    assert (found.element, problem in found.problem) == ("g-a", True)


def test_a_script_in_a_condition_is_refused() -> None:
    body = PEN.gateway("exclusive", "g", "g-end") + task()
    body += PEN.condition("g", "a", "x > 1").replace(
        "<conditionExpression", '<conditionExpression language="groovy"'
    )
    (found,) = refused(body, "start>g g>end a>end")
    assert "written in groovy" in found.problem


def test_days_of_the_week_in_numbers_are_refused_as_they_are_counted_otherwise() -> None:
    body = task(attributes="", kind="userTask") + (
        '<boundaryEvent id="often" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
        "<timeCycle>0 0 9 ? * 2-6</timeCycle></timerEventDefinition></boundaryEvent>"
    )
    (found,) = refused(body, "start>a a>end often>end")
    assert (found.element, "are numbers" in found.problem) == ("often", True)


def test_every_problem_is_told_at_once() -> None:
    body = task("<camunda:connector/>", 'camunda:class="x" camunda:jobPriority="1"')
    assert len(refused(body)) >= 3


def test_the_condition_of_an_event_becomes_feel() -> None:
    body = (
        '<intermediateCatchEvent id="a"><conditionalEventDefinition><condition>${drift &gt; 0.2}</condition>'
        "</conditionalEventDefinition></intermediateCatchEvent>"
    )
    play = Play(drawn(body), {"drift": 0.5})
    assert play.state.run.ended_at is not None


def test_the_filter_of_a_conditional_event_is_refused_with_advice() -> None:
    body = (
        '<intermediateCatchEvent id="a"><conditionalEventDefinition camunda:variableName="drift">'
        "<condition>${drift &gt; 0.2}</condition></conditionalEventDefinition></intermediateCatchEvent>"
    )
    (problem,) = refused(body)
    assert problem.problem == "camunda:variableName is not taken over"
    assert "becomes true" in problem.cure

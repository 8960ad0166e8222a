"""Reading: what runs is read, what does not run is rejected with element, line and cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError, Problem
from pilothouse.bpmn.xml import FILE, MAXIMUM_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilothouse.bpmn.drawing import Pen

TASK = '<serviceTask id="a"><extensionElements><zeebe:taskDefinition type="{}"/>{}</extensionElements></serviceTask>'
DECLARED = (
    '<message id="m" name="ordered"/><signal id="s" name="alert"/><error id="e" errorCode="late"/>'
    '<error id="codeless"/>'
)


def rejected(
    pen: Pen,
    body: str,
    flows: str = "start>a a>end",
    topics: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[str, Problem]:
    xml = pen.document(pen.start + body + pen.end, DECLARED, flows)
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml, topics)
    assert all(p.cure for p in caught.value.problems)
    return {p.element: p for p in caught.value.problems}


@pytest.mark.parametrize(
    ("tag", "advice"),
    [
        ("task", "service task"),
        ("scriptTask", "Code is not run"),
        ("transaction", "embedded sub-process"),
        ("adHocSubProcess", "embedded sub-process"),
        ("complexGateway", "inclusive gateway"),
        ("somethingNew", "Remove it"),
    ],
)
def test_element_that_is_not_executed_is_rejected_with_advice(
    pen: Pen, tag: str, advice: str
) -> None:
    problem = rejected(pen, f'\n<{tag} id="a"/>')["a"]
    assert problem.problem == f"a {tag} is not executed"
    assert advice in problem.cure
    assert problem.line == 8


@pytest.mark.parametrize(
    "inner",
    [
        "<ioSpecification/>",
        "<potentialOwner/>",
    ],
)
def test_what_changes_how_a_task_runs_is_rejected(pen: Pen, inner: str) -> None:
    body = TASK.format("work", "").replace("</serviceTask>", inner + "</serviceTask>")
    assert "is not executed here" in rejected(pen, body)["a"].problem


@pytest.mark.parametrize(
    "extension",
    [
        "<zeebe:executionListeners/>",
        "<zeebe:loopCharacteristics/>",
        "<zeebe:script/>",
        "<pilothouse:form/>",
        '<zeebe:taskDefinition type="again"/>',
    ],
)
def test_extension_that_is_not_executed_is_rejected(pen: Pen, extension: str) -> None:
    assert "is not executed here" in rejected(pen, TASK.format("work", extension))["a"].problem


def test_metadata_of_drawing_tools_is_left_alone(pen: Pen) -> None:
    body = TASK.format("work", '<x:colour xmlns:x="https://example.org/paint">red</x:colour>')
    assert pen.draw(body, "start>a a>end").topics == {"work"}


@pytest.mark.parametrize(
    ("event", "definition"),
    [
        (event, definition)
        for event, definitions in {
            '<intermediateCatchEvent id="a"><{}/></intermediateCatchEvent>': (
                "escalationEventDefinition",
                "compensateEventDefinition",
                "cancelEventDefinition",
                "errorEventDefinition",
            ),
            '<endEvent id="a"><{}/></endEvent>': (
                "conditionalEventDefinition",
                "cancelEventDefinition",
                "linkEventDefinition",
                "timerEventDefinition",
            ),
            '<intermediateThrowEvent id="a"><{}/></intermediateThrowEvent>': (
                "conditionalEventDefinition",
                "errorEventDefinition",
                "timerEventDefinition",
            ),
        }.items()
        for definition in definitions
    ],
)
def test_event_that_is_not_executed_is_rejected(pen: Pen, event: str, definition: str) -> None:
    problem = rejected(pen, event.format(definition), "start>a start>end")["a"]
    assert problem.problem == f"a {definition} is not executed here"


@pytest.mark.parametrize("kind", ["endEvent", "intermediateThrowEvent"])
@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ("<messageEventDefinition/>", "it refers to no message"),
        ('<messageEventDefinition messageRef="m"/>', "has no correlation key"),
        ("<signalEventDefinition/>", "it refers to no signal"),
        ("<escalationEventDefinition/>", "an escalation without a code"),
        ('<escalationEventDefinition escalationRef="no"/>', "there is no escalation 'no'"),
        ('<compensateEventDefinition activityRef="no"/>', "is no activity of its scope"),
        ('<compensateEventDefinition waitForCompletion="false"/>', "without waiting"),
    ],
)
def test_event_that_cannot_send_is_rejected_and_is_no_silent_end(
    pen: Pen, kind: str, definition: str, problem: str
) -> None:
    xml = pen.document(
        f'{pen.start}<{kind} id="a">{definition}</{kind}>{pen.end}', DECLARED, "start>a start>end"
    )
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml)
    assert any(problem in p.problem and p.element == "a" for p in caught.value.problems)


def test_files_for_another_engine_are_rejected(pen: Pen) -> None:
    body = pen.service("a").replace(
        "<serviceTask", '<serviceTask xmlns:x="http://flowable.org/bpmn" x:async="true"'
    )
    assert rejected(pen, body)["a"].problem == "it is written for Flowable"


def test_condition_in_another_language_is_rejected(pen: Pen) -> None:
    body = pen.gateway("exclusive", "a", "a-end") + pen.condition("a", "b", "auc > 0.8")
    problem = rejected(pen, body + pen.service("b"), "start>a a>end b>end")["a-b"]
    assert "is not FEEL" in problem.problem
    assert "leading =" in problem.cure


def test_expression_that_does_not_compile_is_rejected_at_upload(pen: Pen) -> None:
    body = TASK.format("work", pen.mapping({"x": "=1 +* 2"}))
    assert "is not an expression" in rejected(pen, body)["a"].problem


def test_all_problems_are_told_at_once(pen: Pen) -> None:
    body = '<scriptTask id="a"/><transaction id="b"/>' + pen.gateway("exclusive", "c")
    problems = rejected(pen, body, "start>a a>b b>c c>end c>gone")
    assert problems.keys() == {"a", "b", "c-end", "c-gone"}


def test_task_that_nothing_leads_to_is_rejected(pen: Pen) -> None:
    problems = rejected(pen, pen.service("a") + pen.service("lost"))
    assert problems["lost"].problem == "no start event leads to it"


def test_unknown_topic_is_rejected(pen: Pen) -> None:
    problem = rejected(pen, pen.service("a", "launch"), topics={"deploy": (), "notify": ()})["a"]
    assert problem.problem == "nobody works on the topic 'launch'"
    assert problem.cure == (
        "Known topics: deploy, notify. The group's policy may name more, for workers of its own."
    )


def test_unknown_parameter_of_a_topic_is_rejected(pen: Pen) -> None:
    body = pen.service("a", "deploy", pen.mapping({"stagge": "DEV"}))
    problem = rejected(pen, body, topics={"deploy": ("stage",)})["a"]
    assert problem.problem == "the topic 'deploy' has no parameter 'stagge'"
    assert problem.cure == "Its parameters: stage."


def test_known_topic_and_parameter_are_taken(pen: Pen) -> None:
    xml = pen.document(
        pen.start + pen.service("a", "deploy", pen.mapping({"stage": "DEV"})) + pen.end,
        flows="start>a a>end",
    )
    assert pen.read(xml, {"deploy": ("stage",)}).topics == {"deploy"}


@pytest.mark.parametrize("retries", ["0", "-1", "many", "=3", "101", "٣"])
def test_retries_are_a_whole_number(pen: Pen, retries: str) -> None:
    body = pen.service("a").replace('retries="3"', f'retries="{retries}"')
    assert "retries" in rejected(pen, body)["a"].problem


@pytest.mark.parametrize("target", ["a.b", "a b", "=x", "", "a-b"])
def test_mapping_target_is_a_plain_name(pen: Pen, target: str) -> None:
    assert "target" in rejected(pen, TASK.format("work", pen.mapping({target: "=x"})))["a"].problem


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("timeDuration", "1 day"),
        ("timeDuration", "P"),
        ("timeDuration", "-PT5M"),
        ("timeDuration", "PT"),
        ("timeDate", "2026-01-01"),
        ("timeDate", "2026-01-01T00:00:00"),
        ("timeCycle", "R3/PT5M"),
        ("timeDuration", "P9999Y"),
    ],
)
def test_bad_timer_is_rejected(pen: Pen, kind: str, text: str) -> None:
    body = f'<intermediateCatchEvent id="a"><timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition></intermediateCatchEvent>'
    assert "a" in rejected(pen, body)


@pytest.mark.parametrize(
    "text", ["R0/PT5M", "R3/PT0S", "R3", "0 0 9 * * MOND", "R3/2026-01-01/PT5M"]
)
def test_bad_cycle_is_rejected(pen: Pen, text: str) -> None:
    body = pen.service("a") + (
        '<boundaryEvent id="edge" attachedToRef="a" cancelActivity="false"><timerEventDefinition>'
        f"<timeCycle>{text}</timeCycle></timerEventDefinition></boundaryEvent>"
    )
    assert "not valid" in rejected(pen, body, "start>a a>end edge>end")["edge"].problem


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ('<receiveTask id="a" messageRef="m"/>', "has no correlation key"),
        ('<receiveTask id="a" messageRef="nope"/>', "there is no message 'nope'"),
        ('<receiveTask id="a"/>', "it refers to no message"),
        ('<receiveTask id="a" messageRef="s"/>', "there is no message 's'"),
        ('<intermediateCatchEvent id="a"/>', "it waits for nothing"),
        (
            '<intermediateCatchEvent id="a"><signalEventDefinition signalRef="s"/><timerEventDefinition/></intermediateCatchEvent>',
            "it has more than one event definition",
        ),
        (
            '<intermediateCatchEvent id="a"><timerEventDefinition/></intermediateCatchEvent>',
            "the timer has not one duration, date or cycle",
        ),
        ('<userTask id="a" isForCompensation="true"/>', "no compensation event leads to it"),
    ],
)
def test_event_that_lacks_what_it_needs_is_rejected(pen: Pen, event: str, problem: str) -> None:
    assert problem in rejected(pen, event)["a"].problem


def boundary(inner: str, attributes: str = 'attachedToRef="a"') -> str:
    return f'<boundaryEvent id="edge" {attributes}>{inner}</boundaryEvent>'


ERROR = '<errorEventDefinition errorRef="e"/>'


@pytest.mark.parametrize(
    ("edge", "problem"),
    [
        (boundary(ERROR, 'attachedToRef="gone"'), "attached to 'gone'"),
        (boundary(ERROR, 'attachedToRef="start"'), "attached to 'start'"),
        (boundary(ERROR, 'attachedToRef="a" cancelActivity="false"'), "always interrupts"),
        (boundary(ERROR) + boundary(ERROR).replace('"edge"', '"two"'), "catches the same error"),
        (boundary(""), "it waits for nothing"),
        (boundary('<errorEventDefinition errorRef="nope"/>'), "there is no error 'nope'"),
        (boundary('<errorEventDefinition errorRef="codeless"/>'), "error code is missing"),
    ],
)
def test_bad_boundary_event_is_rejected(pen: Pen, edge: str, problem: str) -> None:
    flows = "start>a a>end edge>end" + (" two>end" if "two" in edge else "")
    xml = pen.document(pen.start + pen.service("a") + edge + pen.end, DECLARED, flows)
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml)
    assert any(problem in p.problem for p in caught.value.problems)


@pytest.mark.parametrize(
    ("body", "flows", "element", "problem"),
    [
        ("", "start>end end>start", "start", "a flow leads into it"),
        ("", "start>end end>start", "end", "a flow leaves an end event"),
        ("", "start>end start>gone", "start-gone", "the flow ends at 'gone'"),
        ('<parallelGateway id="g"/>', "start>end start>g", "g", "no flow leaves it"),
        (
            '<exclusiveGateway id="g" default="x"/>',
            "start>g g>end",
            "g",
            "the default flow 'x' does not leave it",
        ),
        ('<startEvent id="two"/>', "start>end two>end", "two", "another start event"),
        (
            '<subProcess id="g"><startEvent id="x"/></subProcess>',
            "start>g g>end start>x",
            "start-x",
            "crosses the border",
        ),
        ('<subProcess id="g"/>', "start>g g>end", "g", "not exactly one start event of its kind"),
        (
            '<subProcess id="g" triggeredByEvent="true"><startEvent id="x"/></subProcess>',
            "start>end",
            "x",
            "nothing opens the event sub-process",
        ),
        ('<endEvent id="start"/>', "start>end", "start", "there twice"),
        (
            '<endEvent id="g"><errorEventDefinition/></endEvent>',
            "start>end start>g",
            "g",
            "without a code",
        ),
    ],
)
def test_structure_that_leads_nowhere_is_rejected(
    pen: Pen, body: str, flows: str, element: str, problem: str
) -> None:
    xml = pen.document(pen.start + body + pen.end, DECLARED, flows)
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml)
    assert any(p.element == element and problem in p.problem for p in caught.value.problems)


def test_condition_out_of_a_task_is_rejected(pen: Pen) -> None:
    body = pen.service("a") + pen.condition("a", "b", "=true") + pen.service("b")
    assert (
        "only a flow out of an exclusive or inclusive gateway" in rejected(pen, body)["a-b"].problem
    )


def test_exclusive_flow_without_condition_is_rejected(pen: Pen) -> None:
    body = pen.gateway("exclusive", "a", "a-end") + pen.service("b")
    assert "without a condition" in rejected(pen, body, "start>a a>end a>b b>end")["a-b"].problem


@pytest.mark.parametrize(
    "field",
    [
        "",
        '<pilothouse:field type="text"/>',
        '<pilothouse:field name="x" type="colour"/>',
        '<pilothouse:field name="x" type="choice"/>',
        '<pilothouse:field name="x" choices="a"/>',
        '<pilothouse:field name="x"/><pilothouse:field name="x"/>',
    ],
)
def test_bad_form_is_rejected(pen: Pen, field: str) -> None:
    body = f'<userTask id="a"><extensionElements><pilothouse:form>{field}</pilothouse:form></extensionElements></userTask>'
    assert "a" in rejected(pen, body)


@pytest.mark.parametrize(
    "old_new",
    [
        ('isExecutable="true"', 'isExecutable="false"'),
        ("</process>", '</process><process id="other" isExecutable="true"/>'),
    ],
)
def test_file_must_have_exactly_one_executable_process(pen: Pen, old_new: tuple[str, str]) -> None:
    xml = pen.document(pen.start + pen.end, flows="start>end").decode().replace(*old_new)
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml.encode())
    assert "executable processes, not one" in caught.value.problems[0].problem


def test_process_without_start_is_rejected(pen: Pen) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(pen.document(pen.end))
    assert "no start event" in caught.value.message


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]><definitions>&d;</definitions>"""


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (BILLION_LAUGHS, "document type declaration"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', "document type declaration"),
        (BILLION_LAUGHS.decode().encode("utf-16"), "document type declaration"),
        (b"<a>" * 100 + b"</a>" * 100, "nested deeper"),
        (b"<a>" * 200_000, "nested deeper"),
        (b" " * (MAXIMUM_BYTES + 1), "more than 2,097,152"),
        (b"", "not well-formed"),
        (b"\x00\x01\x02", "not well-formed"),
        (b"<a", "not well-formed"),
        (b"<a>&nope;</a>", "not well-formed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "the file"),
        (b"PK\x03\x04 not xml at all", "not well-formed"),
    ],
)
def test_hostile_file_is_refused_before_it_is_understood(
    pen: Pen, xml: bytes, problem: str
) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml)
    (found,) = caught.value.problems
    assert found.element == FILE
    assert problem in found.problem


def test_external_entity_is_never_read(pen: Pen, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    xml = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><definitions>&x;</definitions>'
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(xml.encode())
    assert "the password" not in caught.value.message


@pytest.mark.parametrize("root", ["<a/>", "<definitions/>", "<process/>"])
def test_file_that_is_not_bpmn_is_rejected(pen: Pen, root: str) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.read(root.encode())
    assert caught.value.problems[0].problem == "the file is not BPMN 2.0"


def test_same_bytes_have_the_same_digest(pen: Pen) -> None:
    xml = pen.document(pen.start + pen.end, flows="start>end")
    assert pen.read(xml).digest == pen.read(xml).digest


TIMED = "<timerEventDefinition><timeDate>2027-01-05T08:00:00Z</timeDate></timerEventDefinition>"


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        ('services="a" snapshot="newest"', "the snapshot 'newest' is not known"),
        ('services="a" snapshot="champion"', "a champion is that of a stage"),
        ('services="a" snapshot="latest" stage="PROD"', "a champion is that of a stage"),
        ('snapshot="latest"', "the services that its runs are about is missing"),
    ],
)
def test_what_a_timer_is_about_has_to_be_said_whole(pen: Pen, about: str, problem: str) -> None:
    body = f'<startEvent id="a"><extensionElements><pilothouse:about {about}/></extensionElements>{TIMED}</startEvent>'
    with pytest.raises(DefinitionRejectedError) as refused:
        pen.draw(body, "start>end a>end")
    assert any(problem in found.problem for found in refused.value.problems)


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        (
            '<timerEventDefinition><timeDuration>="PT1H"</timeDuration></timerEventDefinition>',
            "the timer that starts it is an expression",
        ),
        (
            '<extensionElements><pilothouse:about services="a"/></extensionElements>',
            "the extension about is not executed here",
        ),
    ],
)
def test_a_start_that_could_not_be_armed_is_refused(pen: Pen, inner: str, problem: str) -> None:
    with pytest.raises(DefinitionRejectedError) as refused:
        pen.draw(f'<startEvent id="a">{inner}</startEvent>', "start>end a>end")
    assert any(problem in found.problem for found in refused.value.problems)

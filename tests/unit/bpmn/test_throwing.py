"""What a run sends: messages, signals, links; and what only passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.happenings import IncidentRetried
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import NoticeKind, RunStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen
    from pilothouse.bpmn.state import Notice

DECLARED = (
    '<message id="m" name="=told"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><message id="bare" name="bare"/><signal id="s" name="alert"/>'
)
MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="s"/>'


def throwing(pen: Pen, kind: str, definition: str, io: str = "", **variables: object) -> Play:
    event = f'<{kind} id="out"><extensionElements>{io}</extensionElements>{definition}</{kind}>'
    flows = "start>out" if kind == "endEvent" else "start>out out>end"
    rest = "" if kind == "endEvent" else pen.end
    xml = pen.document(pen.start + event + rest, DECLARED, flows)
    return Play(pen.read(xml), {"told": "paid", "key": 7, **variables})


def told(play: Play, kind: NoticeKind) -> Notice:
    (notice,) = [n for n in play.notices if n.kind is kind]
    return notice


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
def test_message_is_sent_with_its_name_key_and_mapped_variables(pen: Pen, kind: str) -> None:
    play = throwing(pen, kind, MESSAGE, pen.mapping({"sum": "=amount"}), amount=5)

    notice = told(play, NoticeKind.MESSAGE_THROWN)
    assert (notice.text, notice.correlation_key, notice.variables) == ("paid", "7", {"sum": 5})
    assert (notice.element, notice.time_to_live_s) == ("out", 3600.0)
    assert play.state.run.state is RunStatus.COMPLETED
    (line,) = [e for e in play.history if e.event is HistoryEvent.MESSAGE_THROWN]
    assert line.data["message"] == notice.subject_id


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
def test_signal_is_sent_with_nothing_that_is_not_mapped(pen: Pen, kind: str) -> None:
    play = throwing(pen, kind, SIGNAL, secret="s3")
    notice = told(play, NoticeKind.SIGNAL_THROWN)
    assert (notice.text, notice.correlation_key, notice.variables) == ("alert", None, {})
    assert "out" in play.passed


def test_each_message_that_is_sent_has_an_id_of_its_own(pen: Pen) -> None:
    body = "".join(
        f'<intermediateThrowEvent id="{name}">{MESSAGE}</intermediateThrowEvent>'
        for name in ("one", "two")
    )
    play = Play(pen.draw(body, "start>one one>two two>end", DECLARED), {"told": "paid", "key": "k"})
    assert len({n.subject_id for n in play.notices if n.kind is NoticeKind.MESSAGE_THROWN}) == 2


def test_message_says_its_key_and_life_itself(pen: Pen) -> None:
    publish = '<zeebe:publishMessage correlationKey="=order" timeToLive="PT5M"/>'
    definition = (
        f'<messageEventDefinition messageRef="bare"><extensionElements>{publish}'
        "</extensionElements></messageEventDefinition>"
    )
    play = throwing(pen, "intermediateThrowEvent", definition, order="o1")
    notice = told(play, NoticeKind.MESSAGE_THROWN)
    assert (notice.text, notice.correlation_key, notice.time_to_live_s) == ("bare", "o1", 300.0)


def test_message_without_a_key_is_an_incident_and_sends_nothing(pen: Pen) -> None:
    play = throwing(pen, "intermediateThrowEvent", MESSAGE, key=None)
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.element) == ("expression-failed", "out")
    assert not [n for n in play.notices if n.kind is NoticeKind.MESSAGE_THROWN]

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"key": "k"}))

    assert told(play, NoticeKind.MESSAGE_THROWN).correlation_key == "k"


@pytest.mark.parametrize("kind", ["intermediateThrowEvent", "endEvent"])
def test_message_with_a_topic_is_a_job_for_a_worker(pen: Pen, kind: str) -> None:
    play = throwing(pen, kind, MESSAGE, '<zeebe:taskDefinition type="kafka"/>')
    assert play.job("out").topic == "kafka"
    play.complete("out")
    assert play.state.run.state is RunStatus.COMPLETED
    assert not [n for n in play.notices if n.kind is NoticeKind.MESSAGE_THROWN]


def test_send_task_sends_its_message(pen: Pen) -> None:
    play = Play(
        pen.draw('<sendTask id="out" messageRef="m"/>', "start>out out>end", DECLARED),
        {"told": "paid", "key": "k"},
    )
    assert told(play, NoticeKind.MESSAGE_THROWN).text == "paid"


def test_send_task_with_a_topic_is_a_job(pen: Pen) -> None:
    body = pen.service("out", "mail").replace("serviceTask", "sendTask")
    assert Play(pen.draw(body, "start>out out>end")).job("out").topic == "mail"


def test_none_throw_event_and_manual_task_are_passed(pen: Pen) -> None:
    body = '<intermediateThrowEvent id="mark"/><manualTask id="walk"/>'
    play = Play(pen.draw(body, "start>mark mark>walk walk>end"))
    assert play.passed == ["start", "mark", "walk", "end"]


def link(kind: str, identity: str, name: str) -> str:
    return f'<intermediate{kind}Event id="{identity}"><linkEventDefinition name="{name}"/></intermediate{kind}Event>'


def test_link_leads_to_its_catching_end(pen: Pen) -> None:
    body = link("Throw", "out", "on") + link("Catch", "in", "on") + pen.service("a")
    play = Play(pen.draw(body, "start>out in>a a>end"))
    assert (play.passed, play.at("a")) == (["start", "out", "in"], 1)


def test_several_links_lead_to_one_catching_end(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + link("Throw", "one", "on") + link("Throw", "two", "on")
    body += link("Catch", "in", "on") + pen.service("a")
    play = Play(pen.draw(body, "start>fork fork>one fork>two in>a a>end"))
    assert play.at("a") == 2


def test_inclusive_join_waits_for_what_comes_over_a_link(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.gateway("inclusive", "join") + pen.service("after")
    body += pen.service("a") + pen.service("b") + link("Throw", "out", "on")
    body += link("Catch", "in", "on")
    flows = "start>fork fork>a fork>b a>join b>out in>join join>after after>end"
    play = Play(pen.draw(body, flows))
    play.complete("a")
    assert (play.at("join"), play.at("after")) == (1, 0)
    play.complete("b")
    assert play.at("after") == 1


@pytest.mark.parametrize(
    ("body", "flows", "element", "problem"),
    [
        (link("Throw", "out", "on"), "start>end start>out", "out", "0 intermediate catch events"),
        (link("Catch", "in", "on"), "start>end in>end", "in", "no intermediate throw event"),
        (
            link("Throw", "out", "on") + link("Catch", "in", "on") + link("Catch", "too", "on"),
            "start>out in>end too>end",
            "out",
            "2 intermediate catch events",
        ),
        (
            link("Throw", "out", "on") + link("Catch", "in", "on"),
            "start>out out>end in>end",
            "out",
            "a flow leaves a link",
        ),
        (
            link("Throw", "out", "on") + link("Catch", "in", "on"),
            "start>out start>in in>end",
            "in",
            "a flow leads into a link",
        ),
        (link("Throw", "out", ""), "start>end start>out", "out", "name of the link is missing"),
        (
            link("Throw", "out", "on")
            + f'<subProcess id="sub"><startEvent id="x"/>{link("Catch", "in", "on")}</subProcess>',
            "start>out start>sub sub>end",
            "out",
            "0 intermediate catch events",
        ),
    ],
)
def test_link_that_leads_nowhere_is_rejected(
    pen: Pen, body: str, flows: str, element: str, problem: str
) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(body, flows)
    assert any(p.element == element and problem in p.problem for p in caught.value.problems)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<sendTask id="out"/>', "it refers to no message"),
        ('<sendTask id="out" messageRef="bare"/>', "no correlation key"),
        (
            (
                '<sendTask id="out" messageRef="m"><extensionElements><zeebe:publishMessage messageId="x"/>'
                "</extensionElements></sendTask>"
            ),
            "a messageId is not taken",
        ),
        (
            (
                '<sendTask id="out" messageRef="m"><extensionElements><zeebe:publishMessage timeToLive="soon"/>'
                "</extensionElements></sendTask>"
            ),
            "the timeToLive",
        ),
        (
            (
                '<sendTask id="out" messageRef="m"><extensionElements><zeebe:ioMapping><zeebe:output source="=x" '
                'target="y"/></zeebe:ioMapping></extensionElements></sendTask>'
            ),
            "outputs of what sends",
        ),
        (
            (
                '<sendTask id="out" messageRef="m"><extensionElements><pilothouse:retry backoff="PT1S"/>'
                "</extensionElements></sendTask>"
            ),
            "it has retry and no topic",
        ),
    ],
)
def test_send_task_that_cannot_send_is_rejected(pen: Pen, body: str, problem: str) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(body, "start>out out>end", DECLARED)
    assert any(problem in p.problem for p in caught.value.problems)

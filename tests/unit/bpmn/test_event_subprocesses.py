"""Escalations, and event sub-processes: what opens beside the work of a scope, or instead of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import AlreadyOverError, DefinitionRejectedError
from pilothouse.bpmn.happenings import IncidentRetried
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus, TokenStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

DECLARED = (
    '<message id="m" name="stop"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><signal id="s" name="alert"/><error id="e" errorCode="bad"/>'
    '<escalation id="esc" escalationCode="slow"/><escalation id="other" escalationCode="other"/>'
)
MESSAGE = '<messageEventDefinition messageRef="m"/>'
SIGNAL = '<signalEventDefinition signalRef="s"/>'
ERROR = '<errorEventDefinition errorRef="e"/>'
SLOW = '<escalationEventDefinition escalationRef="esc"/>'
HOUR = timedelta(hours=1)


def timer(kind: str, text: str) -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def beside(
    definition: str, body: str, *, name: str = "esp", interrupting: bool = True, io: str = ""
) -> str:
    """Draw an event sub-process around one element, whose id is ``{name}-do``."""
    flag = "" if interrupting else ' isInterrupting="false"'
    return (
        f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="{name}-on"{flag}>'
        f"<extensionElements>{io}</extensionElements>{definition}</startEvent>{body}"
        f'<endEvent id="{name}-end"/>{flow(f"{name}-on", f"{name}-do")}{flow(f"{name}-do", f"{name}-end")}'
        "</subProcess>"
    )


def guarded(pen: Pen, definition: str, *, interrupting: bool = True, io: str = "") -> Play:
    """Begin a process of the task ``a`` with one event sub-process beside it."""
    aside = beside(definition, pen.service("esp-do"), interrupting=interrupting, io=io)
    return Play(pen.draw(pen.service("a") + aside, "start>a a>end", DECLARED), {"key": "k"})


def test_event_sub_process_listens_and_keeps_no_scope_open(pen: Pen) -> None:
    play = guarded(pen, MESSAGE)
    (listening,) = [t for t in play.state.tokens.values() if t.state is TokenStatus.LISTENING]
    assert listening.element == "esp-on"

    play.complete("a")

    assert play.state.run.state is RunStatus.COMPLETED
    assert not play.state.tokens
    assert not play.state.subscriptions
    assert not [e for e in play.history if e.event is HistoryEvent.CANCELLED]


@pytest.mark.parametrize("definition", [MESSAGE, SIGNAL])
def test_interrupting_event_replaces_the_work_of_its_scope(pen: Pen, definition: str) -> None:
    play = guarded(pen, definition)
    play.tell("esp-on", why="late")
    assert (play.at("a"), play.at("esp-do")) == (0, 1)
    assert not play.state.subscriptions
    assert play.variables["why"] == "late"

    play.complete("esp-do")

    assert play.state.run.state is RunStatus.COMPLETED
    assert play.passed == ["start", "esp-on", "esp-do", "esp-end", "esp"]


def test_event_that_does_not_interrupt_opens_again_and_again_beside_the_work(pen: Pen) -> None:
    play = guarded(pen, MESSAGE, interrupting=False)
    play.tell("esp-on")
    play.tell("esp-on")
    assert (play.at("a"), play.at("esp-do")) == (1, 2)
    play.complete("a")
    play.complete("esp-do")
    assert play.at("esp-do") == 1
    play.complete("esp-do")
    assert play.state.run.state is RunStatus.COMPLETED


def test_output_of_the_event_is_known_inside_alone(pen: Pen) -> None:
    play = guarded(pen, MESSAGE, interrupting=False, io=pen.mapping(reason="=why"))
    play.tell("esp-on", why="late")
    assert play.job("esp-do").inputs == {"key": "k", "reason": "late"}
    assert play.variables == {"key": "k"}


def test_timer_of_an_event_sub_process_is_armed_with_its_scope(pen: Pen) -> None:
    play = guarded(pen, timer("timeDuration", "PT1H"))
    play.advance(HOUR)
    assert (play.at("a"), play.at("esp-do")) == (0, 1)
    assert [job.element for job in play.state.jobs.values()] == ["esp-do"]


def test_cycle_of_an_event_sub_process_is_armed_again(pen: Pen) -> None:
    play = guarded(pen, timer("timeCycle", "R3/PT1H"), interrupting=False)
    play.advance(5 * HOUR)
    assert (play.at("a"), play.at("esp-do")) == (1, 3)


def test_mapping_that_fails_opens_nothing_and_is_held(pen: Pen) -> None:
    play = guarded(pen, timer("timeDuration", "PT1H"), io=pen.mapping(x="=boom"))
    play.advance(HOUR)
    (incident,) = play.state.incidents.values()
    assert incident.job_id == play.job("esp-on").id
    assert play.at("a") == 1


def test_listening_that_cannot_begin_is_an_incident_that_a_retry_cures(pen: Pen) -> None:
    aside = beside(MESSAGE, pen.service("esp-do"))
    play = Play(pen.draw(pen.service("a") + aside, "start>a a>end", DECLARED))
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.element) == ("expression-failed", "esp-on")

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"key": "k"}))

    assert play.subscription("esp-on").correlation_key == "k"
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_error_is_caught_in_its_scope_before_the_boundary_around_it(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + pen.service("a") + flow("in", "a")
    inner += beside(ERROR, pen.service("esp-do"))
    body = f'<subProcess id="sub">{inner}</subProcess>' + pen.service("rescue")
    body += f'<boundaryEvent id="edge" attachedToRef="sub">{ERROR}</boundaryEvent>'
    play = Play(pen.draw(body, "start>sub sub>end edge>rescue rescue>end", DECLARED))
    play.refuse("a", "bad")
    assert (play.at("esp-do"), play.at("rescue"), play.at("a")) == (1, 0, 0)

    play.complete("esp-do")

    assert play.state.run.state is RunStatus.COMPLETED
    assert play.passed[-2:] == ["sub", "end"]


def test_error_out_of_an_event_sub_process_goes_to_the_boundary_around_it(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + pen.service("a") + flow("in", "a")
    inner += beside(ERROR, pen.service("esp-do"))
    body = f'<subProcess id="sub">{inner}</subProcess>' + pen.service("rescue")
    body += f'<boundaryEvent id="edge" attachedToRef="sub">{ERROR}</boundaryEvent>'
    play = Play(pen.draw(body, "start>sub sub>end edge>rescue rescue>end", DECLARED))
    play.refuse("a", "bad")

    play.refuse("esp-do", "bad")

    assert [t.element for t in play.state.tokens.values()] == ["rescue"]


def test_boundary_of_the_activity_itself_catches_before_the_scope(pen: Pen) -> None:
    body = pen.service("a") + pen.service("rescue") + beside(ERROR, pen.service("esp-do"))
    body += f'<boundaryEvent id="edge" attachedToRef="a">{ERROR}</boundaryEvent>'
    play = Play(pen.draw(body, "start>a a>end edge>rescue rescue>end", DECLARED))
    play.refuse("a", "bad")
    assert (play.at("rescue"), play.at("esp-do")) == (1, 0)


def test_error_end_event_is_caught_by_the_process_and_does_not_fail_the_run(pen: Pen) -> None:
    body = f'<endEvent id="bad">{ERROR}</endEvent>' + beside(ERROR, pen.service("esp-do"))
    xml = pen.document(pen.start + body, DECLARED, "start>bad")
    play = Play(pen.read(xml))
    assert (play.state.run.state, play.at("esp-do")) == (RunStatus.ACTIVE, 1)
    play.complete("esp-do")
    assert play.state.run.state is RunStatus.COMPLETED


def test_error_code_is_known_inside_where_it_is_mapped(pen: Pen) -> None:
    play = guarded(pen, ERROR, io=pen.mapping(code="=error.code"))
    play.refuse("a", "bad")
    assert play.job("esp-do").inputs["code"] == "bad"


def test_terminate_ends_the_event_sub_process_alone(pen: Pen) -> None:
    inner = (
        '<subProcess id="esp" triggeredByEvent="true"><startEvent id="esp-on" isInterrupting="false">'
        f'{MESSAGE}</startEvent><endEvent id="esp-end"><terminateEventDefinition/></endEvent>'
        f"{flow('esp-on', 'esp-end')}</subProcess>"
    )
    play = Play(pen.draw(pen.service("a") + inner, "start>a a>end", DECLARED), {"key": "k"})
    play.tell("esp-on")
    assert play.at("a") == 1
    assert play.state.run.state is RunStatus.ACTIVE


def test_sub_process_that_ends_takes_its_listeners_along(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + pen.service("a") + flow("in", "a")
    inner += beside(timer("timeDuration", "PT1H"), pen.service("esp-do"))
    body = f'<subProcess id="sub">{inner}</subProcess>' + pen.service("b")
    play = Play(pen.draw(body, "start>sub sub>b b>end", DECLARED))
    play.complete("a")
    assert [t.element for t in play.state.tokens.values()] == ["b"]
    with pytest.raises(AlreadyOverError):
        play.job("esp-on")


def escalating(pen: Pen, edge: str, thrower: str = "intermediateThrowEvent") -> Play:
    """Begin a sub-process that does ``a`` and then escalates; `edge` is what stands around."""
    inner = '<startEvent id="in"/>' + pen.service("a") + f'<{thrower} id="up">{SLOW}</{thrower}>'
    inner += flow("in", "a") + flow("a", "up")
    if thrower == "intermediateThrowEvent":
        inner += pen.service("b") + flow("up", "b")
    body = f'<subProcess id="sub">{inner}</subProcess>' + edge
    flows = "start>sub sub>end" + (" edge>c c>end" if "edge" in edge else "")
    return Play(pen.draw(body, flows, DECLARED), {"key": "k"})


def edged(pen: Pen, definition: str, *, interrupting: bool) -> str:
    flag = "" if interrupting else ' cancelActivity="false"'
    return (
        f'<boundaryEvent id="edge" attachedToRef="sub"{flag}>{definition}</boundaryEvent>'
        + pen.service("c")
    )


@pytest.mark.parametrize("definition", [SLOW, "<escalationEventDefinition/>"])
def test_escalation_is_caught_beside_the_work_that_goes_on(pen: Pen, definition: str) -> None:
    play = escalating(pen, edged(pen, definition, interrupting=False))
    play.complete("a")
    assert (play.at("b"), play.at("c"), play.at("sub")) == (1, 1, 1)
    (line,) = [e for e in play.history if e.event is HistoryEvent.ESCALATION_THROWN]
    assert (line.element, line.data) == ("up", {"code": "slow", "by": "edge"})


def test_escalation_that_interrupts_stops_who_threw_it(pen: Pen) -> None:
    play = escalating(pen, edged(pen, SLOW, interrupting=True))
    play.complete("a")
    assert [t.element for t in play.state.tokens.values()] == ["c"]


def test_escalation_end_event_ends_its_branch(pen: Pen) -> None:
    play = escalating(pen, edged(pen, SLOW, interrupting=False), "endEvent")
    play.complete("a")
    assert [t.element for t in play.state.tokens.values()] == ["c"]
    assert "sub" in play.passed


@pytest.mark.parametrize("other", ["other", None])
def test_escalation_that_nobody_catches_passes_on_and_is_noted(pen: Pen, other: str | None) -> None:
    another = '<escalationEventDefinition escalationRef="other"/>'
    edge = edged(pen, another, interrupting=True) if other else ""
    play = escalating(pen, edge)
    play.complete("a")
    assert play.at("b") == 1
    (line,) = [e for e in play.history if e.event is HistoryEvent.ESCALATION_THROWN]
    assert line.data == {"code": "slow"}


def test_escalation_is_caught_by_an_event_sub_process_of_the_process(pen: Pen) -> None:
    play = escalating(pen, beside(SLOW, pen.service("esp-do"), interrupting=False))
    play.complete("a")
    assert (play.at("b"), play.at("esp-do")) == (1, 1)


def test_escalation_out_of_an_event_sub_process_does_not_open_it_again(pen: Pen) -> None:
    up = f'<intermediateThrowEvent id="esp-do">{SLOW}</intermediateThrowEvent>'
    play = escalating(pen, beside(SLOW, up, interrupting=False))
    play.complete("a")
    thrown = [e for e in play.history if e.event is HistoryEvent.ESCALATION_THROWN]
    assert [(e.element, e.data.get("by")) for e in thrown] == [("up", "esp-on"), ("esp-do", None)]
    assert play.at("b") == 1


def test_interrupting_escalation_in_the_scope_replaces_who_threw_it(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.service("a")
    body += f'<intermediateThrowEvent id="up">{SLOW}</intermediateThrowEvent>' + pen.service("b")
    body += beside(SLOW, pen.service("esp-do"))
    play = Play(pen.draw(body, "start>fork fork>a fork>up up>b a>end b>end", DECLARED))
    assert [t.element for t in play.state.tokens.values() if t.element != "esp"] == ["esp-do"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            (
                '<subProcess id="g" triggeredByEvent="true"><startEvent id="x">'
                '<cancelEventDefinition/></startEvent><endEvent id="y"/>{}</subProcess>'
            ),
            "a cancelEventDefinition is not executed here",
        ),
        (
            (
                '<subProcess id="g" triggeredByEvent="true"><startEvent id="x" isInterrupting="false">'
                '<errorEventDefinition errorRef="e"/></startEvent><endEvent id="y"/>{}</subProcess>'
            ),
            "an error always interrupts",
        ),
        (
            (
                '<subProcess id="g" triggeredByEvent="true"><startEvent id="x">'
                "<timerEventDefinition><timeCycle>R3/PT1H</timeCycle></timerEventDefinition></startEvent>"
                '<endEvent id="y"/>{}</subProcess>'
            ),
            "a cycle here would fire once only",
        ),
        (
            (
                '<subProcess id="g" triggeredByEvent="true"><startEvent id="x">'
                '<compensateEventDefinition/></startEvent><endEvent id="y"/>{}</subProcess>'
            ),
            "a compensateEventDefinition is not executed here",
        ),
        (
            (
                '<subProcess id="g" triggeredByEvent="true"><startEvent id="x">'
                '<errorEventDefinition errorRef="e"/></startEvent><endEvent id="y"/>{}</subProcess>'
                '<sequenceFlow id="start-g" sourceRef="start" targetRef="g"/>'
            ),
            "an event sub-process has a flow or repeats",
        ),
        (
            (
                '<subProcess id="g" triggeredByEvent="true"><startEvent id="x">'
                '<errorEventDefinition errorRef="e"/></startEvent><endEvent id="y"/>{}</subProcess>'
                '<subProcess id="h" triggeredByEvent="true"><startEvent id="v">'
                '<errorEventDefinition errorRef="e"/></startEvent><endEvent id="w"/>'
                '<sequenceFlow id="v-w" sourceRef="v" targetRef="w"/></subProcess>'
            ),
            "another one catches the same error",
        ),
    ],
)
def test_event_sub_process_that_cannot_open_is_rejected(pen: Pen, body: str, problem: str) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(body.format(flow("x", "y")), "start>end", DECLARED)
    assert any(problem in p.problem for p in caught.value.problems)

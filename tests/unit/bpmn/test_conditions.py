"""Conditional events: looked at when the token comes and whenever the variables change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.happenings import IncidentRetried
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunState, RunStatus
from pilothouse.domain.plain import from_plain, to_plain

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen


def condition(text: str, inner: str = "") -> str:
    return f"<conditionalEventDefinition>{inner}<condition>{text}</condition></conditionalEventDefinition>"


def catch(text: str, io: str = "") -> str:
    extension = f"<extensionElements>{io}</extensionElements>" if io else ""
    return (
        f'<intermediateCatchEvent id="wait">{extension}{condition(text)}</intermediateCatchEvent>'
    )


def bounded(pen: Pen, text: str, cancel: bool, io: str = "", **variables: object) -> Play:
    """Draw `a` with a condition on its edge that leads to `b`, and `c` beside it, which writes variables."""
    flag = "" if cancel else ' cancelActivity="false"'
    body = pen.gateway("parallel", "fork") + "".join(pen.service(name) for name in "abcd")
    body += (
        f'<boundaryEvent id="edge" attachedToRef="a"{flag}><extensionElements>{io}</extensionElements>'
        f"{condition(text)}</boundaryEvent>"
    )
    flows = "start>fork fork>a fork>c c>d a>end edge>b d>end"
    return Play(pen.draw(body, flows), variables)


def at_process(pen: Pen, text: str, interrupting: bool, **variables: object) -> Play:
    flag = "" if interrupting else ' isInterrupting="false"'
    body = pen.service("a") + pen.service("c")
    body += (
        f'<subProcess id="aside" triggeredByEvent="true"><startEvent id="on"{flag}>{condition(text)}</startEvent>'
        f'{pen.service("b")}<endEvent id="off"/><sequenceFlow id="x" sourceRef="on" targetRef="b"/>'
        '<sequenceFlow id="y" sourceRef="b" targetRef="off"/></subProcess>'
    )
    return Play(pen.draw(body, "start>a a>c c>end"), variables)


def jobs(play: Play) -> list[str]:
    return sorted(job.element for job in play.state.jobs.values())


def test_a_condition_that_holds_when_the_token_comes_is_passed_at_once(pen: Pen) -> None:
    play = Play(pen.draw(catch("=x = 1"), "start>wait wait>end"), {"x": 1})
    assert play.state.run.state is RunStatus.COMPLETED
    (met,) = (e for e in play.history if e.event is HistoryEvent.CONDITION_MET)
    assert met.data == {"condition": "=x = 1"}


def test_a_condition_waits_for_any_step_that_makes_it_true(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + catch("=x = 1") + pen.service("a") + pen.service("b")
    play = Play(pen.draw(body, "start>fork fork>wait fork>a wait>b b>end a>end"))
    assert jobs(play) == ["a"]
    play.complete("a", x=1)
    assert jobs(play) == ["b"]


def test_a_variable_that_is_not_there_yet_holds_nothing(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + catch("=ready") + pen.service("a")
    play = Play(pen.draw(body, "start>fork fork>wait fork>a wait>end a>end"))
    assert not play.state.incidents
    play.complete("a", ready=True)
    assert play.state.run.state is RunStatus.COMPLETED


def test_an_interrupting_condition_cancels_its_activity(pen: Pen) -> None:
    play = bounded(pen, "=x = 1", cancel=True)
    play.complete("c", x=1)
    assert jobs(play) == ["b", "d"]
    assert play.at("a") == 0


def test_an_activity_whose_condition_holds_already_is_cancelled_as_it_begins(pen: Pen) -> None:
    play = bounded(pen, "=x = 1", cancel=True, x=1)
    assert jobs(play) == ["b", "c"]


@pytest.mark.parametrize("save", [False, True])
def test_what_does_not_interrupt_fires_each_time_that_it_becomes_true(pen: Pen, save: bool) -> None:
    def stored() -> None:
        if save:
            plain = json.loads(json.dumps(to_plain(play.state)))
            play.state = from_plain(RunState, plain)

    play = bounded(pen, "=x = 1", cancel=False)
    stored()
    play.complete("c", x=1)
    assert jobs(play) == ["a", "b", "d"]
    stored()
    play.complete("b", x=1)  # it held before: nothing becomes true
    assert jobs(play) == ["a", "d"]
    stored()
    play.complete("d", x=2)
    stored()
    assert jobs(play) == ["a"]
    (kept,) = play.state.subscriptions.values()
    assert kept.held is False


def test_it_fires_again_after_it_was_false(pen: Pen) -> None:
    play = at_process(pen, "=x = 1", interrupting=False, x=1)
    assert jobs(play) == ["a", "b"]
    play.complete("b", x=2)
    assert jobs(play) == ["a"]
    play.complete("a", x=1)
    assert jobs(play) == ["b", "c"]
    play.complete("c")
    play.complete("b")
    assert play.state.run.state is RunStatus.COMPLETED
    assert not play.state.subscriptions


def test_an_event_sub_process_that_interrupts_ends_all_else(pen: Pen) -> None:
    play = at_process(pen, "=x = 1", interrupting=True)
    play.complete("a", x=1)
    assert jobs(play) == ["b"]
    play.complete("b")
    assert (play.state.run.state, play.state.run.outcome) == (RunStatus.COMPLETED, "aside")


def test_after_an_event_based_gateway_the_condition_may_be_first(pen: Pen) -> None:
    body = pen.gateway("parallel", "fork") + pen.service("a") + pen.service("late")
    body += '<eventBasedGateway id="first"/>' + catch("=x = 1")
    body += (
        '<intermediateCatchEvent id="timer"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    flows = "start>fork fork>a fork>first first>wait first>timer wait>end timer>late late>end a>end"
    play = Play(pen.draw(body, flows))
    play.complete("a", x=1)
    assert play.state.run.state is RunStatus.COMPLETED
    assert "wait" in play.passed


def test_the_longest_wait_comes_first_and_the_next_sees_what_it_wrote(pen: Pen) -> None:
    io = pen.mapping(x="=2")
    body = pen.gateway("parallel", "fork") + pen.service("a")
    body += catch("=x = 1", io) + catch("=x = 1").replace('"wait"', '"other"')
    play = Play(pen.draw(body, "start>fork fork>wait fork>other fork>a wait>end other>end a>end"))
    play.complete("a", x=1)
    assert (play.at("wait"), play.at("other")) == (0, 1)


def test_a_condition_that_gives_no_truth_is_an_incident_until_it_is_retried(pen: Pen) -> None:
    play = bounded(pen, "=x", cancel=True)
    play.complete("c", x="yes")
    (incident,) = play.state.incidents.values()
    assert (incident.element, incident.code) == ("a", "expression-failed")
    assert "edge" in incident.message
    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"x": True}))
    assert jobs(play) == ["b", "d"]
    assert not play.state.incidents


def test_outputs_that_fail_are_an_incident_and_the_event_comes_with_its_retry(pen: Pen) -> None:
    body = catch("=x = 1", pen.mapping(y="=boom"))
    play = Play(pen.draw(body, "start>wait wait>end"), {"x": 1})
    (incident,) = play.state.incidents.values()
    assert (incident.code, play.at("wait")) == ("expression-failed", 1)


def test_an_incident_of_a_condition_goes_with_its_activity(pen: Pen) -> None:
    play = bounded(pen, "=x", cancel=False)
    play.complete("c", x="yes")
    play.complete("a")
    play.complete("d")
    assert play.state.run.state is RunStatus.COMPLETED


def test_two_conditions_that_make_one_another_true_do_not_hold_up_the_step(pen: Pen) -> None:
    body = pen.service("a")
    for name, value, then in (("one", "1", "2"), ("two", "2", "1")):
        body += (
            f'<boundaryEvent id="{name}" attachedToRef="a" cancelActivity="false"><extensionElements>'
            f"{pen.mapping(x=f'={then}')}</extensionElements>{condition(f'=x = {value}')}</boundaryEvent>"
        )
    play = Play(pen.draw(body, "start>a a>end one>end two>end"), {"x": 1})
    assert "livelock" in {incident.code for incident in play.state.incidents.values()}


@pytest.mark.parametrize(
    ("drawn", "problem"),
    [
        ("x = 1", "is not FEEL"),
        ("", "is not FEEL"),
        ("=x ==== 1 !", "is not valid"),
    ],
)
def test_a_condition_is_feel(pen: Pen, drawn: str, problem: str) -> None:
    with pytest.raises(DefinitionRejectedError) as refused:
        pen.draw(catch(drawn), "start>wait wait>end")
    assert any(problem in found.problem for found in refused.value.problems)


def test_a_filter_of_variables_is_refused_with_advice(pen: Pen) -> None:
    inner = '<extensionElements><zeebe:conditionalFilter variableNames="x"/></extensionElements>'
    body = (
        f'<intermediateCatchEvent id="wait">{condition("=x = 1", inner)}</intermediateCatchEvent>'
    )
    with pytest.raises(DefinitionRejectedError) as refused:
        pen.draw(body, "start>wait wait>end")
    (found,) = refused.value.problems
    assert "conditionalFilter" in found.problem
    assert "becomes true" in found.cure

"""A suspended run: nothing moves, nothing is lost, and it goes on where it stood."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import RunNotSuspendedError, RunSuspendedError
from pilothouse.bpmn.happenings import (
    Cancelled,
    Happening,
    IncidentRetried,
    MessageArrived,
    Resumed,
    Suspended,
    TaskClaimed,
    TaskCompleted,
    TimerDue,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import JobStatus, RunStatus, TokenStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

SUSPEND, RESUME = Suspended(actor="opal", reason="wait"), Resumed(actor="opal", reason="go")
DECLARED = (
    '<message id="m" name="go"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><signal id="s" name="called"/><error id="no" errorCode="no"/>'
)
HEARS = '<intermediateCatchEvent id="hear"><signalEventDefinition signalRef="s"/></intermediateCatchEvent>'
LATE = (
    '<boundaryEvent id="late" attachedToRef="a"><timerEventDefinition><timeDuration>PT5M</timeDuration>'
    "</timerEventDefinition></boundaryEvent>"
)


def two_steps(pen: Pen) -> Play:
    return Play(pen.draw(pen.service("a") + pen.service("b"), "start>a a>b b>end"))


def standing(play: Play) -> list[tuple[str, TokenStatus]]:
    return [(t.element, t.state) for t in play.state.tokens.values()]


def test_a_job_of_a_suspended_run_is_for_nobody_until_it_is_resumed(pen: Pen) -> None:
    play = two_steps(pen)

    play.happen(SUSPEND)

    assert play.state.run.state is RunStatus.SUSPENDED
    assert play.job("a").state is JobStatus.SUSPENDED
    before = play.job("a")
    play.happen(RESUME)
    assert (play.job("a").id, play.job("a").state) == (before.id, JobStatus.READY)


def test_what_a_worker_reports_meanwhile_is_kept_and_goes_on_with_the_resume(pen: Pen) -> None:
    play = two_steps(pen)
    play.happen(SUSPEND)

    play.complete("a", found=7)

    assert standing(play) == [("b", TokenStatus.HELD)]
    assert not play.state.jobs
    assert play.variables["found"] == 7
    play.happen(RESUME)
    assert play.job("b").state is JobStatus.READY
    play.complete("b")
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_failure_and_a_business_error_are_taken_and_nothing_is_tried_or_caught_further(
    pen: Pen,
) -> None:
    boundary = '<boundaryEvent id="caught" attachedToRef="a"><errorEventDefinition errorRef="no"/></boundaryEvent>'
    body = pen.service("a", retries=2) + boundary + pen.service("b")
    play = Play(pen.draw(body, "start>a a>end caught>b b>end", DECLARED))
    play.happen(SUSPEND)

    play.fail("a")
    assert (play.job("a").state, play.job("a").failures) == (JobStatus.SUSPENDED, 1)
    play.refuse("a", "no")

    assert standing(play) == [("caught", TokenStatus.HELD)]
    play.happen(RESUME)
    assert play.at("b") == 1


def test_a_timer_whose_moment_passes_meanwhile_fires_once_after_the_resume(pen: Pen) -> None:
    body = pen.service("a") + LATE + pen.service("b")
    play = Play(pen.draw(body, "start>a a>end late>b b>end"))
    timer = play.job("late").id
    play.happen(SUSPEND)
    play.advance(timedelta(minutes=20))
    with pytest.raises(RunSuspendedError):
        play.happen(TimerDue(job_id=timer))
    assert play.at("a") == 1

    play.happen(RESUME)
    play.advance(timedelta(0))

    assert play.at("b") == 1
    assert [e.event for e in play.history].count(HistoryEvent.TIMER_FIRED) == 1


def test_a_signal_comes_once_so_it_is_taken_and_what_it_begins_is_held(pen: Pen) -> None:
    play = Play(pen.draw(HEARS + pen.service("b"), "start>hear hear>b b>end", DECLARED))
    play.happen(SUSPEND)

    play.tell("hear", word="now")

    assert standing(play) == [("b", TokenStatus.HELD)]
    play.happen(RESUME)
    assert (play.at("b"), play.variables["word"]) == (1, "now")


def test_people_messages_and_retries_wait_for_the_resume(pen: Pen) -> None:
    receive = '<receiveTask id="hear" messageRef="m"/>'
    fork = pen.gateway("parallel", "fork")
    body = fork + '<userTask id="ask"/>' + receive + pen.service("a", retries=1)
    play = Play(
        pen.draw(body, "start>fork fork>ask fork>hear fork>a ask>end hear>end a>end", DECLARED),
        {"key": "k"},
    )
    play.fail("a")
    (incident,) = play.state.incidents
    task, subscription = play.task("ask").id, play.subscription("hear").id
    play.happen(SUSPEND)
    refused: tuple[Happening, ...] = (
        TaskClaimed(task_id=task, actor="ann"),
        TaskCompleted(task_id=task, actor="ann"),
        MessageArrived(subscription_id=subscription, message_id="1"),
        IncidentRetried(incident_id=incident, actor="ann"),
        SUSPEND,
    )

    for happening in refused:
        with pytest.raises(RunSuspendedError) as error:
            play.happen(happening)
        assert error.value.order == type(happening).__name__
    play.happen(RESUME)
    play.complete("ask")
    play.tell("hear")
    assert play.job("a").state is JobStatus.INCIDENT


def test_a_run_that_is_not_suspended_is_not_resumed(pen: Pen) -> None:
    with pytest.raises(RunNotSuspendedError):
        two_steps(pen).happen(RESUME)


def test_a_suspended_run_can_be_cancelled(pen: Pen) -> None:
    play = two_steps(pen)
    play.happen(SUSPEND)
    play.happen(Cancelled(actor="opal", reason="enough"))
    assert play.state.run.state is RunStatus.TERMINATED
    assert not play.state.jobs


def test_a_scope_that_a_signal_reopens_while_its_end_is_held_waits_for_it(pen: Pen) -> None:
    aside = (
        '<subProcess id="aside" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">'
        f'<signalEventDefinition signalRef="s"/></startEvent>{pen.service("more")}'
        '<sequenceFlow id="f" sourceRef="on" targetRef="more"/></subProcess>'
    )
    inner = f'<startEvent id="in"/>{pen.service("a")}<sequenceFlow id="in-a" sourceRef="in" targetRef="a"/>'
    body = f'<subProcess id="sub">{aside}{inner}</subProcess>' + pen.service("b")
    play = Play(pen.draw(body, "start>sub sub>b b>end", DECLARED))
    play.happen(SUSPEND)
    play.complete("a")
    play.tell("on")

    play.happen(RESUME)

    assert (play.at("more"), play.at("b")) == (1, 0)
    assert all(t.state is not TokenStatus.MOVING for t in play.state.tokens.values())
    play.complete("more")
    assert play.at("b") == 1

"""Events: timers, messages, signals, user tasks, and who is first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import (
    AlreadyOverError,
    ExpressionFailedError,
    FormAnswerError,
    TaskHeldError,
    TimerNotDueError,
    UnexpectedHappeningError,
)
from pilothouse.bpmn.happenings import (
    IncidentRetried,
    MessageArrived,
    SignalArrived,
    TaskClaimed,
    TaskCompleted,
    TaskReleased,
    TimerDue,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import NEW_YEAR, Play
from pilothouse.bpmn.state import RunStatus, SubscriptionKind, TaskStatus

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

MINUTE = timedelta(minutes=1)
DECLARED = (
    '<message id="m" name="job-finished"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><signal id="s" name="alert"/>'
)


def timer(kind: str, text: str) -> str:
    return f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>"


def catch(definition: str, io: str = "") -> str:
    return (
        f'<intermediateCatchEvent id="wait"><extensionElements>{io}</extensionElements>'
        f"{definition}</intermediateCatchEvent>"
    )


def waiting(pen: Pen, body: str, **variables: object) -> Play:
    return Play(pen.draw(body, "start>wait wait>end", DECLARED), variables)


def bounded(pen: Pen, definition: str, cancel: bool = True, io: str = "", host: str = "") -> Play:
    flag = "" if cancel else ' cancelActivity="false"'
    body = (host or pen.service("a")) + pen.service("b")
    body += (
        f'<boundaryEvent id="edge" attachedToRef="a"{flag}><extensionElements>{io}</extensionElements>'
        f"{definition}</boundaryEvent>"
    )
    return Play(pen.draw(body, "start>a a>end edge>b b>end", DECLARED), {"key": "k1"})


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("timeDuration", "PT1M"),
        ("timeDuration", '="PT1M"'),
        ("timeDuration", "=pause"),
        ("timeDate", "2026-01-01T01:01:00+01:00"),
    ],
)
def test_timer_event_waits_for_its_moment(pen: Pen, kind: str, text: str) -> None:
    play = waiting(pen, catch(timer(kind, text)), pause="PT1M")
    assert play.job("wait").due_at == NEW_YEAR + MINUTE
    play.advance(timedelta(seconds=59))
    assert play.at("wait") == 1
    play.advance(timedelta(seconds=1))
    assert play.state.run.state is RunStatus.COMPLETED


def test_timer_does_not_fire_early(pen: Pen) -> None:
    play = waiting(pen, catch(timer("timeDuration", "PT1M")))
    with pytest.raises(TimerNotDueError) as refused:
        play.happen(TimerDue(job_id=play.job("wait").id))
    assert refused.value.due_at == "2026-01-01T00:01:00.000000Z"


@pytest.mark.parametrize("value", ["soon", None, 5, "P", "R3/PT1M"])
def test_timer_expression_that_gives_no_time_is_an_incident(pen: Pen, value: object) -> None:
    play = waiting(pen, catch(timer("timeDuration", "=pause")), pause=value)
    (incident,) = play.state.incidents.values()
    assert incident.code == "expression-failed"
    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"pause": "PT1M"}))
    assert play.job("wait").due_at == NEW_YEAR + MINUTE


def test_interrupting_timer_removes_the_activity_and_its_job(pen: Pen) -> None:
    play = bounded(pen, timer("timeDuration", "PT1M"))
    play.advance(MINUTE)
    assert [job.element for job in play.state.jobs.values()] == ["b"]
    assert play.at("a") == 0


def test_non_interrupting_timer_leaves_the_activity(pen: Pen) -> None:
    play = bounded(pen, timer("timeDuration", "PT1M"), cancel=False)
    play.advance(MINUTE)
    assert (play.at("a"), play.at("b"), len(play.state.jobs)) == (1, 1, 2)
    play.complete("b")
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_completed_activity_takes_its_timers_along(pen: Pen) -> None:
    play = bounded(pen, timer("timeDuration", "PT1M"), cancel=False)
    edge = play.job("edge")
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED
    with pytest.raises(AlreadyOverError):
        play.happen(TimerDue(job_id=edge.id))


def test_cycle_fires_as_often_as_drawn_and_does_not_drift(pen: Pen) -> None:
    play = bounded(pen, timer("timeCycle", "R3/PT5M"), cancel=False)
    first = play.job("edge")
    play.now = NEW_YEAR + 7 * MINUTE
    play.happen(TimerDue(job_id=first.id))
    assert play.job("edge").due_at == NEW_YEAR + 10 * MINUTE
    play.advance(timedelta(hours=1))
    assert play.at("b") == 3
    with pytest.raises(AlreadyOverError):
        play.job("edge")


def test_missed_firings_are_one_and_are_counted(pen: Pen) -> None:
    play = bounded(pen, timer("timeCycle", "R/PT5M"), cancel=False)
    play.now = NEW_YEAR + 17 * MINUTE
    play.happen(TimerDue(job_id=play.job("edge").id))
    assert play.at("b") == 1
    assert play.job("edge").due_at == NEW_YEAR + 20 * MINUTE
    (fired,) = [e for e in play.history if e.event is HistoryEvent.TIMER_FIRED]
    assert fired.data["missed"] == 2


def test_failing_mapping_of_a_timer_is_held_and_not_fired_again_and_again(pen: Pen) -> None:
    play = bounded(pen, timer("timeDuration", "PT1M"), io=pen.mapping(x="=boom"))
    play.advance(MINUTE)
    (incident,) = play.state.incidents.values()
    assert incident.job_id == play.job("edge").id
    with pytest.raises(UnexpectedHappeningError):
        play.happen(TimerDue(job_id=play.job("edge").id))
    assert play.at("a") == 1


def test_message_reaches_the_subscription_with_its_key(pen: Pen) -> None:
    play = waiting(pen, catch('<messageEventDefinition messageRef="m"/>'), key="run-9")
    waits = play.subscription("wait")
    assert (waits.kind, waits.name, waits.correlation_key) == (
        SubscriptionKind.MESSAGE,
        "job-finished",
        "run-9",
    )
    play.tell("wait", rows=12)
    assert play.variables["rows"] == 12
    assert play.state.run.state is RunStatus.COMPLETED


@pytest.mark.parametrize(("key", "text"), [(7, "7"), (7.0, "7")])
def test_whole_number_is_a_correlation_key(pen: Pen, key: object, text: str) -> None:
    play = waiting(pen, '<receiveTask id="wait" messageRef="m"/>', key=key)
    assert play.subscription("wait").correlation_key == text


@pytest.mark.parametrize("key", [None, "", True, 1.5, ["a"]])
def test_missing_correlation_key_is_an_incident(pen: Pen, key: object) -> None:
    play = waiting(pen, '<receiveTask id="wait" messageRef="m"/>', key=key)
    (incident,) = play.state.incidents.values()
    assert incident.code == "expression-failed"
    assert not play.state.subscriptions


def test_second_message_for_one_subscription_comes_too_late(pen: Pen) -> None:
    play = Play(
        pen.draw(
            '<receiveTask id="wait" messageRef="m"/>' + pen.service("a"),
            "start>wait wait>a a>end",
            DECLARED,
        ),
        {"key": "k"},
    )
    arrived = MessageArrived(subscription_id=play.subscription("wait").id, message_id="m1")
    play.happen(arrived)
    with pytest.raises(AlreadyOverError) as refused:
        play.happen(arrived)
    assert refused.value.noun == "subscription"


def test_message_whose_mapping_fails_moves_nothing(pen: Pen) -> None:
    body = catch('<messageEventDefinition messageRef="m"/>', pen.mapping(x="=boom"))
    play = waiting(pen, body, key="k")
    before = play.state
    with pytest.raises(ExpressionFailedError):
        play.tell("wait")
    assert play.state is before


def test_signal_reaches_its_subscription_and_no_message_does(pen: Pen) -> None:
    play = waiting(pen, catch('<signalEventDefinition signalRef="s"/>'))
    waits = play.subscription("wait")
    assert (waits.kind, waits.name) == (SubscriptionKind.SIGNAL, "alert")
    with pytest.raises(UnexpectedHappeningError):
        play.happen(MessageArrived(subscription_id=waits.id, message_id="m"))
    play.happen(SignalArrived(subscription_id=waits.id))
    assert play.state.run.state is RunStatus.COMPLETED


def test_message_on_the_border_and_the_activity_race_and_the_first_wins(pen: Pen) -> None:
    play = bounded(pen, '<messageEventDefinition messageRef="m"/>')
    job = play.job("a")
    play.tell("edge")
    assert (play.at("a"), play.at("b")) == (0, 1)
    assert job.id not in play.state.jobs
    assert not play.state.subscriptions


def test_timer_on_the_border_of_a_sub_process_removes_everything_inside(pen: Pen) -> None:
    inner = pen.service("c") + '<receiveTask id="d" messageRef="m"/><startEvent id="in"/>'
    inner += '<sequenceFlow id="f1" sourceRef="in" targetRef="c"/>'
    inner += '<sequenceFlow id="f2" sourceRef="in" targetRef="d"/>'
    host = f'<subProcess id="a">{inner}</subProcess>'
    play = bounded(pen, timer("timeDuration", "PT1M"), host=host)
    assert (play.at("c"), play.at("d"), len(play.state.scopes)) == (1, 1, 2)
    play.advance(MINUTE)
    assert [t.element for t in play.state.tokens.values()] == ["b"]
    assert (len(play.state.jobs), len(play.state.subscriptions), len(play.state.scopes)) == (
        1,
        0,
        1,
    )


USER = """<userTask id="wait" name="Approve"><extensionElements><zeebe:userTask/>
<zeebe:assignmentDefinition candidateGroups="{roles}" candidateUsers="=people"/>
<zeebe:taskSchedule dueDate="P3D"/><pilothouse:approval separateFrom="=author"/>
<pilothouse:form><pilothouse:field name="decision" type="choice" required="true" choices="approve, reject"/>
<pilothouse:field name="comment"/><pilothouse:field name="size" type="number"/></pilothouse:form>
<zeebe:ioMapping><zeebe:input source="=digest" target="digest"/>
<zeebe:output source="=decision" target="approval"/></zeebe:ioMapping>
</extensionElements></userTask>"""


def approval(pen: Pen, roles: str = "validator, operator") -> Play:
    return waiting(
        pen, USER.format(roles=roles), author="ann", digest="abc", people=["cy"], who="auditor"
    )


def test_user_task_says_who_may_do_what_until_when(pen: Pen) -> None:
    task = approval(pen).task("wait")
    assert task.candidate_roles == ("validator", "operator")
    assert (task.candidate_people, task.separate_from) == (("cy",), ("ann",))
    assert (task.state, task.assignee) == (TaskStatus.OPEN, None)
    assert task.due_at == NEW_YEAR + timedelta(days=3)
    assert task.inputs == {"digest": "abc"}
    assert task.form is not None


def test_candidates_may_be_an_expression(pen: Pen) -> None:
    assert approval(pen, "=who").task("wait").candidate_roles == ("auditor",)


def test_completed_task_gives_its_mapped_answers(pen: Pen) -> None:
    play = approval(pen)
    play.complete("wait", decision="approve", comment="fine")
    assert play.variables["approval"] == "approve"
    assert "comment" not in play.variables
    done = next(e for e in play.history if e.event is HistoryEvent.TASK_COMPLETED)
    assert (done.actor, done.data["answers"]) == (
        "player",
        {"decision": "approve", "comment": "fine"},
    )


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({}, "decision must be answered"),
        ({"decision": "maybe"}, "decision must be one of 'approve', 'reject', not 'maybe'"),
        ({"decision": "approve", "other": 1}, "the form has no field 'other'"),
        ({"decision": "approve", "comment": 5}, "comment must be text, not 5"),
        ({"decision": "approve", "size": True}, "size must be a number, not True"),
    ],
)
def test_answers_that_do_not_fit_the_form_are_refused(
    pen: Pen, answers: dict[str, object], problem: str
) -> None:
    play = approval(pen)
    before = play.state
    with pytest.raises(FormAnswerError) as refused:
        play.complete("wait", **answers)
    assert refused.value.problems == (problem,)
    assert play.state is before


def test_claimed_task_is_held_for_one_person_until_released(pen: Pen) -> None:
    play = approval(pen)
    task = play.task("wait").id
    play.happen(TaskClaimed(task_id=task, actor="bo"))
    assert (play.task("wait").state, play.task("wait").assignee) == (TaskStatus.CLAIMED, "bo")
    with pytest.raises(TaskHeldError) as refused:
        play.happen(TaskClaimed(task_id=task, actor="cy"))
    assert refused.value.assignee == "bo"
    with pytest.raises(TaskHeldError):
        play.complete("wait", decision="approve")
    play.happen(TaskReleased(task_id=task, actor="bo"))
    play.complete("wait", decision="approve")
    assert play.state.run.state is RunStatus.COMPLETED


def test_of_two_people_completing_one_task_the_second_is_told(pen: Pen) -> None:
    body = USER.format(roles="validator") + pen.service("a")
    definition = pen.draw(body, "start>wait wait>a a>end", DECLARED)
    play = Play(definition, {"author": "ann", "people": [], "digest": "d"})
    done = TaskCompleted(
        task_id=play.task("wait").id, actor="bo", variables={"decision": "approve"}
    )
    play.happen(done)
    with pytest.raises(AlreadyOverError) as refused:
        play.happen(done)
    assert refused.value.noun == "task"

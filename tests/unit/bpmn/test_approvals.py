"""Tasks that several people decide, reminders, and what escalates."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import (
    AlreadyOverError,
    DefinitionRejectedError,
    ExpressionFailedError,
    FormAnswerError,
    TaskHeldError,
    VotedAlreadyError,
)
from pilothouse.bpmn.happenings import (
    IncidentRetried,
    JobCompleted,
    JobFailed,
    TaskClaimed,
    TaskCompleted,
    TaskReleased,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import NEW_YEAR, Play
from pilothouse.bpmn.state import JobKind, RunStatus, TaskStatus
from pilothouse.domain.plain import rfc3339

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen
    from pilothouse.bpmn.history import HistoryEntry
    from pilothouse.bpmn.state import Job

DAY = timedelta(days=1)
FORM = (
    '<pilothouse:form><pilothouse:field name="decision" type="choice" required="true" choices="approve, reject"/>'
    '<pilothouse:field name="comment"/></pilothouse:form>'
)
DUE = '<zeebe:taskSchedule dueDate="P3D"/>'
LATE = '<escalation id="late" escalationCode="late"/>'
CATCHES_LATE = '<escalationEventDefinition escalationRef="late"/>'


def task(approval: str = 'quorum="2"', extra: str = "", *, form: str = FORM) -> str:
    return (
        '<userTask id="ask" name="Approve"><extensionElements><zeebe:assignmentDefinition candidateGroups="validator"/>'
        f"<pilothouse:approval {approval}/>{form}{extra}</extensionElements></userTask>"
    )


def asked(pen: Pen, drawn: str, **variables: object) -> Play:
    return Play(pen.draw(drawn, "start>ask ask>end"), variables)


def edged(pen: Pen, extra: str, *, interrupting: bool) -> Play:
    """Ask with a boundary event that catches the escalation, and leads to a service task."""
    flag = "" if interrupting else ' cancelActivity="false"'
    edge = f'<boundaryEvent id="edge" attachedToRef="ask"{flag}>{CATCHES_LATE}</boundaryEvent>'
    body = task(extra=DUE + extra) + edge + pen.service("b")
    return Play(pen.draw(body, "start>ask ask>end edge>b b>end", LATE))


def vote(play: Play, by: str, decision: str = "approve", *roles: str, comment: str = "") -> None:
    answers = {"decision": decision} | ({"comment": comment} if comment else {})
    play.happen(
        TaskCompleted(
            task_id=play.task("ask").id, actor=by, variables=answers, roles=roles, digest="abc"
        )
    )


def voters(play: Play, name: str) -> list[object]:
    votes = play.variables[name]
    assert isinstance(votes, list)
    return [v["by"] for v in votes]


def lines(play: Play, event: HistoryEvent) -> list[HistoryEntry]:
    return [line for line in play.history if line.event is event]


def told(play: Play) -> Job:
    [job] = [j for j in play.state.jobs.values() if j.kind is JobKind.SERVICE]
    return job


def report(play: Play, *, failure: str = "") -> None:
    job = told(play)
    done = JobCompleted(job_id=job.id, attempt=job.attempt)
    failed = JobFailed(job_id=job.id, attempt=job.attempt, message=failure, code="away")
    play.happen(failed if failure else done)


# votes


def test_the_vote_that_decides_completes_the_task_and_lists_all(pen: Pen) -> None:
    play = asked(pen, task())

    vote(play, "ann", comment="seen")
    play.now += DAY
    vote(play, "bob", "approve", "validator")

    first, second = (
        {
            "by": "ann",
            "at": rfc3339(NEW_YEAR),
            "decision": "approve",
            "roles": [],
            "answers": {"decision": "approve", "comment": "seen"},
            "digest": "abc",
        },
        {
            "by": "bob",
            "at": rfc3339(NEW_YEAR + DAY),
            "decision": "approve",
            "roles": ["validator"],
            "answers": {"decision": "approve"},
            "digest": "abc",
        },
    )
    assert play.state.run.state is RunStatus.COMPLETED
    assert play.variables == {"decision": "approve", "votes": [first, second]}
    voted = lines(play, HistoryEvent.TASK_VOTED)
    assert [(line.actor, line.data["vote"]) for line in voted] == [("ann", first), ("bob", second)]


def test_a_vote_that_does_not_decide_stands_and_gives_the_task_back(pen: Pen) -> None:
    play = asked(pen, task())
    play.happen(TaskClaimed(task_id=play.task("ask").id, actor="ann"))
    with pytest.raises(TaskHeldError):
        vote(play, "bob")

    vote(play, "ann")

    row = play.task("ask")
    assert [v.by for v in row.votes] == ["ann"]
    assert (row.state, row.assignee) == (TaskStatus.OPEN, None)
    assert play.variables == {}


def test_one_rejection_ends_it(pen: Pen) -> None:
    play = asked(pen, task('quorum="3"'))

    vote(play, "ann")
    vote(play, "bob", "reject", comment="no evidence")

    assert play.variables["decision"] == "reject"
    assert voters(play, "votes") == ["ann", "bob"]


def test_where_rejections_are_counted_one_does_not_end_it(pen: Pen) -> None:
    play = asked(pen, task('quorum="2" rejection="quorum"'))

    for by, decision in (("ann", "reject"), ("bob", "approve"), ("cy", "reject")):
        vote(play, by, decision)

    assert play.variables["decision"] == "reject"


def test_each_role_has_to_give_its_votes(pen: Pen) -> None:
    play = asked(pen, task('perRole="validator: 1, business-owner: 1"'))
    assert play.task("ask").candidate_roles == ("validator", "business-owner")

    vote(play, "ann", "approve", "validator")
    vote(play, "bob", "approve", "validator")
    assert play.state.run.state is RunStatus.ACTIVE
    vote(play, "cy", "approve", "business-owner")

    assert play.variables["decision"] == "approve"


def test_nobody_votes_twice_or_keeps_others_from_it(pen: Pen) -> None:
    play = asked(pen, task())
    vote(play, "ann")

    for happening in (
        TaskCompleted(task_id=play.task("ask").id, actor="ann", variables={"decision": "reject"}),
        TaskClaimed(task_id=play.task("ask").id, actor="ann"),
    ):
        with pytest.raises(VotedAlreadyError) as refused:
            play.happen(happening)
        assert refused.value.person == "ann"
    assert len(play.task("ask").votes) == 1


def test_whoever_voted_may_give_back_what_another_holds(pen: Pen) -> None:
    play = asked(pen, task())
    vote(play, "ann")
    play.happen(TaskClaimed(task_id=play.task("ask").id, actor="bob"))

    play.happen(TaskReleased(task_id=play.task("ask").id, actor="ann"))

    assert play.task("ask").assignee is None


def test_a_vote_that_does_not_fit_the_form_is_none(pen: Pen) -> None:
    play = asked(pen, task())

    with pytest.raises(FormAnswerError):
        vote(play, "ann", "perhaps")

    assert play.task("ask").votes == ()


def test_a_vote_after_the_end_is_refused(pen: Pen) -> None:
    play = Play(pen.draw(task() + pen.service("b"), "start>ask ask>b b>end"))
    row = play.task("ask").id
    vote(play, "ann")
    vote(play, "bob")

    with pytest.raises(AlreadyOverError):
        play.happen(TaskCompleted(task_id=row, actor="cy", variables={"decision": "approve"}))


def test_the_outcome_and_the_votes_can_be_mapped(pen: Pen) -> None:
    play = asked(pen, task(extra=pen.mapping(risk="=decision", who="=votes")))

    vote(play, "ann", "reject")

    assert play.variables["risk"] == "reject"
    assert voters(play, "who") == ["ann"]


@pytest.mark.parametrize(
    ("approval", "form", "problem"),
    [
        ('quorum="0"', FORM, "quorum is '0'"),
        ('quorum="=n"', FORM, "quorum is '=n'"),
        ('quorum="2"', "", "no field that is the vote"),
        ('quorum="2"', FORM.replace("approve, reject", "yes, no"), "no field that is the vote"),
        ('quorum="2"', FORM.replace('required="true"', ""), "no field that is the vote"),
        ('quorum="1" perRole="validator:1, operator:1"', FORM, "have to give 2 approvals"),
        ('perRole="board: 1"', FORM, "perRole has 'board: 1'"),
        ('perRole="validator"', FORM, "perRole has 'validator'"),
        ('perRole="validator: 0"', FORM, "perRole has 'validator: 0'"),
        ('perRole="validator: 1, validator: 2"', FORM, "perRole has 'validator: 2'"),
        ('quorum="2" rejection="never"', FORM, "a rejection of 'never'"),
        ('rejection="one"', FORM, "a rejection and no quorum"),
    ],
)
def test_a_quorum_that_cannot_be_counted_is_rejected(
    pen: Pen, approval: str, form: str, problem: str
) -> None:
    with pytest.raises(DefinitionRejectedError, match=problem):
        asked(pen, task(approval, form=form))


def test_a_quorum_of_one_person_who_is_named_is_rejected(pen: Pen) -> None:
    drawn = task().replace('candidateGroups="validator"', 'assignee="ann"')
    with pytest.raises(DefinitionRejectedError, match="one person is assigned"):
        asked(pen, drawn)


# reminders


def test_the_candidates_are_reminded_again_and_again_until_the_task_is_done(pen: Pen) -> None:
    play = asked(pen, task(extra='<pilothouse:reminder after="R/P1D"/>'), snapshot="fraud@7")

    play.advance(DAY)
    reminder = told(play)
    report(play)
    play.advance(DAY)
    report(play)
    vote(play, "ann", "reject")

    assert reminder.topic == "notify"
    assert reminder.inputs["targets"] == "group"
    assert reminder.inputs["subject"] == "Approve waits for you"
    for words in ("fraud@7", "validator", "0 have voted; 2 have to approve"):
        assert words in str(reminder.inputs["text"])
    assert len(lines(play, HistoryEvent.TASK_REMINDED)) == 2
    assert play.state.run.state is RunStatus.COMPLETED


def test_a_reminder_comes_before_the_due_date(pen: Pen) -> None:
    reminder = '<pilothouse:reminder before="PT4H" targets="env:RISK"/>'
    play = asked(pen, task("", DUE + reminder, form=""))

    play.advance(3 * DAY)

    [line] = lines(play, HistoryEvent.TASK_REMINDED)
    assert line.at == NEW_YEAR + 3 * DAY - timedelta(hours=4)
    assert told(play).inputs["targets"] == "env:RISK"


def test_a_reminder_that_cannot_be_sent_leaves_the_task_to_be_done(pen: Pen) -> None:
    play = asked(pen, task(extra='<pilothouse:reminder after="P1D"/>'))
    play.advance(DAY)
    for _ in range(3):
        report(play, failure="the mail server is away")
    [incident] = play.state.incidents.values()
    assert incident.element == "ask"

    play.happen(IncidentRetried(incident_id=incident.id, actor="opal"))
    assert "waits since" in str(told(play).inputs["text"])
    for _ in range(3):
        report(play, failure="still away")
    vote(play, "ann")
    vote(play, "bob")

    assert play.state.run.state is RunStatus.COMPLETED


def test_a_time_of_reminding_may_be_an_expression_and_a_bad_one_stops_the_task(pen: Pen) -> None:
    drawn = task(extra='<pilothouse:reminder after="=pause"/>')
    play = asked(pen, drawn, pause="PT1H")
    play.advance(timedelta(hours=1))
    assert len(lines(play, HistoryEvent.TASK_REMINDED)) == 1

    [incident] = asked(pen, drawn, pause="soon").state.incidents.values()
    assert incident.code == ExpressionFailedError.code


@pytest.mark.parametrize(
    ("extra", "problem"),
    [
        ("<pilothouse:reminder/>", "has no time"),
        ('<pilothouse:reminder after="soon"/>', "the reminder: "),
        ('<pilothouse:reminder before="P1M"/>' + DUE, "in months"),
        ('<pilothouse:reminder before="PT4H"/>', "before a due date that the task has not"),
        ('<pilothouse:escalation roles="operator"/>', "at a due date that the task has not"),
    ],
)
def test_a_reminder_or_escalation_that_never_comes_is_rejected(
    pen: Pen, extra: str, problem: str
) -> None:
    with pytest.raises(DefinitionRejectedError, match=problem):
        asked(pen, task(extra=extra))


# escalation


def test_when_the_due_date_passes_more_roles_may_do_the_task(pen: Pen) -> None:
    play = asked(pen, task(extra=DUE + '<pilothouse:escalation roles="operator, auditor"/>'))
    vote(play, "ann")

    play.advance(3 * DAY)

    row = play.task("ask")
    assert row.candidate_roles == ("validator", "operator", "auditor")
    assert [v.by for v in row.votes] == ["ann"]
    assert told(play).inputs["subject"] == "Approve is overdue"
    [line] = lines(play, HistoryEvent.TASK_ESCALATED)
    assert line.data["roles"] == ["operator", "auditor"]


def test_an_escalation_is_caught_beside_the_task(pen: Pen) -> None:
    play = edged(pen, '<pilothouse:escalation roles="operator" code="late"/>', interrupting=False)

    play.advance(3 * DAY)

    assert (play.at("ask"), play.at("b")) == (1, 1)
    assert play.task("ask").candidate_roles == ("validator", "operator")
    assert len(lines(play, HistoryEvent.ESCALATION_CAUGHT)) == 1


def test_an_escalation_that_interrupts_takes_the_task_away_and_tells_nobody(pen: Pen) -> None:
    play = edged(pen, '<pilothouse:escalation code="late"/>', interrupting=True)
    vote(play, "ann")

    play.advance(3 * DAY)

    assert (play.at("ask"), play.at("b")) == (0, 1)
    assert not play.state.tasks
    assert told(play).element == "b"


def test_a_task_that_is_done_in_time_escalates_nothing(pen: Pen) -> None:
    extra = DUE + '<pilothouse:escalation roles="operator"/>'
    play = Play(pen.draw(task(extra=extra) + pen.service("b"), "start>ask ask>b b>end"))
    vote(play, "ann", "reject")

    play.advance(10 * DAY)

    assert lines(play, HistoryEvent.TASK_ESCALATED) == []

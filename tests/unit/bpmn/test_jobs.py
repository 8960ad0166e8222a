"""Jobs: retries, back-off, fencing, business errors, incidents, decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import AlreadyOverError, StaleAttemptError, UnexpectedHappeningError
from pilothouse.bpmn.happenings import (
    IncidentRetried,
    JobCompleted,
    JobFailed,
    JobPostponed,
    TimerDue,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import JobStatus, NoticeKind

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen


def one(pen: Pen, inner: str = "", extra: str = "", flows: str = "", retries: int = 3) -> Play:
    body = pen.service("a", inner=inner, retries=retries) + extra
    declared = '<error id="e" name="late" errorCode="late"/><error id="f" errorCode="other"/>'
    return Play(pen.draw(body, "start>a a>end " + flows, declared), {"service": "fraud"})


def caught(name: str, reference: str = "", inner: str = "") -> str:
    error = f' errorRef="{reference}"' if reference else ""
    return (
        f'<boundaryEvent id="{name}" attachedToRef="a"><extensionElements>{inner}</extensionElements>'
        f"<errorEventDefinition{error}/></boundaryEvent>"
    )


def test_inputs_are_only_what_is_mapped(pen: Pen) -> None:
    play = one(pen, pen.mapping({"stage": "DEV", "service": "=service"}))
    assert play.job("a").inputs == {"stage": "DEV", "service": "fraud"}


def test_outputs_are_only_what_is_mapped(pen: Pen) -> None:
    play = one(pen, pen.mapping(auc="=metrics.auc"))
    play.complete("a", metrics={"auc": 0.8}, noise=1)
    assert play.variables == {"service": "fraud", "auc": 0.8}


def test_headers_reach_the_job(pen: Pen) -> None:
    headers = '<zeebe:taskHeaders><zeebe:header key="url" value="x"/></zeebe:taskHeaders>'
    assert one(pen, headers).job("a").headers == {"url": "x"}


def test_failures_back_off_twice_as_long_each_time(pen: Pen) -> None:
    play = one(pen)
    pauses = []
    for _ in range(2):
        play.fail("a")
        pauses.append(play.job("a").due_at - play.now)
    assert pauses == [timedelta(seconds=2), timedelta(seconds=4)]
    assert (play.job("a").retries_left, play.job("a").failures) == (1, 2)


def test_back_off_of_its_own_is_kept_and_capped(pen: Pen) -> None:
    play = one(pen, '<pilothouse:retry backoff="PT10S" longest="PT15S"/>')
    play.fail("a")
    assert play.job("a").due_at - play.now == timedelta(seconds=10)
    play.fail("a")
    assert play.job("a").due_at - play.now == timedelta(seconds=15)


def test_worker_may_say_when_to_retry(pen: Pen) -> None:
    play = one(pen)
    job, later = play.job("a"), play.now + timedelta(hours=1)
    play.happen(
        JobFailed(job_id=job.id, attempt=job.attempt, message="busy", code="busy", retry_at=later)
    )
    assert play.job("a").due_at == later


def test_exhausted_retries_are_an_incident_that_a_person_retries(pen: Pen) -> None:
    play = one(pen, pen.mapping({"service": "=service"}), retries=1)
    play.fail("a", "no runtime for stage PROD", "no-runtime")
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.message) == ("no-runtime", "no runtime for stage PROD")
    assert incident.job_id == play.job("a").id
    assert play.job("a").state is JobStatus.INCIDENT
    assert [n.kind for n in play.notices] == [NoticeKind.INCIDENT_RAISED]

    play.happen(
        IncidentRetried(
            incident_id=incident.id, actor="ann", retries=2, variables={"service": "loans"}
        )
    )

    job = play.job("a")
    assert (job.state, job.retries_left, job.inputs) == (JobStatus.READY, 2, {"service": "loans"})
    assert job.id == incident.job_id
    assert not play.state.incidents
    with pytest.raises(AlreadyOverError):
        play.happen(IncidentRetried(incident_id=incident.id, actor="ann"))


def test_report_on_an_older_attempt_is_refused(pen: Pen) -> None:
    play = one(pen)
    job = play.job("a")
    claimed = replace(job, attempt=job.attempt + 1, lease_owner="w2")
    play.state = replace(play.state, jobs={job.id: claimed})
    before = play.state
    with pytest.raises(StaleAttemptError) as refused:
        play.happen(JobCompleted(job_id=job.id, attempt=job.attempt))
    assert (refused.value.attempt, refused.value.current) == (0, 1)
    assert play.state is before


def test_second_report_on_one_claim_is_refused(pen: Pen) -> None:
    play = one(pen)
    failed = JobFailed(job_id=play.job("a").id, attempt=0, message="x", code="x")
    play.happen(failed)
    with pytest.raises(StaleAttemptError):
        play.happen(failed)
    done = JobCompleted(job_id=play.job("a").id, attempt=1)
    play.happen(done)
    with pytest.raises(AlreadyOverError):
        play.happen(done)


def test_report_on_a_job_that_is_gone_is_refused(pen: Pen) -> None:
    play = one(pen, flows="start>b b>end", extra=pen.service("b"))
    done = JobCompleted(job_id=play.job("a").id, attempt=0)
    play.happen(done)
    with pytest.raises(StaleAttemptError) as refused:
        play.happen(done)
    assert refused.value.current is None


def test_postponed_job_costs_no_retry_and_keeps_its_key(pen: Pen) -> None:
    play = one(pen)
    job, later = play.job("a"), play.now + timedelta(seconds=30)
    play.happen(JobPostponed(job_id=job.id, attempt=job.attempt, due_at=later))
    again = play.job("a")
    assert (again.id, again.retries_left, again.failures) == (job.id, 3, 0)
    assert (again.due_at, again.lease_owner, again.attempt) == (later, None, 1)


def test_business_error_is_caught_by_its_code(pen: Pen) -> None:
    extra = caught("late", "e") + caught("any") + pen.service("b") + pen.service("c")
    play = one(pen, extra=extra, flows="late>b any>c b>end c>end")
    play.refuse("a", "late", by=3)
    assert (play.at("b"), play.at("c"), play.at("a")) == (1, 0, 0)
    assert len(play.state.jobs) == 1
    assert play.variables["by"] == 3


def test_catch_all_catches_what_no_code_does(pen: Pen) -> None:
    extra = caught("late", "e") + caught("any") + pen.service("b") + pen.service("c")
    play = one(pen, extra=extra, flows="late>b any>c b>end c>end")
    play.refuse("a", "unheard-of")
    assert (play.at("b"), play.at("c")) == (0, 1)


def test_boundary_event_maps_the_error(pen: Pen) -> None:
    extra = caught("late", "e", pen.mapping(why="=error.code")) + pen.service("b")
    play = one(pen, extra=extra, flows="late>b b>end")
    play.refuse("a", "late", noise=1)
    assert play.variables == {"service": "fraud", "why": "late"}


def test_business_error_that_nothing_catches_is_an_incident(pen: Pen) -> None:
    play = one(pen, extra=caught("late", "e") + pen.service("b"), flows="late>b b>end")
    play.refuse("a", "no-runtime")
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.job_id) == ("no-runtime", play.job("a").id)
    with pytest.raises(StaleAttemptError):
        play.complete("a")


def test_failing_output_mapping_keeps_the_job_and_its_key(pen: Pen) -> None:
    play = one(pen, pen.mapping(x="=boom"))
    key = play.job("a").id
    play.complete("a")
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.job_id) == ("expression-failed", key)


def test_failing_input_mapping_is_an_incident_and_leaves_no_job(pen: Pen) -> None:
    play = one(pen, pen.mapping({"x": "=boom"}))
    (incident,) = play.state.incidents.values()
    assert incident.code == "expression-failed"
    assert not play.state.jobs


def test_decision_gets_its_context_and_gives_its_result_variable(pen: Pen) -> None:
    rule = (
        '<businessRuleTask id="a"><extensionElements>'
        '<zeebe:calledDecision decisionId="thresholds" resultVariable="verdict"/>'
        "</extensionElements></businessRuleTask>"
    )
    play = Play(pen.draw(rule, "start>a a>end"), {"auc": 0.8})
    job = play.job("a")
    assert (job.topic, job.inputs) == (
        "evaluate-decision",
        {"decision": "thresholds", "context": {"auc": 0.8}},
    )
    play.complete("a", result="PASS")
    assert play.variables == {"auc": 0.8, "verdict": "PASS"}


def test_what_a_decision_was_taken_by_is_history_and_no_variable(pen: Pen) -> None:
    rule = (
        '<businessRuleTask id="a"><extensionElements>'
        '<zeebe:calledDecision decisionId="thresholds" resultVariable="verdict"/>'
        "</extensionElements></businessRuleTask>"
    )
    play = Play(pen.draw(rule, "start>a a>end"))
    decided = {"decision": "thresholds@1", "rules": [], "nulls": ["no rule matches"]}
    play.complete("a", result=None, decided=decided)
    (completed,) = [line for line in play.history if line.event is HistoryEvent.COMPLETED]
    assert play.variables == {"verdict": None}
    assert completed.data["decided"] == decided


def test_decision_without_result_is_an_incident(pen: Pen) -> None:
    rule = (
        '<businessRuleTask id="a"><extensionElements>'
        '<zeebe:calledDecision decisionId="thresholds" resultVariable="verdict"/>'
        "</extensionElements></businessRuleTask>"
    )
    play = Play(pen.draw(rule, "start>a a>end"))
    play.complete("a")
    (incident,) = play.state.incidents.values()
    assert "'result'" in incident.message


def test_service_job_is_no_timer(pen: Pen) -> None:
    play = one(pen)
    with pytest.raises(UnexpectedHappeningError):
        play.happen(TimerDue(job_id=play.job("a").id))


def test_history_tells_every_failure(pen: Pen) -> None:
    play = one(pen)
    play.fail("a", "disk full", "storage")
    entry = play.history[-1]
    assert (entry.event, entry.data["message"]) == (HistoryEvent.JOB_FAILED, "disk full")
    assert entry.data["retries_left"] == 2

"""What became of jobs: done, failed, refused by the business, not yet; and the retry of an incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.catching import caught
from pilothouse.bpmn.conditions import look_again
from pilothouse.bpmn.definition import Backoff, Called, Service
from pilothouse.bpmn.errors import (
    AlreadyOverError,
    ExpressionFailedError,
    StaleAttemptError,
    UnexpectedHappeningError,
)
from pilothouse.bpmn.flowing import leave
from pilothouse.bpmn.happenings import (
    IncidentRetried,
    JobBusinessError,
    JobCompleted,
    JobFailed,
    JobPostponed,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import Job, JobKind, JobStatus, Token, TokenStatus
from pilothouse.bpmn.variables import deliver, plain_all, visible, write
from pilothouse.bpmn.voting import notifies
from pilothouse.bpmn.waiting import job_inputs

if TYPE_CHECKING:
    from pilothouse.bpmn.board import Board

JobHappening = JobCompleted | JobFailed | JobBusinessError | JobPostponed
DECIDED = "decided"
"""What a decision was taken by, its rules and the reasons of its nulls: for the history, and no variable of the run."""


def job_happened(board: Board, happening: JobHappening) -> None:
    """
    Take a worker's report.

    Raises
    ------
    StaleAttemptError
        When the attempt is not the job's current one.
    """
    job = _current_job(board, happening)
    token = board.tokens[job.token_id]
    match happening:
        case JobCompleted():
            _completed(board, job, token, happening)
        case JobFailed():
            _failed(board, job, token, happening)
        case JobBusinessError():
            _business_error(board, job, token, happening)
        case JobPostponed():
            _postponed(board, job, token, happening)


def _current_job(board: Board, happening: JobHappening) -> Job:
    job = board.jobs.get(happening.job_id)
    if job is None or job.attempt != happening.attempt or job.state is JobStatus.INCIDENT:
        raise StaleAttemptError(
            job_id=happening.job_id,
            attempt=happening.attempt,
            current=job.attempt if job else None,
        )
    if job.kind is not JobKind.SERVICE:
        raise UnexpectedHappeningError(
            name=f"The timer {job.id}",
            happening=type(happening).__name__,
            cure="Send it a TimerDue.",
        )
    return job


def _service(board: Board, job: Job) -> Service:
    node = board.definition.nodes[job.element]
    if not isinstance(node, Service):
        raise AlreadyOverError(noun="job", name=job.id)
    return node


def _completed(board: Board, job: Job, token: Token, happening: JobCompleted) -> None:
    if notifies(board, job):
        board.drop(job)
        return
    node, given = _service(board, job), plain_all(happening.variables)
    told: dict[str, object] = {}
    try:
        if node.result_variable is not None:
            told = {DECIDED: given[DECIDED]} if DECIDED in given else {}
            given = {node.result_variable: _result(node, given)}
        if node.called is not None:
            given = _returned(node, node.called, given)
        deliver(board, token.scope_id, node.outputs, given)
    except ExpressionFailedError as error:
        board.hold(job, code=error.code, message=error.message)
        return
    leave(board, token, HistoryEvent.COMPLETED, job=job.id, variables=sorted(given), **told)


def _returned(node: Service, called: Called, given: dict[str, object]) -> dict[str, object]:
    """Give what a called life cycle gives back: all that it ended with, or what its outputs are mapped from."""
    life_cycle = given.get("life_cycle")
    variables = life_cycle.get("variables") if isinstance(life_cycle, dict) else None
    if not isinstance(variables, dict):
        problem = "was called, and the answer has no variables in 'life_cycle'"
        raise ExpressionFailedError(expression=called.process.text, problem=problem)
    if node.outputs:
        return {**variables, "life_cycle": life_cycle}
    return variables if called.all_out else {}


def _result(node: Service, given: dict[str, object]) -> object:
    if "result" not in given:
        problem = "was evaluated without a variable 'result' in the answer"
        raise ExpressionFailedError(
            expression=node.decision.text if node.decision else "", problem=problem
        )
    return given["result"]


def _failed(board: Board, job: Job, token: Token, happening: JobFailed) -> None:
    failures, left = job.failures + 1, job.retries_left - 1
    failed = replace(
        job, failures=failures, retries_left=max(left, 0), last_error=happening.message
    )
    board.record(
        HistoryEvent.JOB_FAILED,
        token=token,
        job=job.id,
        code=happening.code,
        message=happening.message,
        retries_left=failed.retries_left,
    )
    if left <= 0:
        board.hold(failed, code=happening.code, message=happening.message)
        return
    backoff = Backoff() if notifies(board, job) else _service(board, job).backoff
    pause = timedelta(seconds=backoff.after_s(failures))
    board.give_back(failed, due_at=happening.retry_at or board.at + pause)


def _business_error(board: Board, job: Job, token: Token, happening: JobBusinessError) -> None:
    given = plain_all(happening.variables)
    try:
        if caught(board, token, happening.code, happening.message, given):
            return
    except ExpressionFailedError as error:
        board.hold(job, code=error.code, message=error.message)
        return
    board.record(
        HistoryEvent.JOB_FAILED,
        token=token,
        job=job.id,
        code=happening.code,
        message=happening.message,
    )
    board.hold(job, code=happening.code, message=happening.message)


def _postponed(board: Board, job: Job, token: Token, happening: JobPostponed) -> None:
    board.give_back(job, due_at=happening.due_at)
    board.record(HistoryEvent.JOB_POSTPONED, token=token, job=job.id)


def incident_retried(board: Board, happening: IncidentRetried) -> None:
    """
    Try again what an incident holds up.

    Raises
    ------
    AlreadyOverError
        When the incident is gone.
    """
    incident = board.incidents.get(happening.incident_id)
    if incident is None:
        raise AlreadyOverError(noun="incident", name=happening.incident_id)
    token, given = board.tokens[incident.token_id], plain_all(happening.variables)
    write(board, token.scope_id, given)
    board.drop(incident)
    board.record(
        HistoryEvent.INCIDENT_RETRIED, token=token, incident=incident.id, variables=given or None
    )
    if incident.job_id is not None:
        _retry_job(board, board.jobs[incident.job_id], token, max(happening.retries, 1))
        return
    look_again(board, token)
    if token.state not in (TokenStatus.WAITING, TokenStatus.LISTENING):
        board.move(token)


def _retry_job(board: Board, job: Job, token: Token, retries: int) -> None:
    if job.kind is JobKind.TIMER:
        board.give_back(job, due_at=job.due_at)
        return
    try:
        # What a task's candidates are told was written when it was due.
        told = notifies(board, job)
        seen = visible(board, token.scope_id)
        inputs = job.inputs if told else job_inputs(_service(board, job), seen)
    except ExpressionFailedError as error:
        board.hold(job, code=error.code, message=error.message)
        return
    fresh = replace(job, inputs=inputs, retries_left=retries, failures=0)
    board.give_back(fresh, due_at=board.at)

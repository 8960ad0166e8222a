"""What reaches a run from outside its workers: the hour of a timer, a person, a message, a signal."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.catching import fire
from pilothouse.bpmn.definition import Boundary, Catch, EventStart, Human
from pilothouse.bpmn.errors import (
    AlreadyOverError,
    ExpressionFailedError,
    FormAnswerError,
    TaskHeldError,
    TimerNotDueError,
    UnexpectedHappeningError,
    VotedAlreadyError,
)
from pilothouse.bpmn.flowing import leave
from pilothouse.bpmn.forms import problems_of
from pilothouse.bpmn.gateways import decided
from pilothouse.bpmn.happenings import (
    MessageArrived,
    SignalArrived,
    TaskClaimed,
    TaskCompleted,
    TaskReleased,
    TimerDue,
)
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import (
    Job,
    JobKind,
    JobStatus,
    Subscription,
    SubscriptionKind,
    TaskStatus,
    Token,
    UserTask,
)
from pilothouse.bpmn.timers import Schedule, rearmed
from pilothouse.bpmn.variables import deliver, plain_all
from pilothouse.bpmn.voting import task_timer_due, vote, voted
from pilothouse.domain.plain import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.board import Board

TaskHappening = TaskClaimed | TaskReleased | TaskCompleted
Arrival = MessageArrived | SignalArrived


def timer_due(board: Board, happening: TimerDue) -> None:
    """
    Let a timer fire.

    Raises
    ------
    AlreadyOverError
        When the timer is gone: fired, or cancelled with its activity.
    TimerNotDueError
        When it is too early.
    UnexpectedHappeningError
        When the job is no timer.
    """
    job = board.jobs.get(happening.job_id)
    if job is None:
        raise AlreadyOverError(noun="timer", name=happening.job_id)
    if job.kind is not JobKind.TIMER or job.state is JobStatus.INCIDENT:
        cure = "Retry its incident." if job.state is JobStatus.INCIDENT else "Report its outcome."
        raise UnexpectedHappeningError(name=f"The job {job.id}", happening="TimerDue", cure=cure)
    if job.due_at > board.at:
        raise TimerNotDueError(job_id=job.id, due_at=rfc3339(job.due_at))
    _fire_timer(board, job, board.tokens[job.token_id])


def _fire_timer(board: Board, job: Job, token: Token) -> None:
    armed = Schedule(due_at=job.due_at, period=job.period, repeats_left=job.repeats_left)
    following, missed = rearmed(armed, at=board.at)
    board.drop(job)
    if following is not None:
        fresh = replace(job, repeats_left=following.repeats_left)
        board.give_back(fresh, due_at=following.due_at)
    data = {"timer": job.id, "due_at": rfc3339(job.due_at), "missed": missed or None}
    try:
        if job.topic is not None:
            task_timer_due(board, token, job)
        else:
            come(board, token, job.element, {}, HistoryEvent.TIMER_FIRED, data)
    except ExpressionFailedError as error:
        board.hold(job, code=error.code, message=error.message)


def come(
    board: Board,
    token: Token,
    element: str,
    given: Mapping[str, object],
    event: HistoryEvent,
    data: Mapping[str, object],
) -> None:
    """Let the event `element`, for which `token` waits, take effect."""
    node = board.definition.nodes[element]
    if isinstance(node, Boundary | EventStart):
        fire(board, token, node, given, event, **data)
        return
    if not isinstance(node, Catch):
        raise AlreadyOverError(noun="event", name=element)
    deliver(board, token.scope_id, node.outputs, given)
    token = decided(board, token, node)
    board.record(event, token=token, **data)
    leave(board, token, HistoryEvent.COMPLETED)


def arrived(board: Board, happening: Arrival) -> None:
    """
    Let a message or a signal reach its subscription.

    Raises
    ------
    AlreadyOverError
        When the subscription is gone.
    UnexpectedHappeningError
        When it is for the other kind.
    ExpressionFailedError
        When the output mapping of the event fails; the run has not moved and the message is not consumed.
    """
    message = isinstance(happening, MessageArrived)
    subscription = board.subscriptions.get(happening.subscription_id)
    if subscription is None:
        raise AlreadyOverError(noun="subscription", name=happening.subscription_id)
    wanted = SubscriptionKind.MESSAGE if message else SubscriptionKind.SIGNAL
    if subscription.kind is not wanted:
        raise UnexpectedHappeningError(
            name=f"The subscription {subscription.id}",
            happening=type(happening).__name__,
            cure=f"It waits for a {subscription.kind}.",
        )
    event = HistoryEvent.MESSAGE_RECEIVED if message else HistoryEvent.SIGNAL_RECEIVED
    _receive(board, subscription, event, happening)


def _receive(
    board: Board, subscription: Subscription, event: HistoryEvent, happening: Arrival
) -> None:
    token, given = board.tokens[subscription.token_id], plain_all(happening.variables)
    data = {
        "name": subscription.name,
        "message": happening.message_id if isinstance(happening, MessageArrived) else None,
        "variables": sorted(given),
    }
    come(board, token, subscription.element, given, event, data)


def task_happened(board: Board, happening: TaskHappening) -> None:
    """
    Take what a person does with a task; who may do so has been checked by the caller.

    Raises
    ------
    AlreadyOverError
        When the task is gone.
    TaskHeldError
        When another person has claimed it.
    VotedAlreadyError
        When it takes votes, and the person's stands.
    FormAnswerError
        When the answers do not fit its form.
    """
    task = board.tasks.get(happening.task_id)
    if task is None:
        raise AlreadyOverError(noun="task", name=happening.task_id)
    if task.assignee not in (None, happening.actor) and not isinstance(happening, TaskReleased):
        raise TaskHeldError(task_id=task.id, assignee=task.assignee or "")
    if voted(task, happening.actor) and not isinstance(happening, TaskReleased):
        raise VotedAlreadyError(task_id=task.id, person=happening.actor)
    token = board.tokens[task.token_id]
    match happening:
        case TaskClaimed(actor=actor):
            board.put(replace(task, assignee=actor, state=TaskStatus.CLAIMED))
            board.record(HistoryEvent.TASK_CLAIMED, token=token, task=task.id)
        case TaskReleased():
            board.put(replace(task, assignee=None, state=TaskStatus.OPEN))
            board.record(HistoryEvent.TASK_RELEASED, token=token, task=task.id)
        case TaskCompleted():
            _complete_task(board, task, token, happening)


def _complete_task(board: Board, task: UserTask, token: Token, happening: TaskCompleted) -> None:
    answers = plain_all(happening.variables)
    problems = problems_of(task.form, answers) if task.form is not None else ()
    if problems:
        raise FormAnswerError(task_id=task.id, problems=problems)
    if task.quorum is not None:
        vote(board, task, task.quorum, happening, answers)
        return
    node = board.definition.nodes[task.element]
    deliver(board, token.scope_id, node.outputs if isinstance(node, Human) else (), answers)
    board.record(HistoryEvent.TASK_COMPLETED, token=token, task=task.id, answers=answers)
    leave(board, token, HistoryEvent.COMPLETED)

"""Tasks that several people decide, and what comes of a task that nobody does in time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.catching import escalated
from pilothouse.bpmn.definition import Human, Overdue
from pilothouse.bpmn.flowing import leave
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import (
    IdPrefix,
    Job,
    JobKind,
    JobStatus,
    TaskStatus,
    TaskTimer,
    Token,
    UserTask,
)
from pilothouse.bpmn.variables import deliver, visible
from pilothouse.domain.approvals import Decision, Quorum, Vote
from pilothouse.domain.plain import rfc3339, to_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.happenings import TaskCompleted

NOTIFY_TOPIC = "notify"
NOTIFY_RETRIES = 3


def voted(task: UserTask, person: str) -> bool:
    """Whether a person's vote on a task stands."""
    return any(vote.by == person for vote in task.votes)


def vote(
    board: Board,
    task: UserTask,
    quorum: Quorum,
    happening: TaskCompleted,
    answers: Mapping[str, object],
) -> None:
    """
    Count a vote whose answers fit the form; the one that decides completes the task.

    Raises
    ------
    ExpressionFailedError
        When the output mapping fails after the deciding vote; it has not been counted then.
    """
    given = Vote(
        by=happening.actor,
        at=board.at,
        decision=Decision(str(answers["decision"])),
        roles=happening.roles,
        answers=answers,
        digest=happening.digest,
    )
    votes, token = (*task.votes, given), board.tokens[task.token_id]
    board.record(HistoryEvent.TASK_VOTED, token=token, task=task.id, vote=to_plain(given))
    outcome = quorum.outcome(votes)
    if outcome is None:
        board.put(replace(task, votes=votes, assignee=None, state=TaskStatus.OPEN))
        return
    result = {"decision": outcome.value, "votes": to_plain(votes)}
    node = board.definition.nodes[task.element]
    deliver(board, token.scope_id, node.outputs if isinstance(node, Human) else (), result)
    board.record(HistoryEvent.TASK_COMPLETED, token=token, task=task.id, answers=result)
    leave(board, token, HistoryEvent.COMPLETED)


def task_timer_due(board: Board, token: Token, timer: Job) -> None:
    """
    Remind the candidates of the task where `token` stands, or let it escalate.

    Raises
    ------
    ExpressionFailedError
        When the roles, the code, or a mapping of the event that catches cannot be evaluated.
    """
    node = board.definition.nodes[token.element]
    task = next((t for t in board.tasks.values() if t.token_id == token.id), None)
    if not isinstance(node, Human) or task is None:
        return
    if timer.topic == TaskTimer.REMINDER and node.reminder is not None:
        board.record(HistoryEvent.TASK_REMINDED, token=token, task=task.id, timer=timer.id)
        _tell(board, task, node.reminder.targets, f"{task.name} waits for you")
    elif timer.topic == TaskTimer.ESCALATION and node.overdue is not None:
        _escalate(board, token, task, node.overdue)


def _escalate(board: Board, token: Token, task: UserTask, overdue: Overdue) -> None:
    seen = visible(board, token.scope_id)
    roles = overdue.roles.names_given(seen, purpose="roles") if overdue.roles else ()
    code = overdue.code.text_given(seen, purpose="escalation code") if overdue.code else None
    board.record(
        HistoryEvent.TASK_ESCALATED, token=token, task=task.id, roles=list(roles), code=code
    )
    if code is not None:
        escalated(board, token, code, {})
    if task.id not in board.tasks:
        return  # an event that interrupts has taken the token away
    wider = tuple(dict.fromkeys((*task.candidate_roles, *roles)))
    widened = replace(task, candidate_roles=wider)
    board.put(widened)
    _tell(board, widened, overdue.targets, f"{task.name} is overdue")


def _tell(board: Board, task: UserTask, targets: str, subject: str) -> None:
    """Order the notification as a job of the run: it is retried, done once, and survives everything."""
    job = Job(
        id=board.new_id(IdPrefix.JOB),
        run_id=board.run.id,
        token_id=task.token_id,
        element=task.element,
        kind=JobKind.SERVICE,
        topic=NOTIFY_TOPIC,
        state=JobStatus.READY,
        due_at=board.at,
        created_at=board.at,
        retries_left=NOTIFY_RETRIES,
        inputs={"subject": subject, "text": _words(board, task), "targets": targets},
    )
    board.put(job)


def _words(board: Board, task: UserTask) -> str:
    about = visible(board, board.tokens[task.token_id].scope_id).get("snapshot")
    lines = [f"{task.name} ({task.id}) waits since {rfc3339(task.created_at)}."]
    if isinstance(about, str):
        lines.append(f"It is about {about}.")
    if task.due_at is not None:
        lines.append(f"It is due at {rfc3339(task.due_at)}.")
    who = ", ".join((*task.candidate_roles, *task.candidate_people))
    if who:
        lines.append(f"It asks for {who}.")
    if task.quorum is not None:
        lines.append(f"{len(task.votes)} have voted; {task.quorum.count} have to approve.")
    return "\n".join(lines)


def notifies(board: Board, job: Job) -> bool:
    """Whether a job tells the candidates of a task that it waits: the task goes on without it."""
    return job.kind is JobKind.SERVICE and isinstance(board.definition.nodes[job.element], Human)

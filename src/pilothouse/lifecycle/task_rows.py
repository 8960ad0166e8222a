"""The tasks that people see, made from the rows of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import TaskStatus
from pilothouse.domain.approvals import Vote
from pilothouse.domain.ids import TaskId
from pilothouse.domain.plain import from_plain
from pilothouse.domain.tasks import Task, TaskState

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.bpmn.state import Changes, UserTask
    from pilothouse.domain.lifecycles import RunHeading

STATES = {TaskStatus.OPEN: TaskState.OPEN, TaskStatus.CLAIMED: TaskState.CLAIMED}


def opened_tasks(changes: Changes, heading: RunHeading) -> tuple[Task, ...]:
    """Give the tasks that a step has opened, with the snapshot and digest that they are about."""
    return tuple(_opened(row, heading) for row in changes.added.tasks)


def _opened(row: UserTask, heading: RunHeading) -> Task:
    return Task(
        id=TaskId(row.id),
        group=heading.group,
        run_id=row.run_id,
        element=row.element,
        name=row.name,
        state=STATES[row.state],
        candidate_roles=row.candidate_roles,
        candidate_people=row.candidate_people,
        separate_from=_separate_from(row, heading),
        assignee=row.assignee,
        form=row.form,
        inputs=row.inputs,
        snapshot=heading.snapshot,
        digest=heading.digest,
        due_at=row.due_at,
        created_at=row.created_at,
        quorum=row.quorum,
    )


def _separate_from(row: UserTask, heading: RunHeading) -> tuple[str, ...]:
    """Where the drawing separates duties at all, or asks several, the author is kept out whatever the variables say."""
    if not (row.separate_from or row.quorum) or heading.author is None:
        return row.separate_from
    return tuple(dict.fromkeys((*row.separate_from, heading.author)))


def reassigned(task: Task, row: UserTask) -> Task:
    """Take over where a task stands now, who holds it, who may do it, and the votes."""
    return replace(
        task,
        element=row.element,
        state=STATES[row.state],
        assignee=row.assignee,
        candidate_roles=row.candidate_roles,
        votes=row.votes,
    )


def with_last_vote(task: Task, changes: Changes) -> Task:
    """Take over the vote that decided: its row is gone, and the history has it."""
    given = (
        from_plain(Vote, line.data["vote"])
        for line in changes.history
        if line.event is HistoryEvent.TASK_VOTED and line.data["task"] == task.id
    )
    return replace(task, votes=(*task.votes, *given))


def cancelled(task: Task, *, at: datetime) -> Task:
    """Close a task that the run has gone past without an answer."""
    return task.ended(TaskState.CANCELLED, at=at, by=None, answers=None)

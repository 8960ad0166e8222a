"""Tasks: steps that wait for people, and what they answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.approvals import Quorum, Vote
from pilothouse.domain.errors import DeniedError, RefusedError
from pilothouse.domain.ids import GroupName, PersonId, TaskId


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class TaskEndedError(RefusedError):
    """The task has been completed or cancelled before."""

    code = "task-ended"

    def __init__(self, *, task: TaskId, state: TaskState) -> None:
        self.task, self.state = task, state
        super().__init__(
            f"Task {task} is {state.value} already. Look at the run for what came of it."
        )


class TaskDeniedError(DeniedError):
    """The caller is not among those who may do the task."""

    code = "task-denied"

    def __init__(self, *, task: TaskId, person: str, problem: str) -> None:
        self.task, self.person, self.problem = task, person, problem
        super().__init__(
            f"{person} may not do task {task}: {problem}. Let one of its candidates do it."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """
    A step that waits for people, kept after it is done: the answer, by whom, about which digest.

    `separate_from` names people who may not complete it, such as the snapshot's author. One that several people
    decide has a `quorum`, and keeps the `votes` of all of them; its `answers` are those of the deciding vote.
    """

    id: TaskId
    group: GroupName
    run_id: str
    element: str
    name: str
    state: TaskState
    candidate_roles: tuple[str, ...]
    candidate_people: tuple[str, ...]
    separate_from: tuple[str, ...]
    assignee: str | None
    form: Mapping[str, object] | None
    inputs: Mapping[str, object]
    snapshot: str | None
    digest: str | None
    due_at: datetime | None
    created_at: datetime
    answers: Mapping[str, object] | None = None
    ended_by: PersonId | None = None
    ended_at: datetime | None = None
    quorum: Quorum | None = None
    votes: tuple[Vote, ...] = ()
    version: int = 1

    def ended(
        self,
        state: TaskState,
        *,
        at: datetime,
        by: PersonId | None,
        answers: Mapping[str, object] | None,
    ) -> Task:
        """Close the task."""
        if self.state in (TaskState.COMPLETED, TaskState.CANCELLED):
            raise TaskEndedError(task=self.id, state=self.state)
        return replace(self, state=state, answers=answers, ended_by=by, ended_at=at)

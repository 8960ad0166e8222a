"""Tasks of people: list, take, give back, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilothouse.application.finding import sees
from pilothouse.bpmn.errors import AlreadyOverError
from pilothouse.bpmn.happenings import TaskClaimed, TaskCompleted, TaskReleased
from pilothouse.domain.access import Action, Role
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.pages import Page
from pilothouse.domain.tasks import Task, TaskDeniedError, TaskEndedError, TaskState
from pilothouse.lifecycle.errors import TaskNotHeldError
from pilothouse.lifecycle.moving import persistent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.bpmn.happenings import Happening
    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

WAITING = (TaskState.OPEN, TaskState.CLAIMED)


class Tasks:
    """Let people see and do their tasks."""

    def __init__(self, *, open_work: OpenWork, moving: Moving) -> None:
        self._open_work = open_work
        self._moving = moving

    def page(
        self,
        who: Principal,
        *,
        mine: bool = False,
        waiting: bool = False,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Task]:
        """
        List tasks of the caller's groups.

        Parameters
        ----------
        mine
            Only those that the caller may do; a page may then hold fewer than `limit`.
        waiting
            Only those that nobody has answered yet.
        """
        equals: dict[str, Any] = {"state": WAITING} if waiting else {}
        with self._open_work.reading(who) as work:
            page = work.tasks.page(groups=who.readable, after=after, limit=limit, **equals)
        if not mine:
            return page
        own = (t for t in page.items if not _obstacle(who, t) and not _has_voted(who, t))
        return Page(items=tuple(own), next=page.next)

    def get(self, who: Principal, *, task_id: str) -> Task:
        """Give one task."""
        with self._open_work.reading(who) as work:
            return _seen(work, task_id)

    def claim(self, who: Principal, *, task_id: str) -> Task:
        """
        Take a task for oneself.

        Raises
        ------
        TaskDeniedError
            When the caller is not among those who may do it.
        TaskHeldError, TaskEndedError
            When somebody else was first.
        """
        return self._done(who, task_id, lambda t: TaskClaimed(task_id=t.id, actor=_as(who, t)))

    def release(self, who: Principal, *, task_id: str) -> Task:
        """
        Give a task back to its candidates: one's own, or anybody's as an administrator.

        Raises
        ------
        TaskNotHeldError
            When the caller does not hold it.
        """

        def released(task: Task) -> Happening:
            administrator = who.has_role(Role.ADMINISTRATOR, group=task.group)
            own = task.assignee in (who.person_id, who.name)
            if task.assignee is None or not (own or administrator):
                raise TaskNotHeldError(task=task.id, holder=task.assignee, state=task.state)
            return TaskReleased(task_id=task.id, actor=who.person_id)

        return self._done(who, task_id, released, candidates_only=False)

    def complete(self, who: Principal, *, task_id: str, answers: Mapping[str, object]) -> Task:
        """
        Answer a task; the answer is recorded with the digest of the snapshot that it is about.

        Of a task with a quorum the answer is one vote: it is over with the one that decides.

        Raises
        ------
        TaskDeniedError
            When the caller is no candidate, or must be somebody else than did the work (its author).
        FormAnswerError
            When the answers do not fit the form.
        VotedAlreadyError
            When the caller's vote stands.
        TaskHeldError, TaskEndedError
            When somebody else was first.
        """

        def answered(task: Task) -> Happening:
            return TaskCompleted(
                task_id=task.id,
                actor=_as(who, task),
                variables=answers,
                roles=tuple(r for r in task.candidate_roles if r in _roles(who, task)),
                digest=task.digest,
            )

        return self._done(who, task_id, answered)

    def _done(
        self,
        who: Principal,
        task_id: str,
        order: Callable[[Task], Happening],
        *,
        candidates_only: bool = True,
    ) -> Task:
        def act() -> Task:
            with self._open_work(who) as work:
                state = work.runs.load(_seen(work, task_id).run_id)
                task = work.tasks.get(
                    task_id
                )  # read again: it may have ended while the lock was waited for
                _check(who, task, candidates_only=candidates_only)
                happening = order(task)
                try:
                    self._moving.take(work, state, happening)
                except AlreadyOverError:
                    raise TaskEndedError(task=task.id, state=TaskState.CANCELLED) from None
                now = work.tasks.get(task_id)
                if isinstance(happening, TaskCompleted):
                    _audit(work, now, happening.variables)
                return work.commit(now)

        return persistent(act)


def _as(who: Principal, task: Task) -> str:
    """Name the caller as the assignment does: a drawing may assign by name, a claim by id."""
    return who.name if task.assignee == who.name else who.person_id


def _seen(work: UnitOfWork, task_id: str) -> Task:
    found = work.tasks.find(id=task_id)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="task", name=task_id)
    return found


def _check(who: Principal, task: Task, *, candidates_only: bool) -> None:
    if task.state not in WAITING:
        raise TaskEndedError(task=task.id, state=task.state)
    who.require(Action.DO_TASK, group=task.group)
    obstacle = _obstacle(who, task) if candidates_only else ""
    if obstacle:
        raise TaskDeniedError(task=task.id, person=who.name, problem=obstacle)


def _obstacle(who: Principal, task: Task) -> str:
    """Say why the caller may not do a task; empty where nothing speaks against it."""
    names = {who.person_id, who.name}
    if names.intersection(task.separate_from):
        return "whoever did the work does not judge it"
    if names.intersection(task.candidate_people) or task.assignee in names:
        return ""
    if not task.candidate_roles and not task.candidate_people:
        return (
            "" if who.may(Action.DO_TASK, group=task.group) else "it asks for a role in its group"
        )
    if _roles(who, task).intersection(task.candidate_roles):
        return ""
    wanted = ", ".join((*task.candidate_roles, *task.candidate_people))
    return f"it asks for {wanted} in the group {task.group}"


def _roles(who: Principal, task: Task) -> set[str]:
    return {role.value for role in Role if who.has_role(role, group=task.group)}


def _has_voted(who: Principal, task: Task) -> bool:
    return any(vote.by == who.person_id for vote in task.votes)


def _audit(work: UnitOfWork, task: Task, answers: Mapping[str, object]) -> None:
    completed = task.state is TaskState.COMPLETED
    detail: dict[str, object] = {
        "name": task.name,
        "run": task.run_id,
        "snapshot": task.snapshot,
        "digest": task.digest,
        "answers": answers,
    }
    if task.quorum is not None:
        detail |= {"votes": len(task.votes), "quorum": task.quorum.count, "decides": completed}
    work.audit.record(
        "complete" if completed else "vote",
        noun="task",
        subject=task.id,
        group=task.group,
        detail=detail,
    )

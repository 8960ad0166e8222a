"""
The one shape in which everything reaches a run: load under its lock, step, write, all in one unit.

A step that listens for a message takes one that has come before it, in the same unit; the tasks that people
see follow the run's own in the same unit too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.happenings import MessageArrived, TaskCompleted
from pilothouse.bpmn.state import RunState, SubscriptionKind
from pilothouse.bpmn.step import start, step
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.tasks import TaskState
from pilothouse.lifecycle.task_rows import cancelled, opened_tasks, reassigned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pilothouse.bpmn.happenings import Begin, Happening
    from pilothouse.bpmn.state import Changes, Subscription
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.lifecycle.library import Library
    from pilothouse.ports.unit_of_work import UnitOfWork

T = TypeVar("T")
ATTEMPTS = 5
log = logging.getLogger(__name__)


def persistent(act: Callable[[], T]) -> T:
    """
    Act in a unit of its own, and again when somebody else was quicker to change the same rows.

    Raises
    ------
    ConflictError
        When that happens five times in a row.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return act()
        except ConflictError:
            log.info("lost a race, doing it again")
    return act()


class Moving:
    """Moves runs inside units of work that others open and commit."""

    def __init__(self, *, library: Library) -> None:
        self._library = library

    def begin(self, work: UnitOfWork, heading: RunHeading, begin: Begin) -> RunState:
        """
        Begin a run and move it to its first waits.

        Raises
        ------
        AlreadyExistsError
            When an active run of this life cycle has the same business key.
        """
        process = self._library.process(work, begin.definition_id)
        changes = start(process, begin, at=work.at, ids=work.new_id)
        work.runs.add(heading, changes)
        for task in opened_tasks(changes, heading):
            work.tasks.add(task)
        return self._with_waiting_messages(work, RunState(run=changes.run).after(changes), changes)

    def take(self, work: UnitOfWork, state: RunState, happening: Happening) -> RunState:
        """Let something happen to a run that was loaded in this unit, and give what stands then."""
        moved, changes = self._step(work, state, happening)
        return self._with_waiting_messages(work, moved, changes)

    def _step(
        self, work: UnitOfWork, state: RunState, happening: Happening
    ) -> tuple[RunState, Changes]:
        process = self._library.process(work, state.run.definition_id)
        changes = step(process, state, happening, at=work.at, ids=work.new_id)
        work.runs.write(changes)
        _follow_tasks(work, changes, happening)
        return state.after(changes), changes

    def _with_waiting_messages(
        self, work: UnitOfWork, state: RunState, changes: Changes
    ) -> RunState:
        ahead = list(_listening(changes))
        while ahead:
            subscription = ahead.pop(0)
            if subscription.id not in state.subscriptions:
                continue  # an earlier message has moved the run on
            moved = self._take_waiting(work, state, subscription)
            if moved is not None:
                state, more = moved
                ahead += _listening(more)
        return state

    def _take_waiting(
        self, work: UnitOfWork, state: RunState, subscription: Subscription
    ) -> tuple[RunState, Changes] | None:
        group = work.headings.get(state.run.id).group
        message = work.messages.take(
            group=group,
            name=subscription.name,
            correlation_key=subscription.correlation_key or "",
        )
        if message is None:
            return None
        arrived = MessageArrived(
            subscription_id=subscription.id, message_id=message.id, variables=message.payload
        )
        try:
            return self._step(work, state, arrived)
        except ExpressionFailedError as error:
            # The message is spent: taking it again would fail again and block the step that listens for it.
            detail = {"run": state.run.id, "element": subscription.element, "error": error.message}
            work.audit.record(
                "drop", noun="message", subject=message.id, group=group, detail=detail
            )
            log.error("message %s cannot be taken by run %s: %s", message.id, state.run.id, error)  # noqa: TRY400
            return None

    def deliver(
        self, work: UnitOfWork, *, group: str, name: str, correlation_key: str
    ) -> str | None:
        """Give the oldest kept message of a name and key to the oldest run that waits for it; give the run's id."""
        waiting = work.runs.waiting_for_message(
            group=group, name=name, correlation_key=correlation_key
        )
        for found in waiting:
            state = work.runs.load(found.run_id)
            if found.id not in state.subscriptions:
                continue  # it moved on before this unit had its lock
            message = work.messages.take(group=group, name=name, correlation_key=correlation_key)
            if message is None:
                return None
            arrived = MessageArrived(
                subscription_id=found.id, message_id=message.id, variables=message.payload
            )
            self.take(work, state, arrived)
            return found.run_id
        return None


def _listening(changes: Changes) -> Iterator[Subscription]:
    return (s for s in changes.added.subscriptions if s.kind is SubscriptionKind.MESSAGE)


def _follow_tasks(work: UnitOfWork, changes: Changes, happening: Happening) -> None:
    touched = (changes.added.tasks, changes.changed.tasks, changes.removed.tasks)
    if not any(touched):
        return
    heading = work.headings.get(changes.run.id)
    for task in opened_tasks(changes, heading):
        work.tasks.add(task)
    for row in changes.changed.tasks:
        work.tasks.save(reassigned(work.tasks.get(row.id), row))
    answered = happening if isinstance(happening, TaskCompleted) else None
    for row in changes.removed.tasks:
        task = work.tasks.get(row.id)
        if answered is not None and answered.task_id == row.id:
            ended = task.ended(
                TaskState.COMPLETED,
                at=work.at,
                by=work.who.person_id,
                answers=answered.variables,
            )
        else:
            ended = cancelled(task, at=work.at)
        work.tasks.save(ended)

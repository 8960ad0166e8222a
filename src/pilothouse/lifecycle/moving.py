"""
The one shape in which everything reaches a run: load under its lock, step, write, all in one unit.

A step that listens for a message takes one that has come before it, in the same unit; the tasks that people
see follow the run's own in the same unit too.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.happenings import MessageArrived, Resumed, TaskCompleted
from pilothouse.bpmn.state import NoticeKind, RunState, RunStatus, SubscriptionKind
from pilothouse.bpmn.step import start, step
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.events import Event, EventType
from pilothouse.domain.tasks import TaskState
from pilothouse.lifecycle.offering import offered
from pilothouse.lifecycle.task_rows import cancelled, opened_tasks, reassigned, with_last_vote

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from pilothouse.bpmn.happenings import Begin, Happening
    from pilothouse.bpmn.state import Changes, Subscription
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.lifecycle.library import Library
    from pilothouse.ports.unit_of_work import UnitOfWork

T = TypeVar("T")
ATTEMPTS = 5
THROWN = {
    NoticeKind.MESSAGE_THROWN: EventType.MESSAGE_THROWN,
    NoticeKind.SIGNAL_THROWN: EventType.SIGNAL_THROWN,
}
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
    """
    Moves runs inside units of work that others open and commit.

    Parameters
    ----------
    own_topics
        The topics that task types of the platform work on; others may be for workers outside.
    """

    def __init__(self, *, library: Library, own_topics: Collection[str]) -> None:
        self._library = library
        self._own_topics = own_topics

    def begin(self, work: UnitOfWork, heading: RunHeading, begin: Begin) -> RunState:
        """
        Begin a run and move it to its first waits.

        Raises
        ------
        AlreadyExistsError
            When an active run of this life cycle has the same business key.
        """
        process = self._library.process(work, begin.definition_id)
        begun = start(process, begin, at=work.at, ids=work.new_id)
        changes = self._offered(work, begun, lambda: heading.group)
        work.runs.add(heading, changes)
        for task in opened_tasks(changes, heading):
            work.tasks.add(task)
        _publish(work, changes)
        begun_state = RunState(run=changes.run).after(changes)
        return self._with_waiting_messages(work, begun_state, changes.added.subscriptions)

    def take(self, work: UnitOfWork, state: RunState, happening: Happening) -> RunState:
        """Let something happen to a run that was loaded in this unit, and give what stands then."""
        moved, changes = self._step(work, state, happening)
        if isinstance(happening, Resumed):
            return self._with_waiting_messages(work, moved, moved.subscriptions.values())
        return self._with_waiting_messages(work, moved, changes.added.subscriptions)

    def carry(
        self, work: UnitOfWork, state: RunState, heading: RunHeading, changes: Changes
    ) -> RunState:
        """Write a migration of a run that was loaded in this unit, with its new heading; give what stands then."""
        given = self._offered(work, changes, lambda: heading.group)
        work.runs.write(given)
        work.runs.rename(heading)
        self.tell(work, given)
        return self._with_waiting_messages(work, state.after(given), given.added.subscriptions)

    def _step(
        self, work: UnitOfWork, state: RunState, happening: Happening
    ) -> tuple[RunState, Changes]:
        changes = self.stepped(work, state, happening)
        work.runs.write(changes)
        self.tell(work, changes, happening)
        return state.after(changes), changes

    def stepped(self, work: UnitOfWork, state: RunState, happening: Happening) -> Changes:
        """Say what a happening does to a run that was loaded in this unit; nothing is written."""
        process = self._library.process(work, state.run.definition_id)
        changes = step(process, state, happening, at=work.at, ids=work.new_id)
        return self._offered(work, changes, lambda: work.headings.get(state.run.id).group)

    def tell(self, work: UnitOfWork, changes: Changes, happening: Happening | None = None) -> None:
        """Let a written step be seen by those who have tasks, and heard by those who wait for what it threw."""
        _follow_tasks(work, changes, happening)
        _publish(work, changes)

    def _offered(
        self, work: UnitOfWork, changes: Changes, group: Callable[[], GroupName]
    ) -> Changes:
        return offered(work, changes, own_topics=self._own_topics, group=group)

    def _with_waiting_messages(
        self, work: UnitOfWork, state: RunState, subscriptions: Iterable[Subscription]
    ) -> RunState:
        if state.run.state is RunStatus.SUSPENDED:
            return state  # what has come for it is kept until it is resumed
        ahead = [s for s in subscriptions if s.kind is SubscriptionKind.MESSAGE]
        while ahead:
            subscription = ahead.pop(0)
            if subscription.id not in state.subscriptions:
                continue  # an earlier message has moved the run on
            moved = self._take_waiting(work, state, subscription)
            if moved is not None:
                state, more = moved
                # What does not interrupt waits on: the next message is for it as well.
                ahead += (*listening(more), subscription)
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
            if found.id not in state.subscriptions or state.run.state is RunStatus.SUSPENDED:
                continue  # it moved on, or was suspended, before this unit had its lock
            message = work.messages.take(group=group, name=name, correlation_key=correlation_key)
            if message is None:
                return None
            arrived = MessageArrived(
                subscription_id=found.id, message_id=message.id, variables=message.payload
            )
            self.take(work, state, arrived)
            return found.run_id
        return None


def _publish(work: UnitOfWork, changes: Changes) -> None:
    """
    Keep what a run threw for its delivery, in the unit that threw it.

    It is delivered in units of its own: one run waits for no other run's lock, and two runs that answer one
    another for ever do so step by step.
    """
    for notice in (n for n in changes.notices if n.kind in THROWN):
        event = Event(
            id=notice.subject_id,
            type=THROWN[notice.kind],
            group=work.headings.get(notice.run_id).group,
            subject=notice.run_id,
            payload={
                "name": notice.text,
                "correlation_key": notice.correlation_key,
                "time_to_live_s": notice.time_to_live_s,
                "variables": notice.variables,
            },
            at=work.at,
        )
        work.outbox.publish(event)


def listening(changes: Changes) -> Iterator[Subscription]:
    """Give the messages that a step begins to wait for."""
    return (s for s in changes.added.subscriptions if s.kind is SubscriptionKind.MESSAGE)


def _follow_tasks(work: UnitOfWork, changes: Changes, happening: Happening | None) -> None:
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
            ended = with_last_vote(task, changes).ended(
                TaskState.COMPLETED,
                at=work.at,
                by=work.who.person_id,
                answers=answered.variables,
            )
        else:
            ended = cancelled(task, at=work.at)
        work.tasks.save(ended)

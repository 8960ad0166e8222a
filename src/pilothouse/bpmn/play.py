"""
Play one run in memory, by hand: answers are given, and the clock is moved.

What a simulator and a test need, and a true twin of a store: the state is only what `step` gave.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import AlreadyOverError
from pilothouse.bpmn.happenings import (
    Begin,
    Happening,
    JobBusinessError,
    JobCompleted,
    JobFailed,
    MessageArrived,
    SignalArrived,
    TaskCompleted,
    TimerDue,
)
from pilothouse.bpmn.history import HistoryEntry, HistoryEvent
from pilothouse.bpmn.state import (
    Changes,
    Job,
    JobKind,
    JobStatus,
    Notice,
    RunState,
    Subscription,
    SubscriptionKind,
    UserTask,
)
from pilothouse.bpmn.step import start, step

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import Definition

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


class CountedIds:
    """
    Ids that count up, the same in every play.

    Examples
    --------
    >>> CountedIds()("tkn")
    'tkn_00000001'
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, prefix: str, /) -> str:
        """Give the next id."""
        self.count += 1
        return f"{prefix}_{self.count:08}"


class Play:
    """
    One run of a definition, from its start.

    Elements are named by their ids in the drawing. ``now`` is moved by `advance`, which fires the timers
    that become due on the way, in their order.
    """

    def __init__(
        self,
        definition: Definition,
        variables: Mapping[str, object] | None = None,
        *,
        event: str | None = None,
        at: datetime = NEW_YEAR,
    ) -> None:
        self.definition, self.now, self.ids = definition, at, CountedIds()
        begin = Begin(
            run_id="run_play",
            definition_id=definition.id,
            actor="player",
            event=event,
            variables=variables or {},
        )
        self.history: list[HistoryEntry] = []
        self.notices: list[Notice] = []
        self.state = self._keep(start(definition, begin, at=at, ids=self.ids), None)

    def _keep(self, changes: Changes, before: RunState | None) -> RunState:
        self.history += changes.history
        self.notices += changes.notices
        return (before or RunState(run=changes.run)).after(changes)

    def happen(self, happening: Happening) -> RunState:
        """Let anything happen; what the step raises is raised, and the run stands as before."""
        changes = step(self.definition, self.state, happening, at=self.now, ids=self.ids)
        self.state = self._keep(changes, self.state)
        return self.state

    def at(self, element: str) -> int:
        """Count the tokens that stand at an element."""
        return sum(token.element == element for token in self.state.tokens.values())

    def job(self, element: str) -> Job:
        """Give the oldest job or timer of an element; one that an incident holds only where all are held."""
        jobs = [job for job in self.state.jobs.values() if job.element == element]
        if not jobs:
            raise AlreadyOverError(noun="job of", name=element)
        return min(jobs, key=lambda job: (job.state is JobStatus.INCIDENT, job.id))

    def task(self, element: str) -> UserTask:
        """Give the oldest task of an element."""
        tasks = [task for task in self.state.tasks.values() if task.element == element]
        if not tasks:
            raise AlreadyOverError(noun="task of", name=element)
        return min(tasks, key=lambda task: task.id)

    def subscription(self, element: str) -> Subscription:
        """Give the oldest subscription of an element."""
        found = [s for s in self.heard() if s.element == element]
        if not found:
            raise AlreadyOverError(noun="subscription of", name=element)
        return min(found, key=lambda s: s.id)

    def heard(self) -> list[Subscription]:
        """Give the subscriptions that something can be told: those of messages and signals."""
        waits = self.state.subscriptions.values()
        return [s for s in waits if s.kind is not SubscriptionKind.CONDITION]

    def complete(self, element: str, **variables: object) -> RunState:
        """Complete the job of an element, or its task in the name of ``player``."""
        if any(task.element == element for task in self.state.tasks.values()):
            task = self.task(element)
            return self.happen(TaskCompleted(task_id=task.id, actor="player", variables=variables))
        job = self.job(element)
        return self.happen(JobCompleted(job_id=job.id, attempt=job.attempt, variables=variables))

    def fail(self, element: str, message: str = "it broke", code: str = "broken") -> RunState:
        """Fail the job of an element for a technical reason."""
        job = self.job(element)
        return self.happen(
            JobFailed(job_id=job.id, attempt=job.attempt, message=message, code=code)
        )

    def refuse(self, element: str, code: str, **variables: object) -> RunState:
        """Answer the job of an element with a business error."""
        job = self.job(element)
        return self.happen(
            JobBusinessError(
                job_id=job.id, attempt=job.attempt, code=code, message=code, variables=variables
            )
        )

    def tell(self, element: str, **variables: object) -> RunState:
        """Let the message or signal arrive that an element waits for."""
        subscription = self.subscription(element)
        if subscription.correlation_key is None:
            return self.happen(SignalArrived(subscription_id=subscription.id, variables=variables))
        return self.happen(
            MessageArrived(
                subscription_id=subscription.id,
                message_id=f"message to {subscription.id}",
                variables=variables,
            )
        )

    def advance(self, time: timedelta) -> None:
        """Move the clock, firing each timer at its moment."""
        until = self.now + time
        while True:
            due = [t for t in self._timers() if t.due_at <= until]
            if not due:
                break
            first = min(due, key=lambda t: (t.due_at, t.id))
            self.now = max(self.now, first.due_at)
            self.happen(TimerDue(job_id=first.id))
        self.now = until

    def _timers(self) -> list[Job]:
        return [
            job
            for job in self.state.jobs.values()
            if job.kind is JobKind.TIMER and job.state is JobStatus.READY
        ]

    @property
    def passed(self) -> list[str]:
        """The elements passed or completed so far, in order."""
        gone = (HistoryEvent.PASSED, HistoryEvent.COMPLETED)
        return [str(entry.element) for entry in self.history if entry.event in gone]

    @property
    def variables(self) -> dict[str, object]:
        """The variables of the process scope; those at the end, once the run has ended."""
        if self.state.run.ended_at is not None:
            ended = self.history[-1].data["variables"]
            return dict(ended) if isinstance(ended, Mapping) else {}
        roots = [s.id for s in self.state.scopes.values() if s.parent_id is None]
        return {v.name: v.value for v in self.state.variables.values() if v.scope_id in roots}

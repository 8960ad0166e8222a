"""
The unit of work: one short transaction over everything that the control plane remembers.

A unit is opened for somebody (`who`) at a moment (`at`). What is written through it, the history rows,
the audit rows and the outbox rows among it, is committed together or not at all. Leaving the block without
`commit` rolls back. No unit is held open while something outside the database is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from pilothouse.bpmn.history import HistoryEntry
    from pilothouse.bpmn.state import Changes, Incident, Job, RunState, Subscription
    from pilothouse.domain.access import Grant, Principal, Token
    from pilothouse.domain.datasets import Dataset
    from pilothouse.domain.deployments import Deployment
    from pilothouse.domain.evaluations import Evaluation
    from pilothouse.domain.events import AuditEntry, Change, Event, EventType, Message
    from pilothouse.domain.groups import Group
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.jobs import Job as BatchJob
    from pilothouse.domain.lifecycles import (
        Definition,
        GivenDecision,
        RunHeading,
        StartEvent,
        StartKind,
    )
    from pilothouse.domain.locations import Location
    from pilothouse.domain.models import Model
    from pilothouse.domain.pages import Page
    from pilothouse.domain.people import Person
    from pilothouse.domain.routes import Route
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import ServiceAssignment, Snapshot
    from pilothouse.domain.stages import Stage
    from pilothouse.domain.tasks import Task

T = TypeVar("T")


class Repository(Protocol[T]):
    """
    The rows of one noun.

    `equals` compares columns by the names of the value's fields; a tuple or frozenset means any of these.
    An unknown field name is a programming error (`ValueError`).
    """

    def get(self, key: str) -> T:
        """
        Give the value of that id.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        ...

    def find(self, **equals: object) -> T | None:
        """Give the only value that matches, or None; more than one is a programming error (`ValueError`)."""
        ...

    def all(self, **equals: object) -> tuple[T, ...]:
        """Give every value that matches, by id."""
        ...

    def page(
        self,
        *,
        groups: frozenset[GroupName] | None = None,
        after: str | None = None,
        limit: int = 50,
        newest_first: bool = False,
        **equals: object,
    ) -> Page[T]:
        """
        Give a page of what matches, by id, among these groups (None for all).

        Parameters
        ----------
        after
            A cursor as a former page gave it; a wrong one raises `CursorInvalidError`.
        limit
            1 to 500 values.
        """
        ...

    def add(self, value: T) -> T:
        """
        Write a new value (version 1 where it has one) and give it back.

        Raises
        ------
        AlreadyExistsError
            When the id or another unique column is taken.
        """
        ...

    def save(self, value: T) -> T:
        """
        Write a changed value over the version that it was read at; give it with its next version.

        Raises
        ------
        ConflictError
            When the stored version is another one.
        """
        ...


class History(Protocol):
    """What historic nouns were at any moment; written by their repositories."""

    def at(self, noun: str, *, at: datetime, key: str | None = None) -> tuple[Change, ...]:
        """Give each subject's value that stood at `at`; `key` is the service tag, where the noun has one."""
        ...

    def of(self, noun: str, subject: str) -> tuple[Change, ...]:
        """Give all values of one subject, oldest first."""
        ...


class Audit(Protocol):
    """The record of orders."""

    def record(
        self,
        action: str,
        *,
        noun: str,
        subject: str,
        group: GroupName,
        detail: Mapping[str, object],
    ) -> None:
        """Write that `who` did this at `at`; `detail` holds no secret."""
        ...

    def page(
        self,
        *,
        groups: frozenset[GroupName] | None = None,
        after: str | None = None,
        limit: int = 50,
        **equals: object,
    ) -> Page[AuditEntry]:
        """Give a page, newest first."""
        ...


class Outbox(Protocol):
    """Events for subscribers, each delivered at least once to each of them."""

    def publish(self, event: Event) -> None:
        """Keep the event for everybody who subscribes to its type; for nobody, keep nothing."""
        ...

    def claim(
        self, subscriber: str, *, owner: str, lease_s: float, limit: int
    ) -> tuple[Event, ...]:
        """Lease undelivered events to `owner`; after the lease they can be claimed again."""
        ...

    def delivered(self, subscriber: str, event_id: str) -> None:
        """Remove the event from the subscriber's queue."""
        ...

    def waiting(self) -> Mapping[EventType, int]:
        """Count undelivered events by type."""
        ...


class Messages(Protocol):
    """Messages that wait for their catch, each taken once."""

    def add(self, message: Message) -> bool:
        """Keep a message; False when its id has been seen before."""
        ...

    def take(self, *, group: str, name: str, correlation_key: str) -> Message | None:
        """Give the oldest live message of that name and key and remove it, or None."""
        ...

    def spend(self, message: Message) -> None:
        """Take this very message; it is known until it expires."""
        ...

    def expire(self) -> int:
        """Remove what is past its time; give how many."""
        ...


class Runs(Protocol):
    """The rows of life-cycle runs."""

    def add(self, heading: RunHeading, changes: Changes) -> None:
        """
        Write a new run.

        Raises
        ------
        AlreadyExistsError
            When an active run of the same definition key has the same business key.
        """
        ...

    def load(self, run_id: str) -> RunState:
        """
        Give all rows of a run, with the run locked against other writers until the unit ends.

        Raises
        ------
        NotFoundError
            When there is none.
        """
        ...

    def load_all(
        self, run_ids: Collection[str], *, known: Mapping[str, RunState] = ...
    ) -> Mapping[str, RunState]:
        """
        Give all rows of those of some runs that are there, each locked as by `load`.

        Whatever is `known` of a run and still stands is given back and not read again. It stands while the run's
        own row is the same, and the states, attempts and leases of its jobs are: whoever changes other rows of
        a run writes a step, which changes the run's revision.
        """
        ...

    def write(self, changes: Changes) -> None:
        """
        Write one step.

        Raises
        ------
        ConflictError
            When the stored revision is not the one before the step's.
        """
        ...

    def write_all(self, changes: Sequence[Changes], *, steps: Mapping[str, int] = ...) -> None:
        """
        Write what steps did to several runs, each at most once among `changes`.

        `steps` says of a run, by its id, how many steps were put together; where it says nothing it was one.

        Raises
        ------
        ConflictError
            When the stored revision of a run is not the one before its steps; nothing may be committed then.
        """
        ...

    def due(self, limit: int) -> int:
        """Count the jobs that could be claimed now, at most `limit` of them; nobody is waited for."""
        ...

    def claim(self, *, owner: str, lease_s: float, limit: int) -> tuple[Job, ...]:
        """
        Lease due jobs to `owner`: ready, due, and not leased or past the lease; `attempt` grows by one.

        Concurrent claims never give one job twice (``FOR UPDATE SKIP LOCKED`` on PostgreSQL).
        """
        ...

    def extend(self, job_id: str, *, attempt: int, lease_s: float) -> bool:
        """Lengthen a lease; False when the attempt is not the current one any more."""
        ...

    def release(self, jobs: Sequence[Job]) -> None:
        """Give claimed jobs back at once; one that somebody else has claimed since is left alone."""
        ...

    def next_due(self) -> datetime | None:
        """Say when the earliest ready job is due or its lease ends; None when there is none."""
        ...

    def waiting_for_message(
        self, *, group: str, name: str, correlation_key: str
    ) -> tuple[Subscription, ...]:
        """Give the message subscriptions of that name and key in runs of the group."""
        ...

    def waiting_for_signal(self, *, group: str, name: str) -> tuple[Subscription, ...]:
        """Give the signal subscriptions of that name in runs of the group, suspended ones too."""
        ...

    def under_way(
        self, definition_id: str, *, after: str | None = None, limit: int = 100
    ) -> tuple[str, ...]:
        """Give the ids of the runs of a definition that have not ended, after one, in their order."""
        ...

    def rename(self, heading: RunHeading) -> None:
        """Write which definition a run follows now into its heading."""
        ...

    def history(self, run_id: str, *, after: int = 0, limit: int = 500) -> Sequence[HistoryEntry]:
        """Give a run's history after a sequence number."""
        ...

    def incidents(self, *, groups: frozenset[GroupName] | None = None) -> tuple[Incident, ...]:
        """Give all open incidents, oldest first."""
        ...


class StartEvents(Protocol):
    """The start events that are armed: those of the versions that groups use now."""

    def of(self, *, group: GroupName, key: str) -> tuple[StartEvent, ...]:
        """Give what is armed of exactly this group's life cycle."""
        ...

    def replace(self, events: Iterable[StartEvent], *, group: GroupName, key: str) -> None:
        """Arm these instead of what was armed of the group's life cycle."""
        ...

    def waiting(
        self, kind: StartKind, *, group: GroupName, name: str | None = None
    ) -> tuple[StartEvent, ...]:
        """Give what is armed of a kind, and of a name where it is given, for a group: its own and everybody's."""
        ...

    def claim(self, *, owner: str, lease_s: float, limit: int) -> tuple[StartEvent, ...]:
        """
        Lease timers that are due to `owner`, those due longest first; `attempt` grows by one.

        Concurrent claims never give one timer twice.
        """
        ...

    def fired(self, event: StartEvent, following: StartEvent | None) -> bool:
        """Let a claimed timer go on to its next moment, or go; False when it is not the claimed one any more."""
        ...

    def next_due(self) -> datetime | None:
        """Say when the earliest timer is due or its lease ends; None when there is none."""
        ...


class ExternalJobs(Protocol):
    """The jobs of runs that workers outside the platform do: those that are offered."""

    def waiting(self, topics: Sequence[str], *, group: GroupName) -> bool:
        """Whether a job of one of these topics could be claimed now in runs of the group."""
        ...

    def claim(
        self, topics: Sequence[str], *, group: GroupName, owner: str, lease_s: float, limit: int
    ) -> tuple[Job, ...]:
        """
        Lease offered jobs that are due to `owner`, those due longest first; `attempt` grows by one.

        Concurrent claims never give one job twice.
        """
        ...

    def find(self, job_id: str) -> Job | None:
        """Give an offered job by its id."""
        ...

    def extend(self, job_id: str, *, attempt: int, owner: str, lease_s: float) -> Job | None:
        """Lengthen a lease from now on; None when `owner` does not hold that attempt."""
        ...

    def offered(self) -> tuple[tuple[GroupName, str], ...]:
        """Give each group and topic of which jobs are offered."""
        ...

    def recall(self, topics: Sequence[str], *, group: GroupName) -> int:
        """Take back what is offered of these topics in runs of the group, leases and all; give how many jobs."""
        ...


class Calls(Protocol):
    """Answers to keyed calls (``Idempotency-Key``), kept with what they changed."""

    def answer(self, who: Principal) -> object | None:
        """
        Give the plain result that the same call gave before, or None for a new call.

        Raises
        ------
        KeyReusedError
            When the key came with another request.
        """
        ...


class Leases(Protocol):
    """Named leases: at most one owner at a time, over all processes of the control plane."""

    def acquire(self, name: str, *, owner: str, lease_s: float) -> bool:
        """Take or lengthen a lease; False while somebody else holds it."""
        ...

    def release(self, name: str, *, owner: str) -> None:
        """Give a lease up; giving up what is not held is no error."""
        ...


class UnitOfWork(Protocol):
    """One transaction."""

    @property
    def at(self) -> datetime: ...
    @property
    def who(self) -> Principal: ...
    @property
    def groups(self) -> Repository[Group]: ...
    @property
    def people(self) -> Repository[Person]: ...
    @property
    def grants(self) -> Repository[Grant]: ...
    @property
    def tokens(self) -> Repository[Token]: ...
    @property
    def models(self) -> Repository[Model]: ...
    @property
    def snapshots(self) -> Repository[Snapshot]: ...
    @property
    def assignments(self) -> Repository[ServiceAssignment]: ...
    @property
    def datasets(self) -> Repository[Dataset]: ...
    @property
    def services(self) -> Repository[Service]: ...
    @property
    def stages(self) -> Repository[Stage]: ...
    @property
    def runtimes(self) -> Repository[Runtime]: ...
    @property
    def locations(self) -> Repository[Location]: ...
    @property
    def routes(self) -> Repository[Route]: ...
    @property
    def deployments(self) -> Repository[Deployment]: ...
    @property
    def jobs(self) -> Repository[BatchJob]: ...
    @property
    def evaluations(self) -> Repository[Evaluation]: ...
    @property
    def definitions(self) -> Repository[Definition]: ...
    @property
    def given_decisions(self) -> Repository[GivenDecision]: ...
    @property
    def start_events(self) -> StartEvents: ...
    @property
    def headings(self) -> Repository[RunHeading]: ...
    @property
    def tasks(self) -> Repository[Task]: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def external_jobs(self) -> ExternalJobs: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def history(self) -> History: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def calls(self) -> Calls: ...
    @property
    def leases(self) -> Leases: ...

    def new_id(self, prefix: str) -> str:
        """Give a new sortable id."""
        ...

    def commit(self, result: T) -> T:
        """
        Make everything durable and give `result` back.

        Where `who` made a keyed call, the plain form of `result` is kept with it, in the same transaction.
        """
        ...


class OpenWork(Protocol):
    """Opens units of work."""

    def __call__(self, who: Principal) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that may write; on SQLite it is the only writer from the start."""
        ...

    def reading(self, who: Principal) -> AbstractContextManager[UnitOfWork]:
        """Open a transaction that only reads, with one consistent view."""
        ...

"""The unit of work on a database: one transaction, with a repository for each noun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pilothouse.persistence import nouns
from pilothouse.persistence.audit import SqlAudit
from pilothouse.persistence.calls import SqlCalls
from pilothouse.persistence.external_jobs import SqlExternalJobs
from pilothouse.persistence.history import SqlHistory
from pilothouse.persistence.leases import SqlLeases
from pilothouse.persistence.messages import SqlMessages
from pilothouse.persistence.outbox import SqlOutbox
from pilothouse.persistence.repositories import SqlRepository
from pilothouse.persistence.runs import SqlRuns
from pilothouse.persistence.start_events import SqlStartEvents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pilothouse.domain.access import Grant, Principal, Token
    from pilothouse.domain.datasets import Dataset
    from pilothouse.domain.deployments import Deployment
    from pilothouse.domain.evaluations import Evaluation
    from pilothouse.domain.events import EventType
    from pilothouse.domain.groups import Group
    from pilothouse.domain.jobs import Job
    from pilothouse.domain.lifecycles import Definition, GivenDecision, RunHeading
    from pilothouse.domain.locations import Location
    from pilothouse.domain.models import Model
    from pilothouse.domain.people import Person
    from pilothouse.domain.routes import Route
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import ServiceAssignment, Snapshot
    from pilothouse.domain.stages import Stage
    from pilothouse.domain.tasks import Task
    from pilothouse.persistence.nouns import Noun
    from pilothouse.persistence.transaction import Transaction
    from pilothouse.ports.clock import Ids

T = TypeVar("T")


class SqlUnitOfWork:
    """One transaction; the contract is `pilothouse.ports.unit_of_work.UnitOfWork`."""

    def __init__(
        self,
        transaction: Transaction,
        *,
        subscribers: Mapping[EventType, tuple[str, ...]],
        ids: Ids,
    ) -> None:
        self._transaction, self._subscribers, self._ids = transaction, subscribers, ids

    @property
    def at(self) -> datetime:
        """The moment at which the unit was opened."""
        return self._transaction.at

    @property
    def who(self) -> Principal:
        """Who opened it."""
        return self._transaction.who

    @property
    def groups(self) -> SqlRepository[Group]:
        """The groups, by name."""
        return self._of(nouns.GROUPS)

    @property
    def people(self) -> SqlRepository[Person]:
        """The people."""
        return self._of(nouns.PEOPLE)

    @property
    def grants(self) -> SqlRepository[Grant]:
        """The grants, with their past."""
        return self._of(nouns.GRANTS)

    @property
    def tokens(self) -> SqlRepository[Token]:
        """The tokens."""
        return self._of(nouns.TOKENS)

    @property
    def models(self) -> SqlRepository[Model]:
        """The models."""
        return self._of(nouns.MODELS)

    @property
    def snapshots(self) -> SqlRepository[Snapshot]:
        """The snapshots, written once."""
        return self._of(nouns.SNAPSHOTS)

    @property
    def assignments(self) -> SqlRepository[ServiceAssignment]:
        """The service tags of snapshots, with their past."""
        return self._of(nouns.ASSIGNMENTS)

    @property
    def datasets(self) -> SqlRepository[Dataset]:
        """The datasets."""
        return self._of(nouns.DATASETS)

    @property
    def services(self) -> SqlRepository[Service]:
        """The services, by tag, with their past."""
        return self._of(nouns.SERVICES)

    @property
    def stages(self) -> SqlRepository[Stage]:
        """The stages, by name."""
        return self._of(nouns.STAGES)

    @property
    def runtimes(self) -> SqlRepository[Runtime]:
        """The runtimes, with their past."""
        return self._of(nouns.RUNTIMES)

    @property
    def locations(self) -> SqlRepository[Location]:
        """The locations, with their past."""
        return self._of(nouns.LOCATIONS)

    @property
    def routes(self) -> SqlRepository[Route]:
        """The routes, with their past."""
        return self._of(nouns.ROUTES)

    @property
    def deployments(self) -> SqlRepository[Deployment]:
        """The deployments, with their past."""
        return self._of(nouns.DEPLOYMENTS)

    @property
    def jobs(self) -> SqlRepository[Job]:
        """The batch jobs."""
        return self._of(nouns.JOBS)

    @property
    def evaluations(self) -> SqlRepository[Evaluation]:
        """The evaluations, written once."""
        return self._of(nouns.EVALUATIONS)

    @property
    def definitions(self) -> SqlRepository[Definition]:
        """The life cycles and decision tables."""
        return self._of(nouns.DEFINITIONS)

    @property
    def given_decisions(self) -> SqlRepository[GivenDecision]:
        """Which definitions have which decisions, written once."""
        return self._of(nouns.GIVEN_DECISIONS)

    @property
    def start_events(self) -> SqlStartEvents:
        """The start events that are armed."""
        return SqlStartEvents(self._transaction)

    @property
    def headings(self) -> SqlRepository[RunHeading]:
        """The headings of runs, by run id, written once."""
        return self._of(nouns.HEADINGS)

    @property
    def tasks(self) -> SqlRepository[Task]:
        """The tasks for people, kept after they are done."""
        return self._of(nouns.TASKS)

    @property
    def runs(self) -> SqlRuns:
        """The rows of life-cycle runs."""
        return SqlRuns(self._transaction)

    @property
    def external_jobs(self) -> SqlExternalJobs:
        """The jobs that workers outside the platform do."""
        return SqlExternalJobs(self._transaction)

    @property
    def messages(self) -> SqlMessages:
        """Messages that wait for their catch."""
        return SqlMessages(self._transaction)

    @property
    def history(self) -> SqlHistory:
        """What was, at any moment."""
        return SqlHistory(self._transaction)

    @property
    def audit(self) -> SqlAudit:
        """The record of orders."""
        return SqlAudit(self._transaction, self._ids)

    @property
    def outbox(self) -> SqlOutbox:
        """Events for subscribers."""
        return SqlOutbox(self._transaction, self._subscribers)

    @property
    def calls(self) -> SqlCalls:
        """Answers to keyed calls."""
        return SqlCalls(self._transaction)

    @property
    def leases(self) -> SqlLeases:
        """Named leases."""
        return SqlLeases(self._transaction)

    def new_id(self, prefix: str) -> str:
        """Give a new sortable id."""
        return self._ids.new(prefix)

    def commit(self, result: T) -> T:
        """Make everything durable, keep the answer to a keyed call, and give `result` back."""
        self.calls.keep(result)
        self._transaction.commit()
        return result

    def _of(self, noun: Noun[Any]) -> SqlRepository[Any]:
        return SqlRepository(self._transaction, noun)

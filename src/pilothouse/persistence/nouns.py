"""The nouns that repositories keep: value, table, key, and whether their past is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pilothouse.domain.access import Grant, Token
from pilothouse.domain.datasets import Dataset
from pilothouse.domain.deployments import Deployment
from pilothouse.domain.evaluations import Evaluation
from pilothouse.domain.events import AuditEntry
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
from pilothouse.persistence import tables

if TYPE_CHECKING:
    from sqlalchemy import Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun(Generic[T]):
    """
    What a repository needs to know of a noun.

    Attributes
    ----------
    name
        The word for one of it, in messages and in history rows.
    key
        The column that `get` looks in and that lists are ordered by.
    group
        The column that says whose it is; None where it belongs to no group.
    historic
        Whether every value that it has had is kept with its time.
    service
        The column that holds the service tag by which its past is looked up.
    """

    name: str
    kind: type[T]
    table: Table
    key: str = "id"
    group: str | None = "group"
    historic: bool = False
    service: str | None = None

    @property
    def versioned(self) -> bool:
        """Whether values of this noun change; the others are written once."""
        return "version" in self.table.c

    def key_of(self, value: T) -> str:
        """Give the value's key."""
        return str(getattr(value, self.key))


GROUPS = Noun(name="group", kind=Group, table=tables.groups, key="name", group="name")
PEOPLE = Noun(name="person", kind=Person, table=tables.people, group=None)
GRANTS = Noun(name="grant", kind=Grant, table=tables.grants, historic=True)
TOKENS = Noun(name="token", kind=Token, table=tables.tokens)
MODELS = Noun(name="model", kind=Model, table=tables.models)
SNAPSHOTS = Noun(name="snapshot", kind=Snapshot, table=tables.snapshots)
ASSIGNMENTS = Noun(
    name="assignment",
    kind=ServiceAssignment,
    table=tables.assignments,
    historic=True,
    service="service",
)
DATASETS = Noun(name="dataset", kind=Dataset, table=tables.datasets)
SERVICES = Noun(
    name="service",
    kind=Service,
    table=tables.services,
    key="tag",
    historic=True,
    service="tag",
)
STAGES = Noun(name="stage", kind=Stage, table=tables.stages, key="name", group=None)
RUNTIMES = Noun(name="runtime", kind=Runtime, table=tables.runtimes, historic=True)
LOCATIONS = Noun(name="location", kind=Location, table=tables.locations, historic=True)
ROUTES = Noun(name="route", kind=Route, table=tables.routes, historic=True, service="service")
DEPLOYMENTS = Noun(
    name="deployment",
    kind=Deployment,
    table=tables.deployments,
    historic=True,
    service="service",
)
JOBS = Noun(name="job", kind=Job, table=tables.jobs)
EVALUATIONS = Noun(name="evaluation", kind=Evaluation, table=tables.evaluations)
DEFINITIONS = Noun(name="definition", kind=Definition, table=tables.definitions)
GIVEN_DECISIONS = Noun(name="decision", kind=GivenDecision, table=tables.given_decisions)
HEADINGS = Noun(name="run", kind=RunHeading, table=tables.run_headings, key="run_id")
TASKS = Noun(name="task", kind=Task, table=tables.tasks)
AUDIT = Noun(name="audit entry", kind=AuditEntry, table=tables.audit)

NOUNS: tuple[Noun[Any], ...] = (
    GROUPS,
    PEOPLE,
    GRANTS,
    TOKENS,
    MODELS,
    SNAPSHOTS,
    ASSIGNMENTS,
    DATASETS,
    SERVICES,
    STAGES,
    RUNTIMES,
    LOCATIONS,
    ROUTES,
    DEPLOYMENTS,
    JOBS,
    EVALUATIONS,
    DEFINITIONS,
    GIVEN_DECISIONS,
    HEADINGS,
    TASKS,
)
HISTORIC = frozenset(noun.name for noun in NOUNS if noun.historic)

"""The composition root: the only place where adapters are chosen."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.application.artifacts import Artifacts
from pilothouse.application.audit import Audit
from pilothouse.application.calls import Calls
from pilothouse.application.datasets import Datasets
from pilothouse.application.deployments import Deployments
from pilothouse.application.evaluations import Evaluations
from pilothouse.application.founding import SYSTEM, Founding
from pilothouse.application.groups import Groups
from pilothouse.application.job_runs import JobRuns
from pilothouse.application.jobs import Jobs
from pilothouse.application.leadership import Leadership
from pilothouse.application.load_tests import LoadTests
from pilothouse.application.locations import Locations
from pilothouse.application.models import Models
from pilothouse.application.people import People
from pilothouse.application.reconciliation import PlatformToken, Reconciliation
from pilothouse.application.routes import Routes
from pilothouse.application.runtimes import Runtimes
from pilothouse.application.services import Services
from pilothouse.application.snapshots import Snapshots
from pilothouse.application.stages import Stages
from pilothouse.application.tokens import Tokens
from pilothouse.artifacts import open_store
from pilothouse.connectors.checker import CommandChecker, policy_of
from pilothouse.connectors.installed import InstalledConnectors
from pilothouse.connectors.places import LocalPlaces
from pilothouse.connectors.settings import ConnectorSettings, PredictionLog
from pilothouse.domain.access import TokenKind
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.secrets import parse_reference
from pilothouse.lifecycle.decisions import Decisions
from pilothouse.lifecycle.definitions import Definitions
from pilothouse.lifecycle.event_starts import EventStarts
from pilothouse.lifecycle.executor import Executor
from pilothouse.lifecycle.external_jobs import ExternalJobs
from pilothouse.lifecycle.library import Library
from pilothouse.lifecycle.messages import Messages
from pilothouse.lifecycle.migrations import Migrations
from pilothouse.lifecycle.moving import Moving
from pilothouse.lifecycle.operations import Operations
from pilothouse.lifecycle.people_tasks import Tasks
from pilothouse.lifecycle.runs import Runs
from pilothouse.lifecycle.starting import SUBSCRIBED, SUBSCRIBER, Starting
from pilothouse.lifecycle.tasks.catalogue import known_topics
from pilothouse.lifecycle.tasks.contract import Facilities
from pilothouse.lifecycle.tasks.registry import TaskTypes
from pilothouse.lifecycle.timed_starts import TimedStarts
from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.outgoing.http import GuardedHttp
from pilothouse.outgoing.notifications import AppriseNotifications
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import migrate
from pilothouse.sdk.scoring import ScoringClient
from pilothouse.security.keeping import keep_text, kept_secret
from pilothouse.security.secrets import Secrets
from pilothouse.security.tokens import Mint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pilothouse.artifacts.store import ObstoreArtifacts
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.ports.clock import Clock, Ids
    from pilothouse.ports.connectors import Connectors
    from pilothouse.ports.unit_of_work import OpenWork
    from pilothouse.settings import Settings


PLATFORM_TOKEN = "platform-scoring.token"  # noqa: S105 the name of a file
ADMIN_TOKEN = "admin.token"  # noqa: S105 the name of a file
SUBSCRIBERS = dict.fromkeys(SUBSCRIBED, (SUBSCRIBER,))


class VariableMissingError(InvalidError):
    """An environment variable that runtimes shall get is not set."""

    code = "variable-missing"

    def __init__(self, *, variable: str) -> None:
        self.variable = variable
        super().__init__(
            f"PILOTHOUSE_RUNTIME_VARIABLES names {variable}, which is not set. Set it, or take it off the list."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Everything that the use cases need from outside, chosen."""

    settings: Settings
    clock: Clock
    ids: Ids
    database: Database
    open_work: OpenWork
    store: ObstoreArtifacts
    connectors: Connectors
    places: LocalPlaces
    checker: CommandChecker
    mint: Mint
    platform_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """All use cases, ready: what the API and the worker are built over."""

    settings: Settings
    database: Database
    artifacts: Artifacts
    audit: Audit
    calls: Calls
    datasets: Datasets
    definitions: Definitions
    deployments: Deployments
    evaluations: Evaluations
    event_starts: EventStarts
    external_jobs: ExternalJobs
    founding: Founding
    groups: Groups
    jobs: Jobs
    locations: Locations
    messages: Messages
    models: Models
    people: People
    routes: Routes
    runs: Runs
    operations: Operations
    migrations: Migrations
    runtimes: Runtimes
    services: Services
    snapshots: Snapshots
    stages: Stages
    tasks: Tasks
    tokens: Tokens
    clock: Clock
    leadership: Leadership
    job_runs: JobRuns
    new_executor: Callable[[str], Executor]
    reconciliation: Reconciliation
    starting: Starting
    timed_starts: TimedStarts

    def check_database(self) -> None:
        """Ask the database something, or raise what keeps it from answering."""
        self.stages.listed(SYSTEM)

    def found(self) -> bool:
        """Make what a new home needs, and bring the shipped life cycles up to date; True when it was new."""
        token = self.settings.home / ADMIN_TOKEN
        new = self.founding.found(keep_token=lambda text: keep_text(token, text))
        self.definitions.install_shipped(SYSTEM)
        return new

    def close(self) -> None:
        """Close the database."""
        self.database.dispose()


def choose(settings: Settings) -> Outside:
    """Choose the adapters that the settings ask for, and bring the database up to this version."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock, ids = SystemClock(), SystemIds()
    migrate(settings.database)
    database = Database.connect(settings.database, subscribers=SUBSCRIBERS, clock=clock, ids=ids)
    mint = Mint(ids=ids)
    open_work = database.open_work
    platform_token = kept_secret(
        settings.home / PLATFORM_TOKEN, lambda: mint.mint(TokenKind.SCORING)[0]
    )
    connectors = InstalledConnectors(
        ConnectorSettings(
            home=settings.home,
            artifacts=settings.artifacts,
            clock=clock,
            ids=ids,
            secrets=Secrets(environment=os.environ),
            policy_of=_policies(open_work),
            environment=os.environ,
            granted=_granted(settings.runtime_variables),
            scoring_token=platform_token,
            prediction_log=_prediction_log(settings),
        )
    )
    return Outside(
        settings=settings,
        clock=clock,
        ids=ids,
        database=database,
        open_work=open_work,
        store=open_store(settings.artifacts),
        connectors=connectors,
        places=LocalPlaces(),
        checker=CommandChecker(
            environments=settings.home / "environments",
            scratch=settings.home / "scratch",
            environment=os.environ,
        ),
        mint=mint,
        platform_token=platform_token,
    )


def _granted(names: str) -> dict[str, str]:
    """Give the variables that an operator grants to scoring processes; one that is not set is an error."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    for name in wanted:
        if name not in os.environ:
            raise VariableMissingError(variable=name)
    return {name: os.environ[name] for name in wanted}


def _policies(open_work: OpenWork) -> Callable[[GroupName], ModelPolicy]:
    def policy(group: GroupName) -> ModelPolicy:
        with open_work.reading(SYSTEM) as work:
            return policy_of(work.groups.get(group))

    return policy


def build(settings: Settings) -> ControlPlane:
    """Build the control plane over the adapters that the settings ask for."""
    return assemble(choose(settings))


def assemble(outside: Outside) -> ControlPlane:
    """Build the use cases over adapters that are chosen."""
    work, connectors, home = outside.open_work, outside.connectors, outside.settings.home
    library = Library()
    moving = Moving(library=library, own_topics=known_topics())
    facilities = _facilities(outside, moving)
    lifecycle = _lifecycle(outside, facilities, library=library, moving=moving)
    return ControlPlane(
        settings=outside.settings,
        database=outside.database,
        clock=outside.clock,
        artifacts=Artifacts(
            open_work=work,
            store=outside.store,
            limit_bytes=outside.settings.artifact_limit_bytes,
        ),
        audit=Audit(open_work=work),
        calls=facilities.calls,
        datasets=Datasets(open_work=work, places=outside.places),
        definitions=lifecycle.definitions,
        deployments=facilities.deployments,
        evaluations=facilities.evaluations,
        event_starts=lifecycle.event_starts,
        external_jobs=lifecycle.external_jobs,
        founding=Founding(open_work=work, mint=outside.mint),
        groups=Groups(open_work=work, own_topics=lifecycle.own_topics),
        jobs=facilities.jobs,
        locations=Locations(open_work=work, places=outside.places, home=home),
        messages=lifecycle.messages,
        models=Models(open_work=work),
        people=People(open_work=work),
        routes=Routes(open_work=work),
        runs=lifecycle.runs,
        operations=lifecycle.operations,
        migrations=lifecycle.migrations,
        runtimes=facilities.runtimes,
        services=Services(open_work=work),
        snapshots=Snapshots(
            open_work=work, store=outside.store, checker=outside.checker, scratch=home / "scratch"
        ),
        stages=Stages(open_work=work),
        tasks=lifecycle.tasks,
        tokens=Tokens(open_work=work, mint=outside.mint),
        leadership=Leadership(open_work=work, owner=f"{socket.gethostname()}:{home}"),
        job_runs=JobRuns(open_work=work, connectors=connectors, store=outside.store),
        new_executor=lifecycle.new_executor,
        reconciliation=Reconciliation(
            open_work=work,
            connectors=connectors,
            platform_token=PlatformToken(sha256=outside.mint.fingerprint(outside.platform_token)),
        ),
        starting=lifecycle.starting,
        timed_starts=lifecycle.timed_starts,
    )


def _facilities(outside: Outside, moving: Moving) -> Facilities:
    """Give what task types work with."""
    work, connectors = outside.open_work, outside.connectors
    return Facilities(
        open_work=work,
        clock=outside.clock,
        calls=Calls(open_work=work),
        deployments=Deployments(open_work=work, connectors=connectors),
        jobs=Jobs(open_work=work),
        load_tests=LoadTests(open_work=work, connectors=connectors),
        routes=Routes(open_work=work),
        evaluations=Evaluations(open_work=work),
        runtimes=Runtimes(open_work=work, connectors=connectors),
        decisions=Decisions(open_work=work),
        artifacts=outside.store,
        entries=ScoringClient(token=outside.platform_token),
        runs=Runs(open_work=work, moving=moving),
        outgoing=GuardedHttp(secrets=Secrets(environment=os.environ)),
        notifications=AppriseNotifications(secrets=Secrets(environment=os.environ)),
        results_location=outside.settings.results_location,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lifecycle:
    definitions: Definitions
    runs: Runs
    operations: Operations
    migrations: Migrations
    tasks: Tasks
    messages: Messages
    event_starts: EventStarts
    timed_starts: TimedStarts
    starting: Starting
    external_jobs: ExternalJobs
    own_topics: Collection[str]
    new_executor: Callable[[str], Executor]


def _lifecycle(
    outside: Outside, facilities: Facilities, *, library: Library, moving: Moving
) -> _Lifecycle:
    """Build what moves life cycles."""
    work, task_types = outside.open_work, TaskTypes(facilities)
    owner = f"{socket.gethostname()}:{os.getpid()}:{outside.ids.new('wrk')}"

    def new_executor(name: str) -> Executor:
        return Executor(
            facilities=facilities,
            task_types=task_types,
            moving=moving,
            who=SYSTEM,
            owner=f"{owner}:{name}",
        )

    starts = EventStarts(open_work=work, calls=facilities.calls, moving=moving, library=library)
    return _Lifecycle(
        definitions=Definitions(open_work=work, topics=task_types.topics),
        runs=facilities.runs,
        operations=Operations(open_work=work, moving=moving),
        migrations=Migrations(open_work=work, moving=moving, library=library),
        tasks=Tasks(open_work=work, moving=moving),
        messages=Messages(open_work=work, moving=moving, starts=starts),
        event_starts=starts,
        timed_starts=TimedStarts(
            open_work=work,
            calls=facilities.calls,
            moving=moving,
            library=library,
            who=SYSTEM,
            owner=owner,
        ),
        starting=Starting(
            open_work=work,
            calls=facilities.calls,
            moving=moving,
            library=library,
            who=SYSTEM,
            owner=owner,
        ),
        external_jobs=ExternalJobs(open_work=work, moving=moving, own_topics=task_types.topics),
        own_topics=task_types.topics,
        new_executor=new_executor,
    )


def _prediction_log(settings: Settings) -> PredictionLog | None:
    tables, key = settings.prediction_log, settings.prediction_log_hash_key
    if key:
        parse_reference(key)  # a mistake is told now, and not by every entry later
    return None if tables is None else PredictionLog(tables=tables, hash_key=key)

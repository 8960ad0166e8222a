"""A small company on a real SQLite file, with runtimes, entries and artefacts that are true fakes."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from pilothouse.application.calls import Calls
from pilothouse.application.deployments import Deployments
from pilothouse.application.evaluations import Evaluations
from pilothouse.application.founding import SYSTEM
from pilothouse.application.job_runs import JobRuns
from pilothouse.application.jobs import Jobs
from pilothouse.application.load_tests import LoadTests
from pilothouse.application.reconciliation import PlatformToken, Reconciliation
from pilothouse.application.routes import Routes
from pilothouse.application.runtimes import Runtimes
from pilothouse.application.snapshots import Snapshots
from pilothouse.domain.access import Grant, Principal, Role
from pilothouse.domain.artifacts import ArtifactMissingError
from pilothouse.domain.datasets import Dataset, DatasetRole
from pilothouse.domain.desired import SCHEMA, Observed, ObservedDeployment, ObservedState
from pilothouse.domain.errors import NotSupportedError, UnavailableError
from pilothouse.domain.events import EventType
from pilothouse.domain.groups import Group
from pilothouse.domain.ids import (
    DatasetId,
    GroupName,
    LocationId,
    ModelId,
    PersonId,
    ServiceTag,
    SnapshotId,
    StageName,
)
from pilothouse.domain.jobs import (
    JobKind,
    JobProgress,
    JobReport,
    JobResult,
    JobState,
    JobUnknownError,
    TableFormat,
)
from pilothouse.domain.locations import Location, LocationAccess, Place
from pilothouse.domain.models import Model, RiskTier
from pilothouse.domain.people import Person
from pilothouse.domain.runtimes import Ability, Capabilities, Mode, RuntimeUnreachableError
from pilothouse.domain.schemas import Column, DataType, Schema
from pilothouse.domain.services import Service
from pilothouse.domain.snapshots import FileEntry, Manifest, Snapshot, SnapshotContent
from pilothouse.domain.stages import DEFAULT_PATH, Stage
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
from pilothouse.lifecycle.tasks.contract import Facilities, TaskType
from pilothouse.lifecycle.tasks.registry import TaskTypes
from pilothouse.lifecycle.timed_starts import TimedStarts
from pilothouse.outgoing.http import GuardedHttp
from pilothouse.outgoing.notifications import AppriseNotifications
from pilothouse.persistence.engine import Database
from pilothouse.security.secrets import Secrets
from pilothouse.testing.clock import START, CountingIds, SetClock
from pilothouse.wire.requests import RegisterRuntime
from pilothouse.worker.lifecycles import lifecycle_loops, start_loops
from pilothouse.worker.loop import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from pilothouse.domain.artifacts import StoredArtifact
    from pilothouse.domain.desired import Desired
    from pilothouse.domain.groups import Group as AnyGroup
    from pilothouse.domain.ids import JobId, RuntimeId
    from pilothouse.domain.jobs import JobOrder
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.schemas import Scalar
    from pilothouse.domain.tasks import Task
    from pilothouse.lifecycle.tasks.contract import Outcome, TaskContext
    from pilothouse.ports.checker import CheckedFolder
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.runs import RunView

T = TypeVar("T")
RISK = GroupName("risk")
MODEL = "fraud-gbm"
ONLINE, BATCH = ServiceTag("cc-fraud"), ServiceTag("cc-outreach")
GOLDEN = [{"input": {"amount": a}, "output": {"score": a / 10}} for a in (1.0, 2.5, 1e7)]
GOOD = {"roc_auc": 0.91}
QUICK = {"p50_ms": 2.0, "p99_ms": 9.0, "error_share": 0.0, "rate_per_s": 50.0}


def person(name: str, *roles: Role, group: GroupName = RISK) -> Principal:
    """Give somebody with roles in a group."""
    identity = PersonId(f"per_{name}")
    grants = tuple(
        Grant(
            id=f"grt_{name}_{role}",
            person_id=identity,
            group=group,
            role=role,
            stage=None,
            granted_at=START,
            granted_by=identity,
        )
        for role in roles
    )
    return Principal(person_id=identity, name=name, grants=grants)


ADA = person("ada", Role.MODEL_OWNER, Role.VALIDATOR)  # the author, who validates others' work
VERA = person("vera", Role.VALIDATOR)
VIC = person("vic", Role.VALIDATOR)
OPAL = person("opal", Role.OPERATOR)
BORIS = person("boris", Role.BUSINESS_OWNER)


@dataclass
class FakeArtifacts:
    """Artefacts in memory."""

    files: dict[str, bytes] = field(default_factory=dict)

    def put(self, chunks: Iterable[bytes], *, sha256: str, limit: int | None = None) -> int:
        blob = b"".join(chunks)
        assert hashlib.sha256(blob).hexdigest() == sha256
        assert limit is None or len(blob) <= limit
        self.files.setdefault(sha256, blob)
        return len(blob)

    def get(self, sha256: str) -> Iterator[bytes]:
        if sha256 not in self.files:
            raise ArtifactMissingError(sha256=sha256)
        yield self.files[sha256]

    def size(self, sha256: str) -> int | None:
        return len(self.files[sha256]) if sha256 in self.files else None

    def stored(self) -> Iterator[StoredArtifact]:
        return iter(())

    def remove(self, sha256: str) -> None:
        self.files.pop(sha256, None)

    def keep(self, blob: bytes) -> str:
        sha256 = hashlib.sha256(blob).hexdigest()
        self.put([blob], sha256=sha256)
        return sha256


class NoChecker:
    """Checks nothing: snapshots are put into the database as they are."""

    def check(
        self, folder: Path, *, group: AnyGroup, references: Mapping[str, str]
    ) -> CheckedFolder:
        raise NotSupportedError(f"nothing checks {folder} for {group} with {references} here")


@dataclass
class FakeConnector:
    """
    Runtimes in memory: they run what is desired once it was ensured, and each job ends when it is polled twice.

    `broken` are reasons for which deployments on a runtime fail; `ends` is what the next jobs end with. Load tests
    measure `load`, all other jobs `metrics`, which `measured` may tell apart by snapshot.
    """

    desired: dict[RuntimeId, Desired] = field(default_factory=dict)
    jobs: dict[JobId, int] = field(default_factory=dict)
    orders: list[JobOrder] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    ends: list[JobReport] = field(default_factory=list)
    metrics: dict[str, float | None] = field(default_factory=lambda: dict(GOOD))
    load: dict[str, float | None] = field(default_factory=lambda: dict(QUICK))
    measured: dict[str, dict[str, float | None]] = field(default_factory=dict)
    rows: int = 1000

    def of(self, runtime: Runtime) -> FakeConnector:
        assert runtime.connector == "fake"
        return self

    def check(self, name: str) -> None:
        assert name == "fake"

    def capabilities(self, runtime: Runtime) -> Capabilities:
        return Capabilities(abilities=frozenset(Ability), formats=frozenset({"sklearn"}))

    def ensure(self, runtime: Runtime, desired: Desired) -> None:
        held = self.desired.get(runtime.id)
        if held is None or held.generation < desired.generation:
            self.desired[runtime.id] = desired

    def observe(self, runtime: Runtime) -> Observed:
        held = self.desired.get(runtime.id)
        if held is None:
            raise RuntimeUnreachableError(runtime=runtime.name, problem="it was never started")
        reason = self.broken.get(runtime.name, "")
        state = ObservedState.FAILED if reason else ObservedState.RUNNING
        return Observed(
            schema=SCHEMA,
            runtime_id=runtime.id,
            generation=held.generation,
            process="1",
            started_at=START,
            address=f"http://{runtime.address}",
            deployments=tuple(
                ObservedDeployment(
                    id=d.id, generation=d.generation, digest=d.digest, state=state, reason=reason
                )
                for d in held.deployments
            ),
            routes={r.service: r.generation for r in held.routes},
        )

    def withdraw(self, runtime: Runtime) -> None:
        self.desired.pop(runtime.id, None)

    def run_job(self, runtime: Runtime, order: JobOrder) -> None:
        if order.job_id not in self.jobs:
            self.jobs[order.job_id] = 0
            self.orders.append(order)

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        if job_id not in self.jobs:
            raise JobUnknownError(job=job_id, runtime=runtime.name)
        self.jobs[job_id] += 1
        if self.jobs[job_id] < 2:
            return JobReport(job_id=job_id, state=JobState.RUNNING)
        if self.ends:
            return replace(self.ends.pop(0), job_id=job_id)
        return JobReport(
            job_id=job_id,
            state=JobState.COMPLETE,
            progress=JobProgress(rows_read=self.rows, rows_scored=self.rows),
            result=JobResult.SUCCESS,
            metrics=self._figures(job_id),
        )

    def _figures(self, job_id: JobId) -> dict[str, float | None]:
        [order] = [o for o in self.orders if o.job_id == job_id]
        if order.kind is JobKind.LOAD_TEST:
            return self.load
        return self.measured.get(order.snapshot, self.metrics)

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        self.jobs.pop(job_id, None)

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        """Nothing is held of an ended job."""

    def logs(
        self, runtime: Runtime, *, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        return ()


@dataclass
class FakeEntries:
    """Entries that answer as the golden records say, `off` by so much, or are `away` so many times."""

    off: dict[str, float] = field(default_factory=dict)
    away: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    def infer(
        self,
        url: str,
        *,
        number: int,
        schema: Schema,
        columns: Mapping[str, Sequence[Scalar]],
    ) -> Mapping[str, Sequence[Scalar]]:
        assert set(columns) == {c.name for c in schema.predictors}
        self.calls[f"{url}/versions/{number}"] += 1
        if self.away:
            self.away -= 1
            raise UnavailableError(f"{url} does not answer. Wait for it.", retry_after_s=1.0)
        off = next((by for port, by in self.off.items() if port in url), 0.0)
        return {"score": [float(a or 0) / 10 + off for a in columns["amount"]]}


class Killed(BaseException):
    """The process ends here."""


class MortalWork:
    """Units of work of a process that is killed right before or right after one of its commits."""

    def __init__(self, inner: OpenWork) -> None:
        self._inner = inner
        self.commits = 0
        self.die_at: int | None = None
        self.die_after_commit = False

    @contextmanager
    def __call__(self, who: Principal) -> Iterator[UnitOfWork]:
        with self._inner(who) as work:
            yield _MortalUnit(work, self)

    def reading(self, who: Principal) -> AbstractContextManager[UnitOfWork]:
        return self._inner.reading(who)


class _MortalUnit:
    def __init__(self, work: UnitOfWork, life: MortalWork) -> None:
        self._work, self._life = work, life

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the unit has
        return getattr(self._work, name)

    def commit(self, result: T) -> T:
        life = self._life
        life.commits += 1
        due = life.die_at is not None and life.commits >= life.die_at
        if due and not life.die_after_commit:
            raise Killed
        given = self._work.commit(result)
        if due:
            raise Killed
        return given


@dataclass
class Plane:
    """One control plane's use cases over units of work."""

    open_work: OpenWork
    facilities: Facilities
    definitions: Definitions
    runs: Runs
    tasks: Tasks
    messages: Messages
    runtimes: Runtimes
    event_starts: EventStarts
    timed_starts: TimedStarts
    starting: Starting
    executor: Executor
    worker: Worker
    reconciliation: Reconciliation
    job_runs: JobRuns
    types: TaskTypes
    external_jobs: ExternalJobs
    operations: Operations
    migrations: Migrations

    def works_on(self, topic: str, handle: Callable[[TaskContext], Outcome]) -> None:
        """Install a task type."""
        self.types.topics = {**self.types.topics, topic: None}
        self.types._built[topic] = TaskType(topic=topic, parameters={}, handle=handle)
        self.definitions._topics = self.types.topics

    def work(self) -> None:
        """Start runs and work on their jobs."""
        self.worker.run_once()

    def reconcile(self) -> None:
        """Bring every runtime to what is desired."""
        for runtime in self.reconciliation.runtimes(SYSTEM):
            self.reconciliation.reconcile(SYSTEM, runtime)

    def run_jobs(self) -> None:
        """Bring every batch job a step further."""
        for job in self.job_runs.unended(SYSTEM):
            self.job_runs.advance(SYSTEM, job)


class House:
    """The company: its database, its outside world, its clock, and a control plane."""

    def __init__(self, url: str, scratch: Path) -> None:
        self.clock, self.ids = SetClock(), CountingIds()
        self.connector, self.entries = FakeConnector(), FakeEntries()
        self.artifacts, self.scratch = FakeArtifacts(), scratch
        self.environment: dict[str, str] = {}
        self.database = Database.connect(
            url,
            subscribers=dict.fromkeys(SUBSCRIBED, (SUBSCRIBER,)),
            clock=self.clock,
            ids=self.ids,
        )
        self.plane = self.built(self.database.open_work)
        self._seed()

    def built(self, open_work: OpenWork, owner: str = "worker-1") -> Plane:
        """Build a control plane."""
        calls, library = Calls(open_work=open_work), Library()
        runtimes = Runtimes(open_work=open_work, connectors=self.connector)
        facilities = Facilities(
            open_work=open_work,
            clock=self.clock,
            calls=calls,
            deployments=Deployments(open_work=open_work, connectors=self.connector),
            jobs=Jobs(open_work=open_work),
            load_tests=LoadTests(open_work=open_work, connectors=self.connector),
            routes=Routes(open_work=open_work),
            evaluations=Evaluations(open_work=open_work),
            runtimes=runtimes,
            decisions=Decisions(open_work=open_work),
            artifacts=self.artifacts,
            entries=self.entries,
            runs=Runs(
                open_work=open_work, moving=Moving(library=library, own_topics=known_topics())
            ),
            outgoing=GuardedHttp(secrets=Secrets(environment=self.environment)),
            notifications=AppriseNotifications(secrets=Secrets(environment=self.environment)),
            results_location="lake",
        )
        types = TaskTypes(facilities)
        moving = Moving(library=library, own_topics=types.topics)
        executor = Executor(
            facilities=facilities, task_types=types, moving=moving, who=SYSTEM, owner=owner
        )
        starting = Starting(
            open_work=open_work,
            calls=calls,
            moving=moving,
            library=library,
            who=SYSTEM,
            owner=owner,
        )
        starts = EventStarts(open_work=open_work, calls=calls, moving=moving, library=library)
        timed_starts = TimedStarts(
            open_work=open_work,
            calls=calls,
            moving=moving,
            library=library,
            who=SYSTEM,
            owner=owner,
        )
        messages = Messages(open_work=open_work, moving=moving, starts=starts)
        external_jobs = ExternalJobs(open_work=open_work, moving=moving, own_topics=types.topics)
        loops = lifecycle_loops(
            executors=[executor],
            messages=messages,
            external_jobs=external_jobs,
            who=SYSTEM,
        )
        starting_loops = start_loops(starting=starting, timed_starts=timed_starts)
        return Plane(
            open_work=open_work,
            facilities=facilities,
            definitions=Definitions(open_work=open_work, topics=types.topics),
            runs=Runs(open_work=open_work, moving=moving),
            tasks=Tasks(open_work=open_work, moving=moving),
            messages=messages,
            runtimes=runtimes,
            event_starts=starts,
            timed_starts=timed_starts,
            starting=starting,
            executor=executor,
            worker=Worker((*starting_loops, *loops), clock=self.clock),
            reconciliation=Reconciliation(
                open_work=open_work,
                connectors=self.connector,
                platform_token=PlatformToken(sha256="f" * 64),
            ),
            job_runs=JobRuns(open_work=open_work, connectors=self.connector, store=self.artifacts),
            types=types,
            external_jobs=external_jobs,
            operations=Operations(open_work=open_work, moving=moving),
            migrations=Migrations(open_work=open_work, moving=moving, library=library),
        )

    def _seed(self) -> None:
        with self.database.open_work(SYSTEM) as work:
            for name in (RISK, GroupName("cards")):
                work.groups.add(
                    Group(
                        name=name, title=name, python_source=False, skops_types=(), created_at=START
                    )
                )
            for who in (ADA, VERA, VIC, OPAL, BORIS):
                work.people.add(
                    Person(
                        id=who.person_id,
                        name=who.name,
                        title=who.name,
                        machine=False,
                        created_at=START,
                    )
                )
            for position, stage in enumerate(DEFAULT_PATH, 1):
                production = stage == DEFAULT_PATH[-1]
                work.stages.add(
                    Stage(name=stage, position=position, production=production, created_at=START)
                )
            _seed_data(work)
            _seed_model(work, self.artifacts)
            work.commit(None)
        self.plane.definitions.install_shipped(SYSTEM)

    def add_runtimes(self, *stages: str) -> None:
        """Register a runtime for each stage, for both modes."""
        for stage in stages:
            port = 8101 + DEFAULT_PATH.index(StageName(stage))
            self.plane.runtimes.register(
                OPAL,
                RegisterRuntime(
                    name=f"{stage.lower()}-local",
                    group=RISK,
                    stage=stage,
                    connector="fake",
                    address=f"127.0.0.1:{port}",
                ),
            )

    def take_snapshot(self, number: int = 1) -> Snapshot:
        """Put the next snapshot of the model into the database, taken by Ada."""
        with self.database.open_work(ADA) as work:
            return work.commit(work.snapshots.add(snapshot(number, self.artifacts)))

    def tag(self, name: str = f"{MODEL}@1", service: str = ONLINE) -> None:
        """Tag a snapshot with a service, which starts its life cycle."""
        snapshots = Snapshots(
            open_work=self.database.open_work,
            store=self.artifacts,
            checker=NoChecker(),
            scratch=self.scratch,
        )
        snapshots.tag(ADA, snapshot=name, service=service)

    def turn(self, plane: Plane | None = None, *, first: int = 0) -> None:
        """Let a control plane do all that it can do now, beginning with part 0, 1 or 2; and let a second pass."""
        plane = plane or self.plane
        parts = (plane.work, plane.reconcile, plane.run_jobs)
        for part in (*parts[first:], *parts[:first]):
            part()
        self.clock.advance(timedelta(seconds=1))

    def until(self, there: Callable[[], bool], *, turns: int = 400) -> None:
        """Turn until something holds."""
        for _ in range(turns):
            if there():
                return
            self.turn()
        raise AssertionError(f"not there after {turns} turns; {self.runs_shown()}")

    def runs_shown(self) -> str:
        """Say where all runs stand, for a test that fails."""
        return "; ".join(
            f"{r.heading.definition} {r.state} at {[t.element for t in r.tokens]} {r.incidents}"
            for r in self.plane.runs.page(SYSTEM).items
        )

    def run(self) -> RunView:
        """Give the newest run."""
        newest = self.plane.runs.page(SYSTEM).items[0]
        return self.plane.runs.get(SYSTEM, run_id=newest.heading.run_id)

    def waiting_task(self) -> Task:
        """Turn until a task waits, and give it."""
        self.until(lambda: bool(self.plane.tasks.page(SYSTEM, waiting=True).items))
        return self.plane.tasks.page(SYSTEM, waiting=True).items[0]

    def until_ended(self) -> RunView:
        """Turn until the newest run has ended."""
        self.turn()
        self.until(lambda: self.run().ended_at is not None)
        return self.run()

    def passed(self, run_id: str) -> list[str]:
        """Give the ids of the elements that were completed or passed, in order."""
        history = self.plane.runs.history(SYSTEM, run_id=run_id)
        return [str(h.element) for h in history if h.event in ("completed", "passed")]

    def audited(self, action: str, noun: str) -> list[Mapping[str, object]]:
        """Give the details of audit rows."""
        with self.database.open_work.reading(SYSTEM) as work:
            page = work.audit.page(action=action, noun=noun, limit=500)
        return [entry.detail for entry in page.items]


def snapshot(number: int, artifacts: FakeArtifacts) -> Snapshot:
    """Make a snapshot whose golden records are stored."""
    amount = Column(name="amount", type=DataType.NUMBER)
    golden = "\n".join(json.dumps(record) for record in GOLDEN).encode()
    content = SnapshotContent(
        schema=1,
        manifest=Manifest(
            pilothouse=1,
            name=MODEL,
            format="sklearn",
            files={"model": "model.skops"},
            inputs=Schema(columns=(amount,)),
            outputs=Schema(columns=(Column(name="score", type=DataType.NUMBER),)),
            golden="golden.jsonl",
            description=f"number {number}",
        ),
        files=(FileEntry(path="model.skops", sha256="b" * 64, size=7),),
        lock="c" * 64,
        golden=artifacts.keep(golden),
        reference=None,
        python="3.11",
    )
    return Snapshot(
        id=SnapshotId(f"snp_{number}"),
        group=RISK,
        model_id=ModelId("mod_1"),
        model=MODEL,
        number=number,
        digest=content.digest,
        content=content,
        parents=(),
        taken_at=START,
        taken_by=ADA.person_id,
    )


def _seed_model(work: UnitOfWork, artifacts: FakeArtifacts) -> None:
    work.models.add(
        Model(
            id=ModelId("mod_1"),
            group=RISK,
            name=MODEL,
            owner=ADA.person_id,
            use_case="cards",
            methodology="gbm",
            risk_tier=RiskTier.MEDIUM,
            last_number=1,
            created_at=START,
        )
    )
    work.snapshots.add(snapshot(1, artifacts))
    for tag, mode, lifecycle in (
        (ONLINE, Mode.ONLINE, "promote-online"),
        (BATCH, Mode.BATCH, "batch-only"),
    ):
        work.services.add(
            Service(
                tag=tag,
                group=RISK,
                title=tag,
                mode=mode,
                lifecycle=lifecycle,
                test_dataset="cards@2015",
                owner=BORIS.person_id,
                created_at=START,
            )
        )


def _seed_data(work: UnitOfWork) -> None:
    work.locations.add(
        Location(
            id=LocationId("loc_1"),
            group=RISK,
            name="lake",
            uri="file:///lake",
            access=LocationAccess.READ_WRITE,
            created_at=START,
        )
    )
    work.datasets.add(
        Dataset(
            id=DatasetId("dat_1"),
            group=RISK,
            name="cards",
            dataset_version="2015",
            role=DatasetRole.TEST,
            place=Place(location="lake", path="cards.csv"),
            format=TableFormat.CSV,
            sha256="e" * 64,
            size=12,
            label="fraud",
            registered_by=ADA.person_id,
            created_at=START,
        )
    )


assert EventType.SNAPSHOT_CREATED in SUBSCRIBED

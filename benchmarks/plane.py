"""A whole control plane on a database, with what is outside replaced where its own speed is the question."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.application.deployments import Deployments
from pilothouse.application.founding import SYSTEM
from pilothouse.application.load_tests import LoadTests
from pilothouse.application.reconciliation import PlatformToken, Reconciliation
from pilothouse.application.runtimes import Runtimes
from pilothouse.application.snapshots import Snapshots
from pilothouse.artifacts.store import open_store
from pilothouse.bootstrap import build
from pilothouse.domain.desired import SCHEMA, Observed, ObservedDeployment, ObservedState
from pilothouse.domain.errors import NotSupportedError
from pilothouse.domain.runtimes import Ability, Capabilities, RuntimeUnreachableError
from pilothouse.domain.schemas import Column, ColumnRole, DataType, Schema
from pilothouse.domain.snapshots import FileEntry, Manifest, SnapshotContent
from pilothouse.lifecycle.decisions import Decisions
from pilothouse.lifecycle.executor import Executor
from pilothouse.lifecycle.library import Library
from pilothouse.lifecycle.moving import Moving
from pilothouse.lifecycle.tasks.contract import Done, Facilities, TaskType
from pilothouse.lifecycle.tasks.registry import TaskTypes
from pilothouse.outgoing.http import GuardedHttp
from pilothouse.outgoing.notifications import AppriseNotifications
from pilothouse.ports.checker import CheckedFolder
from pilothouse.sdk.scoring import ScoringClient
from pilothouse.security.secrets import Secrets
from pilothouse.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from pilothouse.artifacts.store import ObstoreArtifacts
    from pilothouse.bootstrap import ControlPlane
    from pilothouse.domain.desired import Desired
    from pilothouse.domain.groups import Group
    from pilothouse.domain.ids import JobId, RuntimeId
    from pilothouse.domain.jobs import JobOrder, JobReport
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.lifecycle.tasks.contract import TaskContext

MODEL, FORMAT, CONNECTOR, NOTHING = "bench-model", "sklearn", "memory", "do-nothing"
LOCK, GOLDEN = b"", b'{"input": {"amount": 1.0}, "output": {"score": 0.1}}\n'


class PreparedChecker:
    """Says what a check would have found, at once; each model file makes another snapshot."""

    def check(self, folder: Path, *, group: Group, references: Mapping[str, str]) -> CheckedFolder:
        """Give content that names the folder's model file."""
        if references:
            raise NotSupportedError(f"no dataset is prepared for {group.name}: {references}")
        model = (folder / "model.skops").read_bytes()
        entry = FileEntry(
            path="model.skops", sha256=hashlib.sha256(model).hexdigest(), size=len(model)
        )
        content = SnapshotContent(
            schema=1,
            manifest=_manifest(),
            files=(entry,),
            lock=hashlib.sha256(LOCK).hexdigest(),
            golden=hashlib.sha256(GOLDEN).hexdigest(),
            reference=None,
            python="3.11",
        )
        return CheckedFolder(content=content, lock=LOCK, golden=GOLDEN, isolation="none")


def _manifest() -> Manifest:
    score = Column(name="score", type=DataType.NUMBER, role=ColumnRole.SCORE)
    return Manifest(
        pilothouse=1,
        name=MODEL,
        format=FORMAT,
        files={"model": "model.skops"},
        inputs=Schema(columns=(Column(name="amount", type=DataType.NUMBER),)),
        outputs=Schema(columns=(score,)),
        golden="golden.jsonl",
    )


@dataclass
class MemoryRuntimes:
    """Connectors and connector in one: runtimes that run whatever is desired as soon as they are told."""

    at: datetime
    desired: dict[RuntimeId, Desired] = field(default_factory=dict)

    def of(self, runtime: Runtime) -> MemoryRuntimes:
        """Give the connector of a runtime: this one."""
        self.check(runtime.connector)
        return self

    def check(self, name: str) -> None:
        """Refuse other connectors."""
        if name != CONNECTOR:
            raise NotSupportedError(f"there is only the connector {CONNECTOR!r} here, not {name!r}")

    def capabilities(self, runtime: Runtime) -> Capabilities:
        """Say what runtimes of this kind can do."""
        inabilities: dict[Ability, str] = {
            a: f"{runtime.name} only pretends to serve" for a in Ability if a is not Ability.ONLINE
        }
        return Capabilities(
            abilities=frozenset({Ability.ONLINE}),
            inabilities=inabilities,
            formats=frozenset({FORMAT}),
        )

    def ensure(self, runtime: Runtime, desired: Desired) -> None:
        """Take a newer desired state."""
        held = self.desired.get(runtime.id)
        if held is None or held.generation < desired.generation:
            self.desired[runtime.id] = desired

    def observe(self, runtime: Runtime) -> Observed:
        """Say that all of it runs."""
        held = self.desired.get(runtime.id)
        if held is None:
            raise RuntimeUnreachableError(runtime=runtime.name, problem="it was never started")
        return Observed(
            schema=SCHEMA,
            runtime_id=runtime.id,
            generation=held.generation,
            process="1",
            started_at=self.at,
            address=f"http://{runtime.address}",
            deployments=tuple(
                ObservedDeployment(
                    id=d.id,
                    generation=d.generation,
                    digest=d.digest,
                    state=ObservedState.RUNNING,
                )
                for d in held.deployments
            ),
            routes={r.service: r.generation for r in held.routes},
        )

    def withdraw(self, runtime: Runtime) -> None:
        """Forget the runtime's state."""
        self.desired.pop(runtime.id, None)

    def run_job(self, runtime: Runtime, order: JobOrder) -> None:
        """Refuse: no job runs here."""
        raise NotSupportedError(f"{runtime.name} runs no jobs, so not {order.job_id}")

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        """Refuse: no job runs here."""
        raise NotSupportedError(f"{runtime.name} runs no jobs, so not {job_id}")

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        """Nothing is there to cancel."""

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        """Nothing is there to clear."""

    def logs(
        self, runtime: Runtime, *, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        """Refuse: nothing is logged here."""
        raise NotSupportedError(f"{runtime.name} logs nothing ({job_id}, {lines} lines)")


class CountingTypes(TaskTypes):
    """Pilothouse's task types and one that does nothing but count, and says when it was done so often."""

    def __init__(self, facilities: Facilities) -> None:
        super().__init__(facilities)
        self.topics = {**self.topics, NOTHING: None}
        self.all_done = threading.Event()
        self._left, self._lock = 0, threading.Lock()

    def expect(self, deliveries: int) -> None:
        """Begin to count."""
        self._left = deliveries
        self.all_done.clear()

    def of(self, topic: str) -> TaskType:
        """Give the task type of a topic."""
        if topic == NOTHING:
            return TaskType(topic=NOTHING, parameters={}, handle=self._handle)
        return super().of(topic)

    def _handle(self, _: TaskContext) -> Done:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                self.all_done.set()
        return Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchPlane:
    """
    A control plane as the composition root builds it, and the few use cases that stand on something else.

    Attributes
    ----------
    real
        Everything on the real outside.
    snapshots
        Over the same database and store, with a checker that knows the answer.
    runtimes, deployments, reconciliation
        Over the same database, with runtimes in memory.
    types, facilities
        What executors need, with the task type that does nothing.
    """

    real: ControlPlane
    store: ObstoreArtifacts
    snapshots: Snapshots
    runtimes: Runtimes
    deployments: Deployments
    reconciliation: Reconciliation
    types: CountingTypes
    facilities: Facilities

    def executor(self, name: str) -> Executor:
        """Give a worker on life-cycle jobs."""
        return Executor(
            facilities=self.facilities,
            task_types=self.types,
            moving=Moving(library=Library(), own_topics=self.types.topics),
            who=SYSTEM,
            owner=name,
        )


def open_plane(home: Path, database_url: str) -> BenchPlane:
    """Build and found a control plane on an empty database; its durability is the product's own."""
    settings = Settings(home=home, database_url=database_url)
    real = build(settings)
    real.found()
    work, store = real.database.open_work, open_store(settings.artifacts)
    memory = MemoryRuntimes(at=real.clock.now())
    facilities = _facilities(real, store, settings, memory)
    return BenchPlane(
        real=real,
        store=store,
        snapshots=Snapshots(
            open_work=work, store=store, checker=PreparedChecker(), scratch=home / "scratch"
        ),
        runtimes=Runtimes(open_work=work, connectors=memory),
        deployments=Deployments(open_work=work, connectors=memory),
        reconciliation=Reconciliation(
            open_work=work, connectors=memory, platform_token=PlatformToken(sha256="f" * 64)
        ),
        types=CountingTypes(facilities),
        facilities=facilities,
    )


def _facilities(
    real: ControlPlane, store: ObstoreArtifacts, settings: Settings, memory: MemoryRuntimes
) -> Facilities:
    no_secrets = Secrets(environment={})
    return Facilities(
        open_work=real.database.open_work,
        clock=real.clock,
        calls=real.calls,
        deployments=real.deployments,
        jobs=real.jobs,
        load_tests=LoadTests(open_work=real.database.open_work, connectors=memory),
        routes=real.routes,
        evaluations=real.evaluations,
        runtimes=real.runtimes,
        decisions=Decisions(open_work=real.database.open_work),
        artifacts=store,
        entries=ScoringClient(token="nothing is scored here"),  # noqa: S106 no token
        runs=real.runs,
        outgoing=GuardedHttp(secrets=no_secrets),
        notifications=AppriseNotifications(secrets=no_secrets),
        results_location=settings.results_location,
    )

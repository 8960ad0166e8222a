"""Load tests: order one on each runtime that a snapshot runs on online."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.application.deployments import RuntimeUnsuitableError
from pilothouse.application.finding import service_tagged, snapshot_named, stage_named
from pilothouse.domain.access import Action
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.endpoints import rest_url
from pilothouse.domain.errors import RefusedError
from pilothouse.domain.ids import JobId
from pilothouse.domain.jobs import Job, JobKind, JobProgress, JobResult, JobState, LoadPlan
from pilothouse.domain.plain import to_plain
from pilothouse.domain.runtimes import Ability, Mode

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.deployments import Deployment
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.ports.connectors import Connectors
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork


class NothingToLoadError(RefusedError):
    """The snapshot does not run online where it shall be tested."""

    code = "nothing-to-load"

    def __init__(self, *, snapshot: str, service: str, stage: str) -> None:
        self.snapshot, self.service, self.stage = snapshot, service, stage
        super().__init__(
            f"Snapshot {snapshot} does not run online for {service} in {stage}, so there is nothing to test. Deploy it "
            "with `--mode online` first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLoadTest:
    """Ask every endpoint of a snapshot for its golden records, at this rate each, for so long."""

    snapshot: str
    service: str
    stage: str
    rate_per_s: float
    duration_s: float
    concurrency: int


class LoadTests:
    """Order load tests; they are looked after and cancelled like every job."""

    def __init__(self, *, open_work: OpenWork, connectors: Connectors) -> None:
        self._open_work, self._connectors = open_work, connectors

    def order(self, who: Principal, wanted: OrderLoadTest) -> tuple[Job, ...]:
        """
        Order a job for each runtime that the snapshot runs on.

        Raises
        ------
        NothingToLoadError
            When it runs on none.
        RuntimeUnsuitableError
            When a runtime cannot run load tests.
        """
        with self._open_work.reading(who) as work:
            runtimes = {d.runtime_id: work.runtimes.get(d.runtime_id) for d in _held(work, wanted)}
        for runtime in runtimes.values():
            self._check_able(runtime, wanted.snapshot)
        with self._open_work(who) as work:
            held = [d for d in _held(work, wanted) if d.runtime_id in runtimes]
            jobs = tuple(_ordered(work, wanted, d, runtimes[d.runtime_id]) for d in held)
            return work.commit(jobs)

    def _check_able(self, runtime: Runtime, snapshot: str) -> None:
        able = self._connectors.of(runtime).capabilities(runtime)
        if Ability.LOAD_TEST not in able.abilities:
            problem = able.inabilities.get(Ability.LOAD_TEST, "it does not run load tests")
            raise RuntimeUnsuitableError(runtime=runtime.name, snapshot=snapshot, problem=problem)


def _held(work: UnitOfWork, wanted: OrderLoadTest) -> tuple[Deployment, ...]:
    snapshot = snapshot_named(work, wanted.snapshot)
    service = service_tagged(work, wanted.service)
    stage = stage_named(work, wanted.stage).name
    work.who.require(Action.RUN_JOB, group=service.group, stage=stage)
    held = work.deployments.all(
        snapshot_id=snapshot.id,
        service=service.tag,
        stage=stage,
        mode=Mode.ONLINE,
        state=DeploymentState.RUNNING,
    )
    if not held:
        raise NothingToLoadError(snapshot=snapshot.name, service=service.tag, stage=stage)
    return held


def _ordered(
    work: UnitOfWork, wanted: OrderLoadTest, deployment: Deployment, runtime: Runtime
) -> Job:
    plan = LoadPlan(
        url=rest_url(runtime.address or "", deployment.service),
        number=deployment.number,
        rate_per_s=wanted.rate_per_s,
        duration_s=wanted.duration_s,
        concurrency=wanted.concurrency,
    )
    job = work.jobs.add(
        Job(
            id=JobId(work.new_id("job")),
            group=deployment.group,
            kind=JobKind.LOAD_TEST,
            service=deployment.service,
            stage=deployment.stage,
            snapshot_id=deployment.snapshot_id,
            snapshot=deployment.snapshot,
            runtime_id=runtime.id,
            source=None,
            source_format=None,
            dataset=None,
            target=None,
            target_format=None,
            label=None,
            columns=(),
            parameters=to_plain(plan),
            state=JobState.CREATED,
            result=JobResult.UNKNOWN,
            progress=JobProgress(),
            metrics={},
            error_code="",
            error="",
            output=None,
            manifest_sha256=None,
            ordered_by=work.who.person_id,
            ordered_at=work.at,
            cause=work.who.cause,
        )
    )
    detail = {"kind": job.kind, "snapshot": job.snapshot, "stage": job.stage, "url": plan.url}
    work.audit.record("order", noun="job", subject=job.id, group=job.group, detail=detail)
    return job

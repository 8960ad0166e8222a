"""Job runs: every ordered job is started on its runtime, watched, and written down, whatever crashes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from pilothouse.application.deployments import RuntimeUnsuitableError
from pilothouse.application.training import plan_of, trained_folder, with_snapshot_ordered
from pilothouse.domain.desired import SCHEMA
from pilothouse.domain.errors import PilothouseError, UnavailableError
from pilothouse.domain.events import Event, EventType
from pilothouse.domain.jobs import (
    FileSource,
    FileTarget,
    Job,
    JobKind,
    JobOrder,
    JobReport,
    JobResult,
    JobState,
    JobStillRunsError,
    JobUnknownError,
    LoadPlan,
)
from pilothouse.domain.plain import from_plain
from pilothouse.domain.runtimes import Ability

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import JobId
    from pilothouse.domain.locations import Place
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.training import TrainedFolder
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.ports.connectors import Connector, Connectors
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

CONCURRENCY = 1
"""Jobs at once on one runtime, where its option `concurrency` says nothing else."""


class JobRuns:
    """Starts and watches jobs; the job's id is the key of every call, so each call may be repeated."""

    def __init__(
        self, *, open_work: OpenWork, connectors: Connectors, store: ArtifactStore
    ) -> None:
        self._open_work = open_work
        self._connectors = connectors
        self._store = store

    def unended(self, who: Principal) -> tuple[JobId, ...]:
        """Give the jobs to look after, oldest first: not ended, or still held by their runtime."""
        kinds = tuple(kind for kind in JobKind if kind is not JobKind.SNAPSHOT)
        with self._open_work.reading(who) as work:
            return tuple(j.id for j in work.jobs.all(kind=kinds, cleared=False))

    def advance(self, who: Principal, job_id: JobId) -> None:
        """Bring one job a step further."""
        with self._open_work.reading(who) as work:
            job = work.jobs.get(job_id)
            if job.cleared or job.runtime_id is None:
                return
            runtime = work.runtimes.get(job.runtime_id)
            order = _order(work, job)
            room = _has_room(work, job, runtime)
        connector = self._connectors.of(runtime)
        if job.state.ended:
            self._clear(who, connector, runtime, job)
            return
        try:
            report = self._report(connector, runtime, job, order, room=room)
        except UnavailableError:
            return  # The reconciler says what is wrong with the runtime; the job waits for it.
        except PilothouseError as problem:
            report = JobReport(
                job_id=job.id,
                state=JobState.FAILED,
                result=JobResult.FAILURE,
                error_code=problem.code,
                error=problem.message,
            )
        if report is not None:
            job = self._record(who, job, *self._came_of(job, report))
        if job.state.ended:
            self._clear(who, connector, runtime, job)

    def _clear(self, who: Principal, connector: Connector, runtime: Runtime, job: Job) -> None:
        """Make the runtime forget the job; after a crash in between, or while it still ends, it is told again."""
        try:
            connector.clear(runtime, job.id)
        except JobStillRunsError:
            return
        with self._open_work(who) as work:
            work.commit(work.jobs.save(replace(work.jobs.get(job.id), cleared=True)))

    def _report(
        self, connector: Connector, runtime: Runtime, job: Job, order: JobOrder, *, room: bool
    ) -> JobReport | None:
        if job.cancel_requested:
            # Even a job that is only created: a crash may have come between its start and the note of it.
            connector.cancel(runtime, job.id)
        elif job.state is JobState.CREATED:
            if not room:
                return None
            _check_able(connector, runtime, job)
            connector.run_job(runtime, order)
        try:
            return connector.poll(runtime, job.id)
        except JobUnknownError:
            if job.cancel_requested:
                return JobReport(job_id=job.id, state=JobState.CANCELLED)
            connector.run_job(runtime, order)
            return connector.poll(runtime, job.id)

    def _came_of(self, job: Job, report: JobReport) -> tuple[JobReport, TrainedFolder | None]:
        """Read what a training left in the store; one that left nothing usable has failed."""
        if job.kind is not JobKind.TRAIN or report.state is not JobState.COMPLETE:
            return report, None
        try:
            return report, trained_folder(self._store, job, report)
        except PilothouseError as problem:
            if isinstance(problem, UnavailableError):
                raise
            failed = replace(
                report,
                state=JobState.FAILED,
                result=JobResult.FAILURE,
                error_code=problem.code,
                error=problem.message,
            )
            return failed, None

    def _record(
        self, who: Principal, job: Job, report: JobReport, trained: TrainedFolder | None
    ) -> Job:
        with self._open_work(who) as work:
            current = work.jobs.get(job.id)
            reported = current.reported(report, at=work.at)
            if reported == current:
                return current
            if trained is not None and not current.state.ended:
                reported = with_snapshot_ordered(work, reported, trained)
            saved = work.jobs.save(reported)
            if saved.state.ended:
                _publish(work, saved)
            return work.commit(saved)


def _check_able(connector: Connector, runtime: Runtime, job: Job) -> None:
    if job.kind is not JobKind.TRAIN:
        return
    able = connector.capabilities(runtime)
    if Ability.TRAIN_JOB not in able.abilities:
        problem = able.inabilities.get(Ability.TRAIN_JOB, "it does not train")
        raise RuntimeUnsuitableError(runtime=runtime.name, snapshot=job.snapshot, problem=problem)


def _publish(work: UnitOfWork, job: Job) -> None:
    work.outbox.publish(
        Event(
            id=work.new_id("evt"),
            type=EventType.JOB_FINISHED,
            group=job.group,
            subject=job.id,
            payload={
                "job": job.id,
                "kind": job.kind.value,
                "state": job.state.value,
                "result": job.result.value,
                "error": job.error_code,
                "service": job.service,
                "stage": job.stage,
                "snapshot": job.snapshot or None,
                "snapshot_id": job.snapshot_id,
                "cause": job.cause,
            },
            at=work.at,
        )
    )


def _has_room(work: UnitOfWork, job: Job, runtime: Runtime) -> bool:
    running = work.jobs.all(runtime_id=runtime.id, state=(JobState.WAITING, JobState.RUNNING))
    limit = int(runtime.options.get("concurrency", CONCURRENCY))
    return sum(j.id != job.id for j in running) < limit


def _order(work: UnitOfWork, job: Job) -> JobOrder:
    snapshot = work.snapshots.get(str(job.snapshot_id))
    load, training = job.kind is JobKind.LOAD_TEST, job.kind is JobKind.TRAIN
    target = None
    if job.target is not None and job.target_format is not None:
        target = FileTarget(
            root=_root(work, job.target), path=job.target.path, format=job.target_format
        )
    return JobOrder(
        schema=SCHEMA,
        job_id=job.id,
        kind=job.kind,
        service=job.service,
        stage=job.stage,
        snapshot=snapshot.name,
        digest=snapshot.digest,
        source=None if load else _source(work, job),
        target=target,
        load=from_plain(LoadPlan, job.parameters) if load else None,
        training=plan_of(job) if training else None,
        dataset=job.dataset,
        label=job.label,
        columns=job.columns,
    )


def _source(work: UnitOfWork, job: Job) -> FileSource:
    source, format_ = job.source, job.source_format
    if source is None or format_ is None:  # the use case that ordered it made sure of both
        raise ValueError(job.id)
    return FileSource(
        root=_root(work, source),
        path=source.path,
        format=format_,
        sha256=_dataset_digest(work, job),
    )


def _dataset_digest(work: UnitOfWork, job: Job) -> str | None:
    if job.dataset is None:
        return None
    name, _, version = job.dataset.partition("@")
    dataset = work.datasets.find(name=name, dataset_version=version)
    return dataset.sha256 if dataset else None


def _root(work: UnitOfWork, place: Place) -> str:
    location = work.locations.find(name=place.location)
    if location is None:
        raise ValueError(place.location)
    return str(PurePosixPath(unquote(urlparse(location.uri).path)))

"""Jobs: order a batch run where the snapshot is deployed, look at it, stop it."""

from __future__ import annotations

import posixpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from pilothouse.application.finding import (
    dataset_named,
    location_named,
    sees,
    service_tagged,
    snapshot_named,
    stage_named,
)
from pilothouse.domain.access import Action
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.errors import DeniedError, InvalidError, NotFoundError, RefusedError
from pilothouse.domain.ids import JobId, StageName
from pilothouse.domain.jobs import Job, JobKind, JobProgress, JobResult, JobState
from pilothouse.domain.locations import LocationRefusedError
from pilothouse.domain.plain import to_plain
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.training import LONGEST_S, TRAIN, NotTrainableError

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.datasets import Dataset
    from pilothouse.domain.ids import RuntimeId
    from pilothouse.domain.jobs import TableFormat
    from pilothouse.domain.locations import Location, Place
    from pilothouse.domain.pages import Page
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import Snapshot
    from pilothouse.domain.training import TrainPlan
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import OrderJob


class JobNotPlacedError(RefusedError):
    """The snapshot is not deployed in batch mode where the job shall run."""

    code = "job-not-placed"

    def __init__(self, *, snapshot: str, service: str, stage: str) -> None:
        self.snapshot, self.service, self.stage = snapshot, service, stage
        super().__init__(
            f"Snapshot {snapshot} is not deployed in batch mode for {service} in {stage}, so no job of it can run "
            "there. Deploy it with `--mode batch` first."
        )


class JobInvalidError(InvalidError):
    """A job's order says too little or too much."""

    code = "job-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(f"The job cannot be ordered: {problem}.")


class BlindDataError(DeniedError):
    """Blind data is used for measuring only."""

    code = "blind-data"

    def __init__(self, *, dataset: str) -> None:
        self.dataset = dataset
        super().__init__(
            f"Dataset {dataset} is blind: only metrics jobs read it, and they give no rows back. Order a metrics "
            "job, or use another dataset."
        )


class Jobs:
    """Order, look at and cancel batch runs."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def order(self, who: Principal, wanted: OrderJob) -> Job:
        """
        Order a batch run on a runtime that holds the snapshot in batch mode.

        Raises
        ------
        JobNotPlacedError
            When no runtime of the stage does.
        JobInvalidError, LocationRefusedError, BlindDataError
            When input or output are not what the kind of job asks for.
        """
        _check_parts(wanted)
        with self._open_work(who) as work:
            snapshot = snapshot_named(work, wanted.snapshot)
            service = service_tagged(work, wanted.service)
            stage = stage_named(work, wanted.stage).name
            who.require(Action.RUN_JOB, group=service.group, stage=stage)
            dataset = dataset_named(work, wanted.dataset) if wanted.dataset else None
            _check_places(work, wanted, dataset)
            if wanted.training is not None:
                _check_training(work, wanted.training, snapshot, service, dataset)
            job = work.jobs.add(
                Job(
                    id=JobId(work.new_id("job")),
                    group=service.group,
                    kind=wanted.kind,
                    service=service.tag,
                    stage=stage,
                    snapshot_id=snapshot.id,
                    snapshot=snapshot.name,
                    runtime_id=_runtime_for(work, snapshot, service, stage),
                    source=dataset.place if dataset else wanted.source,
                    source_format=dataset.format if dataset else wanted.source_format,
                    dataset=dataset.full_name if dataset else None,
                    target=wanted.target,
                    target_format=_target_format(wanted),
                    label=wanted.label or (dataset.label if dataset else None),
                    columns=wanted.columns,
                    parameters=to_plain(wanted.training or {}),
                    state=JobState.CREATED,
                    result=JobResult.UNKNOWN,
                    progress=JobProgress(),
                    metrics={},
                    error_code="",
                    error="",
                    output=None,
                    manifest_sha256=None,
                    ordered_by=who.person_id,
                    ordered_at=work.at,
                    cause=who.cause,
                )
            )
            work.audit.record(
                "order",
                noun="job",
                subject=job.id,
                group=job.group,
                detail={
                    "kind": job.kind,
                    "snapshot": job.snapshot,
                    "stage": stage,
                    "dataset": job.dataset,
                    "source": str(job.source),
                    "target": str(job.target) if job.target else None,
                },
            )
            return work.commit(job)

    def cancel(self, who: Principal, *, job_id: str) -> Job:
        """Ask a job to stop; it leaves no output."""
        with self._open_work(who) as work:
            job = _seen(work, job_id)
            _require_cancel(who, job)
            if job.cancel_requested and not job.state.ended:
                return work.commit(job)
            cancelled = work.jobs.save(job.cancelling())
            work.audit.record("cancel", noun="job", subject=job.id, group=job.group, detail={})
            return work.commit(cancelled)

    def get(self, who: Principal, *, job_id: str) -> Job:
        """Give one job."""
        with self._open_work.reading(who) as work:
            return _seen(work, job_id)

    def page(
        self,
        who: Principal,
        *,
        service: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Job]:
        """List jobs, newest first."""
        equals = {} if service is None else {"service": service}
        with self._open_work.reading(who) as work:
            return work.jobs.page(
                groups=who.readable, after=after, limit=limit, newest_first=True, **equals
            )


def _require_cancel(who: Principal, job: Job) -> None:
    if job.kind is JobKind.SNAPSHOT:
        who.require(Action.TAKE_SNAPSHOT, group=job.group)
    else:
        who.require(Action.RUN_JOB, group=job.group, stage=job.stage)


def _seen(work: UnitOfWork, job_id: str) -> Job:
    found = work.jobs.find(id=job_id)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="job", name=job_id)
    return found


def _check_parts(wanted: OrderJob) -> None:
    if wanted.kind is JobKind.SNAPSHOT:
        raise JobInvalidError(problem="snapshots are taken by their own call, not ordered as jobs")
    if wanted.kind is JobKind.LOAD_TEST:
        problem = "load tests are steps of life cycles (the task type load-test)"
        raise JobInvalidError(problem=problem)
    if (wanted.kind is JobKind.TRAIN) != (wanted.training is not None):
        raise JobInvalidError(problem="a training needs `training`, and no other job has it")
    if (wanted.dataset is None) == (wanted.source is None):
        raise JobInvalidError(
            problem="name either a dataset or a source file, not both and not neither"
        )
    if wanted.source is not None and wanted.source_format is None:
        raise JobInvalidError(problem="a source file needs its format (parquet, csv or jsonl)")
    if (wanted.kind is JobKind.SCORE) != (wanted.target is not None):
        raise JobInvalidError(problem="a score job needs a target, and no other job has one")


def _check_training(
    work: UnitOfWork,
    plan: TrainPlan,
    snapshot: Snapshot,
    service: Service,
    dataset: Dataset | None,
) -> None:
    """Make sure that a training can end as a snapshot: its model's, of data that is registered for training."""
    if TRAIN not in snapshot.content.manifest.entry_points:
        raise NotTrainableError(snapshot=snapshot.name)
    if snapshot.group != service.group:
        work.who.require(Action.TAKE_SNAPSHOT, group=snapshot.group)
    tag = {"snapshot_id": snapshot.id, "service": service.tag, "ended_at": None}
    if plan.tag and work.assignments.find(**tag) is None:
        work.who.require(Action.TAG_SNAPSHOT, group=service.group)
    if dataset is None or dataset.role is not DatasetRole.TRAIN:
        raise JobInvalidError(problem="a training reads a registered dataset of the role train")
    if dataset.group != snapshot.group:
        problem = f"{dataset.full_name} is not a dataset of the model's group, {snapshot.group}"
        raise JobInvalidError(problem=problem)
    if not 0 < plan.timeout_s <= LONGEST_S:
        problem = f"timeout_s is {plan.timeout_s:g}, not above 0 and at most {LONGEST_S:g}"
        raise JobInvalidError(problem=problem)


def _target_format(wanted: OrderJob) -> TableFormat | None:
    return (wanted.target_format or wanted.source_format) if wanted.target else None


def _check_places(work: UnitOfWork, wanted: OrderJob, dataset: Dataset | None) -> None:
    if (
        dataset is not None
        and dataset.role is DatasetRole.BLIND
        and wanted.kind is not JobKind.METRICS
    ):
        raise BlindDataError(dataset=dataset.full_name)
    source = dataset.place if dataset else wanted.source
    if source is not None:
        _check_place(work, source, writing=False)
    if wanted.source is not None and wanted.kind is JobKind.SCORE:
        check_not_blind(work, wanted.source)
    if wanted.target is not None:
        target = _check_place(work, wanted.target, writing=True)
        work.who.require(Action.RUN_JOB, group=target.group, stage=StageName(wanted.stage))
        if wanted.target_format is None and wanted.source_format is None:
            raise JobInvalidError(problem="the target needs a format (parquet, csv or jsonl)")


def check_not_blind(work: UnitOfWork, place: Place) -> None:
    """
    Make sure that a file is not one of the blind datasets under another name.

    Raises
    ------
    BlindDataError
        When it is.
    """
    file = _file(work, place)
    for dataset in work.datasets.all(role=DatasetRole.BLIND):
        if _file(work, dataset.place) == file:
            raise BlindDataError(dataset=dataset.full_name)


def _file(work: UnitOfWork, place: Place) -> PurePosixPath:
    location = work.locations.find(name=place.location)
    root = "" if location is None else unquote(urlparse(location.uri).path)
    return PurePosixPath(posixpath.normpath(posixpath.join(root, place.path)))


def _check_place(work: UnitOfWork, place: Place, *, writing: bool) -> Location:
    location = location_named(work, place.location)
    if not (location.writable if writing else location.readable):
        problem = "it is not registered for " + ("writing" if writing else "reading")
        raise LocationRefusedError(location=location.name, path=place.path, problem=problem)
    return location


def _runtime_for(
    work: UnitOfWork, snapshot: Snapshot, service: Service, stage: StageName
) -> RuntimeId:
    held = work.deployments.all(
        snapshot_id=snapshot.id,
        service=service.tag,
        stage=stage,
        mode=Mode.BATCH,
        state=DeploymentState.RUNNING,
    )
    if not held:
        raise JobNotPlacedError(snapshot=snapshot.name, service=service.tag, stage=stage)
    busy = {d.runtime_id: len(_unended(work, d.runtime_id)) for d in held}
    return min(busy, key=lambda runtime: (busy[runtime], runtime))


def _unended(work: UnitOfWork, runtime_id: RuntimeId) -> tuple[Job, ...]:
    states = tuple(s for s in JobState if not s.ended)
    return work.jobs.all(runtime_id=runtime_id, state=states)

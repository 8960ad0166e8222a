"""Trainings: what a training job has left in the store becomes a snapshot of the same model, by a job of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.application.snapshots import SnapshotParameters, snapshot_job
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.plain import DocumentError, from_plain
from pilothouse.domain.snapshots import Training
from pilothouse.domain.training import TrainedFolder, TrainingOutputError, TrainPlan

if TYPE_CHECKING:
    from pilothouse.domain.jobs import Job, JobReport
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.ports.unit_of_work import UnitOfWork

SNAPSHOT_JOB = "snapshot_job"
"""The parameter of a training job that names the job which takes what came of it."""
LIMIT_BYTES = 4 * 2**20


def plan_of(job: Job) -> TrainPlan:
    """Give what a training job is asked."""
    asked = {name: value for name, value in job.parameters.items() if name != SNAPSHOT_JOB}
    return from_plain(TrainPlan, asked)


def trained_folder(store: ArtifactStore, job: Job, report: JobReport) -> TrainedFolder:
    """
    Read which files came of a training.

    Raises
    ------
    ArtifactMissingError, TrainingOutputError
        When the runtime names nothing that is there, or something else than this job's.
    """
    sha256 = report.manifest_sha256 or ""
    size = store.size(sha256) if sha256 else None
    if size is None or size > LIMIT_BYTES:
        raise TrainingOutputError(path="", problem="the runtime names no model folder in the store")
    try:
        folder = from_plain(TrainedFolder, json.loads(b"".join(store.get(sha256))))
    except (ValueError, DocumentError) as problem:
        raise TrainingOutputError(
            path="", problem=f"its list of files is unreadable ({problem})"
        ) from None
    if folder.job_id != job.id:
        raise TrainingOutputError(path="", problem=f"it is of the job {folder.job_id}")
    missing = [entry.path for entry in folder.files if store.size(entry.sha256) != entry.size]
    if missing:
        raise TrainingOutputError(path=missing[0], problem="the store does not have the file")
    return folder


def with_snapshot_ordered(work: UnitOfWork, job: Job, folder: TrainedFolder) -> Job:
    """Order the snapshot of what came of a training, in the unit that ends the training: once, or not at all."""
    parent = work.snapshots.get(str(job.snapshot_id))
    name, _, version = str(job.dataset).partition("@")
    dataset = work.datasets.find(name=name, dataset_version=version)
    if dataset is None:
        raise NotFoundError(noun="dataset", name=str(job.dataset))
    plan = plan_of(job)
    trained = Training(
        job=job.id,
        parent=parent.name,
        parent_digest=parent.digest,
        dataset=dataset.full_name,
        dataset_sha256=dataset.sha256,
        parameters=plan.parameters,
        seed=plan.seed,
    )
    parameters = SnapshotParameters(
        model=parent.model,
        files=folder.files,
        services=(job.service,) if plan.tag else (),
        trained=trained,
    )
    ordered = work.jobs.add(
        snapshot_job(work, work.models.get(parent.model_id), parameters, by=job.ordered_by)
    )
    work.audit.record(
        "take",
        noun="snapshot",
        subject=ordered.id,
        group=ordered.group,
        detail={"model": parent.model, "services": parameters.services, "training": job.id},
    )
    return replace(job, parameters={**job.parameters, SNAPSHOT_JOB: ordered.id})

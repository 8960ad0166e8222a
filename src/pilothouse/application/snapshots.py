"""Snapshots: taken by a job that checks the folder, tagged with services, never changed."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pilothouse.application.finding import model_named, sees, service_tagged, snapshot_named
from pilothouse.domain.access import Action, Principal
from pilothouse.domain.artifacts import ArtifactMissingError
from pilothouse.domain.errors import ConflictError, NotFoundError, PilothouseError, UnavailableError
from pilothouse.domain.events import Event, EventType
from pilothouse.domain.ids import JobId, ServiceTag, SnapshotId, StageName
from pilothouse.domain.jobs import Job, JobKind, JobProgress, JobResult, JobState
from pilothouse.domain.plain import canonical, from_plain, to_plain
from pilothouse.domain.snapshots import (
    FileEntry,
    ServiceAssignment,
    Snapshot,
    SnapshotRefusedError,
    Training,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.domain.groups import Group
    from pilothouse.domain.ids import PersonId
    from pilothouse.domain.models import Model
    from pilothouse.domain.pages import Page
    from pilothouse.domain.services import Service
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.ports.checker import CheckedFolder, SnapshotChecker
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import TakeSnapshot

MAXIMUM_FILES = 10_000
ABANDONED = timedelta(hours=2)
"""How old a folder of a check is that nobody works in any more: longer than any check takes."""
NO_STAGE = StageName("-")
NO_SERVICE = ServiceTag("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotParameters:
    """What a snapshot job carries in its parameters; `trained` where a training job has ordered it."""

    model: str
    files: tuple[FileEntry, ...]
    services: tuple[str, ...]
    trained: Training | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    job: Job
    parameters: SnapshotParameters
    group: Group
    references: dict[str, str]
    at: datetime


class Snapshots:
    """Take, tag and look up snapshots."""

    def __init__(
        self,
        *,
        open_work: OpenWork,
        store: ArtifactStore,
        checker: SnapshotChecker,
        scratch: Path,
    ) -> None:
        self._open_work = open_work
        self._store = store
        self._checker = checker
        self._scratch = scratch

    def order(self, who: Principal, wanted: TakeSnapshot) -> Job:
        """
        Order a snapshot of uploaded files; the job that is given back checks them and takes it.

        Raises
        ------
        ArtifactMissingError
            When a file was not uploaded.
        """
        _check_files(wanted.files)
        for entry in wanted.files:
            if self._store.size(entry.sha256) != entry.size:
                raise ArtifactMissingError(sha256=entry.sha256)
        with self._open_work(who) as work:
            model = model_named(work, wanted.model)
            who.require(Action.TAKE_SNAPSHOT, group=model.group)
            for tag in wanted.services:
                who.require(Action.TAG_SNAPSHOT, group=service_tagged(work, tag).group)
            parameters = SnapshotParameters(
                model=model.name, files=wanted.files, services=wanted.services
            )
            job = work.jobs.add(snapshot_job(work, model, parameters, by=who.person_id))
            work.audit.record(
                "take",
                noun="snapshot",
                subject=job.id,
                group=model.group,
                detail={"model": model.name, "services": wanted.services},
            )
            return work.commit(job)

    def take(self, who: Principal, job_id: JobId) -> Job:
        """
        Run one snapshot job to its end: check the folder apart, then write the snapshot in one step.

        It may be cut off and repeated at any point: artefacts are put if absent, and number, tags, events
        and the job's end are one transaction.
        """
        begun = self._begun(who, job_id)
        if isinstance(begun, Job):
            return begun
        try:
            checked = self._checked(begun)
            self._keep(checked)
        except PilothouseError as problem:
            return self._failed(who, job_id, problem)
        try:
            done = self._written(who, job_id, begun.parameters, checked)
        except (ConflictError, UnavailableError):
            raise  # Somebody was faster, or the database is busy: the next round takes it up again.
        except PilothouseError as problem:
            return self._failed(who, job_id, problem)
        # A sweep that had listed these artefacts before anything named them may have come between.
        self._keep(checked)
        return done

    def _begun(self, who: Principal, job_id: JobId) -> Job | _Begun:
        """Mark the job as running, and read what its check needs; or end it here."""
        with self._open_work(who) as work:
            job = work.jobs.get(job_id)
            if job.state.ended:
                return job
            if job.cancel_requested:
                return work.commit(_cancelled(work, job))
            if job.state is not JobState.RUNNING:
                job = work.jobs.save(replace(job, state=JobState.RUNNING, started_at=work.at))
            begun = _Begun(
                job=job,
                parameters=from_plain(SnapshotParameters, job.parameters),
                group=work.groups.get(job.group),
                references={d.full_name: d.sha256 for d in work.datasets.all(group=job.group)},
                at=work.at,
            )
            work.commit(job)
            return begun

    def _checked(self, begun: _Begun) -> CheckedFolder:
        self._scratch.mkdir(parents=True, exist_ok=True)
        self._discard_abandoned(older_than=begun.at - ABANDONED)
        folder = Path(tempfile.mkdtemp(prefix=f"{begun.job.id}-", dir=self._scratch))
        try:
            for entry in begun.parameters.files:
                target = folder / entry.path
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as out:
                    for chunk in self._store.get(entry.sha256):
                        out.write(chunk)
            checked = self._checker.check(folder, group=begun.group, references=begun.references)
        finally:
            shutil.rmtree(folder)
        named, ordered = checked.content.manifest.name, begun.parameters.model
        if named != ordered:
            raise SnapshotRefusedError(
                cause="model-differs",
                problem=f"the manifest names the model {named!r} and the order names {ordered!r}; use one name",
            )
        return checked

    def _discard_abandoned(self, *, older_than: datetime) -> None:
        """Remove what killed checks left; a folder that young may be of a check that another process makes."""
        for left in self._scratch.glob("job_*"):
            if left.stat().st_mtime < older_than.timestamp():
                shutil.rmtree(left)

    def _keep(self, checked: CheckedFolder) -> None:
        """Store what the digest names and the upload did not bring, the content itself last."""
        content = checked.content
        for blob, digest in (
            (checked.lock, content.lock),
            (checked.golden, content.golden),
            (canonical(content), content.digest),
        ):
            self._store.put(itertools.repeat(blob, 1), sha256=digest)

    def _failed(self, who: Principal, job_id: JobId, problem: PilothouseError) -> Job:
        code, words = problem.code, problem.message
        if isinstance(problem, SnapshotRefusedError):
            code, words = problem.cause, problem.problem
        with self._open_work(who) as work:
            job = work.jobs.get(job_id)
            if job.state.ended:
                return job
            if job.cancel_requested:
                return work.commit(_cancelled(work, job))
            failed = replace(
                job,
                state=JobState.FAILED,
                result=JobResult.FAILURE,
                error_code=code,
                error=words,
                ended_at=work.at,
            )
            return work.commit(work.jobs.save(failed))

    def _written(
        self, who: Principal, job_id: JobId, parameters: SnapshotParameters, checked: CheckedFolder
    ) -> Job:
        with self._open_work(who) as work:
            job = work.jobs.get(job_id)
            if job.state.ended:
                return job
            if job.cancel_requested:
                return work.commit(_cancelled(work, job))
            author = work.people.get(job.ordered_by)
            model = work.models.find(name=parameters.model)
            if model is None:
                raise SnapshotRefusedError(cause="model-gone", problem="its model is gone")
            snapshot = _numbered(work, model, checked, job, trained=parameters.trained)
            for tag in parameters.services:
                service = service_tagged(work, tag)
                _tagged(work, snapshot, service, by=job.ordered_by)
            work.audit.record(
                "taken",
                noun="snapshot",
                subject=snapshot.id,
                group=snapshot.group,
                detail={
                    "name": snapshot.name,
                    "digest": snapshot.digest,
                    "author": author.name,
                    "services": parameters.services,
                },
            )
            done = work.jobs.save(
                replace(
                    job,
                    state=JobState.COMPLETE,
                    result=JobResult.SUCCESS,
                    snapshot_id=snapshot.id,
                    snapshot=snapshot.name,
                    ended_at=work.at,
                )
            )
            return work.commit(done)

    def tag(self, who: Principal, *, snapshot: str, service: str) -> ServiceAssignment:
        """Tag a snapshot with a service, which starts the service's life cycle; tagging twice changes nothing."""
        with self._open_work(who) as work:
            found, tagged = snapshot_named(work, snapshot), service_tagged(work, service)
            who.require(Action.TAG_SNAPSHOT, group=tagged.group)
            return work.commit(_tagged(work, found, tagged, by=who.person_id))

    def untag(self, who: Principal, *, snapshot: str, service: str) -> ServiceAssignment | None:
        """End a tag: no new deployment of the snapshot for the service; what runs goes on."""
        with self._open_work(who) as work:
            found, tagged = snapshot_named(work, snapshot), service_tagged(work, service)
            who.require(Action.TAG_SNAPSHOT, group=tagged.group)
            assignment = work.assignments.find(
                snapshot_id=found.id, service=tagged.tag, ended_at=None
            )
            if assignment is None:
                return None
            ended = work.assignments.save(replace(assignment, ended_at=work.at))
            work.audit.record(
                "untag",
                noun="snapshot",
                subject=found.id,
                group=found.group,
                detail={"service": tagged.tag},
            )
            return work.commit(ended)

    def get(self, who: Principal, *, name: str) -> Snapshot:
        """Give one snapshot, by ``model@number`` or id."""
        with self._open_work.reading(who) as work:
            return snapshot_named(work, name)

    def services(self, who: Principal, *, name: str) -> tuple[ServiceAssignment, ...]:
        """List a snapshot's tags, ended ones too."""
        with self._open_work.reading(who) as work:
            found = work.assignments.all(snapshot_id=snapshot_named(work, name).id)
        return tuple(a for a in found if sees(who, a.group))

    def page(
        self,
        who: Principal,
        *,
        model: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Snapshot]:
        """List snapshots, newest first, of one model where named."""
        equals = {} if model is None else {"model": model}
        with self._open_work.reading(who) as work:
            return work.snapshots.page(
                groups=who.readable, after=after, limit=limit, newest_first=True, **equals
            )

    def waiting(self, who: Principal) -> tuple[JobId, ...]:
        """Give the snapshot jobs that have not ended, oldest first."""
        unended = tuple(s for s in JobState if not s.ended)
        with self._open_work.reading(who) as work:
            return tuple(j.id for j in work.jobs.all(kind=JobKind.SNAPSHOT, state=unended))


def _check_files(files: tuple[FileEntry, ...]) -> None:
    """Make sure that each path is one file, so that nothing is written over and nothing lies in a file."""
    if not 0 < len(files) <= MAXIMUM_FILES:
        raise SnapshotRefusedError(
            cause="files", problem=f"a snapshot has 1 to {MAXIMUM_FILES} files"
        )
    paths = {entry.path for entry in files}
    if len(paths) != len(files):
        raise SnapshotRefusedError(cause="files", problem="a path stands in the list twice")
    for path in paths:
        inside = next((str(p) for p in PurePosixPath(path).parents if str(p) in paths), None)
        if inside is not None:
            raise SnapshotRefusedError(
                cause="files", problem=f"{inside!r} is a file and the folder of {path!r} at once"
            )


def snapshot_job(
    work: UnitOfWork, model: Model, parameters: SnapshotParameters, *, by: PersonId
) -> Job:
    """Make the job that checks files and takes them as a snapshot."""
    return Job(
        id=JobId(work.new_id("job")),
        group=model.group,
        kind=JobKind.SNAPSHOT,
        service=NO_SERVICE,
        stage=NO_STAGE,
        snapshot_id=None,
        snapshot="",
        runtime_id=None,
        source=None,
        source_format=None,
        dataset=None,
        target=None,
        target_format=None,
        label=None,
        columns=(),
        parameters=to_plain(parameters),
        state=JobState.CREATED,
        result=JobResult.UNKNOWN,
        progress=JobProgress(),
        metrics={},
        error_code="",
        error="",
        output=None,
        manifest_sha256=None,
        ordered_by=by,
        ordered_at=work.at,
        cause=work.who.cause,
    )


def _cancelled(work: UnitOfWork, job: Job) -> Job:
    return work.jobs.save(replace(job, state=JobState.CANCELLED, ended_at=work.at))


def _numbered(
    work: UnitOfWork, model: Model, checked: CheckedFolder, job: Job, *, trained: Training | None
) -> Snapshot:
    """Give the model's snapshot of this digest, with the next number where it is new."""
    content = checked.content
    known = work.snapshots.find(model_id=model.id, digest=content.digest)
    if known is not None:
        return known
    work.models.save(replace(model, last_number=model.last_number + 1))
    parents = tuple(_parent(work, model, name) for name in content.manifest.parents)
    return work.snapshots.add(
        Snapshot(
            id=SnapshotId(work.new_id("snp")),
            group=model.group,
            model_id=model.id,
            model=model.name,
            number=model.last_number + 1,
            digest=content.digest,
            content=content,
            parents=parents,
            taken_at=work.at,
            taken_by=job.ordered_by,
            trained=trained,
        )
    )


def _parent(work: UnitOfWork, model: Model, name: str) -> SnapshotId:
    """Find a parent in the model's own group: the platform, which asks here, sees the others' too."""
    found = snapshot_named(work, name)
    if found.group != model.group:
        raise NotFoundError(noun="snapshot", name=name)
    return found.id


def _tagged(
    work: UnitOfWork, snapshot: Snapshot, service: Service, *, by: str
) -> ServiceAssignment:
    present = work.assignments.find(snapshot_id=snapshot.id, service=service.tag, ended_at=None)
    if present is not None:
        return present
    assignment = work.assignments.add(
        ServiceAssignment(
            id=work.new_id("asg"),
            group=service.group,
            snapshot_id=snapshot.id,
            service=service.tag,
            assigned_at=work.at,
            assigned_by=work.people.get(by).id,
        )
    )
    work.audit.record(
        "tag",
        noun="snapshot",
        subject=snapshot.id,
        group=snapshot.group,
        detail={"service": service.tag, "digest": snapshot.digest},
    )
    work.outbox.publish(
        Event(
            id=work.new_id("evt"),
            type=EventType.SNAPSHOT_CREATED,
            group=service.group,
            subject=snapshot.id,
            payload={
                "snapshot": snapshot.name,
                "snapshot_id": snapshot.id,
                "digest": snapshot.digest,
                "model": snapshot.model,
                "number": snapshot.number,
                "service": service.tag,
                "mode": service.mode.value,
                "author": snapshot.taken_by,
                "group": service.group,
                "test_dataset": service.test_dataset,
                "lifecycle": service.lifecycle,
            },
            at=work.at,
        )
    )
    return assignment

"""Jobs: batch runs, and the orders and reports that pass between the control plane and a runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.desired import Limits
from pilothouse.domain.errors import NotFoundError, RefusedError
from pilothouse.domain.ids import (
    GroupName,
    JobId,
    PersonId,
    RuntimeId,
    ServiceTag,
    SnapshotId,
    StageName,
)
from pilothouse.domain.locations import Place
from pilothouse.domain.training import TrainPlan


class JobKind(StrEnum):
    """What a job does with the snapshot."""

    SNAPSHOT = "snapshot"  # check a model folder and take it as a snapshot
    SCORE = "score"
    METRICS = "metrics"
    TRAIN = "train"
    LOAD_TEST = "load-test"  # of an online deployment; ordered by life cycles


class JobState(StrEnum):
    """Where a job stands; what came of it stands apart, in its result."""

    CREATED = "created"
    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether the job will not move again."""
        return self in (JobState.COMPLETE, JobState.FAILED, JobState.CANCELLED)


class JobResult(StrEnum):
    """What came of a job."""

    UNKNOWN = "unknown"
    SUCCESS = "success"
    PARTIAL = "partial"  # complete, with bad records kept apart
    FAILURE = "failure"


class TableFormat(StrEnum):
    """Files that jobs read and write."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """An input file as a runtime opens it: its location's root and the path below it; `sha256` where known."""

    root: str
    path: str
    format: TableFormat
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTarget:
    """An output folder as a runtime writes it; it appears whole, with its manifest, or not at all."""

    root: str
    path: str
    format: TableFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPlan:
    """
    What a load test asks of an endpoint.

    Attributes
    ----------
    url
        Where the service's model answers.
    number
        The snapshot's, which every request is pinned to.
    rate_per_s
        Requests a second, above 0; they begin at these moments whatever has become of those before.
    duration_s
        For how long, in seconds above 0.
    concurrency
        Connections, each with one request at a time, of 1 or more.
    timeout_s
        After how many seconds a request counts as not answered.
    """

    url: str
    number: int
    rate_per_s: float
    duration_s: float
    concurrency: int
    timeout_s: float = 10.0

    @property
    def requests(self) -> int:
        """How many requests there are to be."""
        return max(1, round(self.rate_per_s * self.duration_s))


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOrder:
    """
    Everything that a runtime needs to run one job.

    `source` is what a score, metrics or training job reads, `load` what a load test asks, `training` what a training is asked,
    `dataset` the name of what it is trained on. `label` names the column of the truth for metrics; `columns` passes input columns through to the output;
    `block_rows` bounds the memory.
    """

    schema: int
    job_id: JobId
    kind: JobKind
    service: ServiceTag
    stage: StageName
    snapshot: str
    digest: str
    source: FileSource | None
    target: FileTarget | None
    load: LoadPlan | None = None
    training: TrainPlan | None = None
    dataset: str | None = None
    label: str | None = None
    columns: tuple[str, ...] = ()
    block_rows: int = 10_000
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job is; `rows_total` is None where the source cannot say."""

    rows_read: int = 0
    rows_scored: int = 0
    rows_rejected: int = 0
    rows_total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReport:
    """What a runtime says of a job: state, progress, and at the end the result, metrics and output manifest."""

    job_id: JobId
    state: JobState
    progress: JobProgress = JobProgress()
    result: JobResult = JobResult.UNKNOWN
    error_code: str = ""
    error: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    output: str | None = None  # path of the published folder, relative to its location
    manifest_sha256: str | None = None


class JobEndedError(RefusedError):
    """The job has ended and cannot be changed."""

    code = "job-ended"

    def __init__(self, *, job: JobId, state: JobState) -> None:
        self.job, self.state = job, state
        super().__init__(f"Job {job} is {state.value} already. Order a new one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One batch run."""

    id: JobId
    group: GroupName
    kind: JobKind
    service: ServiceTag
    stage: StageName
    snapshot_id: SnapshotId | None
    snapshot: str
    runtime_id: RuntimeId | None
    source: Place | None
    source_format: TableFormat | None
    dataset: str | None
    target: Place | None
    target_format: TableFormat | None
    label: str | None
    columns: tuple[str, ...]
    parameters: Mapping[str, object]
    state: JobState
    result: JobResult
    progress: JobProgress
    metrics: Mapping[str, float | None]
    error_code: str
    error: str
    output: str | None
    manifest_sha256: str | None
    ordered_by: PersonId
    ordered_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancel_requested: bool = False
    cause: str = ""  # what made a machine order it, such as "run run_01J…"
    cleared: bool = False  # whether the runtime was told to forget the ended job
    version: int = 1

    def reported(self, report: JobReport, *, at: datetime) -> Job:
        """Take over what the runtime says; an ended job stays as it is."""
        if self.state.ended:
            return self
        started = self.started_at or (None if report.state is JobState.WAITING else at)
        return replace(
            self,
            state=report.state,
            result=report.result,
            progress=report.progress,
            metrics=report.metrics,
            error_code=report.error_code,
            error=report.error,
            output=report.output,
            manifest_sha256=report.manifest_sha256,
            started_at=started,
            ended_at=at if report.state.ended else None,
        )

    def cancelling(self) -> Job:
        """Ask the job to stop."""
        if self.state.ended:
            raise JobEndedError(job=self.id, state=self.state)
        return replace(self, cancel_requested=True)


class JobUnknownError(NotFoundError):
    """A runtime holds nothing of a job."""

    code = "job-unknown"

    def __init__(self, *, job: JobId, runtime: str) -> None:
        self.job, self.runtime = job, runtime
        super().__init__(
            noun="job",
            name=job,
            cure=f"Runtime {runtime} holds nothing of it; it is ordered again by itself.",
        )


class JobStillRunsError(RefusedError):
    """A job that runs cannot be cleared."""

    code = "job-running"

    def __init__(self, *, job: JobId, runtime: str) -> None:
        self.job, self.runtime = job, runtime
        super().__init__(
            f"Job {job} still runs on runtime {runtime}. Wait for its end or cancel it, then clear it."
        )

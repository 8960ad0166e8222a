"""The manifest of a published output: what it is, of what, by whom, and how it can be verified."""

from __future__ import annotations

# The codec reads these annotations while the program runs, so their imports are real.
from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003

from pilothouse.domain.ids import JobId, ServiceTag, StageName  # noqa: TC001
from pilothouse.domain.jobs import JobKind, JobProgress, JobReport, JobResult, JobState, TableFormat
from pilothouse.domain.schemas import DataType  # noqa: TC001

MANIFEST_SCHEMA = 1
MANIFEST_FILE = "_manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputFile:
    """One file of the output: its name in the folder, SHA-256, size in bytes, and records in it."""

    name: str
    sha256: str
    size: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputColumn:
    """One column of the scored table."""

    name: str
    type: DataType


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSource:
    """The file that was read."""

    path: str
    format: TableFormat
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputManifest:
    """
    What stands in ``_manifest.json`` of a published folder.

    Attributes
    ----------
    rows_flagged
        Records that were scored although they break a range or a list of categories, which the schema allows.
    values_coerced
        Values that were converted without loss, as the schema allows.
    """

    schema: int
    job_id: JobId
    kind: JobKind
    service: ServiceTag
    stage: StageName
    snapshot: str
    digest: str
    source: OutputSource
    files: tuple[OutputFile, ...]
    columns: tuple[OutputColumn, ...]
    rows_read: int
    rows_scored: int
    rows_rejected: int
    rows_flagged: int
    values_coerced: int
    metrics: Mapping[str, float | None]
    started_at: datetime
    ended_at: datetime

    def report(self, *, output: str, sha256: str) -> JobReport:
        """
        Give the report of the job that published this.

        Parameters
        ----------
        output
            The published folder, relative to its location.
        sha256
            The digest of the manifest's own file.
        """
        return JobReport(
            job_id=self.job_id,
            state=JobState.COMPLETE,
            progress=JobProgress(
                rows_read=self.rows_read,
                rows_scored=self.rows_scored,
                rows_rejected=self.rows_rejected,
                rows_total=self.rows_read,
            ),
            result=JobResult.PARTIAL if self.rows_rejected else JobResult.SUCCESS,
            metrics=self.metrics,
            output=output,
            manifest_sha256=sha256,
        )

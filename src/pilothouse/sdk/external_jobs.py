"""External jobs: fetch them, keep them, report on them; `pilothouse.sdk.workers` does it all in a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.sdk.nouns import Noun
from pilothouse.sdk.transport import part
from pilothouse.wire.external_jobs import (
    CompleteJob,
    ExtendJob,
    ExternalJob,
    FailJob,
    FetchJobs,
    JobLock,
    JobReceipt,
    PostponeJob,
    Report,
    ThrowError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

PATHS: Mapping[type[Report], str] = {
    CompleteJob: "complete",
    FailJob: "fail",
    ThrowError: "error",
    PostponeJob: "postpone",
}


class ExternalJobs(Noun):
    """Jobs of life cycles that workers outside the platform do."""

    def fetch(self, wanted: FetchJobs) -> tuple[ExternalJob, ...]:
        """Lock jobs for a worker. It is sent a single time: jobs of an answer that is lost come back after their lock."""
        return self._transport.post_once(tuple[ExternalJob, ...], "/external-jobs/fetch", wanted)

    def extend(self, job_id: str, wanted: ExtendJob) -> JobLock:
        """Keep a job for longer. It is sent a single time: the next beat says the same."""
        path = f"/external-jobs/{part(job_id)}/extend"
        return self._transport.post_once(JobLock, path, wanted)

    def report(self, job_id: str, wanted: Report) -> JobReceipt:
        """
        Say what a job came to: done, failed, ended by an error, or not yet.

        Said again, with nothing changed, it is the same report and gets the same answer.
        """
        action = PATHS[type(wanted)]
        return self._transport.post_as(
            JobReceipt,
            f"/external-jobs/{part(job_id)}/{action}",
            wanted,
            key=f"{job_id}/{wanted.attempt}/{action}",
        )

"""Progress out, cancellation in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.jobs import JobProgress, JobReport, JobState
from pilothouse.scoring.batch.errors import JobCancelledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.domain.ids import JobId

PROGRESS_EVERY_S = 0.5


class Watch:
    """
    What a running job tells and asks between two steps.

    Parameters
    ----------
    job_id
        The job.
    tell
        Takes a report of progress.
    cancelled
        Says whether the job shall stop.
    seconds
        Gives seconds that only rise, to pace the telling.
    """

    def __init__(
        self,
        job_id: JobId,
        *,
        tell: Callable[[JobReport], None],
        cancelled: Callable[[], bool],
        seconds: Callable[[], float],
    ) -> None:
        self._job_id, self._tell = job_id, tell
        self._cancelled, self._seconds = cancelled, seconds
        self._told = -PROGRESS_EVERY_S

    def check(self) -> None:
        """
        Go on, or not.

        Raises
        ------
        JobCancelledError
            When the job shall stop.
        """
        if self._cancelled():
            raise JobCancelledError(job=self._job_id)

    def progress(self, progress: JobProgress) -> None:
        """Tell how far the job is, unless that was told just now; and check, as `check` does."""
        self.check()
        now = self._seconds()
        if now - self._told >= PROGRESS_EVERY_S:
            self._told = now
            self._tell(JobReport(job_id=self._job_id, state=JobState.RUNNING, progress=progress))

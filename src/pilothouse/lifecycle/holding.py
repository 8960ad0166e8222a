"""Claimed jobs in the hands of one worker: claimed, held on to, given back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.lifecycle.errors import LeaseLostError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pilothouse.bpmn.state import Job
    from pilothouse.domain.access import Principal
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork


class Holding:
    """
    Claims jobs for one worker and keeps their leases.

    Parameters
    ----------
    owner
        The name of the worker, another one for each thread and process.
    lease_s
        How long a job is out of others' reach after the last sign of life; in seconds above 0.
    """

    def __init__(self, *, open_work: OpenWork, who: Principal, owner: str, lease_s: float) -> None:
        self._open_work, self._who, self._owner = open_work, who, owner
        self.lease_s = lease_s

    def claim(self, work: UnitOfWork, *, limit: int) -> tuple[Job, ...]:
        """Claim what is due, in a unit of work that somebody else commits."""
        return work.runs.claim(owner=self._owner, lease_s=self.lease_s, limit=limit)

    def lengthen(self, job: Job) -> bool:
        """Hold a job for another length of its lease; False when somebody else has it now."""
        with self._open_work(self._who) as work:
            return work.commit(work.runs.extend(job.id, attempt=job.attempt, lease_s=self.lease_s))

    def confirm(self, job: Job) -> None:
        """
        Make sure that a job is still held, and lengthen its lease.

        Raises
        ------
        LeaseLostError
            When somebody else has it now.
        """
        if not self.lengthen(job):
            raise LeaseLostError(job_id=job.id, attempt=job.attempt)

    def still_held(self, job: Job, *, now: datetime) -> bool:
        """Whether a job that has waited for its turn may be begun; one whose lease runs out is confirmed first."""
        if job.lease_until is not None:
            left_s = (job.lease_until - now).total_seconds()
            if left_s > self.lease_s / 2:
                return True
        return self.lengthen(job)

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Let others claim jobs that were not begun."""
        if jobs:
            with self._open_work(self._who) as work:
                work.runs.release(jobs)
                work.commit(None)

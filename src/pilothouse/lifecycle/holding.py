"""Claimed jobs in the hands of one worker: claimed, held on to, given back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.state import JobStatus, RunStatus, changed
from pilothouse.lifecycle.errors import LeaseLostError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from pilothouse.bpmn.state import Changes, Job
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

    def claimed(self, job: Job, *, at: datetime) -> Job:
        """Give a new job as it is once this worker has claimed it."""
        until = at + timedelta(seconds=self.lease_s)
        return changed(job, attempt=job.attempt + 1, lease_owner=self._owner, lease_until=until)

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


class GoingOn:
    """
    The jobs that a worker claims for its next batch, in the unit of work that reports the one before.

    Half of them are jobs that those reports have led to, so that a run goes on where its rows are at hand; they are
    written as claimed ones at once, which saves writing and reading them again. The others are those due longest,
    so that nobody waits for ever; where fewer are due, more go on.

    Parameters
    ----------
    limit
        The most jobs to claim, from 0.
    """

    def __init__(self, holding: Holding, work: UnitOfWork, *, limit: int) -> None:
        self._holding, self._work, self._limit = holding, work, limit
        due = work.runs.due(limit) if limit else 0
        self._room = max(limit // 2, limit - due)
        self._jobs: dict[str, Job] = {}

    def taken(self, changes: Changes) -> Changes:
        """Give what a step did, with as many of its new jobs claimed as there is room for."""
        if not self._room or changes.run.state is not RunStatus.ACTIVE:
            return changes
        jobs = tuple(self._taken(job) for job in changes.added.jobs)
        if jobs == changes.added.jobs:
            return changes
        return changed(changes, added=changed(changes.added, jobs=jobs))

    def _taken(self, job: Job) -> Job:
        at = self._work.at
        if not self._room or job.state is not JobStatus.READY or job.due_at > at:
            return job
        self._room -= 1
        self._jobs[job.id] = taken = self._holding.claimed(job, at=at)
        return taken

    def all(self, written: Collection[str]) -> tuple[Job, ...]:
        """
        Claim the others, and give all of them, those due longest first.

        Parameters
        ----------
        written
            The ids of the jobs of the runs that have been moved: a later step may have removed what an earlier one
            led to.
        """
        going_on = [job for job in self._jobs.values() if job.id in written]
        left = self._limit - len(going_on)
        others = self._holding.claim(self._work, limit=left) if left else ()
        return (*others, *going_on)

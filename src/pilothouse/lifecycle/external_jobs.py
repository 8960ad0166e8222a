"""
External jobs: workers outside the platform fetch them, keep them, and say what they came to.

A worker holds a job by its name, its person and the attempt of its lock, all of them: what comes late, or from
somebody else, is refused and changes nothing. A worker that is never heard of again loses the job when its lock
ends.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.happenings import JobBusinessError, JobCompleted, JobFailed, JobPostponed
from pilothouse.bpmn.state import JobStatus
from pilothouse.domain.access import Action
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.external_jobs import (
    JobNotHeldError,
    RetriesRaisedError,
    TopicNotExternalError,
)
from pilothouse.domain.ids import GroupName
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.moving import persistent
from pilothouse.wire.external_jobs import (
    CompleteJob,
    ExternalJob,
    FailJob,
    JobLock,
    JobReceipt,
    PostponeJob,
    Report,
    ThrowError,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from pilothouse.bpmn.happenings import Happening
    from pilothouse.bpmn.state import Job, RunState
    from pilothouse.domain.access import Principal
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.external_jobs import ExtendJob, FetchJobs

log = logging.getLogger(__name__)
HELD = frozenset({JobStatus.OFFERED, JobStatus.SUSPENDED})
ACTIONS: Mapping[type[Report], str] = {
    CompleteJob: "complete",
    FailJob: "fail",
    ThrowError: "throw-error",
    PostponeJob: "postpone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A job that the caller holds, with its run."""

    job: Job
    state: RunState
    heading: RunHeading


class ExternalJobs:
    """
    Give jobs to workers outside the platform and take their reports.

    Parameters
    ----------
    own_topics
        The topics that task types of the platform work on; no worker outside gets jobs of them.
    """

    def __init__(self, *, open_work: OpenWork, moving: Moving, own_topics: Collection[str]) -> None:
        self._open_work = open_work
        self._moving = moving
        self._own_topics = own_topics

    def fetch(self, who: Principal, wanted: FetchJobs) -> tuple[ExternalJob, ...]:
        """
        Lock jobs of some topics for a worker, those due longest first; none where none waits.

        Raises
        ------
        ActionDeniedError
            When the caller is no worker of the group.
        TopicNotExternalError
            When the group does not give one of the topics to workers outside.
        """
        group = GroupName(wanted.group)
        who.require(Action.WORK_ON_JOBS, group=group)
        with self._open_work.reading(who) as work:
            self._check_topics(work, wanted)
            if not work.external_jobs.waiting(wanted.topics, group=group):
                return ()  # nobody is kept from writing by workers that wait
        with self._open_work(who) as work:
            jobs = work.external_jobs.claim(
                wanted.topics,
                group=group,
                owner=_owner(who, wanted.worker),
                lease_s=wanted.lock_s,
                limit=wanted.most,
            )
            return work.commit(tuple(_shown(work, job) for job in jobs)) if jobs else ()

    def _check_topics(self, work: UnitOfWork, wanted: FetchJobs) -> None:
        given = work.groups.get(wanted.group).external_topics
        allowed = tuple(topic for topic in given if topic not in self._own_topics)
        refused = tuple(topic for topic in wanted.topics if topic not in allowed)
        if refused:
            raise TopicNotExternalError(topics=refused, group=wanted.group, allowed=allowed)

    def extend(self, who: Principal, *, job_id: str, wanted: ExtendJob) -> JobLock:
        """
        Keep a job for longer.

        Raises
        ------
        JobNotHeldError
            When the worker does not hold that attempt any more.
        """
        with self._open_work(who) as work:
            job = work.external_jobs.extend(
                job_id,
                attempt=wanted.attempt,
                owner=_owner(who, wanted.worker),
                lease_s=wanted.lock_s,
            )
            if job is None or not _works_for(who, work.headings.get(job.run_id)):
                raise JobNotHeldError(job=job_id, worker=wanted.worker, attempt=wanted.attempt)
            return work.commit(JobLock(id=job.id, locked_until=_until(job)))

    def report(self, who: Principal, *, job_id: str, wanted: Report) -> JobReceipt:
        """
        Take what a worker says of a job that it holds.

        Raises
        ------
        JobNotHeldError
            When the worker does not hold that attempt any more; then nothing is changed.
        RetriesRaisedError
            When it leaves more tries than the life cycle does.
        InvalidError
            When what it gives cannot be kept as variables; the job stays its own.
        """
        return persistent(lambda: self._reported(who, job_id, wanted))

    def recall_orphans(self, who: Principal) -> int:
        """
        Take back offered jobs whose topics no worker may fetch any more; give how many.

        A step and a change of the policy at one moment can leave such jobs behind, and so can a package that brings
        a task type for the topic. The executor does them then, or says by incidents that nobody can.
        """
        with self._open_work.reading(who) as work:
            orphans = [pair for pair in work.external_jobs.offered() if not self._given(work, pair)]
        if not orphans:
            return 0
        with self._open_work(who) as work:
            recalled = sum(work.external_jobs.recall((t,), group=group) for group, t in orphans)
            log.warning("%d offered jobs are taken back: nobody may fetch %s", recalled, orphans)
            return work.commit(recalled)

    def _given(self, work: UnitOfWork, pair: tuple[GroupName, str]) -> bool:
        group, topic = pair
        given = work.groups.get(group).external_topics
        return topic in given and topic not in self._own_topics

    def _reported(self, who: Principal, job_id: str, wanted: Report) -> JobReceipt:
        with self._open_work(who) as work:
            held = _held(work, job_id, wanted)
            state = self._moving.take(
                work, _with_retries(held, wanted), _happening(held.job, wanted, at=work.at)
            )
            _audit(work, held, wanted)
            return work.commit(
                JobReceipt(id=job_id, run_id=state.run.id, run_state=state.run.state)
            )


def _owner(who: Principal, worker: str) -> str:
    return f"{who.person_id}:{worker}"


def _works_for(who: Principal, heading: RunHeading) -> bool:
    return who.may(Action.WORK_ON_JOBS, group=heading.group)


def _held(work: UnitOfWork, job_id: str, wanted: Report) -> _Held:
    """Load a job's run under its lock, and make sure that the caller holds the job then."""
    refusal = JobNotHeldError(job=job_id, worker=wanted.worker, attempt=wanted.attempt)
    found = work.external_jobs.find(job_id)
    if found is None:
        raise refusal
    heading = work.headings.get(found.run_id)
    try:
        state = work.runs.load(found.run_id)
    except NotFoundError:
        raise refusal from None
    job = state.jobs.get(job_id)
    if job is None or not _works_for(work.who, heading):
        raise refusal
    holds = (job.attempt, job.lease_owner)
    if job.state not in HELD or holds != (wanted.attempt, _owner(work.who, wanted.worker)):
        raise refusal
    return _Held(job=job, state=state, heading=heading)


def _with_retries(held: _Held, wanted: Report) -> RunState:
    """Give the run with so many tries left to the job as its worker leaves, before this failure costs one."""
    if not isinstance(wanted, FailJob) or wanted.retries is None:
        return held.state
    left = max(held.job.retries_left - 1, 0)
    if wanted.retries > left:
        raise RetriesRaisedError(job=held.job.id, retries=wanted.retries, left=left)
    job = replace(held.job, retries_left=wanted.retries + 1)
    return replace(held.state, jobs={**held.state.jobs, job.id: job})


def _happening(job: Job, wanted: Report, *, at: datetime) -> Happening:
    match wanted:
        case CompleteJob(attempt=attempt, variables=variables):
            return JobCompleted(job_id=job.id, attempt=attempt, variables=variables)
        case FailJob(attempt=attempt, message=message, code=code, retry_in_s=pause_s):
            retry_at = None if pause_s is None else at + timedelta(seconds=pause_s)
            return JobFailed(
                job_id=job.id, attempt=attempt, message=message, code=code, retry_at=retry_at
            )
        case ThrowError(attempt=attempt, code=code, message=message, variables=variables):
            return JobBusinessError(
                job_id=job.id, attempt=attempt, code=code, message=message, variables=variables
            )
        case PostponeJob(attempt=attempt, after_s=after_s):
            due_at = at + timedelta(seconds=after_s)
            return JobPostponed(job_id=job.id, attempt=attempt, due_at=due_at)


def _audit(work: UnitOfWork, held: _Held, wanted: Report) -> None:
    """Keep whose word moved a run; of variables their names and digest, since their values are the run's."""
    detail: dict[str, object] = {
        "run": held.job.run_id,
        "element": held.job.element,
        "topic": held.job.topic,
        "worker": wanted.worker,
        "attempt": wanted.attempt,
    }
    if isinstance(wanted, CompleteJob | ThrowError):
        detail |= {"variables": sorted(wanted.variables), "sha256": digest(wanted.variables)}
    if isinstance(wanted, FailJob | ThrowError):
        detail |= {"code": wanted.code, "message": wanted.message}
    work.audit.record(
        ACTIONS[type(wanted)],
        noun="external-job",
        subject=held.job.id,
        group=held.heading.group,
        detail=detail,
    )


def _until(job: Job) -> datetime:
    if job.lease_until is None:
        raise ValueError(f"the claimed job {job.id} has no lease")
    return job.lease_until


def _shown(work: UnitOfWork, job: Job) -> ExternalJob:
    heading = work.headings.get(job.run_id)
    return ExternalJob(
        id=job.id,
        attempt=job.attempt,
        topic=job.topic or "",
        run_id=job.run_id,
        definition=heading.definition,
        element=job.element,
        group=heading.group,
        service=heading.service,
        snapshot=heading.snapshot,
        digest=heading.digest,
        variables=job.inputs,
        headers=job.headers,
        retries_left=job.retries_left,
        failures=job.failures,
        created_at=job.created_at,
        locked_until=_until(job),
    )

"""
The executor: claims due jobs of runs, calls their handlers outside any transaction, and reports by a step.

It may be killed at any instant. A job that was claimed is claimed again when its lease is over; its handler makes
sure rather than does; a report on an attempt that is not the current one is refused by the step, and dropped.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import AlreadyOverError, StaleAttemptError
from pilothouse.bpmn.happenings import (
    JobBusinessError,
    JobCompleted,
    JobFailed,
    JobPostponed,
    TimerDue,
)
from pilothouse.bpmn.state import JobKind
from pilothouse.domain.errors import InvalidError, PilothouseError, UnavailableError
from pilothouse.domain.runtimes import NoRuntimeError
from pilothouse.lifecycle.acting import acting_for
from pilothouse.lifecycle.errors import LeaseLostError
from pilothouse.lifecycle.heartbeat import Heartbeat
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Later,
    TaskContext,
    check_inputs,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.bpmn.happenings import Happening
    from pilothouse.bpmn.state import Job
    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.moving import Moving
    from pilothouse.lifecycle.tasks.contract import Facilities, Outcome
    from pilothouse.lifecycle.tasks.registry import TaskTypes
    from pilothouse.ports.unit_of_work import OpenWork

CRASHED = "task-crashed"
PATIENCE_S = 120.0
"""How old a job may grow while what it needs is away for a moment (a process that starts again) at no cost."""
LONGEST_WAIT_S = 5.0
log = logging.getLogger(__name__)


class Executor:
    """
    Works on the jobs and timers of runs.

    Parameters
    ----------
    who
        The platform.
    owner
        The name of this worker, another one for each thread and process.
    lease_s
        How long a job is out of others' reach after the last sign of life; in seconds above 0.
    """

    def __init__(
        self,
        *,
        facilities: Facilities,
        task_types: TaskTypes,
        moving: Moving,
        who: Principal,
        owner: str,
        lease_s: float = 10.0,
    ) -> None:
        self._facilities = facilities
        self._task_types = task_types
        self._moving = moving
        self._who = who
        self._owner = owner
        self._lease_s = lease_s

    @property
    def _open_work(self) -> OpenWork:
        return self._facilities.open_work

    def run_once(self) -> bool:
        """Work on one due job or timer; False when there is none."""
        job = self._claimed()
        if job is None:
            return False
        happening = self._happening(job)
        if happening is not None:
            self._report(job, happening)
        return True

    def next_due(self) -> datetime | None:
        """Say when the next job is due."""
        with self._open_work.reading(self._who) as work:
            return work.runs.next_due()

    def _claimed(self) -> Job | None:
        due = self.next_due()
        if due is None or due > self._facilities.clock.now():
            return None  # nobody is kept from writing by idle workers
        with self._open_work(self._who) as work:
            jobs = work.commit(work.runs.claim(owner=self._owner, lease_s=self._lease_s, limit=1))
        return jobs[0] if jobs else None

    def _happening(self, job: Job) -> Happening | None:
        if job.kind is JobKind.TIMER:
            return TimerDue(job_id=job.id)
        try:
            outcome = self._handled(job)
        except LeaseLostError as error:
            log.warning("%s", error)
            return None
        except UnavailableError as error:
            return self._unavailable(job, error)
        except PilothouseError as error:
            return _failed(job, error.code, error.message)
        # A handler is anybody's code: whatever it raises is the job's failure, never the worker's.
        except Exception as error:
            log.exception("the task type %s crashed on job %s", job.topic, job.id)
            return _failed(job, CRASHED, f"{type(error).__name__}: {error}")
        return self._outcome_happening(job, outcome)

    def _unavailable(self, job: Job, error: UnavailableError) -> Happening:
        """Wait for what may come back by itself; a missing runtime does not, so it costs a retry at once."""
        now = self._facilities.clock.now()
        waited_s = (now - job.created_at).total_seconds()
        if isinstance(error, NoRuntimeError) or waited_s > PATIENCE_S:
            return _failed(job, error.code, error.message)
        log.warning("job %s of %s waits: %s", job.id, job.run_id, error)
        due_at = now + timedelta(seconds=min(error.retry_after_s, LONGEST_WAIT_S))
        return JobPostponed(job_id=job.id, attempt=job.attempt, due_at=due_at)

    def _handled(self, job: Job) -> Outcome:
        task_type = self._task_types.of(job.topic or "")
        check_inputs(task_type, job.inputs)
        beat = Heartbeat(open_work=self._open_work, who=self._who, job=job, lease_s=self._lease_s)
        with beat:
            return task_type.handle(self._context(job, beat))

    def _context(self, job: Job, beat: Heartbeat) -> TaskContext:
        with self._open_work.reading(self._who) as work:
            heading = work.headings.get(job.run_id)
            acting = acting_for(
                self._who, work, heading, results_location=self._facilities.results_location
            )
        return TaskContext(
            job=job,
            heading=heading,
            who=acting,
            at=self._facilities.clock.now(),
            calls=self._facilities.calls,
            confirm=beat.confirm,
        )

    def _outcome_happening(self, job: Job, outcome: Outcome) -> Happening:
        match outcome:
            case Done(variables=variables):
                return JobCompleted(job_id=job.id, attempt=job.attempt, variables=variables)
            case Later(after_s=after_s):
                due_at = self._facilities.clock.now() + timedelta(seconds=after_s)
                return JobPostponed(job_id=job.id, attempt=job.attempt, due_at=due_at)
            case BusinessError(code=code, message=message, variables=variables):
                return JobBusinessError(
                    job_id=job.id,
                    attempt=job.attempt,
                    code=code,
                    message=message,
                    variables=variables,
                )

    def _report(self, job: Job, happening: Happening) -> None:
        try:
            persistent(lambda: self._step(job, happening))
        except (StaleAttemptError, AlreadyOverError) as overtaken:
            log.info("the report on job %s is dropped: %s", job.id, overtaken)
        except InvalidError as error:
            if isinstance(happening, TimerDue | JobFailed):
                raise
            failed = _failed(job, error.code, error.message)
            persistent(lambda: self._step(job, failed))

    def _step(self, job: Job, happening: Happening) -> None:
        with self._open_work(self._who.because(f"run {job.run_id}")) as work:
            self._moving.take(work, work.runs.load(job.run_id), happening)
            work.commit(None)


def _failed(job: Job, code: str, message: str) -> JobFailed:
    return JobFailed(job_id=job.id, attempt=job.attempt, message=message, code=code)

"""
The executor: claims due jobs of runs, calls their handlers outside any transaction, and reports by steps.

It may be killed at any instant. A job that was claimed is claimed again when its lease is over; its handler makes
sure rather than does; a report on an attempt that is not the current one is refused by the step, and dropped.

Where there is much to do, it claims several jobs at once, reports them in one unit of work, and claims the next
ones in that same unit: one commit, and a dozen statements, for many steps. How many is found out: twice as
many as before while they are quick, one alone after a slow one.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.errors import AlreadyOverError, RunSuspendedError, StaleAttemptError
from pilothouse.bpmn.happenings import (
    JobBusinessError,
    JobCompleted,
    JobFailed,
    JobPostponed,
    TimerDue,
)
from pilothouse.bpmn.state import JobKind, changed
from pilothouse.domain.errors import (
    InvalidError,
    NotFoundError,
    PilothouseError,
    UnavailableError,
)
from pilothouse.domain.plain import to_plain
from pilothouse.domain.runtimes import NoRuntimeError
from pilothouse.lifecycle.acting import Actors
from pilothouse.lifecycle.batch import TOGETHER_S, Batch, Report, Watch
from pilothouse.lifecycle.errors import LeaseLostError
from pilothouse.lifecycle.holding import GoingOn, Holding
from pilothouse.lifecycle.keeping import Kept
from pilothouse.lifecycle.moving import persistent
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Later,
    TaskContext,
    check_inputs,
)
from pilothouse.lifecycle.together import take_together

if TYPE_CHECKING:
    from collections.abc import Sequence
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
MOST = 128
"""
The most jobs that are claimed at once: more would keep other writers waiting and gain little.

A unit of 128 steps takes some 20 ms; with 64 of them a step took a tenth more of the processor's time.
"""
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
        self._holding = Holding(
            open_work=facilities.open_work, who=who, owner=owner, lease_s=lease_s
        )
        self._actors = Actors(who, results_location=facilities.results_location)
        self._held: tuple[Job, ...] = ()
        self._kept = Kept(most=2 * MOST)
        self._limit = 1

    @property
    def _open_work(self) -> OpenWork:
        return self._facilities.open_work

    def run_once(self) -> bool:
        """Work on what is due, as much as is done quickly; False when there is nothing."""
        jobs, self._held = self._held or self._claimed(), ()
        if not jobs:
            return False
        begun = self._facilities.clock.now()
        batch = Batch(jobs)
        watch = Watch(
            batch=batch,
            break_up=self._break_up,
            beat=self._holding.lengthen,
            beat_s=self._holding.lease_s / 3,
        )
        with watch:
            self._work_on(batch)
        took_s = (self._facilities.clock.now() - begun).total_seconds()
        quick = not batch.broken_up and took_s < TOGETHER_S / 2
        self._limit = min(self._limit * 2, MOST) if quick else 1
        self._report(batch.reports(), claim=self._limit)
        return True

    def give_back(self) -> None:
        """Let others have what was claimed and not begun, because this worker ends."""
        jobs, self._held = self._held, ()
        self._holding.give_back(jobs)

    def next_due(self) -> datetime | None:
        """Say when the next job is due."""
        with self._open_work.reading(self._who) as work:
            return work.runs.next_due()

    def _claimed(self) -> tuple[Job, ...]:
        due = self.next_due()
        if due is None or due > self._facilities.clock.now():
            return ()  # nobody is kept from writing by idle workers
        with self._open_work(self._who) as work:
            return work.commit(self._holding.claim(work, limit=self._limit))

    def _break_up(self, batch: Batch) -> None:
        try:
            self._holding.give_back(batch.waiting())
        finally:
            self._report(batch.reports(), claim=0)

    def _work_on(self, batch: Batch) -> None:
        while (job := batch.next()) is not None:
            if self._holding.still_held(job, now=self._facilities.clock.now()):
                happening = self._happening(job, batch)
                if happening is not None:
                    batch.note(Report(job=job, happening=happening))

    def _happening(self, job: Job, batch: Batch) -> Happening | None:
        if job.kind is JobKind.TIMER:
            return TimerDue(job_id=job.id)
        try:
            outcome = self._handled(job, batch)
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

    def _handled(self, job: Job, batch: Batch) -> Outcome:
        task_type = self._task_types.of(job.topic or "")
        check_inputs(task_type, job.inputs)
        return task_type.handle(self._context(job, batch))

    def _context(self, job: Job, batch: Batch) -> TaskContext:
        if not batch.acting:
            with self._open_work.reading(self._who) as work:
                batch.acting = self._actors.of(work, batch.run_ids)
        if job.run_id not in batch.acting:
            raise NotFoundError(noun="run", name=job.run_id)
        acting = batch.acting[job.run_id]
        return TaskContext(
            # A handler may do to its inputs what it likes: they are also those of the run that is kept.
            job=changed(job, inputs=to_plain(job.inputs)) if job.inputs else job,
            heading=acting.heading,
            who=acting.who,
            at=self._facilities.clock.now(),
            calls=self._facilities.calls,
            confirm=lambda: self._holding.confirm(job),
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

    def _report(self, reports: Sequence[Report], *, claim: int) -> None:
        """Report what was done together, then what must be reported alone; whatever goes wrong there is raised."""
        problems: list[Exception] = []
        for report in self._together(reports, claim=claim):
            try:
                self._report_alone(report)
            # One run's trouble must not keep the others waiting; it is raised below, for the loop's health.
            except Exception as problem:  # noqa: BLE001
                problems.append(problem)
        if problems:
            raise problems[0] if len(problems) == 1 else ExceptionGroup("reports failed", problems)

    def _together(self, reports: Sequence[Report], *, claim: int) -> Sequence[Report]:
        """Take what can be taken together and claim what is next; give the reports that are left."""
        if not (reports or claim):
            return ()
        try:
            with self._open_work(self._who) as work:
                taken = take_together(
                    self._moving,
                    work,
                    reports,
                    known=self._kept.of({report.job.run_id for report in reports}),
                    going_on=GoingOn(self._holding, work, limit=claim),
                )
                work.commit(None)
        # Whatever one run's step meets, the others must not share it: each is now taken alone.
        except Exception as problem:  # noqa: BLE001
            log.warning("%s reports are taken one by one: %s", len(reports), problem)
            return reports
        self._held = taken.claimed
        self._kept.keep(taken.states, claimed=taken.claimed)
        return taken.alone

    def _report_alone(self, report: Report) -> None:
        job, happening = report.job, report.happening
        try:
            persistent(lambda: self._step(job, happening))
        except (StaleAttemptError, AlreadyOverError, RunSuspendedError) as overtaken:
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

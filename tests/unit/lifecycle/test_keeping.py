"""What a worker keeps of the runs that it left, and which jobs it goes on with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from pilothouse.bpmn.state import Changes, Job, JobKind, JobStatus, Rows, Run, RunState, RunStatus
from pilothouse.domain.access import Principal
from pilothouse.domain.ids import PersonId
from pilothouse.lifecycle.holding import GoingOn, Holding
from pilothouse.lifecycle.keeping import Kept

if TYPE_CHECKING:
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WHO = Principal(person_id=PersonId("per_platform"), name="platform", grants=())


def job(number: int, *, due_in_s: float = 0.0, state: JobStatus = JobStatus.READY) -> Job:
    return Job(
        id=f"lcj_{number}",
        run_id=f"run_{number}",
        token_id=f"tkn_{number}",
        element="task",
        kind=JobKind.SERVICE,
        topic="probe",
        state=state,
        due_at=NOON + timedelta(seconds=due_in_s),
        created_at=NOON,
    )


def state(number: int, *jobs: Job, status: RunStatus = RunStatus.ACTIVE) -> RunState:
    run = Run(
        id=f"run_{number}",
        definition_id="def_1",
        business_key=None,
        state=status,
        revision=1,
        history_length=1,
        started_at=NOON,
        started_by="ann",
    )
    return RunState(run=run, jobs={job.id: job for job in jobs})


def step(number: int, *jobs: Job, status: RunStatus = RunStatus.ACTIVE) -> Changes:
    added = Rows(jobs=jobs)
    run = state(number, status=status).run
    return Changes(run=run, added=added, changed=Rows(), removed=Rows(), history=())


@dataclass
class DueJobs:
    """The runs of a unit of work in which so many jobs of others are due."""

    waiting: list[Job]
    at: datetime = NOON
    asked: list[int] = field(default_factory=list)

    @property
    def runs(self) -> DueJobs:
        return self

    def due(self, limit: int) -> int:
        return min(limit, len(self.waiting))

    def claim(self, *, owner: str, lease_s: float, limit: int) -> tuple[Job, ...]:
        self.asked.append(limit)
        until = NOON + timedelta(seconds=lease_s)
        return tuple(
            replace(job, attempt=1, lease_owner=owner, lease_until=until)
            for job in self.waiting[:limit]
        )


def going_on(due: DueJobs, *, limit: int) -> GoingOn:
    holding = Holding(open_work=cast("OpenWork", None), who=WHO, owner="w", lease_s=10.0)
    return GoingOn(holding, cast("UnitOfWork", cast("Any", due)), limit=limit)


def test_the_last_states_are_kept_and_those_before_are_dropped() -> None:
    kept = Kept(most=2)
    kept.keep([state(1), state(2)], claimed=())
    kept.keep([state(1), state(3)], claimed=())
    assert set(kept.of(["run_1", "run_2", "run_3"])) == {"run_1", "run_3"}


def test_a_run_that_has_ended_is_not_kept() -> None:
    kept = Kept(most=9)
    kept.keep([state(1)], claimed=())
    kept.keep([state(1, status=RunStatus.COMPLETED)], claimed=())
    assert kept.of(["run_1"]) == {}


def test_a_claimed_job_stands_claimed_in_what_is_kept() -> None:
    kept, claimed = Kept(most=9), replace(job(1), attempt=1, lease_owner="w")
    kept.keep([state(1, job(1))], claimed=(claimed, job(2)))
    assert kept.of(["run_1", "run_2"]) == {"run_1": state(1, claimed)}


def test_new_jobs_are_claimed_where_nobody_waits() -> None:
    due = DueJobs([])
    going = going_on(due, limit=4)
    taken = [going.taken(step(n, job(n))) for n in range(3)]
    claimed = going.all({f"lcj_{n}" for n in range(3)})
    assert [job.attempt for changes in taken for job in changes.added.jobs] == [1, 1, 1]
    assert claimed == tuple(job for changes in taken for job in changes.added.jobs)
    assert {(job.lease_owner, job.lease_until) for job in claimed} == {
        ("w", NOON + timedelta(seconds=10))
    }
    assert due.asked == [1]


@pytest.mark.parametrize(("waiting", "own"), [(0, 8), (3, 5), (5, 4), (50, 4)])
def test_at_least_half_of_a_batch_is_for_those_due_longest(waiting: int, own: int) -> None:
    going = going_on(DueJobs([job(100 + n) for n in range(waiting)]), limit=8)
    for number in range(8):
        going.taken(step(number, job(number)))
    claimed = going.all({f"lcj_{n}" for n in range(8)})
    ours = [job.id for job in claimed if len(job.id) == len("lcj_1")]
    assert ours == [f"lcj_{n}" for n in range(own)]
    assert len(claimed) == min(8, waiting + own)


def test_a_batch_of_one_goes_to_who_waits() -> None:
    going = going_on(DueJobs([job(9)]), limit=1)
    assert going.taken(step(1, job(1))).added.jobs == (job(1),)
    assert [job.id for job in going.all({"lcj_1"})] == ["lcj_9"]


@pytest.mark.parametrize(
    "changes",
    [
        step(1, job(1, due_in_s=1.0)),
        step(1, job(1, state=JobStatus.OFFERED)),
        step(1, job(1), status=RunStatus.COMPLETED),
        step(1),
    ],
)
def test_what_is_not_due_or_not_ours_is_not_claimed(changes: Changes) -> None:
    assert going_on(DueJobs([]), limit=4).taken(changes) is changes


def test_a_job_that_a_later_step_has_removed_is_not_worked_on() -> None:
    going = going_on(DueJobs([]), limit=4)
    going.taken(step(1, job(1)))
    assert going.all(set()) == ()


def test_nothing_is_claimed_where_nothing_is_wanted() -> None:
    due = DueJobs([job(9)])
    going = going_on(due, limit=0)
    assert going.taken(step(1, job(1))).added.jobs == (job(1),)
    assert (going.all({"lcj_1"}), due.asked) == ((), [])

"""The jobs of runs that workers outside the platform do: offered by topic, leased, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, or_, select, update

from pilothouse.bpmn.state import Job, JobStatus, RunStatus
from pilothouse.domain.ids import GroupName
from pilothouse.persistence.rows import from_row, shape
from pilothouse.persistence.tables import run_jobs, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select

    from pilothouse.persistence.transaction import Transaction

JOB: list[ColumnElement[Any]] = [run_jobs.c[field.name] for field in shape(Job)]
# Written out, not bound: a database uses a partial index only where it can read the condition.
OFFERED = run_jobs.c.state == literal_column(f"'{JobStatus.OFFERED.value}'")
HELD = run_jobs.c.state.in_((JobStatus.OFFERED, JobStatus.SUSPENDED))
"""What a worker outside may hold: the jobs of a suspended run stay with whoever has them."""
ACTIVE = runs.c.state == literal_column(f"'{RunStatus.ACTIVE.value}'")


class SqlExternalJobs:
    """Offered jobs inside a unit of work; the contract is `pilothouse.ports.unit_of_work.ExternalJobs`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def waiting(self, topics: Sequence[str], *, group: GroupName) -> bool:
        """Whether a job of one of these topics could be claimed now in runs of the group."""
        query = offered(topics, group=group, at=self._transaction.at).limit(1)
        return self._transaction.read(query).first() is not None

    def claim(
        self, topics: Sequence[str], *, group: GroupName, owner: str, lease_s: float, limit: int
    ) -> tuple[Job, ...]:
        """Lease offered jobs that are due to `owner`, those due longest first."""
        at = self._transaction.at
        due = offered(topics, group=group, at=at).limit(limit)
        chosen = due.with_for_update(skip_locked=True, of=run_jobs).cte("offered")
        claimed = self._transaction.write(
            update(run_jobs)
            .where(run_jobs.c.id.in_(select(chosen.c.id)))
            .values(
                attempt=run_jobs.c.attempt + 1,
                lease_owner=owner,
                lease_until=at + timedelta(seconds=lease_s),
            )
            .returning(*JOB)
        )
        found = (from_row(Job, row) for row in claimed)
        return tuple(sorted(found, key=lambda job: (job.due_at, job.id)))

    def find(self, job_id: str) -> Job | None:
        """Give an offered job by its id, or one that is suspended with its run."""
        query = select(*JOB).where(run_jobs.c.id == job_id, HELD)
        row = self._transaction.read(query).first()
        return None if row is None else from_row(Job, row)

    def extend(self, job_id: str, *, attempt: int, owner: str, lease_s: float) -> Job | None:
        """Lengthen a lease from now on; None when `owner` does not hold that attempt."""
        until = self._transaction.at + timedelta(seconds=lease_s)
        held = (
            run_jobs.c.id == job_id,
            run_jobs.c.attempt == attempt,
            run_jobs.c.lease_owner == owner,
            HELD,
        )
        statement = update(run_jobs).where(*held).values(lease_until=until).returning(*JOB)
        row = self._transaction.write(statement).first()
        return None if row is None else from_row(Job, row)

    def offered(self) -> tuple[tuple[GroupName, str], ...]:
        """Give each group and topic of which jobs are offered."""
        query = (
            select(runs.c.group, run_jobs.c.topic)
            .join(runs, runs.c.id == run_jobs.c.run_id)
            .where(OFFERED)
            .distinct()
            .order_by(runs.c.group, run_jobs.c.topic)
        )
        return tuple((GroupName(row.group), row.topic) for row in self._transaction.read(query))

    def recall(self, topics: Sequence[str], *, group: GroupName) -> int:
        """Take back what is offered of these topics in runs of the group; give how many jobs."""
        of_group = select(runs.c.id).where(runs.c.group == group)
        statement = (
            update(run_jobs)
            .where(OFFERED, run_jobs.c.topic.in_(topics), run_jobs.c.run_id.in_(of_group))
            .values(
                state=JobStatus.READY,
                attempt=run_jobs.c.attempt + 1,
                lease_owner=None,
                lease_until=None,
            )
        )
        return self._transaction.write(statement).rowcount


def offered(topics: Sequence[str], *, group: GroupName, at: datetime) -> Select[str]:
    """Name the offered jobs of a group that may be claimed at `at`, those due longest first."""
    free = or_(run_jobs.c.lease_until.is_(None), run_jobs.c.lease_until <= at)
    return (
        select(run_jobs.c.id)
        .join(runs, runs.c.id == run_jobs.c.run_id)
        .where(
            ACTIVE,
            OFFERED,
            run_jobs.c.topic.in_(topics),
            runs.c.group == group,
            run_jobs.c.due_at <= at,
            free,
        )
        .order_by(run_jobs.c.due_at, run_jobs.c.id)
    )

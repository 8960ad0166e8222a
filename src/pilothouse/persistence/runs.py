"""The rows of life-cycle runs: loaded and written whole, claimed one job at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, insert, literal_column, or_, select, update

from pilothouse.bpmn.state import (
    HistoryEntry,
    Incident,
    Job,
    JobStatus,
    Run,
    RunState,
    RunStatus,
    Subscription,
    SubscriptionKind,
)
from pilothouse.domain.errors import AlreadyExistsError, ConflictError, NotFoundError
from pilothouse.persistence.repositories import equal
from pilothouse.persistence.rows import from_row, shape, to_row
from pilothouse.persistence.run_tables import RUN_TABLES, write_rows
from pilothouse.persistence.tables import (
    incidents,
    run_headings,
    run_history,
    run_jobs,
    runs,
    subscriptions,
)
from pilothouse.persistence.transaction import Phase
from pilothouse.persistence.uniqueness import taken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select, Table

    from pilothouse.bpmn.state import Changes
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.persistence.transaction import Transaction


def _columns(kind: type, table: Table) -> list[ColumnElement[Any]]:
    return [table.c[field.name] for field in shape(kind)]


JOB = _columns(Job, run_jobs)
SELECT_RUN = select(*_columns(Run, runs)).where(runs.c.id == bindparam("of_run"))
UPDATE_RUN = update(runs).where(
    runs.c.id == bindparam("of_run"), runs.c.revision == bindparam("before")
)
SELECT_HISTORY = (
    select(*_columns(HistoryEntry, run_history))
    .where(run_history.c.run_id == bindparam("of_run"), run_history.c.sequence > bindparam("after"))
    .order_by(run_history.c.sequence)
    .limit(bindparam("limit"))
)
INSERT_HISTORY = insert(run_history)
# Written out, not bound: a database uses a partial index only where it can read the condition.
ACTIVE = runs.c.state == literal_column(f"'{RunStatus.ACTIVE.value}'")
READY = run_jobs.c.state == literal_column(f"'{JobStatus.READY.value}'")


class SqlRuns:
    """
    Runs inside a unit of work; the contract is `pilothouse.ports.unit_of_work.Runs`.

    On PostgreSQL a loaded run holds its own row first and then its jobs, so that no claim gives out a job
    that the step is about to change. A claim waits for nobody.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, heading: RunHeading, changes: Changes) -> None:
        """Write a new run."""
        transaction, run = self._transaction, changes.run
        row = to_row(run) | {"group": heading.group, "definition_key": heading.definition_key}
        statement = transaction.insert(runs).on_conflict_do_nothing().returning(runs.c.id)
        if transaction.write(statement, row, subject=("run", run.id)).first() is None:
            raise AlreadyExistsError(noun="run", name=taken(transaction, runs, row))
        transaction.write(insert(run_headings), to_row(heading), subject=("run", run.id))
        self._write_rows(changes)

    def load(self, run_id: str) -> RunState:
        """Give all rows of a run, locked where the unit writes."""
        lock = self._transaction.postgresql and self._transaction.phase is Phase.WRITING
        query = SELECT_RUN.with_for_update() if lock else SELECT_RUN
        row = self._transaction.read(query, {"of_run": run_id}).first()
        if row is None:
            raise NotFoundError(noun="run", name=run_id)
        rows = {
            table.name: {
                value.id: value
                for value in table.load(self._transaction, run_id, lock=lock and table.kind is Job)
            }
            for table in RUN_TABLES
        }
        return RunState(run=from_row(Run, row), **rows)

    def write(self, changes: Changes) -> None:
        """Write one step over the revision before it."""
        run = changes.run
        values = to_row(run) | {"of_run": run.id, "before": run.revision - 1}
        del values["id"]
        if self._transaction.write(UPDATE_RUN, values).rowcount != 1:
            raise self._conflict(run)
        self._write_rows(changes)

    def claim(self, *, owner: str, lease_s: float, limit: int) -> tuple[Job, ...]:
        """Lease due jobs to `owner`, those due longest first."""
        at = self._transaction.at
        due = due_jobs(at).limit(limit).with_for_update(skip_locked=True, of=run_jobs).cte("due")
        claimed = self._transaction.write(
            update(run_jobs)
            .where(run_jobs.c.id.in_(select(due.c.id)))
            .values(
                attempt=run_jobs.c.attempt + 1,
                lease_owner=owner,
                lease_until=at + timedelta(seconds=lease_s),
            )
            .returning(*JOB)
        )
        found = (from_row(Job, row) for row in claimed)
        return tuple(sorted(found, key=lambda job: (job.due_at, job.id)))

    def extend(self, job_id: str, *, attempt: int, lease_s: float) -> bool:
        """Lengthen a lease; False when the attempt is not the current one any more."""
        until = self._transaction.at + timedelta(seconds=lease_s)
        extended = self._transaction.write(
            update(run_jobs)
            .where(
                run_jobs.c.id == job_id,
                run_jobs.c.attempt == attempt,
                run_jobs.c.lease_owner.is_not(None),
                READY,
            )
            .values(lease_until=until)
        )
        return extended.rowcount == 1

    def next_due(self) -> datetime | None:
        """Say when the earliest ready job is due or its lease ends."""
        ends = case(
            (run_jobs.c.lease_until > run_jobs.c.due_at, run_jobs.c.lease_until),
            else_=run_jobs.c.due_at,
        )
        moments = (
            self._first(run_jobs.c.due_at, run_jobs.c.lease_until.is_(None)),
            self._first(ends, run_jobs.c.lease_until.is_not(None)),
        )
        return min((moment for moment in moments if moment is not None), default=None)

    def waiting_for_message(
        self, *, group: str, name: str, correlation_key: str
    ) -> tuple[Subscription, ...]:
        """Give the message subscriptions of that name and key in runs of the group."""
        key = subscriptions.c.correlation_key == correlation_key
        return self._waiting(SubscriptionKind.MESSAGE, group, name, key)

    def waiting_for_signal(self, *, group: str, name: str) -> tuple[Subscription, ...]:
        """Give the signal subscriptions of that name in runs of the group."""
        return self._waiting(SubscriptionKind.SIGNAL, group, name)

    def history(self, run_id: str, *, after: int = 0, limit: int = 500) -> Sequence[HistoryEntry]:
        """Give a run's history after a sequence number."""
        values = {"of_run": run_id, "after": after, "limit": limit}
        rows = self._transaction.read(SELECT_HISTORY, values)
        return tuple(from_row(HistoryEntry, row) for row in rows)

    def incidents(self, *, groups: frozenset[GroupName] | None = None) -> tuple[Incident, ...]:
        """Give all open incidents, oldest first."""
        query = (
            select(*_columns(Incident, incidents))
            .join(runs, runs.c.id == incidents.c.run_id)
            .order_by(incidents.c.created_at, incidents.c.id)
        )
        if groups is not None:
            query = query.where(equal(runs.c.group, groups))
        return tuple(from_row(Incident, row) for row in self._transaction.read(query))

    def _write_rows(self, changes: Changes) -> None:
        write_rows(
            self._transaction,
            added=changes.added,
            changed=changes.changed,
            removed=changes.removed,
        )
        if changes.history:
            self._transaction.write(INSERT_HISTORY, [to_row(line) for line in changes.history])

    def _conflict(self, run: Run) -> ConflictError:
        found = self._transaction.read(
            select(runs.c.revision).where(runs.c.id == run.id)
        ).scalar_one_or_none()
        return ConflictError(noun="run", name=run.id, expected=run.revision - 1, found=found)

    def _first(
        self, moment: ColumnElement[datetime], condition: ColumnElement[bool]
    ) -> datetime | None:
        query = (
            select(moment.label("moment"))
            .join(runs, runs.c.id == run_jobs.c.run_id)
            .where(ACTIVE, READY, condition)
            .order_by("moment")
            .limit(1)
        )
        found: datetime | None = self._transaction.read(query).scalar_one_or_none()
        return found

    def _waiting(
        self, kind: SubscriptionKind, group: str, name: str, *more: ColumnElement[bool]
    ) -> tuple[Subscription, ...]:
        query = (
            select(*_columns(Subscription, subscriptions))
            .join(runs, runs.c.id == subscriptions.c.run_id)
            .where(
                runs.c.group == group,
                ACTIVE,
                subscriptions.c.kind == kind,
                subscriptions.c.name == name,
                *more,
            )
            .order_by(subscriptions.c.created_at, subscriptions.c.id)
        )
        return tuple(from_row(Subscription, row) for row in self._transaction.read(query))


def due_jobs(at: datetime) -> Select[str]:
    """Name the jobs that may be claimed at `at`, those due longest first."""
    free = or_(run_jobs.c.lease_until.is_(None), run_jobs.c.lease_until <= at)
    return (
        select(run_jobs.c.id)
        .join(runs, runs.c.id == run_jobs.c.run_id)
        .where(ACTIVE, READY, run_jobs.c.due_at <= at, free)
        .order_by(run_jobs.c.due_at, run_jobs.c.id)
    )

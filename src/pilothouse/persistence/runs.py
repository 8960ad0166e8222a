"""The rows of life-cycle runs: loaded and written whole, claimed one job at a time."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    null,
    or_,
    select,
    text,
    update,
)

from pilothouse.bpmn.history import HistoryEntry
from pilothouse.bpmn.state import (
    TABLES,
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
from pilothouse.persistence import tables
from pilothouse.persistence.columns import PlainText, UtcDateTime, among
from pilothouse.persistence.repositories import equal
from pilothouse.persistence.rows import from_row, shape, to_row
from pilothouse.persistence.run_tables import RUN_TABLES, still_standing, write_rows
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
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Select, Table
    from sqlalchemy.sql.dml import ReturningUpdate

    from pilothouse.bpmn.state import Changes
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.persistence.transaction import Transaction


def _columns(kind: type, table: Table) -> list[ColumnElement[Any]]:
    return [table.c[field.name] for field in shape(kind)]


JOB = _columns(Job, run_jobs)
SELECT_RUNS = select(*_columns(Run, runs)).where(among(runs.c.id, "of_runs")).order_by(runs.c.id)
"""In one order, in which they are locked too: two units that want the same runs cannot wait for each other."""
LOCK_RUNS = SELECT_RUNS.with_for_update()
UPDATE_RUN = (
    update(runs)
    .where(runs.c.id == bindparam("key_id"), runs.c.revision == bindparam("before"))
    .values(
        {f.name: bindparam(f.name, type_=runs.c[f.name].type) for f in shape(Run) if f.name != "id"}
    )
)
REVISIONS = select(runs.c.id, runs.c.revision).where(among(runs.c.id, "of_runs"))
SELECT_HISTORY = (
    select(*_columns(HistoryEntry, run_history))
    .where(run_history.c.run_id == bindparam("of_run"), run_history.c.sequence > bindparam("after"))
    .order_by(run_history.c.sequence)
    .limit(bindparam("limit"))
)
INSERT_HISTORY = insert(run_history)
NOTHING_KNOWN: Mapping[str, RunState] = MappingProxyType({})
ONE_STEP: Mapping[str, int] = MappingProxyType({})
# Written out, not bound: a database uses a partial index only where it can read the condition.
ACTIVE = runs.c.state == literal_column(f"'{RunStatus.ACTIVE.value}'")
UNDER_WAY = text(tables.UNDER_WAY)
RUNNING = runs.c.state.in_((RunStatus.ACTIVE, RunStatus.SUSPENDED))
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
        self._write_rows((changes,))

    def load(self, run_id: str) -> RunState:
        """Give all rows of a run, locked where the unit writes."""
        found = self.load_all((run_id,))
        if run_id not in found:
            raise NotFoundError(noun="run", name=run_id)
        return found[run_id]

    def load_all(
        self, run_ids: Collection[str], *, known: Mapping[str, RunState] = NOTHING_KNOWN
    ) -> dict[str, RunState]:
        """Give all rows of those of some runs that are there, locked where the unit writes."""
        transaction = self._transaction
        lock = transaction.postgresql and transaction.phase is Phase.WRITING
        wanted = {"of_runs": sorted(set(run_ids))}
        rows = transaction.rows(LOCK_RUNS if lock else SELECT_RUNS, wanted)
        found = {run.id: run for run in self._runs(rows, known)}
        same = {r: known[r] for r, run in found.items() if r in known and known[r].run is run}
        standing = still_standing(transaction, same, lock=lock)
        unknown = {run_id: run for run_id, run in found.items() if run_id not in standing}
        return standing | self._read(unknown, lock=lock)

    def _runs(self, rows: Sequence[Sequence[Any]], known: Mapping[str, RunState]) -> Iterator[Run]:
        """Read the runs' own rows; what is the same as it is known is that very value."""
        codec = self._transaction.codec(Run)
        for cells in map(codec.read, rows):
            state = known.get(cells[0])
            same = state is not None and codec.cells_of(state.run) == cells
            yield state.run if state is not None and same else codec.value(cells)

    def _read(self, found: Mapping[str, Run], *, lock: bool) -> dict[str, RunState]:
        transaction = self._transaction
        its: dict[str, dict[str, dict[str, Any]]] = {
            run_id: {table: {} for table in TABLES} for run_id in found
        }
        for table in RUN_TABLES if found else ():
            for value in table.load(transaction, list(found), lock=lock and table.kind is Job):
                its[value.run_id][table.name][value.id] = value
        return {run_id: RunState(run=run, **its[run_id]) for run_id, run in found.items()}

    def write(self, changes: Changes) -> None:
        """Write one step over the revision before it."""
        self.write_all((changes,))

    def write_all(self, changes: Sequence[Changes], *, steps: Mapping[str, int] = ONE_STEP) -> None:
        """Write what steps did to runs; `steps` are how many of a run are put together, where not one."""
        if not changes:
            return
        moved = [c.run for c in changes]
        before = [run.revision - steps.get(run.id, 1) for run in moved]
        met = self._transaction.write_values(UPDATE_RUN, Run, moved, beside=("before", before))
        if met.rowcount != len(moved):
            raise self._conflict(moved, before)
        self._write_rows(changes)

    def due(self, limit: int) -> int:
        """Count the jobs that could be claimed now."""
        wanted = {"at": self._transaction.at, "most": limit}
        return int(self._transaction.rows(DUE, wanted)[0][0])

    def claim(self, *, owner: str, lease_s: float, limit: int) -> tuple[Job, ...]:
        """Lease due jobs to `owner`, those due longest first."""
        at = self._transaction.at
        wanted = {"at": at, "owner": owner, "until": at + timedelta(seconds=lease_s), "most": limit}
        claimed = self._transaction.write_rows(CLAIM, wanted).fetchall()
        found = self._transaction.codec(Job).values(claimed)
        return tuple(sorted(found, key=lambda job: (job.due_at, job.id)))

    def release(self, jobs: Sequence[Job]) -> None:
        """Give claimed jobs back at once; those that somebody else has claimed since are left alone."""
        if jobs:
            held = [{"job": job.id, "held": job.attempt} for job in jobs]
            self._transaction.write_rows(RELEASE, held)

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
        """Give the signal subscriptions of that name in runs of the group, suspended ones too."""
        return self._waiting(SubscriptionKind.SIGNAL, group, name, running=RUNNING)

    def under_way(
        self, definition_id: str, *, after: str | None = None, limit: int = 100
    ) -> tuple[str, ...]:
        """Give the runs of a definition that have not ended, after one, by id."""
        later = [] if after is None else [runs.c.id > after]
        query = (
            select(runs.c.id)
            .where(runs.c.definition_id == definition_id, UNDER_WAY, *later)
            .order_by(runs.c.id)
            .limit(limit)
        )
        return tuple(self._transaction.read(query).scalars())

    def rename(self, heading: RunHeading) -> None:
        """Write which definition a run follows now into its heading."""
        named = {"definition_id": heading.definition_id, "definition": heading.definition}
        statement = update(run_headings).where(run_headings.c.run_id == heading.run_id)
        self._transaction.write(statement.values(named), subject=("run", heading.run_id))

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

    def _write_rows(self, changes: Sequence[Changes]) -> None:
        write_rows(self._transaction, changes)
        lines = [line for c in changes for line in c.history]
        if lines:
            self._transaction.write_values(INSERT_HISTORY, HistoryEntry, lines)

    def _conflict(self, moved: Sequence[Run], before: Sequence[int]) -> ConflictError:
        """Name the first run that does not stand as it was to be written, or else the first."""
        ids = [run.id for run in moved]
        found = {row[0]: row[1] for row in self._transaction.rows(REVISIONS, {"of_runs": ids})}
        both = list(zip(moved, before, strict=True))
        others = (pair for pair in both if found.get(pair[0].id) != pair[0].revision)
        late, expected = next(others, both[0])
        return ConflictError(noun="run", name=late.id, expected=expected, found=found.get(late.id))

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
        self,
        kind: SubscriptionKind,
        group: str,
        name: str,
        *more: ColumnElement[bool],
        running: ColumnElement[bool] = ACTIVE,
    ) -> tuple[Subscription, ...]:
        query = (
            select(*_columns(Subscription, subscriptions))
            .join(runs, runs.c.id == subscriptions.c.run_id)
            .where(
                runs.c.group == group,
                running,
                subscriptions.c.kind == kind,
                subscriptions.c.name == name,
                *more,
            )
            .order_by(subscriptions.c.created_at, subscriptions.c.id)
        )
        return tuple(from_row(Subscription, row) for row in self._transaction.read(query))


def due_jobs(at: datetime | ColumnElement[datetime]) -> Select[str]:
    """Name the jobs that may be claimed at `at`, those due longest first."""
    free = or_(run_jobs.c.lease_until.is_(None), run_jobs.c.lease_until <= at)
    return (
        select(run_jobs.c.id)
        .join(runs, runs.c.id == run_jobs.c.run_id)
        .where(ACTIVE, READY, run_jobs.c.due_at <= at, free)
        .order_by(run_jobs.c.due_at, run_jobs.c.id)
    )


def _due() -> Select[str]:
    at, most = bindparam("at", type_=UtcDateTime()), bindparam("most", type_=BigInteger())
    return due_jobs(at).limit(most)


def _claiming() -> ReturningUpdate[Any]:
    due = _due()
    chosen = due.with_for_update(skip_locked=True, of=run_jobs).cte("due")
    return (
        update(run_jobs)
        .where(run_jobs.c.id.in_(select(chosen.c.id)))
        .values(
            attempt=run_jobs.c.attempt + literal_column("1"),
            lease_owner=bindparam("owner", type_=PlainText()),
            lease_until=bindparam("until", type_=UtcDateTime()),
        )
        .returning(*JOB)
    )


CLAIM = _claiming()
DUE = select(func.count()).select_from(_due().subquery())
RELEASE = (
    update(run_jobs)
    .where(run_jobs.c.id == bindparam("job"), run_jobs.c.attempt == bindparam("held"), READY)
    .values(lease_owner=null(), lease_until=null())
)

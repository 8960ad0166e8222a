"""The tables of a run's rows, with their statements made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads the annotations
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from pilothouse.bpmn.state import (
    TABLES,
    Compensation,
    Incident,
    Job,
    JobStatus,
    Scope,
    Subscription,
    Token,
    UserTask,
    Variable,
)
from pilothouse.persistence import tables
from pilothouse.persistence.columns import among
from pilothouse.persistence.rows import shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Delete, Insert, Select, Table, Update

    from pilothouse.bpmn.state import Changes, Rows, RunState
    from pilothouse.persistence.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTable:
    """One table of run rows: what it keeps, and how it is read and written."""

    name: str
    kind: type[Any]
    key: tuple[str, ...]
    select: Mapping[bool, Select[Any]]
    """By whether the rows are locked."""
    insert: Insert
    update: Update
    delete: Delete

    def load(self, transaction: Transaction, run_ids: Sequence[str], *, lock: bool) -> list[Any]:
        """Read the rows of runs, on PostgreSQL locked against claims where that is wanted."""
        rows = transaction.rows(self.select[lock], {"of_runs": run_ids})
        return transaction.codec(self.kind).values(rows)

    def add(self, transaction: Transaction, values: Sequence[Any]) -> None:
        """Write new rows."""
        if values:
            transaction.write_values(self.insert, self.kind, values)

    def change(self, transaction: Transaction, values: Sequence[Any]) -> None:
        """Write changed rows over what is there."""
        if values:
            met = transaction.write_values(self.update, self.kind, values).rowcount
            self._all_met(met, values)

    def remove(self, transaction: Transaction, values: Sequence[Any]) -> None:
        """Remove rows."""
        if values:
            keys = [{f"key_{name}": getattr(value, name) for name in self.key} for value in values]
            self._all_met(transaction.write_rows(self.delete, keys).rowcount, values)

    def _all_met(self, met: int, values: Sequence[Any]) -> None:
        if met != len(values):
            raise ValueError(
                f"A step changes {len(values)} rows of {self.name}; {met} of them are there."
            )


def _run_table(name: str, kind: type, table: Table, key: tuple[str, ...] = ("id",)) -> RunTable:
    its_key = [table.c[part] == bindparam(f"key_{part}") for part in key]
    names = [field.name for field in shape(kind)]
    rows = select(*(table.c[name] for name in names)).where(among(table.c.run_id, "of_runs"))
    cells = {name: bindparam(name, type_=table.c[name].type) for name in names if name not in key}
    return RunTable(
        name=name,
        kind=kind,
        key=key,
        select={False: rows, True: rows.with_for_update()},
        insert=insert(table),
        update=update(table).where(*its_key).values(cells),
        delete=delete(table).where(*its_key),
    )


RUN_TABLES = (
    _run_table("scopes", Scope, tables.scopes),
    _run_table("variables", Variable, tables.variables, ("scope_id", "name")),
    _run_table("tokens", Token, tables.run_tokens),
    _run_table("jobs", Job, tables.run_jobs),
    _run_table("subscriptions", Subscription, tables.subscriptions),
    _run_table("tasks", UserTask, tables.run_tasks),
    _run_table("incidents", Incident, tables.incidents),
    _run_table("compensations", Compensation, tables.compensations),
)
if tuple(table.name for table in RUN_TABLES) != TABLES:
    raise TypeError("The tables of run rows are not those that a step changes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What changes of a job without a step: it is claimed, held on to, given back, called back from outside."""

    run_id: str
    id: str
    state: JobStatus
    attempt: int
    lease_owner: str | None
    lease_until: datetime | None


_HELD = tuple(field.name for field in shape(Held))
_held_cells = attrgetter(*_HELD)
_held_of = select(*(tables.run_jobs.c[name] for name in _HELD)).where(
    among(tables.run_jobs.c.run_id, "of_runs")
)
SELECT_HELD = {False: _held_of, True: _held_of.with_for_update()}


def still_standing(
    transaction: Transaction, known: Mapping[str, RunState], *, lock: bool
) -> dict[str, RunState]:
    """Give those of some states whose jobs are held as they were; the runs' own rows have been compared."""
    if not known:
        return {}
    codec = transaction.codec(Held)
    rows = transaction.rows(SELECT_HELD[lock], {"of_runs": list(known)})
    found: dict[str, set[tuple[Any, ...]]] = {run_id: set() for run_id in known}
    for run_id, *held in map(codec.read, rows):
        found[run_id].add((run_id, *held))
    return {
        run_id: state
        for run_id, state in known.items()
        if found[run_id] == {_held_cells(job) for job in state.jobs.values()}
    }


_every_table = attrgetter(*TABLES)


def write_rows(transaction: Transaction, changes: Sequence[Changes]) -> None:
    """Write what steps did to the rows, touching only the tables that they touched."""
    removed = _by_table([c.removed for c in changes])
    changed = _by_table([c.changed for c in changes])
    added = _by_table([c.added for c in changes])
    for table, gone, other, new in zip(RUN_TABLES, removed, changed, added, strict=True):
        table.remove(transaction, gone)
        table.change(transaction, other)
        table.add(transaction, new)


def _by_table(rows: Sequence[Rows]) -> list[list[Any]]:
    """Turn the tables of each step into the rows of each table."""
    return [list(chain.from_iterable(some)) for some in zip(*map(_every_table, rows), strict=True)]

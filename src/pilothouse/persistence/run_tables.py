"""The tables of a run's rows, with their statements made once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from pilothouse.bpmn.state import (
    TABLES,
    Incident,
    Job,
    Scope,
    Subscription,
    Token,
    UserTask,
    Variable,
)
from pilothouse.persistence import tables
from pilothouse.persistence.rows import from_row, shape, to_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Delete, Insert, Select, Table, Update

    from pilothouse.bpmn.state import Rows
    from pilothouse.persistence.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTable:
    """One table of run rows: what it keeps, and how it is read and written."""

    name: str
    kind: type[Any]
    key: tuple[str, ...]
    select: Select[Any]
    insert: Insert
    update: Update
    delete: Delete

    def load(self, transaction: Transaction, run_id: str, *, lock: bool) -> tuple[Any, ...]:
        """Read the rows of a run, on PostgreSQL locked against claims where that is wanted."""
        query = self.select.with_for_update() if lock else self.select
        rows = transaction.read(query, {"of_run": run_id})
        return tuple(from_row(self.kind, row) for row in rows)

    def add(self, transaction: Transaction, values: Sequence[Any]) -> None:
        """Write new rows."""
        if values:
            transaction.write(self.insert, [to_row(value) for value in values])

    def change(self, transaction: Transaction, values: Sequence[Any]) -> None:
        """Write changed rows over what is there."""
        if values:
            rows = [self._cells(value) | self._keys(value) for value in values]
            self._all_met(transaction.write(self.update, rows).rowcount, values)

    def remove(self, transaction: Transaction, values: Sequence[Any]) -> None:
        """Remove rows."""
        if values:
            keys = [self._keys(value) for value in values]
            self._all_met(transaction.write(self.delete, keys).rowcount, values)

    def _cells(self, value: object) -> dict[str, Any]:
        return {name: cell for name, cell in to_row(value).items() if name not in self.key}

    def _keys(self, value: object) -> dict[str, Any]:
        return {f"key_{name}": getattr(value, name) for name in self.key}

    def _all_met(self, met: int, values: Sequence[Any]) -> None:
        if met != len(values):
            raise ValueError(
                f"A step changes {len(values)} rows of {self.name}; {met} of them are there."
            )


def _run_table(name: str, kind: type, table: Table, key: tuple[str, ...] = ("id",)) -> RunTable:
    its_key = [table.c[part] == bindparam(f"key_{part}") for part in key]
    columns = [table.c[field.name] for field in shape(kind)]
    return RunTable(
        name=name,
        kind=kind,
        key=key,
        select=select(*columns).where(table.c.run_id == bindparam("of_run")),
        insert=insert(table),
        update=update(table).where(*its_key),
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
)
if tuple(table.name for table in RUN_TABLES) != TABLES:
    raise TypeError("The tables of run rows are not those that a step changes.")


def write_rows(transaction: Transaction, *, added: Rows, changed: Rows, removed: Rows) -> None:
    """Write what one step did to the rows, touching only the tables that it touched."""
    for table in RUN_TABLES:
        table.remove(transaction, getattr(removed, table.name))
        table.change(transaction, getattr(changed, table.name))
        table.add(transaction, getattr(added, table.name))

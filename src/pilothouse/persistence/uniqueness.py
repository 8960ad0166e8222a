"""Which unique columns of a refused row are taken already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint, select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import ColumnElement, Table

    from pilothouse.persistence.transaction import Transaction


def taken(transaction: Transaction, table: Table, row: Mapping[str, Any]) -> str:
    """
    Name what is taken: the values of the first unique columns that another row holds.

    A new row is refused by ``ON CONFLICT DO NOTHING``, which leaves the unit usable on PostgreSQL too,
    where a failed statement would end it.
    """
    for columns, condition in _rules(table):
        same = [table.c[name] == row[name] for name in columns]
        if condition is not None:
            same.append(condition)
        query = select(*(table.c[name] for name in columns)).where(*same)
        if transaction.read(query).first() is not None:
            return "/".join(str(row[name]) for name in columns)
    return "/".join(str(row[column.name]) for column in table.primary_key)


def _rules(table: Table) -> Iterator[tuple[tuple[str, ...], ColumnElement[bool] | None]]:
    constraints = sorted(table.constraints, key=lambda c: str(c.name))
    for constraint in constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(column.name for column in constraint.columns), None
    for index in sorted(table.indexes, key=lambda i: str(i.name)):
        if index.unique:
            yield _columns(index), index.dialect_options["sqlite"]["where"]
    for constraint in constraints:
        if isinstance(constraint, PrimaryKeyConstraint):
            yield tuple(column.name for column in constraint.columns), None


def _columns(index: Index) -> tuple[str, ...]:
    return tuple(column.name for column in index.columns)

"""Tables made from the values that they keep: one column a field, of the field's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)

from pilothouse.persistence.columns import JsonText, PlainText, UtcDateTime
from pilothouse.persistence.rows import Storage, shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.sql.schema import SchemaItem
    from sqlalchemy.types import TypeEngine

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def column_type(storage: Storage) -> TypeEngine[Any]:
    """Give the type of a column."""
    match storage:
        case Storage.TEXT:
            return PlainText()
        case Storage.INTEGER:
            return BigInteger()
        case Storage.FLOAT:
            return Double()
        case Storage.BOOLEAN:
            return Boolean()
        case Storage.TIME:
            return UtcDateTime()
        case Storage.JSON:
            return JsonText()


def table_of(
    kind: type,
    name: str,
    *rules: SchemaItem,
    key: Sequence[str] = ("id",),
    refers: Mapping[str, str] | None = None,
) -> Table:
    """
    Make the table of a noun.

    Parameters
    ----------
    kind
        The frozen dataclass whose fields become columns.
    name
        The table's name.
    rules
        More columns, unique constraints, indexes.
    key
        The columns of the primary key.
    refers
        Column to ``table.column`` that it points to. Rows of a run go with their run.
    """
    return Table(name, METADATA, *columns_of(kind, key=key, refers=refers or {}), *rules)


def columns_of(
    kind: type, *, key: Sequence[str], refers: Mapping[str, str]
) -> tuple[Column[Any], ...]:
    """Give the columns of a value's fields, in order."""
    return tuple(
        Column(
            field.name,
            column_type(field.storage),
            *((reference(refers[field.name]),) if field.name in refers else ()),
            primary_key=field.name in key,
            nullable=field.optional,
        )
        for field in shape(kind)
    )


def reference(target: str) -> ForeignKey:
    """Point to another table; what belongs to a run is removed with it."""
    return ForeignKey(target, ondelete="CASCADE" if target == "runs.id" else None)


def unique(*columns: str) -> UniqueConstraint:
    """Say that these columns together stand once."""
    return UniqueConstraint(*columns)


def unique_where(name: str, condition: str, *columns: str) -> Index:
    """Say that these columns stand once among the rows that meet a condition."""
    where = text(condition)
    return Index(name, *columns, unique=True, sqlite_where=where, postgresql_where=where)


def index(*columns: str) -> Index:
    """Make what is looked up by these columns quick to find."""
    return Index(None, *columns)


def index_where(name: str, condition: str, *columns: str) -> Index:
    """Make quick to find what meets a condition."""
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)

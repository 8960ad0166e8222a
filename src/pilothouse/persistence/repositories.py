"""The rows of any noun: read by key or by equal columns, in pages, and changed by compare-and-set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from sqlalchemy import false, or_, select, update

from pilothouse.domain.errors import AlreadyExistsError, ConflictError, NotFoundError
from pilothouse.domain.pages import Page
from pilothouse.persistence.columns import JsonText
from pilothouse.persistence.cursors import read_cursor, write_cursor
from pilothouse.persistence.history import write_history
from pilothouse.persistence.rows import from_row, shape, to_row
from pilothouse.persistence.uniqueness import taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Column, ColumnElement, Select

    from pilothouse.domain.ids import GroupName
    from pilothouse.persistence.nouns import Noun
    from pilothouse.persistence.transaction import Transaction

T = TypeVar("T")
LARGEST_PAGE = 500


class SqlRepository(Generic[T]):
    """One noun's rows inside a unit of work; the contract is `pilothouse.ports.unit_of_work.Repository`."""

    def __init__(self, transaction: Transaction, noun: Noun[T]) -> None:
        self._transaction, self._noun = transaction, noun
        self._key = noun.table.c[noun.key]

    def get(self, key: str) -> T:
        """Give the value of that key."""
        found = self.find(**{self._noun.key: key})
        if found is None:
            raise NotFoundError(noun=self._noun.name, name=key)
        return found

    def find(self, **equals: object) -> T | None:
        """Give the only value that matches, or None."""
        found = self._values(self._select(equals).limit(2))
        if len(found) > 1:
            raise ValueError(f"More than one {self._noun.name} matches {equals}.")
        return found[0] if found else None

    def all(self, **equals: object) -> tuple[T, ...]:
        """Give every value that matches, by key."""
        return self._values(self._select(equals).order_by(self._key))

    def page(
        self,
        *,
        groups: frozenset[GroupName] | None = None,
        after: str | None = None,
        limit: int = 50,
        newest_first: bool = False,
        **equals: object,
    ) -> Page[T]:
        """Give a page of what matches, by key, among these groups (None for all)."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"A page holds 1 to {LARGEST_PAGE} values, not {limit}.")
        query = self._select(equals)
        if groups is not None:
            query = query.where(self._among(groups))
        if after is not None:
            last = read_cursor(after, noun=self._noun.name, newest_first=newest_first)
            query = query.where(self._key < last if newest_first else self._key > last)
        order = self._key.desc() if newest_first else self._key
        found = self._values(query.order_by(order).limit(limit + 1))
        return Page(items=found[:limit], next=self._cursor(found, limit, newest_first))

    def add(self, value: T) -> T:
        """Write a new value and give it back."""
        noun, first = self._noun, self._at_version(value, 1)
        row = to_row(first)
        statement = self._transaction.insert(noun.table).on_conflict_do_nothing()
        added = self._transaction.write(
            statement.returning(self._key), row, subject=(noun.name, noun.key_of(value))
        )
        if added.first() is None:
            raise AlreadyExistsError(noun=noun.name, name=taken(self._transaction, noun.table, row))
        if noun.historic:
            write_history(self._transaction, noun, first, new=True)
        return first

    def save(self, value: T) -> T:
        """Write a changed value over the version that it was read at; give it with its next version."""
        noun, held = self._noun, self._version(value)
        following = self._at_version(value, held + 1)
        changed = self._transaction.write(
            update(noun.table)
            .where(self._key == noun.key_of(value), noun.table.c.version == held)
            .values(to_row(following)),
            subject=(noun.name, noun.key_of(value)),
        )
        if changed.rowcount != 1:
            raise self._conflict(value, held)
        if noun.historic:
            write_history(self._transaction, noun, following, new=False)
        return following

    def _conflict(self, value: T, held: int) -> ConflictError:
        key = self._noun.key_of(value)
        found = self._transaction.read(
            select(self._noun.table.c.version).where(self._key == key)
        ).scalar_one_or_none()
        return ConflictError(noun=self._noun.name, name=key, expected=held, found=found)

    def _version(self, value: T) -> int:
        if not self._noun.versioned:
            raise ValueError(f"A {self._noun.name} is written once and never changes.")
        return cast("int", cast("Any", value).version)

    def _at_version(self, value: T, version: int) -> T:
        if not self._noun.versioned:
            return value
        return cast("T", replace(cast("Any", value), version=version))

    def _cursor(self, found: tuple[T, ...], limit: int, newest_first: bool) -> str | None:
        if len(found) <= limit:
            return None
        last = self._noun.key_of(found[limit - 1])
        return write_cursor(noun=self._noun.name, newest_first=newest_first, key=last)

    def _values(self, query: Select[Any]) -> tuple[T, ...]:
        return tuple(from_row(self._noun.kind, row) for row in self._transaction.read(query))

    def _select(self, equals: Mapping[str, object]) -> Select[Any]:
        table = self._noun.table
        query = select(*(table.c[field.name] for field in shape(self._noun.kind)))
        return query.where(*(equal(self._column(name), value) for name, value in equals.items()))

    def _column(self, name: str) -> Column[Any]:
        column = self._noun.table.c.get(name)
        if column is None or isinstance(column.type, JsonText):
            raise ValueError(f"A {self._noun.name} cannot be looked up by {name!r}.")
        return column

    def _among(self, groups: frozenset[GroupName]) -> ColumnElement[bool]:
        if self._noun.group is None:
            raise ValueError(f"A {self._noun.name} belongs to no group.")
        return equal(self._noun.table.c[self._noun.group], groups)


def equal(column: Column[Any], value: object) -> ColumnElement[bool]:
    """Compare a column with a value, or with any of a tuple or frozenset of values; None is no value."""
    if value is None:
        return column.is_(None)
    if not isinstance(value, (tuple, frozenset)):
        return column == value
    known = sorted(v for v in value if v is not None)
    some = column.in_(known) if known else false()
    return or_(some, column.is_(None)) if None in value else some

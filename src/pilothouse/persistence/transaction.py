"""One transaction on one connection: every statement of a unit of work passes here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import exc, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from pilothouse.persistence.errors import (
    ReferenceMissingError,
    ValueUnstorableError,
    is_reference_missing,
    translated,
)
from pilothouse.persistence.statements import codec_for, statement_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import CursorResult, Executable, Table
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
    from sqlalchemy.engine import Connection

    from pilothouse.domain.access import Principal
    from pilothouse.persistence.statements import Codec, Statement

T = TypeVar("T")


class Phase(StrEnum):
    """Where a transaction stands."""

    READING = "reading"
    WRITING = "writing"
    BROKEN = "broken"
    """A statement failed. PostgreSQL would turn the commit into a silent rollback."""
    ENDED = "ended"


@dataclass(slots=True, kw_only=True)
class Transaction:
    """
    A connection inside a transaction, who opened it and when.

    A programming error, such as writing in a reading unit or using a unit after its commit, is a
    `RuntimeError`.
    """

    connection: Connection
    who: Principal
    at: datetime
    phase: Phase
    postgresql: bool = field(init=False)

    def __post_init__(self) -> None:
        self.postgresql = self.connection.dialect.name == "postgresql"

    def read(
        self, statement: Executable, values: Mapping[str, Any] | None = None
    ) -> CursorResult[Any]:
        """Execute a statement that changes nothing."""
        if self.phase in (Phase.BROKEN, Phase.ENDED):
            raise RuntimeError(f"The unit of work is {self.phase.value}; open another one.")
        return self._execute(statement, values)

    def write(
        self,
        statement: Executable,
        values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        subject: tuple[str, str] = ("row", ""),
    ) -> CursorResult[Any]:
        """
        Execute a statement that changes something.

        Parameters
        ----------
        statement
            With a list of values it is executed for each of them.
        values
            What its parameters are.
        subject
            The noun and its name, for the error that says that it refers to nothing.
        """
        if self.phase is not Phase.WRITING:
            raise RuntimeError(f"The unit of work is {self.phase.value} and cannot write.")
        try:
            return self._execute(statement, values)
        except exc.IntegrityError as problem:
            if is_reference_missing(problem):
                raise ReferenceMissingError(noun=subject[0], name=subject[1]) from None
            raise

    def rows(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Execute a kept statement that changes nothing, and give its rows as the driver gives them."""
        if self.phase in (Phase.BROKEN, Phase.ENDED):
            raise RuntimeError(f"The unit of work is {self.phase.value}; open another one.")
        made = statement_for(statement, self.connection.dialect)
        return self._guarded(lambda: self._drive(made, made.parameters(values))).fetchall()

    def codec(self, kind: type[T]) -> Codec[T]:
        """Give how a kind of value is written to and read from the driver's cells."""
        return codec_for(kind, self.connection.dialect)

    def write_rows(
        self, statement: Executable, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    ) -> CursorResult[Any]:
        """Execute a kept statement that changes something, once or for each of some rows."""
        made = self._writable(statement)
        return self._guarded(lambda: self._drive(made, _parameters(made, rows)))

    def write_values(
        self,
        statement: Executable,
        kind: type[T],
        values: Sequence[T],
        *,
        beside: tuple[str, Sequence[Any]] | None = None,
    ) -> CursorResult[Any]:
        """Execute a kept statement that changes something for each of some values of one kind, and what is beside it."""
        made, codec = self._writable(statement), self.codec(kind)
        return self._guarded(
            lambda: self._drive(made, codec.parameters(made, values, beside=beside))
        )

    def insert(self, table: Table) -> PostgresqlInsert | SqliteInsert:
        """Start an INSERT that understands ``ON CONFLICT``."""
        return postgresql_insert(table) if self.postgresql else sqlite_insert(table)

    def lock(self, *names: str) -> None:
        """
        Wait for everybody else who locked these names together, and hold them until the unit ends.

        On SQLite a writing unit is alone anyway.
        """
        if self.postgresql and self.phase is Phase.WRITING:
            self.read(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:names, 0))"),
                {"names": "/".join(names)},
            )

    def commit(self) -> None:
        """Make everything durable, or fail."""
        if self.phase is not Phase.WRITING:
            raise RuntimeError(f"The unit of work is {self.phase.value} and cannot be committed.")
        try:
            self.connection.commit()
        except exc.DBAPIError as problem:
            self.phase = Phase.BROKEN
            ours = translated(problem)
            if ours is None:
                raise
            raise ours from problem
        self.phase = Phase.ENDED

    def _writable(self, statement: Executable) -> Statement:
        if self.phase is not Phase.WRITING:
            raise RuntimeError(f"The unit of work is {self.phase.value} and cannot write.")
        return statement_for(statement, self.connection.dialect)

    def _drive(self, made: Statement, parameters: Any) -> CursorResult[Any]:  # noqa: ANN401 the driver's
        return self.connection.exec_driver_sql(made.text, parameters)

    def _execute(self, statement: Executable, values: Any) -> CursorResult[Any]:  # noqa: ANN401
        return self._guarded(lambda: self.connection.execute(statement, values))

    def _guarded(self, act: Callable[[], CursorResult[Any]]) -> CursorResult[Any]:
        try:
            return act()
        except (
            exc.SQLAlchemyError,
            OverflowError,
            UnicodeEncodeError,
            ValueUnstorableError,
        ) as problem:
            self.phase = Phase.BROKEN
            ours = translated(problem)
            if ours is None:
                raise
            raise ours from problem


def _parameters(made: Statement, rows: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> object:
    if isinstance(rows, Mapping):
        return made.parameters(rows)
    return [made.parameters(row) for row in rows]

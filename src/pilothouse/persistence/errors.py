"""What can go wrong between us and a database, and the driver's words for it turned into ours."""

from __future__ import annotations

import sqlite3

from sqlalchemy import exc

from pilothouse.domain.errors import (
    InvalidError,
    PilothouseError,
    RefusedError,
    UnavailableError,
)

BUSY_STATES = frozenset({"40001", "40P01", "55P03"})
"""SQLSTATE of PostgreSQL: serialisation failure, deadlock, lock not available."""
NO_TABLE_STATES = frozenset({"42P01", "42703"})
"""SQLSTATE of PostgreSQL: undefined table, undefined column."""
BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})

DAMAGED_CODES = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


class DatabaseBusyError(UnavailableError):
    """Other writers held what this one needs for too long; nothing was changed."""

    code = "database-busy"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The database is busy with other writers ({problem}). Nothing was changed; repeat the call.",
            retry_after_s=1.0,
        )


class DatabaseUnreachableError(UnavailableError):
    """The database does not answer, or cannot read or write its file."""

    code = "database-unreachable"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The database does not answer: {problem}. See that it runs, that PILOTHOUSE_DATABASE_URL is "
            "right and that its disk is not full; then repeat the call."
        )


class DatabaseOutdatedError(UnavailableError):
    """The tables are not the ones that this version of Pilothouse works with."""

    code = "database-outdated"

    def __init__(self, *, found: str | None, needed: str) -> None:
        self.found, self.needed = found, needed
        super().__init__(
            f"The database stands at revision {found or 'none'}, this Pilothouse needs {needed}. Start it with "
            "`pilothouse up`, which migrates, or install the version that made the database."
        )


class DatabaseUrlInvalidError(InvalidError):
    """The address of the database cannot be used."""

    code = "database-url-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"PILOTHOUSE_DATABASE_URL cannot be used: {problem}. Write sqlite:////absolute/path.db or "
            "postgresql://user@host/name."
        )


class ValueUnstorableError(InvalidError):
    """A value cannot be kept as it is: it would come back as another one."""

    code = "value-unstorable"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(f"A value cannot be stored unchanged: {problem}. Correct it and repeat.")


class ReferenceMissingError(RefusedError):
    """A value names another thing that does not exist."""

    code = "reference-missing"

    def __init__(self, *, noun: str, name: str) -> None:
        self.noun, self.name = noun, name
        super().__init__(
            f"The {noun} {name} names a group, person, snapshot, runtime or other thing that does not exist. "
            "Create that first."
        )


def translated(problem: Exception) -> PilothouseError | None:
    """Give our error for what a statement raised, or None when it is a fault of ours."""
    if isinstance(problem, exc.TimeoutError):
        return DatabaseBusyError(problem="every connection is in use")
    if isinstance(problem, (OverflowError, UnicodeEncodeError)):
        return ValueUnstorableError(problem=str(problem))
    if not isinstance(problem, exc.StatementError):
        return None
    if isinstance(problem.orig, PilothouseError):
        return problem.orig
    if isinstance(problem, exc.DataError):
        return ValueUnstorableError(problem=first_line(problem))
    if isinstance(problem.orig, sqlite3.Error):
        return _from_sqlite(problem)
    return _from_postgresql(problem)


def first_line(problem: exc.StatementError) -> str:
    """Give the driver's own words, without the statement and its values."""
    return str(problem.orig).strip().partition("\n")[0]


def is_reference_missing(problem: exc.IntegrityError) -> bool:
    """Whether a foreign key was broken."""
    if isinstance(problem.orig, sqlite3.Error):
        return problem.orig.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    return getattr(problem.orig, "sqlstate", None) == "23503"


def _from_sqlite(problem: exc.StatementError) -> PilothouseError | None:
    words = first_line(problem)
    code = getattr(problem.orig, "sqlite_errorcode", 0) & 0xFF
    if code in BUSY_CODES:
        return DatabaseBusyError(problem=words)
    if words.startswith(("no such table", "no such column")):
        return DatabaseOutdatedError(found=words, needed="the newest tables")
    unreadable = isinstance(problem, exc.OperationalError) or code in DAMAGED_CODES
    if unreadable and code != sqlite3.SQLITE_ERROR:
        return DatabaseUnreachableError(problem=words)
    return None


def _from_postgresql(problem: exc.StatementError) -> PilothouseError | None:
    state = getattr(problem.orig, "sqlstate", None)
    words = first_line(problem)
    if state in BUSY_STATES:
        return DatabaseBusyError(problem=words)
    if state in NO_TABLE_STATES:
        return DatabaseOutdatedError(found=words, needed="the newest tables")
    if isinstance(problem, (exc.OperationalError, exc.InterfaceError)):
        return DatabaseUnreachableError(problem=words)
    return None

"""Addresses of databases, and the engines that speak to them."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, exc, make_url

from pilothouse.domain.errors import MissingExtraError
from pilothouse.persistence.columns import write_json
from pilothouse.persistence.errors import DatabaseUnreachableError, DatabaseUrlInvalidError

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy.engine import Connection, Engine

BEGIN = "pilothouse_begin"
"""Execution option of a SQLite connection: the statement that starts its transaction."""


class Durability(StrEnum):
    """What a commit on SQLite waits for."""

    FULL = "FULL"
    """The disk: nothing that was committed is lost when the machine loses power."""
    NORMAL = "NORMAL"
    """The operating system: a process may die, but a power cut may lose the last commits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """
    How a database is spoken to.

    Attributes
    ----------
    busy_timeout_s
        How long a writer waits for others, in seconds above 0.
    connections
        The most connections that are open at one time, from 1.
    durability
        What a commit waits for; SQLite only.
    """

    busy_timeout_s: float = 30.0
    connections: int = 20
    durability: Durability = Durability.FULL


def engine_for(url: str, options: DatabaseOptions) -> Engine:
    """
    Make the engine for an address.

    Raises
    ------
    DatabaseUrlInvalidError
        When the address is not one of a SQLite file or of PostgreSQL.
    MissingExtraError
        When PostgreSQL's driver is not installed.
    """
    try:
        address = make_url(url)
    except exc.ArgumentError:
        raise DatabaseUrlInvalidError(problem="it is not an address of a database") from None
    match address.get_backend_name():
        case "sqlite":
            return _sqlite(address, options)
        case "postgresql":
            return _postgresql(address, options)
        case other:
            raise DatabaseUrlInvalidError(problem=f"{other!r} is neither sqlite nor postgresql")


def _sqlite(address: URL, options: DatabaseOptions) -> Engine:
    path = _private_file(address.database)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        pool_size=options.connections,
        max_overflow=0,
        pool_timeout=options.busy_timeout_s,
        connect_args={"timeout": options.busy_timeout_s, "check_same_thread": False},
    )
    event.listen(engine, "connect", lambda raw, _: _prepare_sqlite(raw, options))
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _private_file(database: str | None) -> Path:
    if not database or database == ":memory:" or database.startswith("file:"):
        raise DatabaseUrlInvalidError(problem="SQLite needs the path of a file")
    path = Path(database)
    if not path.parent.is_dir():
        raise DatabaseUrlInvalidError(problem=f"there is no folder {path.parent}")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if stat.S_IMODE(path.stat().st_mode) != 0o600:
            path.chmod(0o600)
    except OSError as problem:
        raise DatabaseUnreachableError(problem=f"{path}: {problem.strerror}") from None
    return path


def _prepare_sqlite(raw: sqlite3.Connection, options: DatabaseOptions) -> None:
    raw.isolation_level = None  # the driver would begin by itself, and late; `_begin_sqlite` does
    (mode,) = raw.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal":
        raw.execute("PRAGMA journal_mode = WAL")
    raw.execute(f"PRAGMA synchronous = {options.durability.value}")
    raw.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))


def _postgresql(address: URL, options: DatabaseOptions) -> Engine:
    try:
        return create_engine(
            address.set(drivername="postgresql+psycopg"),
            pool_size=options.connections,
            max_overflow=0,
            pool_timeout=options.busy_timeout_s,
            pool_pre_ping=True,
            json_serializer=write_json,
            json_deserializer=json.loads,
            connect_args=_session(address, options),
        )
    except ModuleNotFoundError:
        raise MissingExtraError(
            library="psycopg", extra="postgres", purpose="A PostgreSQL database"
        ) from None


def _session(address: URL, options: DatabaseOptions) -> dict[str, Any]:
    """Give our settings of a session; what the address sets itself is left as it is."""
    wait_ms = int(options.busy_timeout_s * 1000)
    # A process that hangs inside a unit must not hold its run for ever; no unit waits for anything outside.
    ours = (
        f"-c timezone=UTC -c lock_timeout={wait_ms} -c idle_in_transaction_session_timeout=120000"
    )
    theirs = address.query.get("options", "")
    wanted: dict[str, Any] = {"application_name": "pilothouse", "connect_timeout": 10}
    return {name: value for name, value in wanted.items() if name not in address.query} | {
        "options": " ".join((ours, *((theirs,) if isinstance(theirs, str) else theirs)))
    }

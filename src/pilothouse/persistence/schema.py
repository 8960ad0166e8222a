"""The revision of a database's tables: what it is, what it must be, and how it gets there."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import exc, text

from pilothouse.persistence.addresses import BEGIN, DatabaseOptions, engine_for
from pilothouse.persistence.errors import DatabaseOutdatedError, translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection, Engine

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x70696C6F74  # "pilot": one migration at a time on PostgreSQL
ONE_THREAD = threading.Lock()  # Alembic's context belongs to the whole process


def migrate(url: str, revision: str = "head") -> None:
    """
    Bring the tables up to a revision, in one transaction; what is there already is left alone.

    Processes that start at the same moment wait for one another.

    Raises
    ------
    DatabaseUrlInvalidError
        When the address cannot be used.
    DatabaseUnreachableError
        When nothing answers there.
    DatabaseOutdatedError
        When a newer version of Pilothouse made the tables.
    """
    _changed(url, functools.partial(_upgrade, revision))


def downgrade(url: str, revision: str) -> None:
    """Take the tables back to an older revision (``base`` removes them, with all that they hold)."""
    _changed(url, functools.partial(_downgrade, revision))


def current(url: str) -> str | None:
    """Give the revision that a database stands at; None for an empty one."""
    engine = engine_for(url, DatabaseOptions())
    try:
        return current_revision(engine)
    finally:
        engine.dispose()


def needed() -> str:
    """Give the revision that this version of Pilothouse works with."""
    head = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if head is None:
        raise RuntimeError(f"There are no migrations in {MIGRATIONS}.")
    return head


def current_revision(engine: Engine) -> str | None:
    """Give the revision of an engine's tables."""
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except exc.SQLAlchemyError as problem:
        ours = translated(problem)
        if ours is None:
            raise
        raise ours from problem


def require_current(engine: Engine) -> None:
    """
    Make sure that the tables are those that this version works with.

    Raises
    ------
    DatabaseOutdatedError
        When they are older or newer.
    """
    found = current_revision(engine)
    if found != needed():
        raise DatabaseOutdatedError(found=found, needed=needed())


def _upgrade(revision: str, config: Config) -> None:
    command.upgrade(config, revision)


def _downgrade(revision: str, config: Config) -> None:
    command.downgrade(config, revision)


def _changed(url: str, change: Callable[[Config], None]) -> None:
    engine = engine_for(url, DatabaseOptions())
    found: str | None = None
    try:
        alone = {BEGIN: "BEGIN IMMEDIATE"}
        with (
            ONE_THREAD,
            engine.connect().execution_options(**alone) as connection,
            connection.begin(),
        ):
            _alone(connection)
            found = MigrationContext.configure(connection).get_current_revision()
            change(_config(connection))
    except CommandError as problem:
        raise DatabaseOutdatedError(found=found, needed=needed()) from problem
    except exc.SQLAlchemyError as problem:
        ours = translated(problem)
        if ours is None:
            raise
        raise ours from problem
    finally:
        engine.dispose()


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config

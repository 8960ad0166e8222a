"""The tables and their migrations say the same, and every revision goes up and down."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from pilothouse.persistence.addresses import DatabaseOptions, engine_for
from pilothouse.persistence.errors import DatabaseOutdatedError
from pilothouse.persistence.schema import current, downgrade, migrate, needed
from pilothouse.persistence.tables import BUSY_TABLES, EVERY_TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Connection

MIGRATE_WHEN_TOLD = """
import sys
from pilothouse.persistence.schema import migrate

sys.stdin.readline()
migrate(sys.argv[1])
"""


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = engine_for(url, DatabaseOptions())
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def test_migrations_make_exactly_the_tables_that_the_code_works_with(database_url: str) -> None:
    with connected(database_url) as connection:
        differences = compare_metadata(MigrationContext.configure(connection), EVERY_TABLE)
    assert differences == []


def test_an_empty_database_has_no_revision(empty_database_url: str) -> None:
    assert current(empty_database_url) is None


def test_migrations_go_up_down_and_up_again(empty_database_url: str) -> None:
    migrate(empty_database_url)
    downgrade(empty_database_url, "base")
    with connected(empty_database_url) as connection:
        left = set(inspect(connection).get_table_names())
    migrate(empty_database_url)
    assert left == {"alembic_version"}
    assert current(empty_database_url) == needed()


def test_an_index_that_is_missing_is_noticed(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with connected(empty_database_url) as connection, connection.begin():
        connection.execute(text("DROP INDEX ix_run_jobs_ready"))
        differences = compare_metadata(MigrationContext.configure(connection), EVERY_TABLE)
    assert [difference[0] for difference in differences] == ["add_index"]


def test_tables_of_a_newer_version_are_refused(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with connected(empty_database_url) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseOutdatedError) as caught:
        migrate(empty_database_url)
    assert (caught.value.found, caught.value.needed) == ("9999", needed())


def test_threads_that_migrate_at_once_wait_for_one_another(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [empty_database_url] * 3))
    assert current(empty_database_url) == needed()


def test_processes_that_migrate_at_once_wait_for_one_another(empty_database_url: str) -> None:
    command = [sys.executable, "-c", MIGRATE_WHEN_TOLD, empty_database_url]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(3)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0, 0, 0]
    assert current(empty_database_url) == needed()


def test_migrating_twice_changes_nothing(database_url: str) -> None:
    migrate(database_url)
    assert current(database_url) == needed()


@pytest.mark.postgresql
def test_busy_tables_leave_room_and_are_vacuumed_early(postgresql_url: str) -> None:
    query = text("SELECT relname, reloptions FROM pg_class WHERE relname = ANY(:names)")
    with connected(postgresql_url) as connection:
        rows = connection.execute(query, {"names": list(BUSY_TABLES)}).all()
    wanted = ["fillfactor=70", "autovacuum_vacuum_scale_factor=0.02"]
    assert dict(rows) == dict.fromkeys(BUSY_TABLES, wanted)


@pytest.mark.postgresql
def test_texts_are_ordered_by_code_point_on_postgresql(postgresql_url: str) -> None:
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND data_type IN ('text', 'character varying') AND table_name <> 'alembic_version' "
        "AND collation_name IS DISTINCT FROM 'C'"
    )
    with connected(postgresql_url) as connection:
        assert connection.execute(query).all() == []

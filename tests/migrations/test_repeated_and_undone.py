"""Revision 0003 on a database with runs: they go on, and none loses its place on the way down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from pilothouse.persistence.schema import current, downgrade, migrate
from tests.migrations.test_schema import connected

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

AT = "2026-01-05T12:00:00.000000Z"
ROWS = (
    (
        "INSERT INTO groups (name, title, python_source, skops_types, created_at, version) "
        "VALUES ('risk', 'Risk', false, '[]', :at, 1)"
    ),
    (
        'INSERT INTO definitions (id, "group", kind, key, definition_version, name, xml, sha256, start_signals, '
        "state, uploaded_by, uploaded_at, version, decisions, imports) VALUES ('def_1', 'risk', 'bpmn', 'small', 1, "
        "'Small', '<definitions/>', 'abc', '[]', 'active', 'per_1', :at, 1, '[]', '{}')"
    ),
    (
        'INSERT INTO runs (id, definition_id, state, revision, history_length, started_at, started_by, "group", '
        "definition_key) VALUES ('run_1', 'def_1', 'active', 1, 1, :at, 'per_1', 'risk', 'small')"
    ),
    (
        "INSERT INTO scopes (id, run_id, element, kind) VALUES ('sco_1', 'run_1', 'small', 'process')"
    ),
)
NEW = {
    "scopes": (
        "INSERT INTO scopes (id, run_id, element, kind, started, ended) "
        "VALUES ('sco_2', 'run_1', 'each', 'multi-instance', 1, 0)"
    ),
    "run_tokens": (
        "INSERT INTO run_tokens (id, run_id, scope_id, element, state) "
        "VALUES ('tkn_1', 'run_1', 'sco_1', 'on', 'listening')"
    ),
    "compensations": (
        "INSERT INTO compensations (id, run_id, scope_id, sequence, element, handler, variables) "
        "VALUES ('cmp_1', 'run_1', 'sco_1', 1, 'a', 'b', '{}')"
    ),
}


def write(url: str, *statements: str) -> None:
    with connected(url) as connection, connection.begin():
        for statement in statements:
            connection.execute(text(statement.replace(":at", f"'{AT}'")))


def scopes(connection: Connection) -> list[tuple[object, ...]]:
    rows = connection.execute(text("SELECT id, started, ended, size FROM scopes ORDER BY id"))
    return [tuple(row) for row in rows]


def test_scopes_of_before_have_counted_nothing(empty_database_url: str) -> None:
    migrate(empty_database_url, "0002")
    write(empty_database_url, *ROWS)

    migrate(empty_database_url, "0003")

    with connected(empty_database_url) as connection:
        assert scopes(connection) == [("sco_1", 0, 0, None)]


def test_a_database_whose_runs_repeat_nothing_goes_down_and_up(empty_database_url: str) -> None:
    migrate(empty_database_url, "0003")
    write(empty_database_url, *ROWS)

    downgrade(empty_database_url, "0002")
    migrate(empty_database_url, "0003")

    with connected(empty_database_url) as connection:
        assert scopes(connection) == [("sco_1", 0, 0, None)]


@pytest.mark.parametrize("table", sorted(NEW))
def test_a_run_that_would_lose_its_place_keeps_the_database_up(
    empty_database_url: str, table: str
) -> None:
    migrate(empty_database_url, "0003")
    write(empty_database_url, *ROWS, NEW[table])

    with pytest.raises(ValueError, match="The runs run_1"):
        downgrade(empty_database_url, "0002")

    assert current(empty_database_url) == "0003"

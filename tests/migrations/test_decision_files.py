"""Revision 0002 on a database with rows: nothing is lost on the way up, down and up again."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from pilothouse.persistence.schema import downgrade, migrate
from tests.migrations.test_schema import connected

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

DMN = (
    '<?xml version="1.0" encoding="{0}"?>\n'
    '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="file" name="f" namespace="house">'
    '<decision id="first" name="First"><literalExpression><text>"é"</text></literalExpression></decision>'
    '<decision id="last" name="Last"><literalExpression><text>"Ã©"</text></literalExpression></decision>'
    "</definitions>"
)
UTF_8 = DMN.format("UTF-8").encode()
LATIN = DMN.format("ISO-8859-1").replace('"é"', '"e"').encode("latin-1")
BPMN = b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>'
DEFINITIONS = {
    "def_1": ("dmn", "last", UTF_8),
    "def_2": ("dmn", "latin", LATIN),
    "def_3": ("bpmn", "small", BPMN),
}
AT = "2026-01-05T12:00:00.000000Z"


def fill(connection: Connection) -> None:
    """Write rows as revision 0001 did: the bytes of every file read as UTF-8."""
    for number, (name, (kind, key, source)) in enumerate(DEFINITIONS.items(), 1):
        connection.execute(
            text(
                'INSERT INTO definitions (id, "group", kind, key, definition_version, name, xml, sha256, '
                "start_signals, state, uploaded_by, uploaded_at, version) VALUES (:id, 'risk', :kind, :key, "
                "1, 'n', :xml, :sha256, '[]', 'active', 'per_1', :at, :version)"
            ),
            {
                "id": name,
                "kind": kind,
                "key": key,
                "xml": source.decode(),
                "sha256": hashlib.sha256(source).hexdigest(),
                "at": AT,
                "version": number,
            },
        )
    connection.execute(
        text(
            "INSERT INTO groups (name, title, python_source, skops_types, created_at, version) "
            "VALUES ('risk', 'Risk', false, '[]', :at, 1)"
        ),
        {"at": AT},
    )
    connection.execute(
        text(
            "INSERT INTO runs (id, definition_id, state, revision, history_length, started_at, started_by, "
            "\"group\", definition_key) VALUES ('run_1', 'def_3', 'active', 1, 0, :at, 'per_1', 'risk', 'small')"
        ),
        {"at": AT},
    )


def rows(url: str, query: str) -> list[dict[str, Any]]:
    with connected(url) as connection:
        return [dict(row) for row in connection.execute(text(query)).mappings()]


@pytest.fixture
def filled_url(empty_database_url: str) -> str:
    migrate(empty_database_url, "0001")
    with connected(empty_database_url) as connection, connection.begin():
        fill(connection)
    return empty_database_url


def test_going_up_keeps_every_row_and_lists_what_decision_files_give(filled_url: str) -> None:
    migrate(filled_url)

    found = rows(
        filled_url, "SELECT id, namespace, decisions, version FROM definitions ORDER BY id"
    )
    given = rows(
        filled_url, 'SELECT definition_id, "group", decision FROM given_decisions ORDER BY id'
    )
    assert [(r["id"], r["namespace"], plain(r["decisions"]), r["version"]) for r in found] == [
        ("def_1", "house", ["first", "last"], 1),
        ("def_2", "house", ["first", "last"], 2),
        ("def_3", None, [], 3),
    ]
    assert [tuple(r.values()) for r in given] == [
        (definition, "risk", decision)
        for definition in ("def_1", "def_2")
        for decision in ("first", "last")
    ]
    assert len(rows(filled_url, "SELECT id FROM runs")) == 1


def test_going_up_reads_a_file_by_the_encoding_that_it_declares(filled_url: str) -> None:
    migrate(filled_url)

    [utf_8, latin] = rows(filled_url, "SELECT xml FROM definitions WHERE kind = 'dmn' ORDER BY id")
    assert utf_8["xml"].encode() == UTF_8
    assert latin["xml"].encode("latin-1") == LATIN


def test_going_down_keeps_every_file_readable(filled_url: str) -> None:
    migrate(filled_url)
    downgrade(filled_url, "0001")

    found = rows(filled_url, "SELECT xml, sha256 FROM definitions ORDER BY id")
    assert [r["xml"] for r in found] == [
        UTF_8.decode(),
        LATIN.decode("latin-1").replace("ISO-8859-1", "utf-8"),
        BPMN.decode(),
    ]
    assert [r["sha256"] for r in found] == [
        hashlib.sha256(source).hexdigest() for _, _, source in DEFINITIONS.values()
    ]


def test_going_up_again_finds_the_same(filled_url: str) -> None:
    query = "SELECT definition_id, decision FROM given_decisions ORDER BY id"
    migrate(filled_url)
    once = rows(filled_url, query)
    downgrade(filled_url, "0001")
    migrate(filled_url)

    assert rows(filled_url, query) == once


def plain(cell: object) -> object:
    """SQLite gives JSON as text."""
    return json.loads(cell) if isinstance(cell, str) else cell

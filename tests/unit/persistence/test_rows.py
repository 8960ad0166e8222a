"""Values become rows and come back the same; columns are made from fields alone."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import exc

from pilothouse.domain.errors import CursorInvalidError
from pilothouse.domain.plain import DocumentError
from pilothouse.persistence.columns import write_json
from pilothouse.persistence.cursors import read_cursor, write_cursor
from pilothouse.persistence.errors import (
    DatabaseBusyError,
    DatabaseOutdatedError,
    DatabaseUnreachableError,
    ValueUnstorableError,
    translated,
)
from pilothouse.persistence.nouns import NOUNS
from pilothouse.persistence.rows import Storage, from_row, shape, to_row

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    id: str
    count: int
    share: float
    on: bool
    colour: Colour
    at: datetime
    maybe: datetime | None
    inner: Inner | None
    names: tuple[str, ...]
    anything: object


def test_each_field_is_kept_by_its_kind() -> None:
    found = {f.name: (f.storage, f.optional) for f in shape(Thing)}
    assert found == {
        "id": (Storage.TEXT, False),
        "count": (Storage.INTEGER, False),
        "share": (Storage.FLOAT, False),
        "on": (Storage.BOOLEAN, False),
        "colour": (Storage.TEXT, False),
        "at": (Storage.TIME, False),
        "maybe": (Storage.TIME, True),
        "inner": (Storage.JSON, True),
        "names": (Storage.JSON, False),
        "anything": (Storage.JSON, True),
    }


@given(
    number=st.floats(allow_nan=False, allow_infinity=False),
    text=st.text(),
    names=st.lists(st.text()).map(tuple),
)
def test_a_value_comes_back_from_its_row(number: float, text: str, names: tuple[str, ...]) -> None:
    thing = Thing(
        id=text,
        count=3,
        share=number,
        on=True,
        colour=Colour.RED,
        at=NOON,
        maybe=None,
        inner=Inner(width=number),
        names=names,
        anything={"deep": [1, 1.0, None]},
    )
    assert from_row(Thing, list(to_row(thing).values())) == thing


def test_a_cell_of_the_wrong_form_is_named() -> None:
    row = ["t", 1, 1.0, True, "red", NOON, None, {"width": "wide"}, [], None]
    with pytest.raises(DocumentError) as caught:
        from_row(Thing, row)
    assert caught.value.path == "Thing.inner.width"


@pytest.mark.parametrize("noun", NOUNS, ids=lambda n: n.table.name)
def test_the_columns_of_a_noun_are_its_fields(noun: object) -> None:
    table, kind = noun.table, noun.kind  # type: ignore[attr-defined]
    assert [column.name for column in table.columns] == [field.name for field in shape(kind)]


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_json_has_no_word_for_is_refused(number: float) -> None:
    with pytest.raises(ValueUnstorableError):
        write_json({"auc": number})


@given(key=st.text().filter(lambda text: "\0" not in text), newest_first=st.booleans())
def test_a_cursor_says_where_it_was_written(key: str, newest_first: bool) -> None:
    cursor = write_cursor(noun="model", newest_first=newest_first, key=key)
    assert read_cursor(cursor, noun="model", newest_first=newest_first) == key


@given(text=st.text())
def test_any_other_text_is_no_cursor(text: str) -> None:
    with pytest.raises(CursorInvalidError):
        read_cursor(text, noun="model", newest_first=False)


def raised(words: str, code: int) -> exc.StatementError:
    problem = sqlite3.OperationalError(words)
    problem.sqlite_errorcode = code
    return exc.OperationalError("SELECT", {}, problem)


@pytest.mark.parametrize(
    ("words", "code", "kind"),
    [
        ("database is locked", sqlite3.SQLITE_BUSY, DatabaseBusyError),
        ("database is locked", sqlite3.SQLITE_BUSY_SNAPSHOT, DatabaseBusyError),
        ("database or disk is full", sqlite3.SQLITE_FULL, DatabaseUnreachableError),
        ("disk I/O error", sqlite3.SQLITE_IOERR, DatabaseUnreachableError),
        ("attempt to write a readonly database", sqlite3.SQLITE_READONLY, DatabaseUnreachableError),
        ("no such table: models", sqlite3.SQLITE_ERROR, DatabaseOutdatedError),
    ],
)
def test_the_drivers_words_become_ours(words: str, code: int, kind: type[Exception]) -> None:
    assert type(translated(raised(words, code))) is kind


def test_a_statement_that_we_wrote_wrongly_stays_a_fault() -> None:
    assert translated(raised('near "SELEKT": syntax error', sqlite3.SQLITE_ERROR)) is None
    assert translated(KeyError("x")) is None

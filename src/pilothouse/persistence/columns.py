"""The types of our columns: what goes in comes out again, the same on both databases, or is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, JSON, Text, bindparam
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement
from sqlalchemy.types import NullType, TypeDecorator

from pilothouse.domain.plain import rfc3339, to_plain
from pilothouse.persistence.errors import ValueUnstorableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.types import TypeEngine


EMPTY = "{}"
JSON_TEXT = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=to_plain)
"""Made once, as `json.dumps` would make one for each value; asked for what JSON has no form of, `to_plain` gives one."""


def on_postgresql(dialect: Dialect) -> bool:
    """Whether statements of this dialect go to PostgreSQL."""
    return dialect.name == "postgresql"


class PlainText(TypeDecorator[str]):
    """
    Text and enum members, compared by code point on both databases.

    PostgreSQL refuses U+0000 in text, so we do so everywhere. Its collation is ``C``: pages are cut by
    comparing ids and names, and that order must not depend on the locale of a server.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the database's own type."""
        return dialect.type_descriptor(Text(collation="C") if on_postgresql(dialect) else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Refuse what is not text, or not text that both databases keep."""
        return None if value is None else plain_text(value)


def plain_text(value: object) -> str:
    """
    Give text, or the text of an enum member, that both databases keep.

    Raises
    ------
    ValueUnstorableError
        When it is another thing, or holds U+0000.
    """
    plain = value if type(value) is str else value.value if isinstance(value, Enum) else value
    if not isinstance(plain, str):
        raise ValueUnstorableError(problem=f"{plain!r} is not text")
    if "\0" in plain:
        raise ValueUnstorableError(problem="the text holds the character U+0000")
    return plain


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, in UTC, to the microsecond; RFC 3339 text on SQLite, so that text order is time order."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the database's own type."""
        return dialect.type_descriptor(
            TIMESTAMP(timezone=True) if on_postgresql(dialect) else Text()
        )

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ANN401
        """Write the time; one without a zone is refused."""
        if value is None:
            return None
        text = write_time(value)
        return value if on_postgresql(dialect) else text

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401
        """Read the time, in UTC."""
        if value is None:
            return None
        return value.astimezone(UTC) if on_postgresql(dialect) else read_time(value)


def write_time(at: datetime) -> str:
    """
    Write a time as SQLite keeps it.

    Raises
    ------
    ValueUnstorableError
        When it has no zone.
    """
    if at.tzinfo is None:
        raise ValueUnstorableError(problem=f"the time {at} has no zone")
    return rfc3339(at)


def read_time(text: str) -> datetime:
    """Read a time as SQLite keeps it, in UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is UTC else at.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """
    Plain JSON, kept letter by letter.

    SQLite gets a TEXT column: a column declared JSON there has numeric affinity and would turn 1.0 into
    1. PostgreSQL gets ``json``, not ``jsonb``, which would reorder keys and turn 1e20 into a whole number.
    None is SQL's NULL.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the database's own type."""
        return dialect.type_descriptor(
            JSON(none_as_null=True) if on_postgresql(dialect) else Text()
        )

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401
        """Write the value; PostgreSQL's driver writes it by `write_json` itself."""
        return value if value is None or on_postgresql(dialect) else write_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401
        """Read the value."""
        return value if value is None or on_postgresql(dialect) else read_json(value)


def write_json(value: object) -> str:
    """
    Write a plain value as JSON.

    Raises
    ------
    ValueUnstorableError
        When it holds a number that JSON has no word for, such as NaN.

    Examples
    --------
    >>> write_json({"auc": 1.0})
    '{"auc":1.0}'
    """
    try:
        return EMPTY if value == {} else JSON_TEXT.encode(value)
    except ValueError as problem:
        raise ValueUnstorableError(problem=str(problem)) from None


def read_json(text: str) -> Any:  # noqa: ANN401 whatever it is
    """Read plain JSON; most of it are empty objects."""
    return {} if text == EMPTY else json.loads(text)


class Among(ColumnElement[Any]):
    """Whether a text column holds one of the texts that a parameter lists; one text of SQL for any number."""

    inherit_cache = False
    type = NullType()  # a Boolean would be compared with 1 on SQLite, and the index be left alone

    def __init__(self, column: ColumnElement[str], name: str) -> None:
        self.column, self.texts = column, bindparam(name, type_=TextList())


def among(column: ColumnElement[str], name: str) -> ColumnElement[Any]:
    """Compare a text column with the list of texts that comes as the parameter `name`."""
    return Among(column, name)


class TextList(TypeDecorator[list[str]]):
    """A list of texts as a parameter: an array for PostgreSQL, JSON for SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the database's own type."""
        return dialect.type_descriptor(ARRAY(Text()) if on_postgresql(dialect) else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401
        """Write the list."""
        return list(value) if on_postgresql(dialect) else write_json(list(value))


@compiles(Among, "sqlite")
def _among_on_sqlite(element: Among, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401
    column, texts = (compiler.process(part, **words) for part in (element.column, element.texts))
    return f"{column} IN (SELECT value FROM json_each({texts}))"  # noqa: S608 parts of ours


@compiles(Among, "postgresql")
def _among_on_postgresql(element: Among, compiler: SQLCompiler, **words: Any) -> str:  # noqa: ANN401
    column, texts = (compiler.process(part, **words) for part in (element.column, element.texts))
    return f"{column} = ANY ({texts})"


def binding(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """
    Give what makes a driver's parameter of a value of a column's type, where the value is not None.

    SQLAlchemy's way leads through three calls to ours; where it adds nothing, ours stands alone.
    """
    if isinstance(kind, PlainText):
        return plain_text
    if isinstance(kind, UtcDateTime) and not on_postgresql(dialect):
        return write_time
    if isinstance(kind, JsonText) and not on_postgresql(dialect):
        return write_json
    return kind.dialect_impl(dialect).bind_processor(dialect)


def reading(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Give what makes a value of a cell that is not NULL, in the same way."""
    if isinstance(kind, UtcDateTime) and not on_postgresql(dialect):
        return read_time
    if isinstance(kind, JsonText) and not on_postgresql(dialect):
        return read_json
    return kind.dialect_impl(dialect).result_processor(dialect, None)

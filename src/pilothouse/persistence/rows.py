"""Frozen values to rows of their tables and back, by the annotations of their fields."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, TypeVar

from pilothouse.domain.plain import from_plain, to_plain

if typing.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")


class Storage(StrEnum):
    """How a field is kept."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TIME = "time"
    JSON = "json"


_SCALARS = {
    str: Storage.TEXT,
    int: Storage.INTEGER,
    float: Storage.FLOAT,
    bool: Storage.BOOLEAN,
    datetime: Storage.TIME,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a value as a column of its table."""

    name: str
    storage: Storage
    optional: bool
    read: Callable[[Any], Any] | None
    """What turns a cell that is not NULL into the field's value; None when it is that already."""
    texts: Mapping[Any, str] | None = None
    """The texts of an enumeration's members."""


def shape(kind: type[Any]) -> tuple[Field, ...]:
    """
    Give the fields of a frozen dataclass as columns, in order.

    Examples
    --------
    >>> from pilothouse.domain.stages import Stage
    >>> [f"{f.name} {f.storage.value}" for f in shape(Stage)][:3]
    ['name text', 'position integer', 'production boolean']
    """
    return _shape(typing.cast("Any", kind))


@functools.cache
def _shape(kind: Any) -> tuple[Field, ...]:  # noqa: ANN401 a class, which mypy does not take for hashable
    hints = typing.get_type_hints(kind)
    return tuple(_field(kind, f.name, hints[f.name]) for f in dataclasses.fields(kind))


def _field(kind: type, name: str, hint: Any) -> Field:  # noqa: ANN401
    inner, optional = _without_none(hint)
    storage = _storage(inner)
    path = f"{kind.__name__}.{name}"
    read: Callable[[Any], Any] | None = None
    if storage is Storage.JSON:
        read = _reading(inner, path)
    elif isinstance(inner, type) and issubclass(inner, Enum):
        read = _members(inner)
    elif storage is Storage.FLOAT:
        read = float
    return Field(
        name=name,
        storage=storage,
        optional=optional or inner is object,
        read=read,
        texts=_texts(inner),
    )


def _texts(hint: Any) -> Mapping[Any, str] | None:  # noqa: ANN401
    members = hint if isinstance(hint, type) and issubclass(hint, Enum) else ()
    return {member: member.value for member in members} or None


def _reading(hint: Any, path: str) -> Callable[[Any], Any]:  # noqa: ANN401
    read = functools.partial(from_plain, hint, path=path)
    if hint is object or typing.get_origin(hint) is Mapping:
        # What most cells hold; reading it needs no look at the annotation.
        return lambda cell: {} if cell == {} else read(cell)
    return read


def _members(kind: type[Enum]) -> Callable[[Any], Enum]:
    """Look a member up by its value, in a third of the time of the class's own call."""
    known = {member.value: member for member in kind}
    return lambda cell: known[cell] if cell in known else kind(cell)


def _without_none(hint: Any) -> tuple[Any, bool]:  # noqa: ANN401
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        options = tuple(o for o in typing.get_args(hint) if o is not type(None))
        optional = len(options) < len(typing.get_args(hint))
        inner = options[0] if len(options) == 1 else typing.Union[options]  # noqa: UP007 built from a tuple
        return _unwrapped(inner), optional
    return _unwrapped(hint), False


def _unwrapped(hint: Any) -> Any:  # noqa: ANN401
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    return hint


def _storage(hint: Any) -> Storage:  # noqa: ANN401
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Storage.TEXT
    return _SCALARS.get(hint, Storage.JSON) if isinstance(hint, type) else Storage.JSON


def to_row(value: object) -> dict[str, Any]:
    """
    Give a value's cells by the names of their columns.

    Examples
    --------
    >>> from pilothouse.domain.locations import Place
    >>> to_row(Place(location="lake", path="in.csv"))
    {'location': 'lake', 'path': 'in.csv'}
    """
    return {
        field.name: to_plain(getattr(value, field.name))
        if field.storage is Storage.JSON
        else getattr(value, field.name)
        for field in shape(type(value))
    }


def from_row(kind: type[T], row: Sequence[Any]) -> T:
    """
    Read a value from its cells, in the order of its fields.

    Raises
    ------
    DocumentError
        When a JSON cell does not have the form that the field must have.
    """
    return kind(
        **{
            field.name: cell if cell is None or field.read is None else field.read(cell)
            for field, cell in zip(shape(kind), row, strict=True)
        }
    )

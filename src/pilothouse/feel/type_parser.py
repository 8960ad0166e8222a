"""Types as they are written in FEEL: after ``instance of`` and in the parameters of functions. Source: DMN 1.5, rule 54."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Protocol

from pilothouse.feel.names import KnownNames, new_name_length, spelled
from pilothouse.feel.types import (
    SIMPLE_TYPES,
    ContextType,
    FunctionType,
    ListType,
    RangeType,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.feel.cursor import Cursor

_SIMPLE = KnownNames(SIMPLE_TYPES)


class TypeReading(Protocol):
    """What reading a type needs of the parser."""

    cursor: Cursor
    types: Mapping[str, Type]


def read_type(reading: TypeReading) -> Type:
    """
    Read the type that stands next.

    Parameters
    ----------
    reading
        Where the parser stands, and the types that the caller has names for.

    Raises
    ------
    FeelSyntaxError
        When none stands there, or nobody knows its name.
    """
    c = reading.cursor
    reader = _READERS.get(c.token.text)
    if reader is None or not c.follows("<"):
        return _named(reading)
    c.descend()
    c.advance()
    c.expect("<")
    kind = reader(reading)
    c.ascend()
    return kind


def read_tested_type(reading: TypeReading) -> Type | None:
    """
    Read the type after ``instance of``: `None` where it lacks its parameters, which makes the test null.

    Raises
    ------
    FeelSyntaxError
        When none stands there, or nobody knows its name.
    """
    c = reading.cursor
    name = c.token.text
    if name not in _READERS or c.follows("<") or name in reading.types:
        return read_type(reading)
    c.advance()
    return None


def _named(reading: TypeReading) -> Type:
    c = reading.cursor
    own = KnownNames(reading.types).longest(c.tokens, c.index)
    simple = _SIMPLE.longest(c.tokens, c.index)
    found = max(filter(None, (own, simple)), default=None)
    if found is not None:
        c.index += found.length
        return reading.types.get(found.name) or SIMPLE_TYPES[found.name]
    kind = reading.types.get(c.token.text) or SIMPLE_TYPES.get(c.token.text)
    if kind is None:
        raise c.failure(_expected(c.token.text, reading.types))
    c.advance()
    return kind


def _expected(name: str, types: Mapping[str, Type]) -> str:
    known = [*types, *SIMPLE_TYPES, "list<…>", "range<…>", "context<…>", "function<…> -> …"]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"a type (the nearest is {near[0]})" if near else "a type"


def _list(reading: TypeReading) -> Type:
    item = read_type(reading)
    reading.cursor.close_angle()
    return ListType(item)


def _range(reading: TypeReading) -> Type:
    end = read_type(reading)
    reading.cursor.close_angle()
    return RangeType(end)


def _context(reading: TypeReading) -> Type:
    c = reading.cursor
    entries: dict[str, Type] = {}
    while not c.at_sign(">", ">=") or entries:
        token = c.token
        count = new_name_length(c.tokens, c.index, keywords=True)
        if not count:
            raise c.failure("the name of an entry")
        key = spelled(c.tokens[c.index : c.index + count])
        if key in entries:
            raise c.failure("an entry that is not there already", token=token)
        c.index += count
        c.expect(":")
        entries[key] = read_type(reading)
        if not c.accept(","):
            break
    c.close_angle()
    return ContextType(entries)


def _function(reading: TypeReading) -> Type:
    c = reading.cursor
    parameters: list[Type] = []
    while not c.at_sign(">") or parameters:
        parameters.append(read_type(reading))
        if not c.accept(","):
            break
    c.close_angle()
    c.expect("->")
    return FunctionType(tuple(parameters), read_type(reading))


_READERS: Mapping[str, Callable[[TypeReading], Type]] = {
    "list": _list,
    "range": _range,
    "context": _context,
    "function": _function,
}

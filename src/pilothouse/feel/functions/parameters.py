"""What a parameter of a built-in function takes, and how values are made to fit. Source: DMN 1.5, section 10.3.2.9.4."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pilothouse.feel.values import Function, Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LARGEST_WHOLE = 10**18


class Kind(StrEnum):
    """A kind of values that a parameter takes, as messages name it."""

    ANY = "value"
    NUMBER = "number"
    WHOLE = "whole number"
    STRING = "string"
    LIST = "list"
    CONTEXT = "context"
    RANGE = "range"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    A parameter of a built-in function.

    Parameters
    ----------
    name
        As the standard writes it.
    kind
        The values that it takes.
    """

    name: str
    kind: Kind = Kind.ANY


def number(name: str) -> Parameter:
    """Name a parameter that takes a number."""
    return Parameter(name=name, kind=Kind.NUMBER)


def whole(name: str) -> Parameter:
    """Name a parameter that takes a whole number, which the function gets as an ``int``."""
    return Parameter(name=name, kind=Kind.WHOLE)


def string(name: str) -> Parameter:
    """Name a parameter that takes a string."""
    return Parameter(name=name, kind=Kind.STRING)


def items(name: str) -> Parameter:
    """Name a parameter that takes a list; a single value is a list of one."""
    return Parameter(name=name, kind=Kind.LIST)


def context(name: str) -> Parameter:
    """Name a parameter that takes a context."""
    return Parameter(name=name, kind=Kind.CONTEXT)


def bounds(name: str) -> Parameter:
    """Name a parameter that takes a range."""
    return Parameter(name=name, kind=Kind.RANGE)


def function(name: str) -> Parameter:
    """Name a parameter that takes a function."""
    return Parameter(name=name, kind=Kind.FUNCTION)


def integer(value: Value) -> int | None:
    """
    Give a whole number of at most 18 digits as an ``int``; of anything else, `None`.

    Examples
    --------
    >>> integer(Decimal("2.0")), integer(Decimal("2.5"))
    (2, None)
    """
    if not isinstance(value, Decimal) or abs(value) > _LARGEST_WHOLE:
        return None
    return int(value) if value == value.to_integral_value() else None


def single(value: Value) -> Value:
    """Take the item out of a list of one; leave everything else as it is."""
    return value[0] if isinstance(value, tuple) and len(value) == 1 else value


def taken(kind: Kind, value: Value) -> Any:  # noqa: ANN401  # an `int` or a value of the kind
    """
    Make a value one of a kind: a list of one for its item, an item for a list of one; else `None`.

    Examples
    --------
    >>> taken(Kind.NUMBER, (Decimal(1),)), taken(Kind.LIST, Decimal(1)), taken(Kind.STRING, Decimal(1))
    (Decimal('1'), (Decimal('1'),), None)
    """
    return _TAKES[kind](value)


def _of(wanted: type) -> Callable[[Value], Value]:
    def take(value: Value) -> Value:
        if isinstance(value, wanted):
            return value
        inner = single(value)
        return inner if isinstance(inner, wanted) else None

    return take


def _list(value: Value) -> Value:
    return value if value is None or isinstance(value, tuple) else (value,)


_TAKES: Mapping[Kind, Callable[[Value], object]] = {
    Kind.ANY: lambda value: value,
    Kind.NUMBER: _of(Decimal),
    Kind.WHOLE: lambda value: integer(single(value)),
    Kind.STRING: _of(str),
    Kind.LIST: _list,
    Kind.CONTEXT: _of(dict),
    Kind.RANGE: _of(Range),
    Kind.FUNCTION: _of(Function),
}


def refusal(name: str, parameter: Parameter, value: Value) -> str:
    """
    Say why a function cannot take a value.

    Examples
    --------
    >>> refusal("abs", number("n"), "1")
    "abs() has no value: 'n' must be a number, not a string"
    """
    found = "null" if value is None else f"a {kind_of(value)}"
    if parameter.kind is Kind.WHOLE and isinstance(single(value), Decimal):
        found = str(single(value))
    return f"{name}() has no value: '{parameter.name}' must be a {parameter.kind}, not {found}"

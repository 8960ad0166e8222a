"""
Values that a text writes out: ranges between literals, and dates and durations by their constructors.

Source: DMN 1.5, grammar rules 32 (literals), 62 (date time literal) and 66 (range literal).
"""

from __future__ import annotations

from decimal import Decimal, Overflow
from typing import TYPE_CHECKING

from pilothouse.feel.cursor import Cursor
from pilothouse.feel.errors import FeelSyntaxError
from pilothouse.feel.intervals import interval
from pilothouse.feel.syntax import Call, Expr, Literal, Name
from pilothouse.feel.temporal import (
    read_date,
    read_date_and_time,
    read_duration,
    read_moment,
    read_time,
)
from pilothouse.feel.tokens import TokenKind
from pilothouse.feel.values import NUMBERS, Range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.feel.values import Value

CONSTRUCTORS: Mapping[str, Callable[[str], Value]] = {
    "date": read_date,
    "time": read_time,
    "date and time": read_date_and_time,
    "duration": read_duration,
}
"""The functions whose call on a string is a literal too."""


def folded(call: Call) -> Expr:
    """
    Give the literal for ``date("2026-01-05")`` and its like; any other call as it is.

    Parameters
    ----------
    call
        A call by name of a function that is certainly the built-in one.
    """
    function, arguments = call.function, call.arguments
    if not isinstance(function, Name) or len(arguments) != 1 or call.parameters:
        return call
    reader, only = CONSTRUCTORS.get(function.name), arguments[0]
    if reader is None or not isinstance(only, Literal) or not isinstance(only.value, str):
        return call
    value = reader(only.value)
    return call if value is None else Literal(place=call.place, value=value)


def read_number(text: str) -> Decimal | None:
    """
    Read a number, rounded to 34 digits; `None` where it is 1E+6145 or more.

    Parameters
    ----------
    text
        Digits with a point and an exponent, where there are any.

    Examples
    --------
    >>> read_number("1.5e3"), read_number("9e9999") is None
    (Decimal('1.5E+3'), True)
    """
    try:
        return NUMBERS.create_decimal(text)
    except Overflow:
        return None


def read_range_literal(text: str) -> Range | None:
    """
    Read a range written between literals; an end that is left out has no bound and must be open.

    Parameters
    ----------
    text
        The text.

    Returns
    -------
    Range or None
        The range; `None` where the text is none, or its ends have no order or stand the wrong way round.

    Examples
    --------
    >>> found = read_range_literal("[1..3)")
    >>> found.start, found.end, found.start_included, found.end_included
    (Decimal('1'), Decimal('3'), True, False)
    >>> read_range_literal("[1..]") is None
    True
    """
    try:
        return _range(Cursor(text))
    except FeelSyntaxError:
        return None


def _range(c: Cursor) -> Range | None:
    if not c.at_sign("[", "(", "]"):
        raise c.failure("'[', '(' or ']'")
    included = c.advance().text == "["
    low = None if c.at_sign("..") else _endpoint(c)
    c.expect("..")
    high = None if c.at_sign("]", ")", "[") else _endpoint(c)
    if not c.at_sign("]", ")", "["):
        raise c.failure("']', ')' or '['")
    closed = c.advance().text == "]"
    c.expect_end()
    if low is None or high is None:
        return _unbounded(low, high, included=included, closed=closed)
    return interval(low, high, (included, closed))


def _unbounded(low: Value, high: Value, *, included: bool, closed: bool) -> Range | None:
    if low is high or (low is None and included) or (high is None and closed):
        return None
    return Range(start=low, end=high, start_included=included, end_included=closed)


def _endpoint(c: Cursor) -> Value:
    negative = c.accept("-")
    token = c.advance()
    value: Value = None
    match token.kind:
        case TokenKind.NUMBER:
            value = read_number(("-" if negative else "") + token.text)
            negative = False
        case TokenKind.TEXT:
            value = token.text
        case TokenKind.MOMENT:
            value = read_moment(token.text)
        case TokenKind.NAME:
            c.index -= 1
            value = _constructed(c)
        case TokenKind.SIGN | TokenKind.END:
            value = None
    if value is None or negative:
        raise c.failure("a literal", token=token)
    return value


def _constructed(c: Cursor) -> Value:
    name = c.advance().text
    while c.token.kind is TokenKind.NAME:
        name += " " + c.advance().text
    c.expect("(")
    text = c.advance()
    c.expect(")")
    reader = CONSTRUCTORS.get(name)
    return reader(text.text) if reader and text.kind is TokenKind.TEXT else None

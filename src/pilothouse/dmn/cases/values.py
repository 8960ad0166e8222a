"""The values of case files: by XML Schema's types, by JSON, and by the cells of a table."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError, PilothouseError
from pilothouse.feel import Budget, FeelValueError, admit, compile_expression

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.feel import Expression, Value

EXPRESSION_KEY = "feel"
"""The only key of a JSON object that stands for the value of a FEEL expression."""

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_FEEL_NUMBER = re.compile(r"-?(\d+(\.\d+)?|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_FEEL_CELL = re.compile(r"""["\[{]|@"|(date|time|date and time|duration)\s*\(""")
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_LARGEST_EXPONENT = 6144


class CaseValueError(InvalidError):
    """
    A text of a case file gives no value; readers turn it into a `CaseFileError` with its place.

    Parameters
    ----------
    problem
        What is wrong with it.
    """

    code = "case-value"

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"A value of a test case cannot be read: {problem}. Correct it.")


def schema_value(text: str, type_name: str) -> Value:
    """
    Read a text by a type of XML Schema.

    Parameters
    ----------
    text
        As it stands in the file.
    type_name
        The type without prefix; empty for plain text.

    Raises
    ------
    CaseValueError
        When the text is none of that type, or the type has no FEEL value.

    Examples
    --------
    >>> schema_value(" 1.50 ", "decimal")
    Decimal('1.50')
    >>> schema_value(" 1.50 ", "string")
    ' 1.50 '
    """
    reader = _SCHEMA.get(type_name)
    if reader is None:
        raise CaseValueError(f"the type {type_name!r} has no FEEL value")
    return reader(text)


def _text(text: str) -> Value:
    return text


def _boolean(text: str) -> Value:
    found = _BOOLEANS.get(text.strip())
    if found is None:
        raise CaseValueError(f"{text.strip()[:80]!r} is no boolean")
    return found


def number(text: str) -> Decimal:
    """
    Read a number, with all its digits.

    Raises
    ------
    CaseValueError
        When it is none, or is beyond FEEL's largest.
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped):
        raise CaseValueError(f"{stripped[:80]!r} is no number of FEEL")
    value = Decimal(stripped)
    if value and value.adjusted() > _LARGEST_EXPONENT:
        raise CaseValueError(f"{stripped[:80]!r} is beyond FEEL's largest number")
    return value


def _by_function(function: str) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        value = _constructor(function).evaluate({"text": text.strip()})
        if value is None:
            raise CaseValueError(f"{function}({text.strip()[:80]!r}) has no value")
        return value

    return read


@cache
def _constructor(function: str) -> Expression:
    return compile_expression(f"{function}(text)")


_DURATION = _by_function("duration")
_SCHEMA: dict[str, Callable[[str], Value]] = {
    **dict.fromkeys(
        ("", "string", "normalizedString", "token", "anyURI", "anySimpleType", "anyType"), _text
    ),
    **dict.fromkeys(
        ("decimal", "integer", "int", "long", "short", "byte", "double", "float"), number
    ),
    **dict.fromkeys(
        ("nonNegativeInteger", "positiveInteger", "unsignedInt", "unsignedLong"), number
    ),
    **dict.fromkeys(("nonPositiveInteger", "negativeInteger"), number),
    **dict.fromkeys(("duration", "dayTimeDuration", "yearMonthDuration"), _DURATION),
    "boolean": _boolean,
    "date": _by_function("date"),
    "time": _by_function("time"),
    "dateTime": _by_function("date and time"),
}


def cell_value(cell: str, *, budget: Budget) -> Value:
    """
    Read a cell of a table: a FEEL literal, or else plain text.

    A number, ``true``, ``false`` and ``null`` are what they are in FEEL. What starts with ``"``, ``@"``, ``[`` or ``{``, and a call
    of ``date``, ``time``, ``date and time`` or ``duration``, is a FEEL expression and must be a correct one without variables.
    Everything else is the text itself, without outer white space.

    Parameters
    ----------
    cell
        The cell, not empty.
    budget
        Pays for the expression.

    Raises
    ------
    CaseValueError
        When it starts as FEEL and is none.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> [cell_value(c, budget=Budget()) for c in ("0.80", "high", "2024-01-31", '"0.80"', "[1, 2]")]
    [Decimal('0.80'), 'high', '2024-01-31', '0.80', (Decimal('1'), Decimal('2'))]
    """
    text = cell.strip()
    if text in _WORDS:
        return _WORDS[text]
    if _FEEL_NUMBER.fullmatch(text):
        return _admitted(number(text), budget)
    if _FEEL_CELL.match(text):
        return expression_value(text, budget=budget)
    return text


def expression_value(text: str, *, budget: Budget) -> Value:
    """
    Give the value of a FEEL expression without variables.

    Raises
    ------
    CaseValueError
        When it is no FEEL, reads a variable, or needs more than the budget.
    """
    try:
        expression = compile_expression(text)
        value = None if expression.names else expression.evaluate({}, budget=budget)
    except PilothouseError as error:
        raise CaseValueError(f"{text[:80]!r} gives no value. {error.message}") from error
    if expression.names:
        names = ", ".join(sorted(expression.names))
        raise CaseValueError(f"the FEEL expression {text[:80]!r} reads variables ({names})")
    return value


def json_value(raw: object, *, budget: Budget, depth: int = 0) -> Value:
    r"""
    Read a value of a JSON file, whose numbers came as decimals.

    Parameters
    ----------
    raw
        What the JSON says. An object whose only key is ``feel`` stands for the value of that expression:
        ``{"feel": "date(\"2024-01-31\")"}``.
    budget
        Pays for items and expressions.
    depth
        How deep it stands.

    Raises
    ------
    CaseValueError
        When an expression gives no value.
    FeelBudgetError
        When it is too big or nested too deeply.
    """
    budget.charge(1)
    budget.check_depth(depth)
    if isinstance(raw, list):
        return tuple(json_value(item, budget=budget, depth=depth + 1) for item in raw)
    if isinstance(raw, dict):
        expression = raw.get(EXPRESSION_KEY)
        if len(raw) == 1 and isinstance(expression, str):
            return expression_value(expression, budget=budget)
        return {k: json_value(item, budget=budget, depth=depth + 1) for k, item in raw.items()}
    if isinstance(raw, Decimal):
        return _admitted(raw, budget)
    if raw is None or isinstance(raw, (bool, str)):
        return raw
    raise CaseValueError(f"{type(raw).__name__} is no value of JSON")


def _admitted(value: Decimal, budget: Budget) -> Value:
    try:
        return admit(value, name="number", budget=budget)
    except FeelValueError as error:
        raise CaseValueError(error.problem) from error

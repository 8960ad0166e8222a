"""Functions on strings, and conversions to and from them. Source: DMN 1.5, sections 10.3.4.1 and 10.3.4.3."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import ROUND_DOWN, Decimal, DecimalException
from typing import TYPE_CHECKING

from pilothouse.feel.functions.logic import spread
from pilothouse.feel.functions.numbers import integer
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.patterns import compile_pattern
from pilothouse.feel.temporal import written
from pilothouse.feel.values import NUMBERS, Range, Value, YearsMonths

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

TEXTS = Registry()

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_GROUPINGS = (None, " ", ",", ".")
_POINTS = (None, ".", ",")


@TEXTS.add("string", "from")
def string(budget: Budget, source: Value) -> Value:
    """Write a value as text; null stays null, and a string itself."""
    if source is None or isinstance(source, str):
        return source
    text = _written(source, budget, 0)
    budget.charge_text(len(text))
    return text


def _written(value: Value, budget: Budget, depth: int) -> str:
    budget.check_depth(depth)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return _written_number(value)
        case str():
            budget.charge_text(len(value))
            return value if depth == 0 else _quoted(value)
        case date() | time() | timedelta() | YearsMonths():
            return written(value)
        case _:
            return _written_parts(value, budget, depth + 1)


def _written_number(number: Decimal) -> str:
    # Positional, as people write it: never 1E+2.
    return format(number, "f") if number else "0"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _written_parts(value: Value, budget: Budget, depth: int) -> str:
    if isinstance(value, tuple):
        budget.charge(len(value))
        return "[" + ", ".join(_written(item, budget, depth) for item in value) + "]"
    if isinstance(value, dict):
        budget.charge(len(value))
        return "{" + ", ".join(f"{k}: {_written(v, budget, depth)}" for k, v in value.items()) + "}"
    if isinstance(value, Range):
        low, high = _written(value.start, budget, depth), _written(value.end, budget, depth)
        return f"{'[' if value.start_included else '('}{low}..{high}{']' if value.end_included else ')'}"
    raise TypeError(f"no text for {type(value).__name__}")


@TEXTS.add("number", "from", "grouping separator", "decimal separator", optional=2, takes_null=True)
def number(budget: Budget, source: Value, grouping: Value, point: Value) -> Value:
    """Read a number; null when the text is none."""
    if grouping not in _GROUPINGS or point not in _POINTS:
        return None
    if grouping is not None and grouping == point:
        return None
    if not isinstance(source, str):
        return source if isinstance(source, Decimal) else None
    budget.charge_text(len(source))
    plain = source.replace(str(grouping), "") if grouping else source
    plain = plain.replace(str(point), ".") if point else plain
    if not _NUMBER.fullmatch(plain):
        return None
    try:
        return NUMBERS.create_decimal(plain)
    except DecimalException:
        return None


@TEXTS.add("string length", "string")
def string_length(budget: Budget, string: Value) -> Value:
    """Count the characters."""
    return Decimal(len(string)) if isinstance(string, str) else None


@TEXTS.add("upper case", "string")
def upper_case(budget: Budget, string: Value) -> Value:
    """Write in capitals."""
    if not isinstance(string, str):
        return None
    budget.charge_text(len(string))
    return string.upper()


@TEXTS.add("lower case", "string")
def lower_case(budget: Budget, string: Value) -> Value:
    """Write in small letters."""
    if not isinstance(string, str):
        return None
    budget.charge_text(len(string))
    return string.lower()


@TEXTS.add("contains", "string", "match")
def contains(budget: Budget, string: Value, match: Value) -> Value:
    """Say whether one string is in the other."""
    if not isinstance(string, str) or not isinstance(match, str):
        return None
    budget.charge_text(len(string))
    return match in string


@TEXTS.add("starts with", "string", "match")
def starts_with(budget: Budget, string: Value, match: Value) -> Value:
    """Say whether one string begins with the other."""
    if not isinstance(string, str) or not isinstance(match, str):
        return None
    return string.startswith(match)


@TEXTS.add("ends with", "string", "match")
def ends_with(budget: Budget, string: Value, match: Value) -> Value:
    """Say whether one string ends with the other."""
    if not isinstance(string, str) or not isinstance(match, str):
        return None
    return string.endswith(match)


@TEXTS.add("matches", "input", "pattern", "flags", optional=1, takes_null=True)
def matches(budget: Budget, text: Value, pattern: Value, flags: Value) -> Value:
    """Say whether a part of the text fits a regular expression; null when it is no regular expression."""
    if not isinstance(text, str) or not isinstance(pattern, str):
        return None
    if flags is not None and not isinstance(flags, str):
        return None
    budget.charge_text(len(text))
    compiled = compile_pattern(pattern, flags or "")
    return None if compiled is None else compiled.found_in(text, budget)


@TEXTS.add("substring", "string", "start position", "length", optional=1)
def substring(budget: Budget, string: Value, start: Value, length: Value) -> Value:
    """Cut out a part; positions count from 1, negative ones from the end."""
    first, count = _cut(start), _cut(length)
    if not isinstance(string, str) or not first:
        return None
    if length is not None and (count is None or count < 1):
        return None
    begin = first - 1 if first > 0 else len(string) + first
    if not 0 <= begin < max(1, len(string)):
        return "" if first > 0 else None
    budget.charge_text(len(string))
    return string[begin:] if count is None else string[begin : begin + count]


def _cut(number: Value) -> int | None:
    """Cut the fraction off a position or length."""
    return integer(number.to_integral_value(ROUND_DOWN)) if isinstance(number, Decimal) else None


@TEXTS.add("substring before", "string", "match")
def substring_before(budget: Budget, string: Value, match: Value) -> Value:
    """Give what stands before the first occurrence; nothing where there is none."""
    if not isinstance(string, str) or not isinstance(match, str):
        return None
    budget.charge_text(len(string))
    place = string.find(match)
    return string[: max(0, place)]


@TEXTS.add("substring after", "string", "match")
def substring_after(budget: Budget, string: Value, match: Value) -> Value:
    """Give what stands after the first occurrence; nothing where there is none."""
    if not isinstance(string, str) or not isinstance(match, str):
        return None
    budget.charge_text(len(string))
    place = string.find(match)
    return "" if place < 0 else string[place + len(match) :]


@TEXTS.add("string join", "list", "delimiter", optional=1, takes_null=True)
def string_join(budget: Budget, values: Value, delimiter: Value) -> Value:
    """Put strings together; nulls are left out."""
    items = spread((values,))
    if items is None or values is None:
        return None
    parts = [item for item in items if isinstance(item, str)]
    if len(parts) + sum(item is None for item in items) < len(items):
        return None
    if delimiter is not None and not isinstance(delimiter, str):
        return None
    between = delimiter or ""
    budget.charge(len(items))
    budget.charge_text(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)

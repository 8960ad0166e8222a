"""Conversions between strings, numbers and ranges. Source: DMN 1.5, section 10.3.4.1 (table 72)."""

from __future__ import annotations

import re
from decimal import DecimalException
from typing import TYPE_CHECKING

from pilothouse.feel.functions.parameters import string
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.functions.writing import written_value
from pilothouse.feel.values import NUMBERS, Value

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

CONVERSIONS = Registry()

_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?")
_GROUPINGS = (None, " ", ",", ".")
_POINTS = (None, ".", ",")
_SHOWN = 40
"""How much of a text a message repeats."""


@CONVERSIONS.add("string", "from")
def write(budget: Budget, source: Value) -> Value:
    """Write a value as text; null stays null, and a string itself."""
    if source is None or isinstance(source, str):
        return source
    text = written_value(source, budget)
    budget.charge_text(len(text))
    return text


@CONVERSIONS.add("number", string("from"))
def read_number(budget: Budget, source: str) -> Value:
    """Read a number as FEEL writes numbers."""
    budget.charge_text(len(source))
    return _read(budget, source, source)


@CONVERSIONS.add("number", string("from"), "grouping separator", "decimal separator")
def read_separated(budget: Budget, source: str, grouping: Value, point: Value) -> Value:
    """Read a number that is written with separators; null for one means that there is none."""
    budget.charge_text(len(source))
    if not _separates(grouping, _GROUPINGS) or not _separates(point, _POINTS):
        return budget.null(
            "number() has no value: the grouping separator must be a space, a comma, a period or null, "
            "and the decimal separator a period, a comma or null"
        )
    if grouping is not None and grouping == (point or "."):
        return budget.null("number() has no value: both separators are the same")
    plain = source.replace(str(grouping), "") if grouping else source
    if point == "," and "." in plain:
        return _unread(budget, source)
    return _read(budget, source, plain.replace(str(point), ".") if point else plain)


def _separates(value: Value, allowed: tuple[str | None, ...]) -> bool:
    return (value is None or isinstance(value, str)) and value in allowed


def _read(budget: Budget, source: str, plain: str) -> Value:
    if not _NUMBER.fullmatch(plain):
        return _unread(budget, source)
    try:
        return NUMBERS.create_decimal(plain)
    except DecimalException:
        return budget.null(
            f"number() has no value: {source[:_SHOWN]!r} is beyond the largest number"
        )


def _unread(budget: Budget, source: str) -> Value:
    return budget.null(f"number() has no value: {source[:_SHOWN]!r} is no number")


@CONVERSIONS.add("range", string("from"))
def read_range(budget: Budget, source: str) -> Value:
    """Read a range whose ends are literals."""
    # The literals are read by the parser, which knows the functions by their names and so imports this.
    from pilothouse.feel.literals import read_range_literal  # noqa: PLC0415

    budget.charge_text(len(source))
    found = read_range_literal(source)
    if found is None:
        return budget.null(f"range() has no value: {source[:_SHOWN]!r} is no range of literals")
    return found

"""Functions on strings but those of regular expressions. Source: DMN 1.5, section 10.3.4.3 (table 75)."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from pilothouse.feel.functions.parameters import items, number, string, whole
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.values import Value, kind_of

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

TEXTS = Registry()


@TEXTS.add("string length", string("string"))
def string_length(budget: Budget, text: str) -> Value:
    """Count the characters (code points of Unicode)."""
    return Decimal(len(text))


@TEXTS.add("upper case", string("string"))
def upper_case(budget: Budget, text: str) -> Value:
    """Write in capitals."""
    budget.charge_text(len(text))
    return text.upper()


@TEXTS.add("lower case", string("string"))
def lower_case(budget: Budget, text: str) -> Value:
    """Write in small letters."""
    budget.charge_text(len(text))
    return text.lower()


@TEXTS.add("contains", string("string"), string("match"))
def contains(budget: Budget, text: str, match: str) -> Value:
    """Say whether one string is in the other."""
    budget.charge_text(len(text))
    return match in text


@TEXTS.add("starts with", string("string"), string("match"))
def starts_with(budget: Budget, text: str, match: str) -> Value:
    """Say whether one string begins with the other."""
    return text.startswith(match)


@TEXTS.add("ends with", string("string"), string("match"))
def ends_with(budget: Budget, text: str, match: str) -> Value:
    """Say whether one string ends with the other."""
    return text.endswith(match)


@TEXTS.add("substring", string("string"), whole("start position"), number("length"), optional=1)
def substring(budget: Budget, text: str, start: int, length: Decimal | None) -> Value:
    """
    Cut out a part; positions count from 1, negative ones from the end.

    The fraction of a length is cut off, and a length beyond the end of the text gives what there is.
    """
    if not start or abs(start) > len(text):
        return budget.null(
            f"substring() has no value: there is no position {start} in a string of length {len(text)}"
        )
    if length is not None and length < 1:
        return budget.null(f"substring() has no value: 'length' must be 1 or more, not {length}")
    budget.charge_text(len(text))
    begin = start - 1 if start > 0 else len(text) + start
    if length is None or length > len(text):
        return text[begin:]
    return text[begin : begin + int(length.to_integral_value(ROUND_DOWN))]


@TEXTS.add("substring before", string("string"), string("match"))
def substring_before(budget: Budget, text: str, match: str) -> Value:
    """Give what stands before the first occurrence; nothing where there is none."""
    budget.charge_text(len(text))
    return text[: max(0, text.find(match))]


@TEXTS.add("substring after", string("string"), string("match"))
def substring_after(budget: Budget, text: str, match: str) -> Value:
    """Give what stands after the first occurrence; nothing where there is none."""
    budget.charge_text(len(text))
    place = text.find(match)
    return "" if place < 0 else text[place + len(match) :]


@TEXTS.add("string join", items("list"), string("delimiter"), optional=1, takes_null=True)
def string_join(budget: Budget, values: tuple[Value, ...], delimiter: str | None) -> Value:
    """Put strings together; nulls are left out."""
    budget.charge(len(values))
    parts: list[str] = []
    for i, item in enumerate(values, 1):
        if isinstance(item, str):
            parts.append(item)
        elif item is not None:
            return budget.null(
                f"string join() has no value: item {i} is a {kind_of(item)}, not a string"
            )
    between = delimiter or ""
    budget.charge_text(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)

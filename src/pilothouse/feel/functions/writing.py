"""Values as text, the way ``string()`` gives them. Source: DMN 1.5, section 10.3.4.1 (table 72)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.feel.temporal import written
from pilothouse.feel.values import Function, Range, Value

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

_PLAIN_KEY = re.compile(r"[^\W\d]\w*(?: \w+)*")
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def written_value(value: Value, budget: Budget, depth: int = 0) -> str:
    r"""
    Write a value; at depth 0 a string is itself, inside a list, context or range it is quoted.

    Parameters
    ----------
    value
        The value.
    budget
        Pays for each item and each hundred characters.
    depth
        How many lists, contexts and ranges it is inside of.

    Raises
    ------
    FeelBudgetError
        When the value is too big or nested too deeply, or its text too long.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> written_value((Decimal("1E+3"), 'say "a"', {"b c": None, "d-e": True}), Budget())
    '[1000, "say \\"a\\"", {b c: null, "d-e": true}]'
    """
    budget.check_depth(depth)
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return _number(value, budget)
        case str():
            budget.charge_text(len(value))
            return value if depth == 0 else _quoted(value)
        case Function():
            return f"function({', '.join(value.parameters)})"
        case tuple() | dict() | Range():
            return _parts(value, budget, depth + 1)
        case _:
            return written(value)


def _number(number: Decimal, budget: Budget) -> str:
    # Positional, as people write it: never 1E+2.
    text = format(number, "f") if number else "0"
    budget.charge_text(len(text))
    return text


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _parts(value: tuple[Value, ...] | dict[str, Value] | Range, budget: Budget, depth: int) -> str:
    if isinstance(value, Range):
        return _range(value, budget, depth)
    budget.charge(len(value))
    if isinstance(value, tuple):
        text = f"[{', '.join([written_value(item, budget, depth) for item in value])}]"
    else:
        entries = [f"{_key(k)}: {written_value(v, budget, depth)}" for k, v in value.items()]
        text = f"{{{', '.join(entries)}}}"
    budget.charge_text(len(text))
    return text


def _key(key: str) -> str:
    # Quoted wherever it could be read as anything but a name.
    return key if _PLAIN_KEY.fullmatch(key) else _quoted(key)


def _range(value: Range, budget: Budget, depth: int) -> str:
    low, high = written_value(value.start, budget, depth), written_value(value.end, budget, depth)
    if value.operator is not None:
        return f"{value.operator.value} {high if value.start is None else low}"
    return (
        f"{'[' if value.start_included else '('}{low}..{high}{']' if value.end_included else ')'}"
    )

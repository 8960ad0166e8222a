"""Expected and given values side by side."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from typing import TYPE_CHECKING

from pilothouse.domain.errors import PilothouseError
from pilothouse.feel import Budget, compile_expression
from pilothouse.feel.comparison import equal

if TYPE_CHECKING:
    from pilothouse.feel import Expression, Value

_SHOWN = 300
_SHOWING_STEPS = 100_000
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN, traps=[])


def difference(expected: Value, given: Value, *, tolerance: Decimal, budget: Budget) -> str:
    """
    Say where a value differs from the expected one; empty where it does not.

    Lists are compared in order, contexts by keys (a key more is a difference as a key less is), dates, times and
    durations as FEEL compares them, so that one moment written in two zones is equal. A type more general is no
    excuse: the text ``"1"`` is not the number 1, and a list of one item is not the item.

    Parameters
    ----------
    expected, given
        The values.
    tolerance
        How far numbers may be apart, 0 or more.
    budget
        Pays for the walk.

    Raises
    ------
    FeelBudgetError
        When they are too big to compare.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> difference({"n": (Decimal(1),)}, {"n": (Decimal(2),)}, tolerance=Decimal(0), budget=Budget())
    'at n[1]: expected 1, got 2'
    """
    return _Comparison(tolerance, budget).difference(expected, given, "", 0)


class _Comparison:
    def __init__(self, tolerance: Decimal, budget: Budget) -> None:
        self._tolerance = tolerance
        self._budget = budget

    def difference(self, expected: Value, given: Value, path: str, depth: int) -> str:
        self._budget.charge(1)
        self._budget.check_depth(depth)
        if isinstance(expected, dict) and isinstance(given, dict):
            return self._in_contexts(expected, given, path, depth)
        if isinstance(expected, tuple) and isinstance(given, tuple):
            return self._in_lists(expected, given, path, depth)
        if self._same(expected, given):
            return ""
        return f"{_place(path)}expected {shown(expected)}, got {shown(given)}"

    def _same(self, expected: Value, given: Value) -> bool:
        if expected is None or given is None:
            return expected is given
        if isinstance(expected, Decimal) and isinstance(given, Decimal):
            return abs(_WIDE.subtract(expected, given)) <= self._tolerance
        return equal(expected, given, self._budget) is True

    def _in_lists(
        self, expected: tuple[Value, ...], given: tuple[Value, ...], path: str, depth: int
    ) -> str:
        if len(expected) != len(given):
            wanted = f"{len(expected)} items {shown(expected)}"
            return f"{_place(path)}expected {wanted}, got {len(given)}: {shown(given)}"
        pairs = zip(expected, given, strict=True)
        found = (
            self.difference(e, g, f"{path}[{i}]", depth + 1) for i, (e, g) in enumerate(pairs, 1)
        )
        return next((d for d in found if d), "")

    def _in_contexts(
        self, expected: dict[str, Value], given: dict[str, Value], path: str, depth: int
    ) -> str:
        lacking = sorted(expected.keys() - given.keys())
        if lacking:
            return (
                f"{_place(path)}the entries {', '.join(lacking)} are not there: got {shown(given)}"
            )
        beyond = sorted(given.keys() - expected.keys())
        if beyond:
            return f"{_place(path)}the entries {', '.join(beyond)} were not expected: got {shown(given)}"
        within = f"{path}." if path else ""
        found = (self.difference(v, given[k], within + k, depth + 1) for k, v in expected.items())
        return next((d for d in found if d), "")


def _place(path: str) -> str:
    return f"at {path}: " if path else ""


def shown(value: Value) -> str:
    """
    Write a value as people read FEEL, texts in quotes; what is longer than 300 characters is cut with its length.

    Examples
    --------
    >>> shown(("a", Decimal("1.50"), None))
    '["a", 1.50, null]'
    """
    try:
        text = _writer().evaluate({"value": [value]}, budget=Budget(steps=_SHOWING_STEPS))
    except PilothouseError as error:
        return f"a value that cannot be written ({error.code})"
    if not isinstance(text, str):
        return f"a {type(value).__name__.lower()}"
    whole = text[1:-1]
    return whole if len(whole) <= _SHOWN else f"{whole[:_SHOWN]}… ({len(whole)} characters)"


@cache
def _writer() -> Expression:
    return compile_expression("string(value)")

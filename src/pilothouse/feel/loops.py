"""
Closures that repeat: ``for``, ``some``, ``every`` and filters. Each turn pays its cost before it runs.

Source: DMN 1.5, sections 10.3.2.5 (filters), 10.3.2.13.1 (iteration) and 10.3.2.13.2 (quantification).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.functions.numbers import integer
from pilothouse.feel.operators import item_at
from pilothouse.feel.scope import Closure, State
from pilothouse.feel.values import Range, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Turn: TypeAlias = tuple[int, Closure, "Closure | None", int]
"""One loop variable: its slot, its source, the end of its source if it is ``a..b``, the cost of both."""


def filtered(base: Closure, condition: Closure, slot: int, cost: int) -> Closure:
    """Keep the items for which the condition is true; take one item where it is a number."""

    def run(state: State) -> Value:
        value = base(state)
        items = value if isinstance(value, tuple) else (value,)
        if value is None:
            return None
        frame, budget = state.frame, state.budget
        kept: list[Value] = []
        for item in items or (None,):
            budget.charge(cost + 1)
            frame[slot] = item
            answer = condition(state)
            if type(answer) is Decimal:
                return item_at(items, answer)
            if answer is True and items:
                kept.append(item)
        return tuple(kept)

    return run


def iterated(turns: tuple[Turn, ...], result: Closure, partial: int | None, cost: int) -> Closure:
    """
    List the results of all turns; null when a source is no list.

    Parameters
    ----------
    turns
        The loop variables.
    result
        What each turn gives.
    partial
        The slot for the results so far, where the result reads them.
    cost
        What each turn costs.
    """

    def run(state: State) -> Value:
        results: list[Value] = []
        reads = _Reads(state, turns)
        for _ in reads:
            state.budget.charge(cost + 1)
            if partial is not None:
                state.budget.charge(len(results) // 100)
                state.frame[partial] = tuple(results)
            results.append(result(state))
        return None if reads.failed else tuple(results)

    return run


def quantified(
    turns: tuple[Turn, ...], condition: Closure, cost: int, *, decisive: bool
) -> Closure:
    """Look for a turn whose condition is true (``some``) or false (``every``)."""

    def run(state: State) -> Value:
        answer: bool | None = not decisive
        reads = _Reads(state, turns)
        for _ in reads:
            state.budget.charge(cost + 1)
            value = condition(state)
            if value is decisive:
                return decisive
            if not isinstance(value, bool):
                answer = None
        return None if reads.failed else answer

    return run


class _Reads:
    """All combinations of the loop variables, written into their slots one after the other."""

    __slots__ = ("_state", "_turns", "failed")

    def __init__(self, state: State, turns: tuple[Turn, ...]) -> None:
        self._state = state
        self._turns = turns
        self.failed = False

    def __iter__(self) -> Iterator[None]:
        return self._from(0)

    def _from(self, level: int) -> Iterator[None]:
        if level == len(self._turns):
            yield None
            return
        slot, source, end, cost = self._turns[level]
        self._state.budget.charge(cost)
        items = _items(source(self._state), None if end is None else (end(self._state),))
        if items is None:
            self.failed = True
            return
        for item in items:
            self._state.budget.charge(1)
            self._state.frame[slot] = item
            yield from self._from(level + 1)


def _items(source: Value, end: tuple[Value] | None) -> Iterable[Value] | None:
    if end is not None:
        return _counted(source, end[0])
    if isinstance(source, Range):
        return _inside(source)
    if source is None or isinstance(source, tuple):
        return source
    return (source,)


def _counted(start: Value, end: Value) -> Iterable[Value] | None:
    """Count from one whole number to another, up or down."""
    first, last = integer(start), integer(end)
    if first is None or last is None:
        return None
    step = 1 if last >= first else -1
    return (Decimal(i) for i in range(first, last + step, step))


def _inside(bounds: Range) -> Iterable[Value] | None:
    first, last = integer(bounds.start), integer(bounds.end)
    if first is None or last is None:
        return None
    first += not bounds.start_included
    last -= not bounds.end_included
    return (Decimal(i) for i in range(first, last + 1))

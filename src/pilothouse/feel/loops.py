"""
Closures that repeat: ``for``, ``some``, ``every`` and filters. Each turn pays its cost before it runs.

Source: DMN 1.5, sections 10.3.2.5 (filters), 10.3.2.13.1 (iteration) and 10.3.2.13.2 (quantification).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.arithmetic import calculate
from pilothouse.feel.comparison import ordered
from pilothouse.feel.functions.parameters import integer
from pilothouse.feel.operators import item_at
from pilothouse.feel.scope import Closure, State
from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import Date, read_duration
from pilothouse.feel.values import Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pilothouse.feel.budget import Budget, Place

Turn: TypeAlias = tuple[int, Closure, "Closure | None", int, "Place"]
"""One loop variable: its slot, its source, the end of its source if it is ``a..b``, the cost of both, its place."""

_DAY = read_duration("P1D")


def filtered(base: Closure, condition: Closure, slot: int, cost: int, place: Place) -> Closure:
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
            if answer is True:
                kept.append(item)
            elif answer is not False and answer is not None:
                if type(answer) is Decimal:
                    return item_at(items, answer, budget, place)
                said = f"a filter by {kind_of(answer)} has no value"
                return budget.null(said, place=place)
        return tuple(kept) if items else ()

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
        slot, source, end, cost, place = self._turns[level]
        budget = self._state.budget
        budget.charge(cost)
        start = source(self._state)
        items = _items(start, budget) if end is None else _counted(start, end(self._state), budget)
        if items is None:
            self.failed = True
            budget.locate(place)
            return
        for item in items:
            budget.charge(1)
            self._state.frame[slot] = item
            yield from self._from(level + 1)


def _items(source: Value, budget: Budget) -> Iterable[Value] | None:
    if isinstance(source, Range):
        return _inside(source, budget)
    if source is None:
        return budget.null("a loop over null has no value")
    return source if isinstance(source, tuple) else (source,)


def _counted(start: Value, end: Value, budget: Budget) -> Iterable[Value] | None:
    """Count from one whole number or date to another, up or down."""
    if isinstance(start, Date) and isinstance(end, Date):
        return _days(start, end, budget)
    first, last = integer(start), integer(end)
    if first is None or last is None:
        said = f"a loop from {kind_of(start)} to {kind_of(end)} has no value"
        return budget.null(f"{said}: it counts whole numbers or dates")
    step = 1 if last >= first else -1
    return (Decimal(i) for i in range(first, last + step, step))


def _days(start: Date, end: Date, budget: Budget) -> Iterator[Value]:
    """Give each day from one date to another, up or down."""
    up = ordered(Operator.AT_MOST, start, end) is True
    goes_on = Operator.LESS if up else Operator.MORE
    day: Value = start
    yield day
    while day is not None and ordered(goes_on, day, end) is True:
        day = calculate(Operator.ADD if up else Operator.SUBTRACT, day, _DAY, budget)
        yield day


def _inside(bounds: Range, budget: Budget) -> Iterable[Value] | None:
    items = None
    if bounds.start is not None and bounds.end is not None and bounds.operator is None:
        items = _counted(bounds.start, bounds.end, budget)
    else:
        budget.null("a loop over a range without an end has no value")
    if items is None:
        return None
    return (item for item in items if _belongs(item, bounds))


def _belongs(item: Value, bounds: Range) -> bool:
    below = item == bounds.start and not bounds.start_included
    above = item == bounds.end and not bounds.end_included
    return not (below or above)

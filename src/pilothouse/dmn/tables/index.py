"""
Which rules a value lets pass, found without running their conditions.

The rules of a table are the bits of a whole number, the first rule the lowest bit. Where the cells of a column
compare with constants, the values that pass change only at these constants; so the column keeps, for every
constant and for every gap between two of them, the bits of the rules that pass there. Conditions that are no
such comparisons, and values that lie on no line of the column, are left to be run.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pilothouse.feel import Budget
from pilothouse.feel.constants import (
    SIMPLE,
    Line,
    answers,
    constants,
    lines,
    placed,
)
from pilothouse.feel.spans import LOWEST, Cut, Spans

if TYPE_CHECKING:
    from pilothouse.feel import UnaryTests, Value

Bits: TypeAlias = int
"""A set of rules: bit 0 is the first."""

Lookup: TypeAlias = Callable[[Any], Bits]
"""Gives the rules that pass at a key of one line."""


def members(bits: Bits) -> Iterable[int]:
    """
    Go through the places of a set's rules, from 0 upwards.

    Examples
    --------
    >>> list(members(0b1010))
    [1, 3]
    """
    # As text the bits are walked over once; as a number they would be copied for each of them.
    text = bin(bits)[:1:-1]
    place = text.find("1")
    while place >= 0:
        yield place
        place = text.find("1", place + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnIndex:
    """
    The index of one column.

    Parameters
    ----------
    simple
        For numbers, strings and booleans, by Python type: the rules that pass at a value.
    moments
        For dates, times and durations the same, by line.
    open
        The rules whose cell lets everything pass.
    null
        The rules whose cell is known to let null pass.
    unknown
        The rules whose cell must be run.
    tested
        The rules whose cell does not let everything pass.
    """

    simple: dict[type, Lookup]
    moments: dict[Line, Lookup]
    open: Bits
    null: Bits
    unknown: Bits
    tested: Bits

    def passing(self, value: Value) -> tuple[Bits, Bits]:
        """Give the rules that surely pass at a value, and those whose cell must be run to know."""
        lookup = self.simple.get(type(value))
        if lookup is not None:
            return lookup(value), self.unknown
        if value is None:
            return self.null, self.unknown
        return self._rare(value)

    def _rare(self, value: Value) -> tuple[Bits, Bits]:
        place = placed(value) if self.moments else None
        lookup = None if place is None else self.moments.get(place[0])
        if place is None or lookup is None:
            return self.open, self.tested
        return lookup(place[1]), self.unknown


def column_index(cells: Sequence[UnaryTests]) -> ColumnIndex:
    """
    Index the cells of one column.

    Parameters
    ----------
    cells
        The conditions, one for each rule, in order.
    """
    opened = null = unknown = tested = 0
    known: list[tuple[Bits, UnaryTests]] = []
    found: set[Line] = set()
    for place, cell in enumerate(cells):
        bit = 1 << place
        values = constants(cell.tree)
        if cell.passes_all:
            opened, null = opened | bit, null | bit
            continue
        tested |= bit
        if values is None:
            unknown |= bit
            continue
        known.append((bit, cell))
        found |= lines(values)
        null |= bit if cell.passes(None, {}, budget=Budget()) else 0
    kinds = Counter(line.kind for line in found)
    # Times with and without a zone may still be compared by the clock; such columns are run.
    lookups = {line: _lookup(line, known, opened) for line in found if kinds[line.kind] == 1}
    return ColumnIndex(
        simple={t: lookups[line] for t, line in SIMPLE.items() if line in lookups},
        moments={line: at for line, at in lookups.items() if line not in SIMPLE.values()},
        open=opened,
        null=null,
        unknown=unknown,
        tested=tested,
    )


def _lookup(line: Line, cells: Iterable[tuple[Bits, UnaryTests]], opened: Bits) -> Lookup:
    sets = ((bit, answers(cell.tree, line).true) for bit, cell in cells)
    return lookup_of(sets, opened)


def lookup_of(sets: Iterable[tuple[Bits, Spans]], always: Bits) -> Lookup:
    """
    Make the function that gives the rules whose set has a key.

    Parameters
    ----------
    sets
        Rules, with the keys at which they pass.
    always
        The rules that pass at every key.

    Examples
    --------
    >>> from pilothouse.feel.spans import HIGHEST, before, between, point
    >>> at = lookup_of([(1, point(5)), (2, between(before(3), HIGHEST))], 4)
    >>> at(2), at(3), at(5), at(6)
    (4, 6, 7, 6)
    """
    turns: defaultdict[Cut, Bits] = defaultdict(int)
    for bits, spans in sets:
        for cut in spans:
            turns[cut] ^= bits
    keys = sorted({key for end, key, _ in turns if not end})
    passing = always ^ turns[LOWEST]
    gaps, points = [passing], []
    for key in keys:
        passing ^= turns[0, key, 0]
        points.append(passing)
        passing ^= turns[0, key, 1]
        gaps.append(passing)
    if len(set(gaps)) == 1:
        return _by_name(dict(zip(keys, points, strict=True)), gaps[0])
    return _by_order(keys, points, gaps)


def _by_name(points: dict[Any, Bits], elsewhere: Bits) -> Lookup:
    get = points.get
    return lambda key: get(key, elsewhere)


def _by_order(keys: list[Any], points: list[Bits], gaps: list[Bits]) -> Lookup:
    count = len(keys)

    def lookup(key: Any) -> Bits:  # noqa: ANN401  # keys are whatever the values of one kind are ordered by
        place = bisect_left(keys, key)
        return points[place] if place < count and keys[place] == key else gaps[place]

    return lookup

"""Which rules meet, and which lie inside which, in one column."""

from __future__ import annotations

from itertools import accumulate
from operator import xor
from typing import TYPE_CHECKING

from pilothouse.dmn.tables.index import Bits, members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.dmn.analysis.columns import Column, Regions
    from pilothouse.dmn.analysis.steps import Steps


def runs(regions: Regions) -> Iterator[tuple[int, int]]:
    """
    Go through the unbroken runs of a set of regions: the first of each, and the one after its last.

    Examples
    --------
    >>> list(runs(0b1101))
    [(0, 1), (2, 4)]
    """
    starts = members(regions & ~(regions << 1))
    return zip(starts, members(~regions & regions << 1), strict=True)


def reaching(column: Column, *, hopeful: bool) -> list[Bits]:
    """
    Give for each region of a column, null last, the rules that pass there.

    Parameters
    ----------
    column
        The column.
    hopeful
        Whether conditions that cannot be told count as passing everywhere; else they pass nowhere.
    """
    turns = [0] * (len(column.regions) + 2)
    for row, cell in enumerate(column.cells):
        regions = cell.regions
        if regions is None:
            regions = column.whole if hopeful else 0
        # The places at which a run of regions begins or ends.
        for place in members(regions ^ regions << 1):
            turns[place] ^= 1 << row
    return list(accumulate(turns[:-1], xor))


class _Unions:
    """Unions of neighbours in a list of sets, from a tree of unions of pairs."""

    def __init__(self, sets: list[Bits]) -> None:
        self._size = len(sets)
        self._tree = [0] * self._size + sets
        for i in range(self._size - 1, 0, -1):
            self._tree[i] = self._tree[2 * i] | self._tree[2 * i + 1]

    def between(self, start: int, end: int) -> Bits:
        """Join the sets from `start` up to, and without, `end`."""
        union = 0
        low, high = start + self._size, end + self._size
        while low < high:
            if low & 1:
                union |= self._tree[low]
                low += 1
            if high & 1:
                high -= 1
                union |= self._tree[high]
            low, high = low // 2, high // 2
        return union


class Meetings:
    """
    Which rules meet in one column.

    Parameters
    ----------
    column
        The column; conditions that cannot be told meet none.
    steps
        What looking may take.
    """

    def __init__(self, column: Column, steps: Steps) -> None:
        self._column = column
        self._steps = steps
        starting = [0] * (len(column.regions) + 1)
        for row, cell in enumerate(column.cells):
            for start, _ in runs(cell.regions or 0):
                starting[start] |= 1 << row
        self._reaching = reaching(column, hopeful=False)
        self._starting = _Unions(starting)
        self._found: dict[Regions, Bits] = {}

    def of(self, row: int) -> Bits:
        """
        Give the rules that pass somewhere where this one does, itself among them.

        Raises
        ------
        GaveUpError
            When finding out takes too many steps.
        """
        regions = self._column.cells[row].regions or 0
        if regions not in self._found:
            self._found[regions] = self._meeting(regions)
        return self._found[regions]

    def _meeting(self, regions: Regions) -> Bits:
        """Join the rules that reach the start of each run of regions with those that start inside it."""
        meeting = 0
        for start, end in runs(regions):
            self._steps.take(1)
            meeting |= self._reaching[start] | self._starting.between(start, end)
        return meeting


class Around:
    """
    Which rules let all pass that another lets pass, in one column.

    Parameters
    ----------
    column
        The column; conditions that cannot be told are around nothing, and inside those that let everything pass.
    """

    def __init__(self, column: Column) -> None:
        self._column = column
        self._all = (1 << len(column.cells)) - 1
        passing = reaching(column, hopeful=False)
        self._missing = _Unions([self._all & ~bits for bits in passing])
        self._found: dict[Regions, Bits] = {}

    def of(self, row: int) -> Bits:
        """Give the rules around this one, itself among them."""
        regions = self._column.cells[row].regions
        inside = self._column.whole if regions is None else regions
        if inside not in self._found:
            missing = 0
            for start, end in runs(inside):
                missing |= self._missing.between(start, end)
            self._found[inside] = self._all & ~missing
        return self._found[inside]

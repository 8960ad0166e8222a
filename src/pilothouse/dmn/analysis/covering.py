"""
Whether rules cover a box of values, by cutting it up column by column.

In each column the regions of the box fall into groups that the same rules reach; each group leads to the next
column with only those rules left. What follows depends on the column and the rules alone, so it is looked at once.
Steps are counted, and the search says when it gave up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.meetings import reaching
from pilothouse.dmn.tables.index import Bits, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.dmn.analysis.columns import Column, Regions
    from pilothouse.dmn.analysis.steps import Steps

Box = tuple[int, ...]
"""A set of regions for each column, in the order of the columns."""


class Covering:
    """
    Which rules reach which regions.

    Parameters
    ----------
    columns
        The columns of the table.
    hopeful
        Whether conditions that cannot be told count as passing everywhere; else they pass nowhere.
    """

    def __init__(self, columns: Sequence[Column], *, hopeful: bool) -> None:
        self._rules = len(columns[0].cells) if columns else 0
        self._order = sorted(range(len(columns)), key=lambda i: len(columns[i].regions))
        self._reaching = [reaching(columns[i], hopeful=hopeful) for i in self._order]
        self._full_after = self._full(columns, hopeful=hopeful)

    def _full(self, columns: Sequence[Column], *, hopeful: bool) -> list[Bits]:
        """Give, for each column and the ones after it, the rules that let everything in them pass."""
        full = [(1 << self._rules) - 1]
        for i in reversed(self._order):
            whole = columns[i].whole
            here = 0
            for row, cell in enumerate(columns[i].cells):
                passes = hopeful if cell.regions is None else cell.regions & whole == whole
                here |= passes << row
            full.append(full[-1] & here)
        return full[::-1]

    def uncovered(self, box: Box, rules: Bits, steps: Steps) -> Iterator[Box]:
        """
        Find the parts of a box that none of the rules covers.

        Parameters
        ----------
        box
            Where to look.
        rules
            The rules.
        steps
            What the search may take.

        Raises
        ------
        GaveUpError
            When it takes more.
        """
        search = _Search(self._reaching, self._full_after, [box[i] for i in self._order], steps)
        for found in search.gaps(0, rules):
            parts = dict(zip(self._order, found, strict=True))
            yield tuple(parts[i] for i in range(len(self._order)))


class _Search:
    def __init__(
        self,
        reaching: list[list[Bits]],
        full_after: list[Bits],
        box: list[Regions],
        steps: Steps,
    ) -> None:
        self._reaching = reaching
        self._full_after = full_after
        self._box = box
        self._steps = steps
        self._covered: set[tuple[int, Bits]] = set()

    def gaps(self, depth: int, rules: Bits) -> Iterator[tuple[Regions, ...]]:
        if not rules:
            yield tuple(self._box[depth:])
            return
        if rules & self._full_after[depth] or (depth, rules) in self._covered:
            return
        found = False
        for group, regions in sorted(self._groups(depth, rules).items(), key=_smallest):
            for rest in self.gaps(depth + 1, group):
                found = True
                yield (regions, *rest)
        if not found:
            self._covered.add((depth, rules))

    def _groups(self, depth: int, rules: Bits) -> dict[Bits, Regions]:
        """Group the regions of a column by the rules that reach them."""
        box = self._box[depth]
        self._steps.take(box.bit_count())
        reaching = self._reaching[depth]
        groups: dict[Bits, Regions] = {}
        for place in members(box):
            group = reaching[place] & rules
            groups[group] = groups.get(group, 0) | 1 << place
        return groups


def _smallest(group: tuple[Bits, Regions]) -> tuple[int, Regions]:
    return group[0].bit_count(), group[1] & -group[1]

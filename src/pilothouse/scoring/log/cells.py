"""Histograms with edges that are known beforehand, so that counts merge by addition."""

from __future__ import annotations

import math
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pilothouse.domain.schemas import DataType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pilothouse.domain.schemas import Column, Scalar

RANGE_CELLS = 64
WHOLE_NUMBER_CELLS = 256
OCTAVES = (-20, 40)
STEPS_OF_AN_OCTAVE = (1.0, 1.25, 1.5, 1.75)
UNIT_CELLS = 64


class Histogram(Protocol):
    """Counts of one column."""

    def add(self, values: Sequence[Scalar]) -> None:
        """Count values."""
        ...

    def document(self) -> dict[str, object]:
        """Give the counts in plain words."""
        ...


class NumberHistogram:
    """
    Counts of numbers between edges.

    Parameters
    ----------
    edges
        Increasing, shape ``(cells + 1,)``. A cell holds its lower edge, the last one its upper edge too.
    kind
        Where the edges come from: ``range``, ``whole`` or ``standard-1``.

    Examples
    --------
    >>> counted = NumberHistogram(np.array([0.0, 1.0, 2.0]), kind="range")
    >>> counted.add([0.5, 1.0, 2.0, 7, None])
    >>> counted.document()["cells"], counted.document()["above"], counted.document()["null"]
    ([[0.0, 1.0, 1], [1.0, 2.0, 2]], 1, 1)
    """

    def __init__(self, edges: NDArray[np.float64], *, kind: str) -> None:
        self._edges, self._kind = edges, kind
        self._counts = np.zeros(len(edges) - 1, dtype=np.int64)
        self.null = self.not_finite = self.below = self.above = 0

    def add(self, values: Sequence[Scalar]) -> None:
        """Count values; what is no number is a null."""
        numbers = np.asarray([v for v in values if isinstance(v, (int, float))], dtype=np.float64)
        self.null += len(values) - len(numbers)
        finite = numbers[np.isfinite(numbers)]
        self.not_finite += len(numbers) - len(finite)
        low, high = self._edges[0], self._edges[-1]
        self.below += int(np.count_nonzero(finite < low))
        self.above += int(np.count_nonzero(finite > high))
        inside = finite[(finite >= low) & (finite <= high)]
        at = np.searchsorted(self._edges, inside, side="right") - 1
        at[at == len(self._counts)] -= 1
        self._counts += np.bincount(at, minlength=len(self._counts))

    def document(self) -> dict[str, object]:
        """Give the cells that hold something as ``[lower, upper, count]``, and the counts beside them."""
        held = np.flatnonzero(self._counts)
        return {
            "kind": "numbers",
            "edges": self._kind,
            "cells": [
                [float(self._edges[i]), float(self._edges[i + 1]), int(self._counts[i])]
                for i in held
            ],
            "null": self.null,
            "not_finite": self.not_finite,
            "below": self.below,
            "above": self.above,
        }


class CategoryHistogram:
    """
    Counts of known values; whatever else comes is counted together.

    Parameters
    ----------
    categories
        The values that the schema names.
    """

    def __init__(self, categories: Sequence[str | int | bool]) -> None:
        self._known = frozenset(categories)
        self._counts: Counter[Scalar] = Counter()

    def add(self, values: Sequence[Scalar]) -> None:
        """Count values."""
        self._counts.update(values)

    def document(self) -> dict[str, object]:
        """Give the counts of the values that came."""
        known = {v: n for v, n in self._counts.items() if v is not None and v in self._known}
        null = self._counts.get(None, 0)
        return {
            "kind": "categories",
            "cells": sorted(([v, n] for v, n in known.items()), key=str),
            "null": null,
            "unseen": self._counts.total() - null - sum(known.values()),
        }


class PresenceHistogram:
    """Counts of values that are there or not, for text and times, which have no edges."""

    def __init__(self) -> None:
        self._present = self._null = 0

    def add(self, values: Sequence[Scalar]) -> None:
        """Count values."""
        null = sum(v is None for v in values)
        self._null += null
        self._present += len(values) - null

    def document(self) -> dict[str, object]:
        """Give both counts."""
        return {"kind": "presence", "present": self._present, "null": self._null}


def histogram_of(column: Column) -> Histogram:
    """
    Give an empty histogram for a column.

    Edges come from the schema alone, so all processes that count the column have the same: 64 equal cells over its
    range, one for each whole number where there are at most 256, and `standard_edges` where it has no range.
    """
    if column.categories is not None:
        return CategoryHistogram(column.categories)
    if column.type is DataType.BOOLEAN:
        return CategoryHistogram((False, True))
    if column.type not in (DataType.INTEGER, DataType.NUMBER):
        return PresenceHistogram()
    low, high = column.minimum, column.maximum
    if low is None or high is None or not low < high:
        return NumberHistogram(standard_edges(), kind="standard-1")
    first, last = math.ceil(low), math.floor(high)
    if column.type is DataType.INTEGER and 0 <= last - first < WHOLE_NUMBER_CELLS:
        return NumberHistogram(np.arange(first, last + 2, dtype=np.float64) - 0.5, kind="whole")
    return NumberHistogram(np.linspace(low, high, RANGE_CELLS + 1), kind="range")


@cache
def standard_edges() -> NDArray[np.float64]:
    """
    Give the edges for numbers of which nothing is known: four cells an octave, and 64 between 0 and 1.

    From 2**-20 to 2**40 on both sides of 0, so a cell is at most a quarter as wide as its edge is far from 0; the even
    cells between 0 and 1 are for scores. Every edge is exact in binary64, the same on all machines.
    """
    low, high = OCTAVES
    octaves = np.exp2(
        np.arange(low, high)
    )  # exact, and so are a quarter, a half and three quarters more
    sizes = np.append(np.outer(octaves, STEPS_OF_AN_OCTAVE).ravel(), 2.0**high)
    return np.unique(np.concatenate([-sizes, sizes, np.linspace(0, 1, UNIT_CELLS + 1)]))

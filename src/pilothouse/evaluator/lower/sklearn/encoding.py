"""Categories, and numbers cut into bins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.lower.lowering import (
    Cell,
    Foreign,
    Lowering,
    Matrix,
    joined,
)
from pilothouse.evaluator.operations import Bins, OneHot, Refusal, Refuse

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN, NAN = -1.0, float("nan")


def categories(
    lowering: Lowering, cell: Cell, known: Sequence[Foreign]
) -> tuple[list[float | None], int | None]:
    """Give the key of each category, None for one that stands for a missing value, and where that is."""
    keys: list[float | None] = []
    missing = None
    for place, value in enumerate(known):
        if value is None or (isinstance(value, float) and value != value):
            lowering.require(missing is None, "None and NaN are two categories")
            missing = place
            keys.append(None)
        elif isinstance(value, str):
            keys.append(lowering.word(cell, value))
        else:
            lowering.require(cell.text is None, "numbers are categories of a column of text")
            keys.append(float(value))
    return keys, missing


def indexed(
    lowering: Lowering, cell: Cell, known: Sequence[Foreign], places: Sequence[float], other: float
) -> Matrix:
    """Replace each category by its place; whatever is unknown becomes `other`."""
    keys, missing = categories(lowering, cell, known)
    pairs = {k: (p,) for k, p in zip(keys, places, strict=True) if k is not None}
    gap = other if missing is None else places[missing]
    return lowering.lookup(cell, pairs, (other,), (gap,))


def _unseen(lowering: Lowering, matrix: Matrix) -> None:
    lowering.add(Refuse(source=matrix.source, reason=Refusal.UNSEEN, step=lowering.step))


def _grouped(model: Foreign, column: int, count: int) -> tuple[list[int], int | None]:
    """Give each category's place once rare ones are grouped, and the place of that group."""
    mapping = None
    if getattr(model, "_infrequent_enabled", False):
        mapping = model._default_to_infrequent_mappings[column]  # noqa: SLF001  no public name
    if mapping is None:
        return list(range(count)), None
    rare = model._infrequent_indices[column]  # noqa: SLF001
    places = [int(p) for p in mapping]
    # A missing value at the end of an ordinal encoder's categories is in no group.
    rest = range(len(places), count)
    return [*places, *rest], places[int(rare[0])]


def one_hot(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower an encoder with a column a category, with rare categories grouped and dropped ones."""
    parts = []
    for column, (cell, known) in enumerate(zip(matrix.cells, model.categories_, strict=True)):
        places, rare = _grouped(model, column, len(known))
        group = model.handle_unknown in ("infrequent_if_exist", "warn") and rare is not None
        other = float(rare) if group and rare is not None else UNKNOWN
        drop = _dropped(model, column)
        shown = [_without(p, drop) for p in places]
        size = max(places) + 1 - (drop is not None)
        dropped_other = _without(int(other), drop) if group else other
        index = indexed(lowering, cell, known, shown, dropped_other)
        if model.handle_unknown == "error":
            _unseen(lowering, index)
        if size:
            parts.append(lowering.add(OneHot(source=index.source, size=size)))
    return joined(parts)


def _dropped(model: Foreign, column: int) -> int | None:
    dropped = model._drop_idx_after_grouping  # noqa: SLF001  the public one counts before grouping
    return None if dropped is None or dropped[column] is None else int(dropped[column])


def _without(place: int, drop: int | None) -> float:
    """Give a category's column; a place behind all of them for the dropped one, which has none."""
    if drop is None or place < drop:
        return float(place)
    return float(2**30) if place == drop else float(place - 1)


def ordinal(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower an encoder with a number a category."""
    encoded = model.handle_unknown == "use_encoded_value"
    other = float(model.unknown_value) if encoded else UNKNOWN
    parts = []
    for column, (cell, known) in enumerate(zip(matrix.cells, model.categories_, strict=True)):
        places, _ = _grouped(model, column, len(known))
        shown = [
            float(model.encoded_missing_value)
            if value is None or (isinstance(value, float) and value != value)
            else float(place)
            for value, place in zip(known, places, strict=True)
        ]
        index = indexed(lowering, cell, known, shown, other)
        if not encoded:
            _unseen_ordinal(lowering, cell, known)
        parts.append(index)
    return joined(parts)


def _unseen_ordinal(lowering: Lowering, cell: Cell, known: Sequence[Foreign]) -> None:
    # The encoded missing value may be negative itself, so what is unknown is looked for apart.
    seen = indexed(lowering, cell, known, [0.0] * len(known), UNKNOWN)
    _unseen(lowering, seen)


def target(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower an encoder by the target's mean; with several classes a column a class, feature by feature."""
    classes = len(model.classes_) if model.target_type_ == "multiclass" else 1
    means = np.atleast_1d(model.target_mean_)
    parts = []
    for column, (cell, known) in enumerate(zip(matrix.cells, model.categories_, strict=True)):
        keys, missing = categories(lowering, cell, known)
        encodings = model.encodings_[column * classes : (column + 1) * classes]
        rows = [tuple(float(e[p]) for e in encodings) for p in range(len(known))]
        other = tuple(float(m) for m in means)
        pairs = {k: row for k, row in zip(keys, rows, strict=True) if k is not None}
        gap = other if missing is None else rows[missing]
        parts.append(lowering.lookup(cell, pairs, other, gap))
    return joined(parts)


def bins(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the cutting of numbers into bins."""
    lowering.finite(matrix)
    parts = []
    for cell, edges in zip(matrix.cells, model.bin_edges_, strict=True):
        inner = np.array(edges[1:-1], dtype=np.float64)
        place = lowering.add(Bins(source=np.array([cell.column], dtype=np.int32), edges=inner))
        if model.encode == "ordinal":
            parts.append(place)
        else:
            parts.append(lowering.add(OneHot(source=place.source, size=len(edges) - 1)))
    return joined(parts)


TRANSFORMERS = {
    "OneHotEncoder": one_hot,
    "OrdinalEncoder": ordinal,
    "TargetEncoder": target,
    "KBinsDiscretizer": bins,
}

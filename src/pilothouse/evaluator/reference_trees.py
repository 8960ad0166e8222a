"""Trees in numpy: all rows take one step down at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pilothouse.evaluator.operations import Floats, Trees

WORD_BITS = 32


def leaves_added(operation: Trees, given: list[Floats]) -> list[Floats]:
    """Add up the leaves that each row reaches, tree after tree."""
    table = np.stack(given)
    if operation.single:
        table = table.astype(np.float32)
    kept = np.float32 if operation.single_sum else np.float64
    sums = np.repeat(operation.start.astype(kept)[:, None], table.shape[1], axis=1)
    leaves = operation.leaves.astype(kept)
    wide = leaves.shape[1]
    for root, target in zip(operation.roots.tolist(), operation.targets.tolist(), strict=True):
        sums[target : target + wide] += leaves[_reached(operation, root, table)].T
    return list(sums.astype(np.float64))


def _reached(operation: Trees, root: int, table: NDArray[np.floating]) -> NDArray[np.int32]:
    """Give the row of `leaves` that each row of the table comes to."""
    at = np.full(table.shape[1], root, dtype=np.int32)
    while True:
        (moving,) = np.nonzero(operation.feature[at] >= 0)
        if moving.size == 0:
            return operation.left[at]
        node = at[moving]
        x = table[operation.feature[node], moving]
        missing = np.isnan(x)
        left = np.where(missing, operation.missing_left[node] != 0, _left(operation, node, x))
        at[moving] = np.where(left, operation.left[node], operation.right[node])


def _left(operation: Trees, node: NDArray[np.int32], x: NDArray[np.floating]) -> NDArray[np.bool_]:
    below = x <= operation.threshold[node]
    if not operation.words.size:
        return below
    sets = operation.categories[node] >= 0
    return np.where(sets, _held(operation, node, x), below)


def _held(operation: Trees, node: NDArray[np.int32], x: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Say whether each value, cut to a whole number, is in its node's set of categories."""
    bits = np.where(operation.categories[node] >= 0, operation.threshold[node], 0.0) * WORD_BITS
    inside = (x > -1.0) & (x < bits)
    value = np.where(inside, x, 0.0).astype(np.int64)
    word = operation.words[np.where(inside, operation.categories[node] + value // WORD_BITS, 0)]
    set_bit: NDArray[np.bool_] = (word >> (value % WORD_BITS).astype(np.uint32)) & 1 == 1
    return inside & set_bit

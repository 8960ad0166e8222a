"""One tree after another, brought together into one operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.operations import Trees

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pilothouse.evaluator.lower.lowering import Foreign
    from pilothouse.evaluator.operations import Floats, Ints

LEAF = -1
WORD_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """
    A tree as libraries hold it: children by number, -1 for none.

    Attributes
    ----------
    values
        What each node would add were it a leaf, shape ``(nodes, k)``.
    sets
        Of a node of categories, its words.
    """

    left: NDArray[np.integer]
    right: NDArray[np.integer]
    feature: NDArray[np.integer]
    threshold: NDArray[np.floating]
    missing_left: NDArray[np.integer]
    values: Floats
    target: int = 0
    sets: dict[int, NDArray[np.uint32]] = field(default_factory=dict)


def numbered(tree: Tree) -> list[int]:
    """Give the nodes so that parents stand before their children, left ways first."""
    order: list[int] = []
    waiting = [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        if tree.left[node] != LEAF:
            waiting += [int(tree.right[node]), int(tree.left[node])]
    return order


def together(
    trees: list[Tree], *, source: Ints, start: Floats, single: bool, single_sum: bool = False
) -> Trees:
    """Put trees behind one another."""
    roots, targets, leaves = [], [], []
    parts: dict[str, list[NDArray[np.generic]]] = {k: [] for k in _PARTS}
    words: list[NDArray[np.uint32]] = [np.zeros(0, dtype=np.uint32)]
    nodes = rows = word = 0
    for tree in trees:
        order = np.array(numbered(tree), dtype=np.int64)
        place = np.zeros(tree.left.size, dtype=np.int64)
        place[order] = np.arange(nodes, nodes + order.size)
        leaf = tree.left[order] == LEAF
        threshold = np.where(leaf, 0.0, tree.threshold[order]).astype(np.float64)
        categories = np.full(order.size, -1)
        for node, held in tree.sets.items():
            at = place[node] - nodes
            categories[at], threshold[at] = word, held.size
            words.append(held)
            word += held.size
        left = place[tree.left[order]]
        left[leaf] = np.arange(rows, rows + leaf.sum())
        parts["feature"].append(np.where(leaf, LEAF, tree.feature[order]))
        parts["threshold"].append(threshold)
        parts["left"].append(left)
        parts["right"].append(np.where(leaf, LEAF, place[tree.right[order]]))
        parts["missing_left"].append(np.where(leaf, 0, tree.missing_left[order]))
        parts["categories"].append(categories)
        leaves.append(tree.values[order[leaf]])
        roots.append(nodes)
        targets.append(tree.target)
        nodes, rows = nodes + order.size, rows + int(leaf.sum())
    whole = {k: np.concatenate(v).astype(_PARTS[k]) for k, v in parts.items()}
    return Trees(
        source=source,
        roots=np.array(roots, dtype=np.int32),
        targets=np.array(targets, dtype=np.int32),
        words=np.concatenate(words),
        leaves=np.ascontiguousarray(np.concatenate(leaves), dtype=np.float64),
        start=np.asarray(start, dtype=np.float64),
        single=single,
        single_sum=single_sum,
        **whole,
    )


_PARTS = {
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.int32,
    "categories": np.int32,
}


def sklearn_tree(model: Foreign, values: Floats, *, target: int = 0) -> Tree:
    """Read the tree of a decision tree; `values` has a row for each of its nodes."""
    held = model.tree_
    missing = getattr(held, "missing_go_to_left", np.zeros(held.node_count))
    return Tree(
        left=held.children_left,
        right=held.children_right,
        feature=held.feature,
        threshold=held.threshold,
        missing_left=np.asarray(missing).astype(np.int64),
        values=values,
        target=target,
    )

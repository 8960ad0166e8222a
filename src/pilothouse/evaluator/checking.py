"""Whether a form can be evaluated: every index inside its bounds, every size as it must be, every way through a tree ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.errors import FormInvalidError
from pilothouse.evaluator.ir import Kind
from pilothouse.evaluator.operations import (
    Bins,
    Constant,
    Distances,
    Fill,
    Interpolate,
    Linear,
    Lookup,
    OneHot,
    Pair,
    Products,
    Trees,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pilothouse.evaluator.ir import Form
    from pilothouse.evaluator.operations import Operation

MAXIMUM_COLUMNS = 2**17


def check(form: Form) -> None:
    """
    Refuse a form that could be read out of bounds or never end.

    Raises
    ------
    FormInvalidError
        When something in it does not fit together.
    """
    _inputs(form)
    columns = len(form.inputs)
    for number, operation in enumerate(form.operations):
        place = f"operation {number} ({type(operation).__name__})"
        _require(operation.source.size > 0, place, "it reads no column")
        _within(operation.source, columns, place, "source")
        _SHAPES.get(type(operation), _anything)(operation, place)
        columns += operation.width
        _require(columns <= MAXIMUM_COLUMNS, place, f"more than {MAXIMUM_COLUMNS} columns")
    for output in form.outputs:
        place = f"output {output.name!r}"
        _require(0 <= output.column < columns, place, "its column does not exist")
        _require(output.labels is None or len(output.labels) > 0, place, "it has no labels")
    _require(len({o.name for o in form.outputs}) == len(form.outputs), "outputs", "a name twice")


def _inputs(form: Form) -> None:
    names = {i.name for i in form.inputs}
    _require(0 < len(names) == len(form.inputs), "inputs", "none, or a name twice")
    _require(len(names) <= MAXIMUM_COLUMNS, "inputs", "too many")
    for given in form.inputs:
        _require(len(set(given.words)) == len(given.words), f"input {given.name!r}", "a word twice")
        _require(
            given.kind is Kind.TEXT or not given.words, f"input {given.name!r}", "words of no text"
        )


def _require(holds: bool | np.bool_, place: str, problem: str) -> None:
    if not holds:
        raise FormInvalidError(place=place, problem=problem)


def _within(indices: NDArray[np.int32], end: int, place: str, name: str) -> None:
    inside = indices.size == 0 or (indices.min() >= 0 and indices.max() < end)
    _require(inside, place, f"{name} points outside")


def _ascending(values: NDArray[np.float64] | NDArray[np.int32], place: str, name: str) -> None:
    # A NaN compares as false, so it is refused too.
    _require(bool(np.all(values[1:] >= values[:-1])), place, f"{name} is not ascending")
    _require(not bool(np.any(values != values)), place, f"{name} holds NaN")


def _shape(array: NDArray[np.generic], shape: tuple[int, ...], place: str, name: str) -> None:
    _require(array.shape == shape, place, f"{name} has shape {array.shape}, not {shape}")


def _anything(operation: Operation, place: str) -> None:
    del operation, place


def _fill(operation: Fill, place: str) -> None:
    _shape(operation.value, (operation.source.size,), place, "value")


def _constant(operation: Constant, place: str) -> None:
    _shape(operation.constant, (operation.source.size,), place, "constant")


def _pair(operation: Pair, place: str) -> None:
    _require(operation.source.size % 2 == 0, place, "a column has no partner")


def _one(operation: Operation, place: str) -> None:
    _require(operation.source.size == 1, place, "it reads one column")


def _lookup(operation: Lookup, place: str) -> None:
    _one(operation, place)
    _require(operation.keys.ndim == 1 and operation.table.ndim == 2, place, "shapes differ")
    _shape(operation.table, (operation.keys.size + 2, operation.width), place, "table")
    _require(operation.width > 0, place, "its table is empty")
    _ascending(operation.keys, place, "keys")


def _one_hot(operation: OneHot, place: str) -> None:
    _one(operation, place)
    _require(0 < operation.size <= MAXIMUM_COLUMNS, place, f"size {operation.size}")


def _bins(operation: Bins, place: str) -> None:
    _one(operation, place)
    _require(operation.edges.ndim == 1, place, "edges are not flat")
    _ascending(operation.edges, place, "edges")


def _linear(operation: Linear, place: str) -> None:
    _require(operation.bias.ndim == 1 and operation.bias.size > 0, place, "bias is not flat")
    _shape(operation.weights, (operation.width, operation.source.size), place, "weights")


def _products(operation: Products, place: str) -> None:
    ends, factors = operation.ends, operation.factors
    _require(ends.ndim == factors.ndim == 1 and ends.size > 0, place, "ends are not flat")
    _ascending(ends, place, "ends")
    _require(ends[0] >= 0 and ends[-1] == factors.size, place, "ends do not split factors")
    _within(factors, operation.source.size, place, "factors")


def _distances(operation: Distances, place: str) -> None:
    _require(operation.centres.ndim == 2 and operation.width > 0, place, "centres have no rows")
    shape = (operation.width, operation.source.size)
    _shape(operation.centres, shape, place, "centres")
    _shape(operation.scales, shape, place, "scales")


def _interpolate(operation: Interpolate, place: str) -> None:
    _one(operation, place)
    _require(operation.x.ndim == 1 and operation.x.size > 0, place, "no points")
    _shape(operation.y, operation.x.shape, place, "y")
    _ascending(operation.x, place, "x")


def _trees(operation: Trees, place: str) -> None:
    nodes = operation.feature.size
    _require(operation.roots.ndim == 1 and operation.feature.ndim == 1, place, "not flat")
    for name in ("threshold", "left", "right", "missing_left", "categories"):
        _shape(getattr(operation, name), (nodes,), place, name)
    _shape(operation.targets, operation.roots.shape, place, "targets")
    _require(operation.start.ndim == operation.words.ndim == 1, place, "not flat")
    _require(operation.start.size > 0, place, "no columns")
    _require(operation.leaves.ndim == 2 and operation.leaves.shape[1] > 0, place, "no leaves")
    _require(nodes > 0 and operation.roots.size > 0, place, "no trees")
    _within(operation.roots, nodes, place, "roots")
    _require(bool(np.all(np.diff(operation.roots) > 0)), place, "roots are not ascending")
    last = operation.width - operation.leaves.shape[1] + 1
    _within(operation.targets, last, place, "targets")
    _nodes(operation, place)


def _nodes(operation: Trees, place: str) -> None:
    leaf = operation.feature == -1
    inner = ~leaf
    _within(operation.feature[inner], operation.source.size, place, "feature")
    _within(operation.left[leaf], operation.leaves.shape[0], place, "leaf")
    at = np.arange(operation.feature.size)
    for name in ("left", "right"):
        children = getattr(operation, name)
        _within(children[inner], operation.feature.size, place, name)
        _require(bool(np.all(children[inner] > at[inner])), place, "a child before its parent")
    met = np.concatenate((operation.roots, operation.left[inner], operation.right[inner]))
    _require(np.unique(met).size == met.size, place, "a node with two parents")
    _require(not np.isnan(operation.threshold[inner]).any(), place, "a threshold is NaN")
    sets = inner & (operation.categories >= 0)
    sizes = operation.threshold[sets]
    whole = np.all((sizes >= 0) & (sizes <= operation.words.size) & (sizes == np.floor(sizes)))
    _require(bool(whole), place, "a set of categories has no size")
    ends = operation.categories[sets] + sizes
    _require(bool(np.all(ends <= operation.words.size)), place, "categories points outside")


_SHAPES: dict[type[Operation], Callable[..., None]] = {
    Fill: _fill,
    Constant: _constant,
    Pair: _pair,
    Lookup: _lookup,
    OneHot: _one_hot,
    Bins: _bins,
    Linear: _linear,
    Products: _products,
    Distances: _distances,
    Interpolate: _interpolate,
    Trees: _trees,
}

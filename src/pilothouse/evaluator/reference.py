"""The evaluator in numpy: what the kernel must equal, and what works where no compiler was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.errors import RowRefusedError
from pilothouse.evaluator.operations import (
    Across,
    Apply,
    Binary,
    Bins,
    Constant,
    Distances,
    Fill,
    Floats,
    Interpolate,
    Linear,
    Lookup,
    OneHot,
    Pair,
    Products,
    Refusal,
    Refuse,
    Row,
    Trees,
    Unary,
)
from pilothouse.evaluator.reference_trees import leaves_added

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pilothouse.evaluator.ir import Form
    from pilothouse.evaluator.operations import Operation

REASONS = {
    Refusal.MISSING: "a value is missing",
    Refusal.INFINITE: "a value is infinite",
    Refusal.BEYOND_SINGLE: "a value is too large for binary32",
    Refusal.NEGATIVE: "a value is negative",
    Refusal.UNSEEN: "a category is unknown",
}
# The bound at which rounding to binary32 gives an infinity: halfway beyond the largest.
SINGLE_OVERFLOW = 3.4028235677973366e38


def run(form: Form, inputs: list[Floats]) -> list[Floats]:
    """
    Evaluate rows.

    Parameters
    ----------
    form
        A checked form.
    inputs
        A column of each input, all of one length; text as codes.

    Returns
    -------
    list of arrays
        A column of each output; labels as indices.

    Raises
    ------
    RowRefusedError
        At the first operation that refuses a row, for the first such row.
    """
    columns = list(inputs)
    with np.errstate(all="ignore"):
        for operation in form.operations:
            given = [columns[c] for c in operation.source.tolist()]
            columns += _RUN[type(operation)](operation, given)
    return [columns[o.column] for o in form.outputs]


def _fill(operation: Fill, given: list[Floats]) -> list[Floats]:
    marker = operation.marker
    found = (np.isnan(x) if np.isnan(marker) else x == marker for x in given)
    return [np.where(f, v, x) for f, x, v in zip(found, given, operation.value, strict=True)]


def _constant(operation: Constant, given: list[Floats]) -> list[Floats]:
    function = BINARY[operation.function]
    return [function(x, c) for x, c in zip(given, operation.constant, strict=True)]


def _apply(operation: Apply, given: list[Floats]) -> list[Floats]:
    return [UNARY[operation.function](x) for x in given]


def _pair(operation: Pair, given: list[Floats]) -> list[Floats]:
    half = len(given) // 2
    function = BINARY[operation.function]
    return [function(x, y) for x, y in zip(given[:half], given[half:], strict=True)]


def _row(operation: Row, given: list[Floats]) -> list[Floats]:
    function = operation.function
    if function in (Across.SOFTMAX, Across.SHARES, Across.LOG_SHARES):
        return _shares(function, given)
    match function:
        case Across.ARGMAX:
            return [_place(given, np.greater)]
        case Across.ARGMIN:
            return [_place(given, np.less)]
        case Across.LENGTH:
            return [np.sqrt(_folded([x * x for x in given], np.add))]
        case Across.SUM:
            return [_folded(given, np.add)]
        case _:
            return [_folded(given, _greater)]


def _shares(function: Across, given: list[Floats]) -> list[Floats]:
    if function is Across.SHARES:
        total = _folded(given, np.add)
        return [x / total for x in given]
    top = _folded(given, _greater)
    powers = [np.exp(x - top) for x in given]
    total = _folded(powers, np.add)
    if function is Across.SOFTMAX:
        return [p / total for p in powers]
    return [x - (np.log(total) + top) for x in given]


def _folded(given: list[Floats], function: Callable[[Floats, Floats], Floats]) -> Floats:
    total = given[0]
    for x in given[1:]:
        total = function(total, x)
    return total


def _greater(x: Floats, y: Floats) -> Floats:
    return np.where(y > x, y, x)


def _less(x: Floats, y: Floats) -> Floats:
    return np.where(y < x, y, x)


def _place(given: list[Floats], better: np.ufunc) -> Floats:
    best, place = given[0], np.zeros_like(given[0])
    for index, x in enumerate(given[1:], start=1):
        wins = better(x, best)
        best, place = np.where(wins, x, best), np.where(wins, float(index), place)
    return place


def _lookup(operation: Lookup, given: list[Floats]) -> list[Floats]:
    (x,), keys = given, operation.keys
    other, missing = keys.size, keys.size + 1
    at = np.searchsorted(keys, x)
    if keys.size:
        hit = keys[np.minimum(at, keys.size - 1)] == x
    else:
        hit = np.zeros(x.shape, dtype=np.bool_)
    rows = np.where(np.isnan(x), missing, np.where(hit, at, other))
    return [np.ascontiguousarray(c) for c in operation.table[rows].T]


def _one_hot(operation: OneHot, given: list[Floats]) -> list[Floats]:
    return [(given[0] == index).astype(np.float64) for index in range(operation.size)]


def _bins(operation: Bins, given: list[Floats]) -> list[Floats]:
    return [np.searchsorted(operation.edges, given[0], side="right").astype(np.float64)]


def _linear(operation: Linear, given: list[Floats]) -> list[Floats]:
    made = []
    for weights, bias in zip(operation.weights, operation.bias, strict=True):
        total = given[0] * weights[0]
        for x, weight in zip(given[1:], weights[1:], strict=True):
            total = total + x * weight
        made.append(total + bias)
    return made


def _products(operation: Products, given: list[Floats]) -> list[Floats]:
    made, begin = [], 0
    for end in operation.ends.tolist():
        product = np.ones_like(given[0])
        for factor in operation.factors[begin:end].tolist():
            product = product * given[factor]
        made.append(product)
        begin = end
    return made


def _distances(operation: Distances, given: list[Floats]) -> list[Floats]:
    made = []
    for centre, scale in zip(operation.centres, operation.scales, strict=True):
        total = np.zeros_like(given[0])
        for x, c, s in zip(given, centre, scale, strict=True):
            total = total + (x - c) * (x - c) / s
        made.append(total)
    return made


def _interpolate(operation: Interpolate, given: list[Floats]) -> list[Floats]:
    x, y = operation.x, operation.y
    held = np.clip(given[0], x[0], x[-1])
    # Of points that share an x, the first is left of it and the last is right of it.
    above = np.clip(np.searchsorted(x, held, side="left"), 1, max(x.size - 1, 1))
    if x.size == 1:
        return [np.where(np.isnan(held), held, y[0])]
    x0, x1, y0, y1 = x[above - 1], x[above], y[above - 1], y[above]
    return [(y1 - y0) / (x1 - x0) * (held - x0) + y0]


def _refuse(operation: Refuse, given: list[Floats]) -> list[Floats]:
    found = np.zeros(given[0].shape, dtype=np.bool_)
    for x in given:
        found |= REFUSED[operation.reason](x)
    if found.any():
        raise RowRefusedError(
            row=int(np.argmax(found)), step=operation.step, problem=REASONS[operation.reason]
        )
    return []


def _logistic(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-x))


def _truth(test: Callable[..., NDArray[np.bool_]]) -> Callable[..., Floats]:
    return lambda *given: test(*given).astype(np.float64)


BINARY: dict[Binary, Callable[..., Floats]] = {
    Binary.ADD: np.add,
    Binary.SUBTRACT: np.subtract,
    Binary.MULTIPLY: np.multiply,
    Binary.DIVIDE: np.divide,
    # A missing first value stays missing.
    Binary.MINIMUM: _less,
    Binary.MAXIMUM: _greater,
    Binary.GREATER: _truth(np.greater),
    Binary.GREATER_EQUAL: _truth(np.greater_equal),
    Binary.EQUAL: _truth(np.equal),
    Binary.POWER: np.power,
}
UNARY: dict[Unary, Callable[[Floats], Floats]] = {
    Unary.MISSING: _truth(np.isnan),
    Unary.ABSOLUTE: np.abs,
    Unary.NEGATIVE: np.negative,
    Unary.SQUARE: np.square,
    Unary.SQUARE_ROOT: np.sqrt,
    Unary.EXP: np.exp,
    Unary.EXPM1: np.expm1,
    Unary.LOG: np.log,
    Unary.LOG1P: np.log1p,
    Unary.LOGISTIC: _logistic,
    Unary.TANH: np.tanh,
    Unary.SINGLE: lambda x: x.astype(np.float32).astype(np.float64),
    Unary.LOG2: np.log2,
    Unary.LOG10: np.log10,
    Unary.SIN: np.sin,
    Unary.COS: np.cos,
    Unary.CUBE_ROOT: np.cbrt,
    Unary.SIGN: np.sign,
    Unary.FLOOR: np.floor,
    Unary.CEILING: np.ceil,
    Unary.ROUND: np.rint,
    Unary.EXP2: np.exp2,
}
REFUSED: dict[Refusal, Callable[[Floats], NDArray[np.bool_]]] = {
    Refusal.MISSING: np.isnan,
    Refusal.INFINITE: np.isinf,
    Refusal.BEYOND_SINGLE: lambda x: np.abs(x) >= SINGLE_OVERFLOW,
    Refusal.NEGATIVE: lambda x: x < 0,
    Refusal.UNSEEN: lambda x: x < 0,
}
_RUN: dict[type[Operation], Callable[..., list[Floats]]] = {
    Fill: _fill,
    Constant: _constant,
    Apply: _apply,
    Pair: _pair,
    Row: _row,
    Lookup: _lookup,
    OneHot: _one_hot,
    Bins: _bins,
    Linear: _linear,
    Products: _products,
    Distances: _distances,
    Interpolate: _interpolate,
    Refuse: _refuse,
    Trees: leaves_added,
}

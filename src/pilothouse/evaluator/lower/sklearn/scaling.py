"""Scalers of columns and rows."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import Foreign, Lowering, Matrix
from pilothouse.evaluator.operations import Across, Binary, Pair, Refusal, Unary


def standard(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the scaler to mean 0 and deviation 1."""
    lowering.guard(matrix, Refusal.INFINITE)
    if model.with_mean:
        matrix = lowering.constant(matrix, Binary.SUBTRACT, model.mean_)
    if model.with_std:
        matrix = lowering.constant(matrix, Binary.DIVIDE, model.scale_)
    return Matrix(matrix.cells)


def min_max(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the scaler to a range."""
    lowering.guard(matrix, Refusal.INFINITE)
    matrix = lowering.constant(matrix, Binary.MULTIPLY, model.scale_)
    matrix = lowering.constant(matrix, Binary.ADD, model.min_)
    if model.clip:
        low, high = model.feature_range
        matrix = lowering.scalar(matrix, Binary.MAXIMUM, low)
        matrix = lowering.scalar(matrix, Binary.MINIMUM, high)
    return matrix


def max_abs(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the scaler by the greatest absolute value."""
    lowering.guard(matrix, Refusal.INFINITE)
    matrix = lowering.constant(matrix, Binary.DIVIDE, model.scale_)
    if getattr(model, "clip", False):
        matrix = lowering.scalar(matrix, Binary.MAXIMUM, -1.0)
        matrix = lowering.scalar(matrix, Binary.MINIMUM, 1.0)
    return matrix


def robust(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the scaler by quantiles."""
    lowering.guard(matrix, Refusal.INFINITE)
    if model.with_centering:
        matrix = lowering.constant(matrix, Binary.SUBTRACT, model.center_)
    if model.with_scaling:
        matrix = lowering.constant(matrix, Binary.DIVIDE, model.scale_)
    return Matrix(matrix.cells)


def normalizer(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the scaler of rows to length 1; a row of length 0 stays."""
    lowering.finite(matrix)
    sizes = matrix if model.norm == "l2" else lowering.apply(matrix, Unary.ABSOLUTE)
    across = {"l1": Across.SUM, "l2": Across.LENGTH, "max": Across.MAXIMUM}[model.norm]
    length = lowering.row(sizes, across)
    zero = lowering.scalar(length, Binary.EQUAL, 0.0)
    length = lowering.pair(length, zero, Binary.ADD)
    source = np.concatenate((matrix.source, np.repeat(length.source, len(matrix))))
    return lowering.add(Pair(source=source, function=Binary.DIVIDE))


def binarizer(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the comparison with a threshold."""
    lowering.finite(matrix)
    return lowering.scalar(matrix, Binary.GREATER, float(model.threshold))


TRANSFORMERS = {
    "StandardScaler": standard,
    "MinMaxScaler": min_max,
    "MaxAbsScaler": max_abs,
    "RobustScaler": robust,
    "Normalizer": normalizer,
    "Binarizer": binarizer,
}

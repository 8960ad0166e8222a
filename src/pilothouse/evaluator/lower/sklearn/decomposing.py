"""Polynomial features, projections, chosen features."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import Foreign, Lowering, Matrix
from pilothouse.evaluator.lower.sklearn.answering import linear_scores
from pilothouse.evaluator.operations import Binary, Products, Refusal


def polynomial(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower products of features."""
    source = lowering.finite(matrix)
    factors: list[int] = []
    ends = []
    for powers in model.powers_:
        for feature, power in enumerate(powers):
            factors += [feature] * int(power)
        ends.append(len(factors))
    return lowering.add(
        Products(
            source=source,
            ends=np.array(ends, dtype=np.int32),
            factors=np.array(factors, dtype=np.int32),
        )
    )


def principal(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the projection on principal components, centred after it."""
    lowering.finite(matrix)
    centre = model.mean_.reshape(1, -1) @ model.components_.T
    made = linear_scores(lowering, matrix, model.components_, -centre)
    if model.whiten:
        scale = np.sqrt(model.explained_variance_)
        least = np.finfo(scale.dtype).eps
        made = lowering.constant(made, Binary.DIVIDE, np.where(scale < least, least, scale))
    return made


def truncated(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the projection on singular vectors."""
    lowering.finite(matrix)
    return linear_scores(lowering, matrix, model.components_, 0.0)


def chosen(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower the choice of features."""
    numbers = Matrix(tuple(c for c in matrix.cells if c.text is None))
    if len(numbers):
        reasons = [Refusal.INFINITE]
        if not model.__sklearn_tags__().input_tags.allow_nan:
            reasons.append(Refusal.MISSING)
        lowering.guard(numbers, *reasons)
    return Matrix(tuple(matrix.cells[i] for i in np.flatnonzero(model.get_support()).tolist()))


TRANSFORMERS = {
    "PCA": principal,
    "PolynomialFeatures": polynomial,
    "SelectFromModel": chosen,
    "SelectKBest": chosen,
    "SelectPercentile": chosen,
    "TruncatedSVD": truncated,
    "VarianceThreshold": chosen,
}

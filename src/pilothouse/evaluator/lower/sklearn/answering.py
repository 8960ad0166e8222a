"""From scores to probabilities and labels, as scikit-learn's predictors do it."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import (
    Answers,
    Foreign,
    Lowering,
    Matrix,
    columns,
    joined,
    labels,
    matrix_of,
)
from pilothouse.evaluator.operations import Across, Binary, Linear, Unary


def linear_scores(
    lowering: Lowering, matrix: Matrix, coefficients: Foreign, intercept: Foreign
) -> Matrix:
    """Give a column for each row of coefficients."""
    weights = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    bias = np.broadcast_to(np.asarray(intercept, dtype=np.float64).ravel(), (weights.shape[0],))
    return lowering.add(
        Linear(
            source=lowering.numbers(matrix),
            weights=np.ascontiguousarray(weights),
            bias=np.array(bias),
        )
    )


def complemented(lowering: Lowering, positive: Matrix) -> Matrix:
    """Give 1 - p beside p."""
    negative = lowering.scalar(lowering.apply(positive, Unary.NEGATIVE), Binary.ADD, 1.0)
    return joined((negative, positive))


def shares(lowering: Lowering, matrix: Matrix) -> Matrix:
    """Divide each by the sum; where that is 0, all have the same share."""
    zero = lowering.scalar(lowering.row(matrix, Across.SUM), Binary.EQUAL, 0.0)
    lifted = lowering.pair(matrix, matrix_of(columns(zero) * len(matrix)), Binary.ADD)
    return lowering.row(lifted, Across.SHARES)


def normalised(lowering: Lowering, probabilities: Matrix) -> Matrix:
    """Complement one column, or make several sum up to 1."""
    if len(probabilities) == 1:
        return complemented(lowering, probabilities)
    return shares(lowering, probabilities)


def by_decision(
    lowering: Lowering,
    classes: Foreign,
    decision: Matrix,
    *,
    proba: Matrix | None = None,
    at_zero: bool = False,
) -> Answers:
    """Choose the class by its score; of one score the second class above 0 (`at_zero`: or at it)."""
    if len(decision) == 1:
        function = Binary.GREATER_EQUAL if at_zero else Binary.GREATER
        label = lowering.scalar(decision, function, 0.0)
    else:
        label = lowering.row(decision, Across.ARGMAX)
    return Answers(
        value=columns(label)[0],
        classes=labels(classes),
        proba=() if proba is None else columns(proba),
        decision=columns(decision),
    )


def by_proba(lowering: Lowering, classes: Foreign, proba: Matrix) -> Answers:
    """Choose the first of the most probable classes."""
    label = lowering.row(proba, Across.ARGMAX)
    return Answers(value=columns(label)[0], classes=labels(classes), proba=columns(proba))


def values(matrix: Matrix) -> tuple[Answers, ...]:
    """Give the values of a regressor, a target a column."""
    return tuple(Answers(value=c) for c in columns(matrix))


def expanded(lowering: Lowering, decision: Matrix) -> Matrix:
    """Give the scores of two classes from that of the second."""
    if len(decision) > 1:
        return decision
    return joined((lowering.apply(decision, Unary.NEGATIVE), decision))

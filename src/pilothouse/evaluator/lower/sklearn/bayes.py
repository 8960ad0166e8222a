"""Naive Bayes."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import (
    Answers,
    Cell,
    Foreign,
    Lowering,
    Matrix,
    columns,
    labels,
)
from pilothouse.evaluator.lower.sklearn.answering import linear_scores
from pilothouse.evaluator.operations import Across, Binary, Distances, Refusal, Unary


def _answers(lowering: Lowering, model: Foreign, joint: Matrix) -> Answers:
    """Turn logarithms of joint likelihoods into probabilities."""
    label = lowering.row(joint, Across.ARGMAX)
    proba = lowering.apply(lowering.row(joint, Across.LOG_SHARES), Unary.EXP)
    return Answers(value=columns(label)[0], classes=labels(model.classes_), proba=columns(proba))


def gaussian(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower naive Bayes over normal distributions."""
    source = lowering.finite(matrix)
    distances = lowering.add(
        Distances(
            source=source,
            centres=np.ascontiguousarray(model.theta_),
            scales=np.ascontiguousarray(model.var_),
        )
    )
    halves = lowering.scalar(distances, Binary.MULTIPLY, -0.5)
    spread = -0.5 * np.sum(np.log(2.0 * np.pi * model.var_), axis=1)
    joint = lowering.constant(halves, Binary.ADD, spread)
    joint = lowering.constant(joint, Binary.ADD, np.log(model.class_prior_))
    return _answers(lowering, model, joint)


def multinomial(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower naive Bayes over counts."""
    lowering.finite(matrix)
    joint = linear_scores(lowering, matrix, model.feature_log_prob_, model.class_log_prior_)
    return _answers(lowering, model, joint)


def complement(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower naive Bayes over the counts of the other classes."""
    lowering.require(len(model.classes_) > 1, "it has one class")
    lowering.finite(matrix)
    return _answers(lowering, model, linear_scores(lowering, matrix, model.feature_log_prob_, 0.0))


def bernoulli(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower naive Bayes over yes and no."""
    lowering.finite(matrix)
    if model.binarize is not None:
        matrix = lowering.scalar(matrix, Binary.GREATER, float(model.binarize))
    absent = np.log(1 - np.exp(model.feature_log_prob_))
    joint = linear_scores(
        lowering,
        matrix,
        model.feature_log_prob_ - absent,
        model.class_log_prior_ + absent.sum(axis=1),
    )
    return _answers(lowering, model, joint)


def categorical(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower naive Bayes over numbered categories."""
    lowering.guard(matrix, Refusal.INFINITE, Refusal.MISSING, Refusal.NEGATIVE)
    first, *others = (
        _category(lowering, cell, table)
        for cell, table in zip(matrix.cells, model.feature_log_prob_, strict=True)
    )
    total = first
    for part in others:
        total = lowering.pair(total, part, Binary.ADD)
    return _answers(lowering, model, lowering.constant(total, Binary.ADD, model.class_log_prior_))


def _category(lowering: Lowering, cell: Cell, table: Foreign) -> Matrix:
    whole = lowering.apply(Matrix((cell,)), Unary.FLOOR)
    pairs = {float(c): table[:, c].tolist() for c in range(table.shape[1])}
    nothing = [float("nan")] * table.shape[0]
    part = lowering.lookup(whole.cells[0], pairs, nothing, nothing)
    # A category beyond those of training has no row, and the original fails at it.
    lowering.guard(part, Refusal.MISSING)
    return part


PREDICTORS = {
    "BernoulliNB": bernoulli,
    "CategoricalNB": categorical,
    "ComplementNB": complement,
    "GaussianNB": gaussian,
    "MultinomialNB": multinomial,
}

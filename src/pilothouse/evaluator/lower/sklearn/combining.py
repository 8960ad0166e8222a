"""Models made of models: calibrated, one class against the rest, several targets, votes."""

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
from pilothouse.evaluator.lower.sklearn.answering import (
    by_decision,
    by_proba,
    complemented,
    shares,
    values,
)
from pilothouse.evaluator.operations import Across, Binary, Interpolate, Unary


def calibrated(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower calibrated classifiers, their probabilities averaged."""
    total: Matrix | None = None
    for index, part in enumerate(model.calibrated_classifiers_):
        proba = _calibrated_one(lowering, part, matrix, name=f"fold{index}")
        total = proba if total is None else lowering.pair(total, proba, Binary.ADD)
    if total is None:
        lowering.refuse("it holds no classifier")
    count = float(len(model.calibrated_classifiers_))
    return by_proba(lowering, model.classes_, lowering.scalar(total, Binary.DIVIDE, count))


def _calibrated_one(lowering: Lowering, part: Foreign, matrix: Matrix, *, name: str) -> Matrix:
    lowering.require(part.method in ("sigmoid", "isotonic"), f"its method is {part.method}")
    said = lowering.predict_one(name, part.estimator, matrix)
    two = len(part.classes) == 2
    scores = said.decision or (said.proba[1:] if two else said.proba)
    lowering.require(len(scores) == len(part.calibrators), "a class has no calibrator")
    curves = joined(
        _curve(lowering, calibrator, score)
        for calibrator, score in zip(part.calibrators, scores, strict=True)
    )
    if two:
        return complemented(lowering, curves)
    lowering.require(
        labels(part.classes) == labels(part.estimator.classes_), "a fold lacks a class"
    )
    return shares(lowering, curves)


def _curve(lowering: Lowering, calibrator: Foreign, score: int) -> Matrix:
    given = matrix_of((score,))
    if type(calibrator).__name__ == "_SigmoidCalibration":
        scaled = lowering.scalar(given, Binary.MULTIPLY, float(calibrator.a_))
        moved = lowering.scalar(scaled, Binary.ADD, float(calibrator.b_))
        return lowering.apply(lowering.apply(moved, Unary.NEGATIVE), Unary.LOGISTIC)
    lowering.require(
        type(calibrator).__name__ == "IsotonicRegression" and calibrator.out_of_bounds == "clip",
        "its calibrator is not one that is known",
    )
    return lowering.add(
        Interpolate(
            source=given.source,
            x=np.array(calibrator.X_thresholds_, dtype=np.float64),
            y=np.array(calibrator.y_thresholds_, dtype=np.float64),
        )
    )


def against_rest(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower one classifier a class; of two classes there is one classifier."""
    lowering.require(not model.multilabel_, "a row has several labels")
    said = [
        lowering.predict_one(f"class{i}", part, matrix) for i, part in enumerate(model.estimators_)
    ]
    with_proba = all(s.proba for s in said)
    with_decision = all(len(s.decision) == 1 for s in said)
    decision = matrix_of(s.decision[0] for s in said) if with_decision else Matrix(())
    proba = matrix_of(s.proba[1] for s in said) if with_proba else Matrix(())
    chosen = _chosen(lowering, said, decision, proba)
    shown = None
    if with_proba:
        shown = (
            complemented(lowering, proba)
            if len(proba) == 1
            else _shares_or_nothing(lowering, proba)
        )
    answers = by_decision(lowering, model.classes_, chosen, proba=shown)
    return Answers(
        value=answers.value,
        classes=answers.classes,
        proba=answers.proba,
        decision=columns(decision),
    )


def _shares_or_nothing(lowering: Lowering, proba: Matrix) -> Matrix:
    """Divide each by the sum; where that is 0, so are they all."""
    total = lowering.row(proba, Across.SUM)
    total = lowering.pair(total, lowering.scalar(total, Binary.EQUAL, 0.0), Binary.ADD)
    return lowering.pair(proba, matrix_of(columns(total) * len(proba)), Binary.DIVIDE)


def _chosen(lowering: Lowering, said: list[Answers], decision: Matrix, proba: Matrix) -> Matrix:
    """Give the scores that the choice is made by, as one above 0 where there are two classes."""
    if len(decision):
        return decision
    lowering.require(len(proba) > 0, "its classifiers have no scores")
    if len(said) == 1:
        return lowering.scalar(proba, Binary.SUBTRACT, 0.5)
    return proba


def several(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower one model a target."""
    return tuple(
        lowering.predict_one(f"target{i}", part, matrix) for i, part in enumerate(model.estimators_)
    )


def voting_classifier(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower the mean of classifiers' probabilities."""
    lowering.require(model.voting == "soft", "its parts vote by labels")
    said = [
        lowering.predict_one(f"part{i}", part, matrix) for i, part in enumerate(model.estimators_)
    ]
    lowering.require(all(s.proba for s in said), "a part has no probabilities")
    proba = _mean(lowering, model, [matrix_of(s.proba) for s in said])
    return by_proba(lowering, model.classes_, proba)


def voting_regressor(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower the mean of regressors."""
    said = [
        lowering.predict_one(f"part{i}", part, matrix) for i, part in enumerate(model.estimators_)
    ]
    return values(_mean(lowering, model, [matrix_of((s.value,)) for s in said]))


def _mean(lowering: Lowering, model: Foreign, parts: list[Matrix]) -> Matrix:
    weights = model._weights_not_none  # noqa: SLF001  those of the parts that were not dropped
    if weights is not None:
        parts = [
            lowering.scalar(p, Binary.MULTIPLY, float(w))
            for p, w in zip(parts, weights, strict=True)
        ]
    total = parts[0]
    for part in parts[1:]:
        total = lowering.pair(total, part, Binary.ADD)
    count = float(len(parts)) if weights is None else float(np.sum(weights))
    return lowering.scalar(total, Binary.DIVIDE, count)


PREDICTORS = {
    "CalibratedClassifierCV": calibrated,
    "MultiOutputClassifier": several,
    "MultiOutputRegressor": several,
    "OneVsRestClassifier": against_rest,
    "VotingClassifier": voting_classifier,
    "VotingRegressor": voting_regressor,
}

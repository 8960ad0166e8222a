"""Linear models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.lower.sklearn.answering import (
    by_decision,
    linear_scores,
    normalised,
    values,
)
from pilothouse.evaluator.operations import Across, Binary, Unary

if TYPE_CHECKING:
    from pilothouse.evaluator.lower.lowering import Answers, Foreign, Lowering, Matrix


def regressor(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower a regressor with coefficients."""
    lowering.finite(matrix)
    return values(linear_scores(lowering, matrix, model.coef_, model.intercept_))


def generalised(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower a regressor whose link is the identity or the logarithm."""
    lowering.finite(matrix)
    raw = linear_scores(lowering, matrix, model.coef_, model.intercept_)
    link = type(model._base_loss.link).__name__  # noqa: SLF001  the link has no public name
    if link == "IdentityLink":
        return values(raw)
    lowering.require(link == "LogLink", f"its link is {link}")
    return values(lowering.apply(raw, Unary.EXP))


def _decision(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    lowering.finite(matrix)
    return linear_scores(lowering, matrix, model.coef_, model.intercept_)


def classifier(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower a classifier that has scores only."""
    return by_decision(lowering, model.classes_, _decision(lowering, model, matrix))


def logistic(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower logistic regression, with softmax or one class against the rest."""
    decision = _decision(lowering, model, matrix)
    if _rest(model):
        proba = normalised(lowering, lowering.apply(decision, Unary.LOGISTIC))
    elif len(decision) == 1:
        # scikit-learn before 1.8 with multi_class="multinomial" on two classes.
        lowering.refuse("two classes by softmax")
    else:
        proba = lowering.row(decision, Across.SOFTMAX)
    return by_decision(lowering, model.classes_, decision, proba=proba)


def _rest(model: Foreign) -> bool:
    multi = getattr(model, "multi_class", "auto")
    if multi in ("ovr", "warn"):
        return True
    few = len(model.classes_) <= 2
    return multi != "multinomial" and (few or getattr(model, "solver", "") == "liblinear")


def stochastic(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower a classifier trained by stochastic gradient descent."""
    decision = _decision(lowering, model, matrix)
    proba = None
    if model.loss == "log_loss":
        proba = normalised(lowering, lowering.apply(decision, Unary.LOGISTIC))
    elif model.loss == "modified_huber":
        held = lowering.scalar(decision, Binary.MAXIMUM, -1.0)
        held = lowering.scalar(held, Binary.MINIMUM, 1.0)
        lifted = lowering.scalar(held, Binary.ADD, 1.0)
        proba = normalised(lowering, lowering.scalar(lifted, Binary.DIVIDE, 2.0))
    return by_decision(lowering, model.classes_, decision, proba=proba)


def ridge_classifier(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower the ridge classifier of one target."""
    lowering.require(np.ndim(model.classes_) == 1, "it has several targets")
    return classifier(lowering, model, matrix)


REGRESSORS = (
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LassoLarsIC",
    "LinearRegression",
    "LinearSVR",
    "OrthogonalMatchingPursuit",
    "PassiveAggressiveRegressor",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "SGDRegressor",
    "TheilSenRegressor",
)
PREDICTORS = {
    **dict.fromkeys(REGRESSORS, regressor),
    "GammaRegressor": generalised,
    "LinearSVC": classifier,
    "LogisticRegression": logistic,
    "LogisticRegressionCV": logistic,
    "PassiveAggressiveClassifier": classifier,
    "Perceptron": classifier,
    "PoissonRegressor": generalised,
    "RidgeClassifier": ridge_classifier,
    "RidgeClassifierCV": ridge_classifier,
    "SGDClassifier": stochastic,
    "TweedieRegressor": generalised,
}

"""Gradient boosting: of trees over binary32, and over histograms with missing values and categories."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import (
    Answers,
    Foreign,
    Lowering,
    Matrix,
    columns,
    joined,
)
from pilothouse.evaluator.lower.sklearn.answering import by_decision, complemented, values
from pilothouse.evaluator.lower.sklearn.trees import LEAF, Tree, sklearn_tree, together
from pilothouse.evaluator.operations import Across, Binary, Refusal, Unary

CATEGORIES = 256
NAN = float("nan")


def _raw(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    lowering.guard(matrix, Refusal.BEYOND_SINGLE, Refusal.MISSING)
    trees = [
        sklearn_tree(tree, model.learning_rate * tree.tree_.value[:, 0, :1], target=k)
        for stage in model.estimators_
        for k, tree in enumerate(stage)
    ]
    kind = "zero" if model.init_ == "zero" else type(model.init_).__name__
    lowering.require(
        kind in ("zero", "DummyClassifier", "DummyRegressor"), f"it starts from a {kind}"
    )
    nothing = np.zeros((1, model.n_features_in_), dtype=np.float32)
    start = model._raw_predict_init(nothing)[0]  # noqa: SLF001  the same for every row
    return lowering.add(together(trees, source=matrix.source, start=start, single=True))


def _proba(lowering: Lowering, model: Foreign, raw: Matrix) -> Matrix:
    if len(raw) > 1:
        return lowering.row(raw, Across.SOFTMAX)
    loss = type(model._loss).__name__  # noqa: SLF001  the link has no public name
    lowering.require(loss in ("HalfBinomialLoss", "ExponentialLoss"), f"its loss is {loss}")
    # The exponential loss has half a logit as its link.
    link = raw if loss == "HalfBinomialLoss" else lowering.scalar(raw, Binary.MULTIPLY, 2.0)
    return complemented(lowering, lowering.apply(link, Unary.LOGISTIC))


def classifier(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower a classifier of boosted trees."""
    raw = _raw(lowering, model, matrix)
    proba = _proba(lowering, model, raw)
    return by_decision(lowering, model.classes_, raw, proba=proba, at_zero=True)


def regressor(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower a regressor of boosted trees."""
    return values(_raw(lowering, model, matrix))


def _prepared(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Bring numbered categories to the front, as the model itself does."""
    before = model._preprocessor  # noqa: SLF001
    if before is None:
        return Matrix(matrix.cells)
    # Its second part checks numbers and nothing else.
    _, encoder, chosen = before.transformers_[0]
    mask = np.asarray(chosen, dtype=np.bool_)
    encoded = lowering.transform(
        "categories", encoder, matrix.picked(np.flatnonzero(mask).tolist())
    )
    return joined((encoded, matrix.picked(np.flatnonzero(~mask).tolist())))


def _histogram_raw(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    prepared = _prepared(lowering, model, matrix)
    known, places = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    trees = [
        _histogram_tree(predictor, known, places, target=k)
        for stage in model._predictors  # noqa: SLF001
        for k, predictor in enumerate(stage)
    ]
    start = np.asarray(model._baseline_prediction, dtype=np.float64).ravel()  # noqa: SLF001
    return lowering.add(
        together(trees, source=lowering.numbers(prepared), start=start, single=False)
    )


def _histogram_tree(predictor: Foreign, known: Foreign, places: Foreign, *, target: int) -> Tree:
    nodes = predictor.nodes
    leaf = nodes["is_leaf"] != 0
    sets = {}
    for at in np.flatnonzero((nodes["is_categorical"] != 0) & ~leaf).tolist():
        held = predictor.raw_left_cat_bitsets[nodes["bitset_idx"][at]].astype(np.uint32)
        if nodes["missing_go_to_left"][at]:
            # A category that is not known counts as missing.
            held = held | ~known[places[nodes["feature_idx"][at]]].astype(np.uint32)
        sets[at] = held
    return Tree(
        left=np.where(leaf, LEAF, nodes["left"].astype(np.int64)),
        right=np.where(leaf, LEAF, nodes["right"].astype(np.int64)),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"].astype(np.int64),
        values=nodes["value"].reshape(-1, 1).astype(np.float64),
        target=target,
        sets=sets,
    )


def histogram_classifier(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower a classifier boosted over histograms."""
    raw = _histogram_raw(lowering, model, matrix)
    if len(raw) > 1:
        proba = lowering.row(raw, Across.SOFTMAX)
    else:
        proba = complemented(lowering, lowering.apply(raw, Unary.LOGISTIC))
    return by_decision(lowering, model.classes_, raw, proba=proba)


def histogram_regressor(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower a regressor boosted over histograms."""
    raw = _histogram_raw(lowering, model, matrix)
    link = type(model._loss.link).__name__  # noqa: SLF001  the link has no public name
    if link == "LogLink":
        raw = lowering.apply(raw, Unary.EXP)
    else:
        lowering.require(link == "IdentityLink", f"its link is {link}")
    return Answers(value=columns(raw)[0])


PREDICTORS = {
    "GradientBoostingClassifier": classifier,
    "GradientBoostingRegressor": regressor,
    "HistGradientBoostingClassifier": histogram_classifier,
    "HistGradientBoostingRegressor": histogram_regressor,
}

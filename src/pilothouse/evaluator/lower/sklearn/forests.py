"""Decision trees, random forests, extremely random trees, isolation forests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pilothouse.evaluator.lower.lowering import (
    Answers,
    Foreign,
    Lowering,
    Matrix,
    columns,
)
from pilothouse.evaluator.lower.sklearn.answering import by_proba, values
from pilothouse.evaluator.lower.sklearn.trees import sklearn_tree, together
from pilothouse.evaluator.operations import Binary, Pair, Refusal, Unary


def guard_single(lowering: Lowering, model: Foreign, matrix: Matrix) -> None:
    """Refuse what the trees refuse: numbers that binary32 cannot hold, and missing ones unless they take them."""
    reasons = [Refusal.BEYOND_SINGLE]
    if not model.__sklearn_tags__().input_tags.allow_nan:
        reasons.append(Refusal.MISSING)
    lowering.guard(matrix, *reasons)


def _classes(model: Foreign) -> list[Foreign]:
    """Give the classes of each target."""
    return list(model.classes_) if model.n_outputs_ > 1 else [model.classes_]


def _sums(lowering: Lowering, trees: list[Foreign], widths: list[int], matrix: Matrix) -> Matrix:
    """Add up what the leaves hold of each target's first `widths` values."""
    guard_single(lowering, trees[0], matrix)
    read = [
        sklearn_tree(t, np.hstack([t.tree_.value[:, k, :width] for k, width in enumerate(widths)]))
        for t in trees
    ]
    return lowering.add(
        together(read, source=matrix.source, start=np.zeros(sum(widths)), single=True)
    )


def classifier(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower a tree or a forest of classifiers, of one or several targets."""
    classes = _classes(model)
    trees = list(getattr(model, "estimators_", (model,)))
    widths = [len(c) for c in classes]
    proba = _sums(lowering, trees, widths, matrix)
    if hasattr(model, "estimators_"):
        proba = lowering.scalar(proba, Binary.DIVIDE, float(len(trees)))
    ends = np.cumsum(widths).tolist()
    return tuple(
        by_proba(lowering, c, proba.picked(range(end - width, end)))
        for c, end, width in zip(classes, ends, widths, strict=True)
    )


def regressor(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower a tree or a forest of regressors, of one or several targets."""
    trees = list(getattr(model, "estimators_", (model,)))
    summed = _sums(lowering, trees, [1] * model.n_outputs_, matrix)
    if hasattr(model, "estimators_"):
        summed = lowering.scalar(summed, Binary.DIVIDE, float(len(trees)))
    return values(summed)


def isolation(lowering: Lowering, model: Foreign, matrix: Matrix) -> Answers:
    """Lower an isolation forest: mean depths against those of a random tree."""
    lowering.numbers(matrix)
    trees = []
    paths = zip(
        model.estimators_,
        model.estimators_features_,
        model._decision_path_lengths,  # noqa: SLF001  what it adds up has no public name
        model._average_path_length_per_tree,  # noqa: SLF001
        strict=True,
    )
    for tree, features, lengths, averages in paths:
        read = sklearn_tree(tree, (lengths + averages - 1.0).reshape(-1, 1))
        chosen = np.asarray(features)[np.maximum(read.feature, 0)]
        trees.append(replace(read, feature=chosen))
    depth = lowering.add(together(trees, source=matrix.source, start=np.zeros(1), single=True))
    scale = len(model.estimators_) * _average_path(model._max_samples)  # noqa: SLF001
    lowering.require(scale > 0, "its trees have one row each")
    power = lowering.apply(lowering.scalar(depth, Binary.DIVIDE, scale), Unary.NEGATIVE)
    two = lowering.scalar(lowering.scalar(power, Binary.MULTIPLY, 0.0), Binary.ADD, 2.0)
    source = np.concatenate((two.source, power.source))
    score = lowering.apply(lowering.add(Pair(source=source, function=Binary.POWER)), Unary.NEGATIVE)
    decision = lowering.scalar(score, Binary.SUBTRACT, float(model.offset_))
    inlier = lowering.scalar(decision, Binary.GREATER_EQUAL, 0.0)
    return Answers(value=columns(inlier)[0], classes=(-1, 1), decision=columns(decision))


def _average_path(samples: int) -> float:
    """Give the mean length of the ways in a random tree over so many rows."""
    if samples <= 2:
        return float(samples == 2)
    return float(2.0 * (np.log(samples - 1.0) + np.euler_gamma) - 2.0 * (samples - 1.0) / samples)


PREDICTORS = {
    "DecisionTreeClassifier": classifier,
    "DecisionTreeRegressor": regressor,
    "ExtraTreeClassifier": classifier,
    "ExtraTreeRegressor": regressor,
    "ExtraTreesClassifier": classifier,
    "ExtraTreesRegressor": regressor,
    "IsolationForest": isolation,
    "RandomForestClassifier": classifier,
    "RandomForestRegressor": regressor,
}

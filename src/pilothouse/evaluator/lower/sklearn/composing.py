"""Pipelines, column transformers, unions, and functions that are known."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import Answers, Foreign, Lowering, Matrix, joined
from pilothouse.evaluator.operations import Unary

FUNCTIONS = {
    "abs": Unary.ABSOLUTE,
    "absolute": Unary.ABSOLUTE,
    "cbrt": Unary.CUBE_ROOT,
    "ceil": Unary.CEILING,
    "cos": Unary.COS,
    "exp": Unary.EXP,
    "exp2": Unary.EXP2,
    "expit": Unary.LOGISTIC,
    "expm1": Unary.EXPM1,
    "floor": Unary.FLOOR,
    "isnan": Unary.MISSING,
    "log": Unary.LOG,
    "log10": Unary.LOG10,
    "log1p": Unary.LOG1P,
    "log2": Unary.LOG2,
    "negative": Unary.NEGATIVE,
    "rint": Unary.ROUND,
    "sign": Unary.SIGN,
    "sin": Unary.SIN,
    "sqrt": Unary.SQUARE_ROOT,
    "square": Unary.SQUARE,
    "tanh": Unary.TANH,
}


def _pipeline_before(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    for name, step in model.steps[:-1]:
        if step is not None and step != "passthrough":
            matrix = lowering.transform(name, step, matrix)
    return matrix


def pipeline(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower a pipeline of transformers."""
    matrix = _pipeline_before(lowering, model, matrix)
    name, last = model.steps[-1]
    if last is None or last == "passthrough":
        return matrix
    return lowering.transform(name, last, matrix)


def predicting_pipeline(lowering: Lowering, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
    """Lower a pipeline that ends in a predictor."""
    matrix = _pipeline_before(lowering, model, matrix)
    name, last = model.steps[-1]
    return lowering.predict(name, last, matrix)


def column_transformer(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower transformers of groups of columns, side by side."""
    lowering.require(
        len(matrix) == model.n_features_in_, f"it was trained on {model.n_features_in_} columns"
    )
    parts = []
    for name, step, chosen in model.transformers_:
        if isinstance(step, str) and step == "drop":
            continue
        part = matrix.picked(_places(lowering, matrix, chosen))
        if len(part) == 0:
            continue
        passed = isinstance(step, str) and step == "passthrough"
        parts.append(part if passed else lowering.transform(name, step, part))
    return joined(parts)


def _places(lowering: Lowering, matrix: Matrix, chosen: Foreign) -> list[int]:
    """Turn names, numbers, slices and masks into places."""
    if isinstance(chosen, str):
        return [_named(lowering, matrix, chosen)]
    if isinstance(chosen, (int, np.integer)):
        lowering.refuse("a column is chosen as a vector, not as a table")
    if isinstance(chosen, slice):
        return _sliced(lowering, matrix, chosen)
    values = list(chosen)
    if values and all(isinstance(v, (bool, np.bool_)) for v in values):
        return [place for place, taken in enumerate(values) if taken]
    return [
        _named(lowering, matrix, v) if isinstance(v, str) else int(v) % len(matrix) for v in values
    ]


def _sliced(lowering: Lowering, matrix: Matrix, chosen: slice) -> list[int]:
    if not isinstance(chosen.start, str) and not isinstance(chosen.stop, str):
        return list(range(len(matrix)))[chosen]
    begin = None if chosen.start is None else _named(lowering, matrix, chosen.start)
    # A slice of names has its end in it.
    end = None if chosen.stop is None else _named(lowering, matrix, chosen.stop) + 1
    return list(range(len(matrix)))[begin : end : chosen.step]


def _named(lowering: Lowering, matrix: Matrix, name: str) -> int:
    if matrix.names is None or name not in matrix.names:
        lowering.refuse(f"column {name!r} is chosen by a name that is not there")
    return matrix.names.index(name)


def union(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower transformers of the same columns, side by side, each with its weight."""
    weights = model.transformer_weights or {}
    lowering.require(not weights, "it weighs its parts")
    parts = []
    for name, step in model.transformer_list:
        if isinstance(step, str) and step == "drop":
            continue
        passed = isinstance(step, str) and step == "passthrough"
        parts.append(matrix if passed else lowering.transform(name, step, matrix))
    return joined(parts)


def function(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower a function that is known by its name: those of numpy and scipy that look at one number."""
    if model.func is None:
        return Matrix(matrix.cells)
    found = _known(model.func)
    if found is None or model.kw_args:
        lowering.refuse("its function is not one that is known")
    lowering.require(not model.validate, "it validates what it is given")
    lowering.numbers(matrix)
    return lowering.apply(matrix, found)


def _known(found: Foreign) -> Unary | None:
    """Know a function by its identity, for anything can be given a name."""
    if not isinstance(found, np.ufunc):
        return None
    name = found.__name__
    if name != "expit" and getattr(np, name, None) is not found:
        return None
    return FUNCTIONS.get(name)


TRANSFORMERS = {
    "Pipeline": pipeline,
    "ColumnTransformer": column_transformer,
    "FeatureUnion": union,
    "FunctionTransformer": function,
}
PREDICTORS = {"Pipeline": predicting_pipeline}

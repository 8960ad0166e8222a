"""Missing values."""

from __future__ import annotations

import numpy as np

from pilothouse.evaluator.lower.lowering import Cell, Foreign, Lowering, Matrix, joined
from pilothouse.evaluator.operations import Binary, Constant, Fill, Refusal, Refuse, Unary


def simple_imputer(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower an imputer of one value a column, with its indicator."""
    marker = _marker(lowering, model)
    _guard(lowering, matrix, marker)
    kept = list(range(len(matrix)))
    if not model.keep_empty_features:
        kept = [i for i in kept if not _missing(model.statistics_[i])]
    filled = joined(_filled(lowering, matrix.cells[i], model.statistics_[i], marker) for i in kept)
    if model.indicator_ is None:
        return filled
    return joined((filled, _indicated(lowering, model.indicator_, matrix, marker)))


def indicator(lowering: Lowering, model: Foreign, matrix: Matrix) -> Matrix:
    """Lower an indicator of missing values."""
    marker = _marker(lowering, model)
    _guard(lowering, matrix, marker)
    if model.features == "missing-only" and model.error_on_new:
        _no_new_gaps(lowering, model, matrix, marker)
    return _indicated(lowering, model, matrix, marker)


def _no_new_gaps(lowering: Lowering, model: Foreign, matrix: Matrix, marker: float) -> None:
    """Refuse a missing value in a column that had none in training."""
    others = [i for i in range(len(matrix)) if i not in set(model.features_.tolist())]
    if others:
        lowering.require(np.isnan(marker), "it refuses new gaps that a number stands for")
        gaps = matrix.picked(others)
        lowering.add(Refuse(source=gaps.source, reason=Refusal.MISSING, step=lowering.step))


def _marker(lowering: Lowering, model: Foreign) -> float:
    """Give the number that stands for a missing value; NaN for NaN and None."""
    marker = model.missing_values
    if marker is None or _missing(marker) or type(marker).__name__ == "NAType":
        return float("nan")
    if not isinstance(marker, (int, float)):
        lowering.refuse("a word stands for its missing values")
    return float(marker)


def _missing(value: Foreign) -> bool:
    return value is None or bool(isinstance(value, float) and value != value)


def _guard(lowering: Lowering, matrix: Matrix, marker: float) -> None:
    numbers = Matrix(tuple(c for c in matrix.cells if c.text is None))
    if len(numbers) != len(matrix):
        lowering.require(np.isnan(marker), "it looks for a number in text")
    if len(numbers):
        lowering.guard(numbers, Refusal.INFINITE)
        if not np.isnan(marker):
            lowering.guard(numbers, Refusal.MISSING)


def _filled(lowering: Lowering, cell: Cell, value: Foreign, marker: float) -> Matrix:
    if _missing(value):
        number = 0.0  # an empty feature that is kept
        lowering.require(cell.text is None, "a column of text was empty in training")
    elif isinstance(value, str):
        number = lowering.word(cell, value)
    else:
        lowering.require(cell.text is None, "it puts a number into text")
        number = float(value)
    made = lowering.add(
        Fill(
            source=np.array([cell.column], dtype=np.int32), value=np.array([number]), marker=marker
        )
    )
    return Matrix((Cell(made.cells[0].column, cell.text),))


def _indicated(lowering: Lowering, model: Foreign, matrix: Matrix, marker: float) -> Matrix:
    chosen = Matrix(tuple(matrix.cells[i] for i in model.features_))
    if not len(chosen):
        return Matrix(())
    if np.isnan(marker):
        return lowering.apply(chosen, Unary.MISSING)
    return lowering.add(
        Constant(source=chosen.source, function=Binary.EQUAL, constant=np.full(len(chosen), marker))
    )


TRANSFORMERS = {"SimpleImputer": simple_imputer, "MissingIndicator": indicator}

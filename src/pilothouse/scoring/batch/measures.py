"""The metrics of a job: labels against answers, gathered block by block, measured once at the end."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pilothouse.domain.schemas import ColumnRole, DataType, Scalar
from pilothouse.monitoring.accuracy import accuracy
from pilothouse.monitoring.brier import brier
from pilothouse.monitoring.log_loss import log_loss
from pilothouse.monitoring.mae import mae
from pilothouse.monitoring.r2 import r2
from pilothouse.monitoring.rmse import rmse
from pilothouse.monitoring.roc_auc import roc_auc
from pilothouse.monitoring.samples import ValuesOutsideError
from pilothouse.scoring.batch.errors import MetricNameError, MetricsTooLargeError

if TYPE_CHECKING:
    from pilothouse.domain.schemas import Column, Schema
    from pilothouse.scoring.batch.asking import Model
    from pilothouse.scoring.batch.records import Scored, Tally

Metrics = dict[str, float | None]
Method = Callable[[NDArray[np.generic], NDArray[np.generic]], float | None]

MAXIMUM_OWN_CELLS = 20_000_000
METRIC_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")


class Measures:
    """
    Gathers what metrics need: 24 bytes a row at most, whatever the model's columns.

    For a label that is a number: ``rmse``, ``mae``, ``r2``. For every other label: ``accuracy`` of the output
    that predicts the class; and where the label is true or false, or 0 or 1, ``positive_rate`` (the share of
    positive labels), and ``roc_auc``, ``log_loss`` and ``brier`` of the output that is the score. What cannot
    be measured is None.

    Parameters
    ----------
    label
        The column of the truth.
    outputs
        The model's output schema. Its score is the column with role ``score``, or else its only number. Its
        prediction is the column with role ``label``, or else its only column of the label's type that is not
        the score.
    """

    def __init__(self, *, label: Column, outputs: Schema) -> None:
        self._label = label
        self._score = _score_column(outputs)
        self._prediction = _prediction_column(outputs, label, self._score)
        self._codes: dict[Scalar, int] = {}
        self._truth: list[NDArray[np.float64]] = []
        self._scores: list[NDArray[np.float64]] = []
        self._predictions: list[NDArray[np.float64]] = []
        self.rows = self.unlabelled = 0

    def take(self, scored: Scored) -> None:
        """Gather a block's rows; a row without its label is counted and cannot be measured."""
        truth = scored.inputs[self._label.name]
        known = [value is not None for value in truth]
        self.unlabelled += known.count(False)
        self.rows += known.count(True)
        self._truth.append(self._numbers(truth, known))
        if self._score is not None:
            answers = scored.outputs[self._score.name]
            self._scores.append(_floats([a for a, k in zip(answers, known, strict=True) if k]))
        if self._prediction is not None:
            self._predictions.append(self._numbers(scored.outputs[self._prediction.name], known))

    def _numbers(self, values: Sequence[Scalar], known: Sequence[bool]) -> NDArray[np.float64]:
        """Give values as numbers: as they are, or a number per distinct text."""
        kept = [value for value, k in zip(values, known, strict=True) if k]
        if self._label.type in (DataType.STRING, DataType.TIMESTAMP):
            return _floats([self._codes.setdefault(v, len(self._codes)) for v in kept])
        return _floats(kept)

    def metrics(self, tally: Tally) -> Metrics:
        """Measure what was gathered."""
        found: Metrics = {
            "rows": float(self.rows),
            "rows_rejected": float(tally.rejected),
            "rows_unlabelled": float(self.unlabelled),
            "rejected_share": tally.rejected / tally.read if tally.read else None,
        }
        truth, scores = _joined(self._truth), _joined(self._scores)
        if self._label.type is DataType.NUMBER:
            methods: dict[str, Method] = {"rmse": rmse, "mae": mae, "r2": r2}
            return found | {n: self._measured(m, truth, scores) for n, m in methods.items()}
        found["accuracy"] = self._measured(accuracy, truth, _joined(self._predictions))
        of_score: dict[str, Method] = {"roc_auc": roc_auc, "log_loss": log_loss, "brier": brier}
        if not self._binary(truth):
            return found | dict.fromkeys(("positive_rate", *of_score))
        found["positive_rate"] = float(truth.mean()) if truth.size else None
        return found | {n: self._measured(m, truth, scores) for n, m in of_score.items()}

    def _binary(self, truth: NDArray[np.float64]) -> bool:
        kind = self._label.type
        return kind in (DataType.BOOLEAN, DataType.INTEGER) and bool(np.isin(truth, (0, 1)).all())

    def _measured(
        self, method: Method, truth: NDArray[np.float64], answers: NDArray[np.float64]
    ) -> float | None:
        if truth.shape != answers.shape:  # the model has no such output
            return None
        try:
            found = method(truth, answers)
        except ValuesOutsideError:  # a null, or a margin where a probability is asked for
            return None
        return found if found is not None and math.isfinite(found) else None


def _floats(values: Sequence[Scalar]) -> NDArray[np.float64]:
    return np.array([math.nan if v is None else v for v in values], dtype=np.float64)


def _joined(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(parts) if parts else np.empty(0)


def _only(columns: Sequence[Column]) -> Column | None:
    return columns[0] if len(columns) == 1 else None


def _score_column(outputs: Schema) -> Column | None:
    numbers = [c for c in outputs.columns if c.type is DataType.NUMBER]
    return _only([c for c in numbers if c.role is ColumnRole.SCORE]) or _only(numbers)


def _prediction_column(outputs: Schema, label: Column, score: Column | None) -> Column | None:
    same = [c for c in outputs.columns if c.type is label.type and c is not score]
    return _only([c for c in same if c.role is ColumnRole.LABEL]) or _only(same)


class OwnMeasures:
    """
    Gathers the whole table for the model's own ``metrics`` entry point.

    Parameters
    ----------
    predictors
        The columns that the model sees.
    label
        The column of the truth.
    maximum_cells
        How many values it may hold, at least 1.
    """

    def __init__(
        self, *, predictors: Sequence[str], label: str, maximum_cells: int = MAXIMUM_OWN_CELLS
    ) -> None:
        self._predictors, self._label = tuple(predictors), label
        self._maximum = maximum_cells
        self._inputs: dict[str, list[Scalar]] = {name: [] for name in predictors}
        self._outputs: dict[str, list[Scalar]] = {}
        self._truth: list[Scalar] = []

    def take(self, scored: Scored) -> None:
        """
        Gather a block's rows.

        Raises
        ------
        MetricsTooLargeError
            When the table passes `maximum_cells`.
        """
        for name in self._predictors:
            self._inputs[name].extend(scored.inputs[name])
        for name, values in scored.outputs.items():
            self._outputs.setdefault(name, []).extend(values)
        self._truth.extend(scored.inputs[self._label])
        cells = len(self._truth) * (len(self._inputs) + len(self._outputs) + 1)
        if cells > self._maximum:
            raise MetricsTooLargeError(cells=cells, limit=self._maximum)

    def merged(self, model: Model, platform: Mapping[str, float | None]) -> Metrics:
        """
        Give the platform's metrics, and the model's own beside them as ``own_NAME``.

        Raises
        ------
        MetricNameError
            When the model uses a name that it may not.
        """
        own = model.metrics(self._inputs, self._outputs, self._truth) if self._truth else {}
        for name in own:
            if not METRIC_NAME.match(name):
                raise MetricNameError(name=name)
        # A prefix, so that a model never speaks in the platform's name.
        told = {f"own_{n}": v if math.isfinite(v) else None for n, v in own.items()}
        return {**platform, **told}

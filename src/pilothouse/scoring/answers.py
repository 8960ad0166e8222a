"""Answers: what a model returned, as plain values that a frame can carry. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.domain.schemas import Scalar

PLAIN = frozenset({str, int, bool, type(None)})


class AnswerError(Exception):
    """A model's answer has no plain form."""


def plain_columns(answer: object, rows: int) -> dict[str, list[Scalar]]:
    """
    Turn a model's answer into lists of plain values.

    Arrays and their scalars become the Python values that they stand for, exactly; a NaN becomes None.
    Nothing else is converted: a text stays a text and 1.0 stays a float.

    Raises
    ------
    AnswerError
        When it is no mapping of columns with `rows` values each, or holds something that is no scalar.

    Examples
    --------
    >>> plain_columns({"score": (0.25, float("nan"))}, 2)
    {'score': [0.25, None]}
    """
    if not isinstance(answer, Mapping):
        raise AnswerError(f"it answered with a {type(answer).__name__} instead of columns")
    columns = {}
    for name, values in answer.items():
        listed = _listed(name, values)
        if len(listed) != rows:
            raise AnswerError(f"column {name!r} has {len(listed)} values for {rows} rows")
        columns[str(name)] = [_scalar(name, value) for value in listed]
    return columns


def _listed(name: object, values: object) -> Sequence[object]:
    if hasattr(values, "tolist"):
        values = values.tolist()
    if isinstance(values, Sequence) and not isinstance(values, (str, bytes)):
        return values
    raise AnswerError(f"column {name!r} is a {type(values).__name__} instead of a list of values")


def _scalar(name: object, value: object) -> Scalar:
    kind = type(value)
    if kind in PLAIN:
        return value  # type: ignore[return-value]  # one of the four types of the set
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "item") and type(value.item()) in PLAIN | {float}:
        return _scalar(name, value.item())
    raise AnswerError(f"column {name!r} holds a {kind.__name__}, which is no plain value")


def plain_metrics(answer: object) -> dict[str, float]:
    """
    Turn a model's own metrics into finite numbers by name.

    Raises
    ------
    AnswerError
        When it is no mapping of names to finite numbers.
    """
    if not isinstance(answer, Mapping):
        raise AnswerError(f"its metrics are a {type(answer).__name__} instead of names and numbers")
    metrics = {}
    for name, value in answer.items():
        plain = _scalar(name, value)
        if isinstance(plain, bool) or not isinstance(plain, (int, float)) or math.isinf(plain):
            raise AnswerError(f"metric {name!r} is no finite number")
        metrics[str(name)] = float(plain)
    return metrics

"""Coefficient of determination: the share of the labels' spread that the predictions explain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import finite, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray


def r2(labels: NDArray[np.generic], predictions: NDArray[np.generic]) -> float | None:
    """
    Measure the explained share, ``1 - sum((y - p)^2) / sum((y - mean(y))^2)``.

    Parameters
    ----------
    labels
        The true values, finite, shape ``(rows,)``.
    predictions
        The predicted values, finite, shape ``(rows,)``.

    Returns
    -------
    float or None
        At most 1; 0 for a model that always says the mean, below 0 for a worse one. None when the labels
        do not vary (which covers fewer than two rows), or by less than a float can tell: there is nothing to explain.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.
    ValuesOutsideError
        When a value is not finite.

    References
    ----------
    .. [1] S. Wright, "Correlation and causation", Journal of Agricultural Research 20(7), 1921,
       pp. 557-585.

    Examples
    --------
    >>> r2(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 4.0]))
    0.5
    """
    paired(labels, predictions)
    truth, given = finite(labels, name="labels"), finite(predictions, name="predictions")
    if not truth.size or truth.min() == truth.max():
        return None
    spread = float(np.sum((truth - truth.mean()) ** 2))
    explained = 1.0 - float(np.sum((truth - given) ** 2)) / spread if spread > 0 else -math.inf
    return explained if math.isfinite(explained) else None

"""Root mean squared error: the usual size of a miss, large misses weighing more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import finite, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rmse(labels: NDArray[np.generic], predictions: NDArray[np.generic]) -> float | None:
    """
    Measure the root of the mean squared miss, ``sqrt(mean((p - y)^2))``.

    Misses are squared as shares of the largest one, so that no square overflows or vanishes.

    Parameters
    ----------
    labels
        The true values, finite, shape ``(rows,)``.
    predictions
        The predicted values, finite, shape ``(rows,)``.

    Returns
    -------
    float or None
        In the unit of the labels, at least 0; None when there are no rows.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.
    ValuesOutsideError
        When a value is not finite.

    References
    ----------
    .. [1] C. F. Gauss, "Theoria combinationis observationum erroribus minimis obnoxiae", 1823.

    Examples
    --------
    >>> rmse(np.array([1.0, 2.0]), np.array([4.0, 6.0])) == 12.5**0.5
    True
    """
    paired(labels, predictions)
    if not labels.size:
        return None
    miss = np.abs(finite(predictions, name="predictions") - finite(labels, name="labels"))
    largest = float(miss.max())
    if largest == 0.0:
        return 0.0
    return largest * float(np.sqrt(np.mean((miss / largest) ** 2)))

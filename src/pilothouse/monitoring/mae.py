"""Mean absolute error: the usual size of a miss, every unit weighing the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import finite, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mae(labels: NDArray[np.generic], predictions: NDArray[np.generic]) -> float | None:
    """
    Measure the mean distance of a prediction from the truth, ``mean(|p - y|)``.

    Parameters
    ----------
    labels
        The true values, finite, shape ``(rows,)``.
    predictions
        The predicted values, finite, shape ``(rows,)``.

    Returns
    -------
    float or None
        In the unit of the labels, at least 0 and at most the root mean squared error; None when there
        are no rows.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.
    ValuesOutsideError
        When a value is not finite.

    References
    ----------
    .. [1] C. J. Willmott and K. Matsuura, "Advantages of the mean absolute error (MAE) over the root mean
       square error (RMSE) in assessing average model performance", Climate Research 30, 2005, pp. 79-82.

    Examples
    --------
    >>> mae(np.array([1.0, 2.0]), np.array([4.0, 6.0]))
    3.5
    """
    paired(labels, predictions)
    if not labels.size:
        return None
    miss = finite(predictions, name="predictions") - finite(labels, name="labels")
    return float(np.mean(np.abs(miss)))

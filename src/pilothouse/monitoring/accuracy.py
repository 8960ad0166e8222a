"""Accuracy: the share of rows whose predicted class is the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import paired

if TYPE_CHECKING:
    from numpy.typing import NDArray


def accuracy(labels: NDArray[np.generic], predictions: NDArray[np.generic]) -> float | None:
    """
    Measure the share of rows that were predicted right, ``#{y = p} / rows``.

    Parameters
    ----------
    labels
        The true classes, of any type that can be compared, shape ``(rows,)``.
    predictions
        The predicted classes, of the same type, shape ``(rows,)``.

    Returns
    -------
    float or None
        A fraction in ``[0, 1]``; None when there are no rows.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.

    References
    ----------
    .. [1] M. Sokolova and G. Lapalme, "A systematic analysis of performance measures for classification
       tasks", Information Processing and Management 45(4), 2009, pp. 427-437.

    Examples
    --------
    >>> accuracy(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))
    0.75
    """
    paired(labels, predictions)
    if not labels.size:
        return None
    return int(np.count_nonzero(labels == predictions)) / labels.size

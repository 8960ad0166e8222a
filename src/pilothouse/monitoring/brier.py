"""Brier score: the squared distance of a probability from what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import binary, paired, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray


def brier(labels: NDArray[np.generic], scores: NDArray[np.generic]) -> float | None:
    """
    Measure the mean squared distance of a probability from the outcome, ``mean((p - y)^2)``.

    Parameters
    ----------
    labels
        The truth, 0 or 1 (or booleans), shape ``(rows,)``.
    scores
        The probability of 1, in ``[0, 1]``, shape ``(rows,)``.

    Returns
    -------
    float or None
        A number in ``[0, 1]``, 0 at best, 0.25 for a coin; None when there are no rows.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.
    ValuesOutsideError
        When a label is neither 0 nor 1, or a score is no probability.

    References
    ----------
    .. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
       Review 78(1), 1950, pp. 1-3 (here its form for two classes, half of the original sum).

    Examples
    --------
    >>> brier(np.array([0, 1]), np.array([0.5, 0.5]))
    0.25
    """
    paired(labels, scores)
    truth, given = binary(labels), probabilities(scores)
    if not truth.size:
        return None
    return float(np.mean((given - truth) ** 2))

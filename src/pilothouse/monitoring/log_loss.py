"""Logarithmic loss: how surprised a probability is by what came true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import binary, paired, probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLOOR = 2.0**-52


def log_loss(
    labels: NDArray[np.generic], scores: NDArray[np.generic], *, floor: float = FLOOR
) -> float | None:
    """
    Measure the mean surprise, ``-mean(y ln p + (1 - y) ln(1 - p))``.

    A probability of 0 or 1 that turns out wrong would cost infinitely much, so each is kept within
    ``[floor, 1 - floor]``.

    Parameters
    ----------
    labels
        The truth, 0 or 1 (or booleans), shape ``(rows,)``.
    scores
        The probability of 1, in ``[0, 1]``, shape ``(rows,)``.
    floor
        Least distance from 0 and 1, a fraction in ``(0, 0.5)``.

    Returns
    -------
    float or None
        Loss in nats per row, at least 0; ``ln 2`` for a coin; None when there are no rows.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.
    ValuesOutsideError
        When a label is neither 0 nor 1, or a score is no probability.

    References
    ----------
    .. [1] I. J. Good, "Rational Decisions", Journal of the Royal Statistical Society B 14(1), 1952,
       pp. 107-114.

    Examples
    --------
    >>> round(log_loss(np.array([0, 1]), np.array([0.5, 0.5])), 6)
    0.693147
    """
    paired(labels, scores)
    truth, given = binary(labels), probabilities(scores)
    if not truth.size:
        return None
    kept = np.clip(given, floor, 1.0 - floor)
    return float(-np.mean(np.where(truth, np.log(kept), np.log1p(-kept))))

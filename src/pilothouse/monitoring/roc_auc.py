"""Area under the ROC curve: how well a score puts positives above negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import binary, finite, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray


def roc_auc(labels: NDArray[np.generic], scores: NDArray[np.generic]) -> float | None:
    """
    Measure how often a positive stands above a negative.

    The area equals the Mann-Whitney statistic over the number of pairs,
    ``(#{s+ > s-} + #{s+ = s-} / 2) / (positives * negatives)``, so a tie counts one half. It is counted
    in whole half-pairs over the distinct scores, not by trapezoids, and is exact up to the one division.

    Parameters
    ----------
    labels
        The truth, 0 or 1 (or booleans), shape ``(rows,)``.
    scores
        Higher means more likely positive; any finite numbers, shape ``(rows,)``.

    Returns
    -------
    float or None
        A fraction in ``[0, 1]``, 0.5 for a score that tells nothing; None when one of the classes is missing.

    Raises
    ------
    ShapesDifferError
        When the arrays are not flat and equally long.
    ValuesOutsideError
        When a label is neither 0 nor 1, or a score is not finite.

    References
    ----------
    .. [1] J. A. Hanley and B. J. McNeil, "The Meaning and Use of the Area under a Receiver Operating
       Characteristic (ROC) Curve", Radiology 143(1), 1982, pp. 29-36.

    Examples
    --------
    >>> roc_auc(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    >>> roc_auc(np.array([1, 1]), np.array([0.1, 0.4])) is None
    True
    """
    paired(labels, scores)
    truth = binary(labels)
    distinct, position = np.unique(finite(scores, name="scores"), return_inverse=True)
    positives = np.bincount(position[truth], minlength=distinct.size)
    negatives = np.bincount(position[~truth], minlength=distinct.size)
    pairs = int(positives.sum()) * int(negatives.sum())
    if pairs == 0:
        return None
    below = np.cumsum(negatives) - negatives
    half_pairs = int(np.sum(positives * (2 * below + negatives)))
    return half_pairs / (2 * pairs)

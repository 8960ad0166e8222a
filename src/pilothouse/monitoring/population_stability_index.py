"""Population stability index: how far a binned quantity has moved from its reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilothouse.monitoring.samples import ValuesOutsideError, paired

if TYPE_CHECKING:
    from numpy.typing import NDArray


def population_stability_index(
    reference: NDArray[np.int64], window: NDArray[np.int64], *, floor: float = 1e-4
) -> float | None:
    """
    Measure how far the shares of a window's bins lie from the reference's.

    It is Jeffreys' symmetric divergence of the two shares, ``sum((w - r) ln(w / r))``, in which a share below
    `floor` counts as `floor`, since an empty bin would make it infinite.

    Parameters
    ----------
    reference
        Rows per bin at the time of comparison, none negative, shape ``(bins,)``.
    window
        Rows per bin in the watched window, same bins, none negative, shape ``(bins,)``.
    floor
        Least share of a bin, a fraction in ``(0, 1)``.

    Returns
    -------
    float or None
        In nats, at least 0, and 0 when the shares agree; None when one side has no rows.

    Raises
    ------
    ShapesDifferError
        When the two do not have the same bins.
    ValuesOutsideError
        When a count is negative or not finite.

    References
    ----------
    .. [1] H. Jeffreys, "An invariant form for the prior probability in estimation problems", Proceedings
       of the Royal Society A 186, 1946, pp. 453-461.

    Examples
    --------
    >>> round(population_stability_index(np.array([80, 20]), np.array([60, 40])), 6)
    0.196166
    """
    paired(reference, window)
    before, now = _shares(reference, floor=floor), _shares(window, floor=floor)
    if before is None or now is None:
        return None
    return float(np.sum((now - before) * np.log(now / before)))


def _shares(counts: NDArray[np.int64], *, floor: float) -> NDArray[np.float64] | None:
    wrong = counts[~(np.isfinite(counts) & (counts >= 0))]
    if wrong.size:
        raise ValuesOutsideError(
            name="counts", allowed="0 or more rows per bin", found=float(wrong[0])
        )
    total = counts.sum()
    return np.maximum(counts / total, floor) if total > 0 else None

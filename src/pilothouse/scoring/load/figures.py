"""What a load test measures."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

UNANSWERED = 0
"""Stands for a status where none came."""
SUCCESS = range(200, 300)


class Tally:
    """Counts answers and keeps every latency, eight bytes each."""

    def __init__(self) -> None:
        self._latencies_s = array("d")
        self.sent = self.errors = self.unanswered = 0

    def add(self, status: int, *, latency_s: float) -> None:
        """Count one request: its status (0 where none came) and the seconds since it was due."""
        self.sent += 1
        if status in SUCCESS:
            self._latencies_s.append(latency_s)
        else:
            self.errors += 1
            self.unanswered += status == UNANSWERED

    def figures(self, *, planned: int, elapsed_s: float) -> dict[str, float | None]:
        """
        Sum up.

        Parameters
        ----------
        planned
            How many requests there were to be; those that were never sent count as errors.
        elapsed_s
            From the first request's moment to the last answer, in seconds above 0.
        """
        unsent = planned - self.sent
        ordered = sorted(self._latencies_s)
        return {
            "requests": float(self.sent),
            "unsent": float(unsent),
            "unanswered": float(self.unanswered),
            "error_share": (self.errors + unsent) / planned,
            "rate_per_s": len(ordered) / elapsed_s,
            "p50_ms": _milliseconds(quantile(ordered, 0.5)),
            "p90_ms": _milliseconds(quantile(ordered, 0.9)),
            "p99_ms": _milliseconds(quantile(ordered, 0.99)),
            "max_ms": _milliseconds(ordered[-1] if ordered else None),
        }


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """
    Give the smallest value that at least this share of the values do not exceed (nearest rank).

    Parameters
    ----------
    ordered
        The values, rising.
    share
        Above 0, up to 1.

    Returns
    -------
    float | None
        None where there are no values.

    References
    ----------
    .. [1] Hyndman and Fan, "Sample Quantiles in Statistical Packages", 1996, definition 1.

    Examples
    --------
    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5), quantile([1.0, 2.0, 3.0, 4.0], 0.99), quantile([], 0.5)
    (2.0, 4.0, None)
    """
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000

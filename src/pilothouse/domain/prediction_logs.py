"""What the prediction log keeps of a service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pilothouse.domain.plain import DocumentError

MAXIMUM_RETAIN_DAYS = 36_500


class SensitiveLogging(StrEnum):
    """What the prediction log keeps of a column that the schema calls sensitive."""

    OMIT = "omit"
    HASH = "hash"  # a keyed one, so that equal values can be joined and none can be read


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """
    What the prediction log keeps of a service.

    Attributes
    ----------
    sampling
        The share of requests whose rows are kept, 0 to 1; everything is counted all the same.
    sensitive
        What is kept of sensitive columns.
    retain_days
        After how many days rows are removed.
    """

    sampling: float = 1.0
    sensitive: SensitiveLogging = SensitiveLogging.OMIT
    retain_days: int = 400

    def __post_init__(self) -> None:
        if not 0 <= self.sampling <= 1:
            raise DocumentError(path="sampling", problem="a share is 0 to 1")
        if not 1 <= self.retain_days <= MAXIMUM_RETAIN_DAYS:
            raise DocumentError(path="retain_days", problem=f"1 to {MAXIMUM_RETAIN_DAYS} days")

"""The real clock and the real ids: the only place that asks the machine for time or randomness."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from pilothouse.domain.ids import sortable_id


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 this is the clock


class SystemIds:
    """Ids by the machine's clock and its random source."""

    def new(self, prefix: str) -> str:
        """Make a new id that begins with `prefix` and sorts by creation."""
        return sortable_id(prefix, at=SystemClock().now(), entropy=self.entropy(10))

    def entropy(self, size: int) -> bytes:
        """Give `size` random bytes of the machine's cryptographic source."""
        return os.urandom(size)

"""Time that is moved by hand, and ids that count."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count

from pilothouse.domain.ids import sortable_id

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


class SetClock:
    """
    A clock that stands still until it is moved.

    Examples
    --------
    >>> clock = SetClock()
    >>> clock.advance(timedelta(days=1))
    >>> clock.now().isoformat()
    '2026-01-06T12:00:00+00:00'
    """

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        """Give the moment that the clock was set to."""
        return self._at

    def advance(self, by: timedelta) -> None:
        """Move the clock on."""
        self._at += by

    def set(self, at: datetime) -> None:
        """Set the clock to an aware moment, earlier or later."""
        self._at = at


class CountingIds:
    """
    Ids and bytes that are the same in every run, and never the same twice in one.

    Examples
    --------
    >>> ids = CountingIds()
    >>> ids.new("job") < ids.new("job")
    True
    """

    def __init__(self, at: datetime = START) -> None:
        self._at, self._number = at, count(1)

    def new(self, prefix: str) -> str:
        """Make the next id; later ones sort after earlier ones."""
        number = next(self._number)
        return sortable_id(
            prefix, at=self._at + timedelta(milliseconds=number), entropy=number.to_bytes(10)
        )

    def entropy(self, size: int) -> bytes:
        """Give the next bytes of a sequence that anybody can repeat: for tests alone."""
        return hashlib.shake_256(next(self._number).to_bytes(8)).digest(size)

"""Time and ids: the two things that use cases may never make up for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class Clock(Protocol):
    """Says what time it is."""

    def now(self) -> datetime:
        """Give the present moment, aware, in UTC."""
        ...


class Ids(Protocol):
    """Makes ids and secret bytes."""

    def new(self, prefix: str) -> str:
        """
        Make a new id such as ``dep_01JC2Q…`` (see `pilothouse.domain.ids.sortable_id`).

        Parameters
        ----------
        prefix
            Two to four lower-case letters that name the noun.
        """
        ...

    def entropy(self, size: int) -> bytes:
        """Give `size` (1 to 1,024) bytes that nobody can guess, for tokens and secrets."""
        ...

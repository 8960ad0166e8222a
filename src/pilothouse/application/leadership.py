"""Leadership: which of several control planes drives the runtimes, so that they are not all at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.ports.unit_of_work import OpenWork

LEASE_S = 15.0
NAME = "driver"


class Leadership:
    """
    Holds the driver's lease and lengthens it in time.

    The lease saves work; it guards nothing: what is done under it is fenced by generations and versions,
    so a leader that is late, or two for a moment, do no harm.

    Parameters
    ----------
    owner
        Who holds the lease; the same over restarts, so that a restarted control plane goes on at once.
    """

    def __init__(self, *, open_work: OpenWork, owner: str) -> None:
        self._open_work = open_work
        self._owner = owner
        self._sure_until: datetime | None = None

    def leads(self, who: Principal) -> bool:
        """Say whether this control plane drives the runtimes now."""
        with self._open_work.reading(who) as work:
            now = work.at
        if self._sure_until is not None and now < self._sure_until:
            return True
        with self._open_work(who) as work:
            held = work.commit(work.leases.acquire(NAME, owner=self._owner, lease_s=LEASE_S))
        self._sure_until = now + timedelta(seconds=LEASE_S / 3) if held else None
        return held

    def resign(self, who: Principal) -> None:
        """Let another one lead at once."""
        with self._open_work(who) as work:
            work.leases.release(NAME, owner=self._owner)
            work.commit(None)

"""Events on their way to subscribers: one row for each event and subscriber, removed when delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, or_, select, update

from pilothouse.domain.events import Event, EventType
from pilothouse.persistence.rows import from_row, shape, to_row
from pilothouse.persistence.tables import outbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.persistence.transaction import Transaction

EVENT = tuple(outbox.c[field.name] for field in shape(Event))


class SqlOutbox:
    """The outbox of a unit of work; the contract is `pilothouse.ports.unit_of_work.Outbox`."""

    def __init__(
        self, transaction: Transaction, subscribers: Mapping[EventType, tuple[str, ...]]
    ) -> None:
        self._transaction, self._subscribers = transaction, subscribers

    def publish(self, event: Event) -> None:
        """Keep the event for everybody who subscribes to its type; for nobody, keep nothing."""
        names = self._subscribers.get(event.type, ())
        if names:
            rows = [to_row(event) | {"subscriber": name} for name in names]
            self._transaction.write(insert(outbox), rows)

    def claim(
        self, subscriber: str, *, owner: str, lease_s: float, limit: int
    ) -> tuple[Event, ...]:
        """
        Lease undelivered events to `owner`, oldest first.

        What is unsent is claimed; ids are never followed, as commits come out of order.
        """
        at = self._transaction.at
        free = or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= at)
        waiting = (
            select(outbox.c.id)
            .where(outbox.c.subscriber == subscriber, free)
            .order_by(outbox.c.at, outbox.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("waiting")
        )
        claimed = self._transaction.write(
            update(outbox)
            .where(outbox.c.subscriber == subscriber, outbox.c.id.in_(select(waiting.c.id)))
            .values(lease_owner=owner, lease_until=at + timedelta(seconds=lease_s))
            .returning(*EVENT)
        )
        found = (from_row(Event, row) for row in claimed)
        return tuple(sorted(found, key=lambda event: (event.at, event.id)))

    def delivered(self, subscriber: str, event_id: str) -> None:
        """Remove the event from the subscriber's queue."""
        self._transaction.write(
            delete(outbox).where(outbox.c.subscriber == subscriber, outbox.c.id == event_id)
        )

    def waiting(self) -> Mapping[EventType, int]:
        """Count undelivered events by type, 0 for a type that nothing waits of."""
        query = select(outbox.c.type, func.count(outbox.c.id.distinct()).label("events")).group_by(
            outbox.c.type
        )
        counts = {row.type: row.events for row in self._transaction.read(query)}
        return {kind: counts.get(kind.value, 0) for kind in EventType}

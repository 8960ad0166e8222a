"""Messages that wait for their catch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select, tuple_, update

from pilothouse.domain.events import Message
from pilothouse.persistence.rows import from_row, shape, to_row
from pilothouse.persistence.tables import messages

if TYPE_CHECKING:
    from pilothouse.persistence.transaction import Transaction

MESSAGE = tuple(messages.c[field.name] for field in shape(Message))


class SqlMessages:
    """
    The messages of a unit of work; the contract is `pilothouse.ports.unit_of_work.Messages`.

    A message that was taken stays until it expires, so that one which comes twice is known. On PostgreSQL
    `add` and `take` of one name and key wait for each other's units to end: otherwise a message and the
    subscription that waits for it, written at the same moment, would each miss the other.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, message: Message) -> bool:
        """Keep a message; False when its id has been seen before in its group."""
        self._lock(message.group, message.name, message.correlation_key)
        statement = (
            self._transaction.insert(messages)
            .on_conflict_do_nothing(index_elements=[messages.c.group, messages.c.id])
            .returning(messages.c.id)
        )
        added = self._transaction.write(statement, to_row(message), subject=("message", message.id))
        return added.first() is not None

    def take(self, *, group: str, name: str, correlation_key: str) -> Message | None:
        """Give the oldest live message of that name and key and remove it, or None."""
        self._lock(group, name, correlation_key)
        at, own = self._transaction.at, tuple_(messages.c.group, messages.c.id)
        oldest = (
            select(messages.c.group, messages.c.id)
            .where(
                messages.c.group == group,
                messages.c.name == name,
                messages.c.correlation_key == correlation_key,
                messages.c.taken_at.is_(None),
                messages.c.expires_at > at,
            )
            .order_by(messages.c.received_at, messages.c.id)
            .limit(1)
        )
        taken = self._transaction.write(
            update(messages).where(own.in_(oldest)).values(taken_at=at).returning(*MESSAGE)
        ).first()
        return None if taken is None else from_row(Message, taken)

    def spend(self, message: Message) -> None:
        """Take this very message; it is known until it expires."""
        own = (messages.c.group == message.group, messages.c.id == message.id)
        self._transaction.write(update(messages).where(*own).values(taken_at=self._transaction.at))

    def expire(self) -> int:
        """Remove what is past its time; give how many of them nobody had taken."""
        gone = self._transaction.write(
            delete(messages)
            .where(messages.c.expires_at <= self._transaction.at)
            .returning(messages.c.taken_at)
        )
        return sum(taken_at is None for (taken_at,) in gone)

    def _lock(self, group: str, name: str, correlation_key: str) -> None:
        self._transaction.lock("message", group, name, correlation_key)

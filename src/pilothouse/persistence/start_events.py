"""Start events that are armed: those of the versions that groups use now."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, insert, or_, select, update

from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.lifecycles import StartEvent
from pilothouse.persistence.rows import from_row, shape, to_row
from pilothouse.persistence.tables import start_events

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import StartKind
    from pilothouse.persistence.transaction import Transaction

EVENT: list[ColumnElement[Any]] = [start_events.c[field.name] for field in shape(StartEvent)]


class SqlStartEvents:
    """The start events of a unit of work; the contract is `pilothouse.ports.unit_of_work.StartEvents`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def of(self, *, group: GroupName, key: str) -> tuple[StartEvent, ...]:
        """Give what is armed of exactly this group's life cycle."""
        # Two uploads at one moment must not both find the other's version missing.
        self._transaction.lock("start-events", group, key)
        return self._where(start_events.c.group == group, start_events.c.key == key)

    def replace(self, events: Iterable[StartEvent], *, group: GroupName, key: str) -> None:
        """Arm these instead of what was armed of the group's life cycle."""
        mine = (start_events.c.group == group, start_events.c.key == key)
        self._transaction.write(delete(start_events).where(*mine))
        rows = [to_row(event) for event in events]
        if rows:
            self._transaction.write(insert(start_events), rows)

    def waiting(
        self, kind: StartKind, *, group: GroupName, name: str | None = None
    ) -> tuple[StartEvent, ...]:
        """Give what is armed of a kind, and of a name where it is given, for a group: its own and everybody's."""
        owners = start_events.c.group.in_((group, EVERY_GROUP))
        named = () if name is None else (start_events.c.name == name,)
        return self._where(start_events.c.kind == kind, owners, *named)

    def claim(self, *, owner: str, lease_s: float, limit: int) -> tuple[StartEvent, ...]:
        """Lease timers that are due to `owner`, those due longest first; `attempt` grows by one."""
        at = self._transaction.at
        free = or_(start_events.c.lease_until.is_(None), start_events.c.lease_until <= at)
        due = (
            select(start_events.c.id)
            .where(start_events.c.due_at <= at, free)
            .order_by(start_events.c.due_at, start_events.c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        claimed = self._transaction.write(
            update(start_events)
            .where(start_events.c.id.in_(select(due.c.id)))
            .values(
                attempt=start_events.c.attempt + 1,
                lease_owner=owner,
                lease_until=at + timedelta(seconds=lease_s),
            )
            .returning(*EVENT)
        )
        found = (from_row(StartEvent, row) for row in claimed)
        return tuple(sorted(found, key=lambda event: (str(event.due_at), event.id)))

    def fired(self, event: StartEvent, following: StartEvent | None) -> bool:
        """Let a claimed timer go on to its next moment, or go; False when it is not the claimed one any more."""
        held = (start_events.c.id == event.id, start_events.c.attempt == event.attempt)
        if following is None:
            done = self._transaction.write(delete(start_events).where(*held))
        else:
            row = to_row(following)
            done = self._transaction.write(update(start_events).where(*held).values(row))
        return done.rowcount == 1

    def next_due(self) -> datetime | None:
        """Say when the earliest timer is due or its lease ends; None when there is none."""
        moment = case(
            (start_events.c.lease_until > start_events.c.due_at, start_events.c.lease_until),
            else_=start_events.c.due_at,
        )
        query = select(func.min(moment)).where(start_events.c.due_at.is_not(None))
        found: datetime | None = self._transaction.read(query).scalar_one_or_none()
        return found

    def _where(self, *conditions: ColumnElement[bool]) -> tuple[StartEvent, ...]:
        query = select(*EVENT).where(*conditions).order_by(start_events.c.id)
        return tuple(from_row(StartEvent, row) for row in self._transaction.read(query))

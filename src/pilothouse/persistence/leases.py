"""Named leases, at most one owner at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, or_

from pilothouse.persistence.tables import leases

if TYPE_CHECKING:
    from pilothouse.persistence.transaction import Transaction


class SqlLeases:
    """The leases of a unit of work; the contract is `pilothouse.ports.unit_of_work.Leases`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def acquire(self, name: str, *, owner: str, lease_s: float) -> bool:
        """Take or lengthen a lease; False while somebody else holds it."""
        at = self._transaction.at
        row = {"name": name, "owner": owner, "until": at + timedelta(seconds=lease_s)}
        statement = (
            self._transaction.insert(leases)
            .values(row)
            .on_conflict_do_update(
                index_elements=[leases.c.name],
                set_={"owner": owner, "until": row["until"]},
                where=or_(leases.c.owner == owner, leases.c.until <= at),
            )
            .returning(leases.c.name)
        )
        return self._transaction.write(statement).first() is not None

    def release(self, name: str, *, owner: str) -> None:
        """Give a lease up; giving up what is not held is no error."""
        self._transaction.write(
            delete(leases).where(leases.c.name == name, leases.c.owner == owner)
        )

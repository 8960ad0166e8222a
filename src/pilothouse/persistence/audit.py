"""The record of orders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from pilothouse.domain.events import AuditEntry
from pilothouse.persistence.nouns import AUDIT
from pilothouse.persistence.repositories import SqlRepository
from pilothouse.persistence.rows import to_row
from pilothouse.persistence.tables import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.pages import Page
    from pilothouse.persistence.transaction import Transaction
    from pilothouse.ports.clock import Ids


class SqlAudit:
    """The audit rows of a unit of work; the contract is `pilothouse.ports.unit_of_work.Audit`."""

    def __init__(self, transaction: Transaction, ids: Ids) -> None:
        self._transaction, self._ids = transaction, ids

    def record(
        self,
        action: str,
        *,
        noun: str,
        subject: str,
        group: GroupName,
        detail: Mapping[str, object],
    ) -> None:
        """Write that `who` did this at `at`."""
        who = self._transaction.who
        entry = AuditEntry(
            id=self._ids.new("aud"),
            at=self._transaction.at,
            group=group,
            actor=who.person_id,
            actor_name=who.name,
            token_id=who.token_id,
            action=action,
            noun=noun,
            subject=subject,
            cause=who.cause,
            detail=detail,
        )
        self._transaction.write(insert(audit), to_row(entry))

    def page(
        self,
        *,
        groups: frozenset[GroupName] | None = None,
        after: str | None = None,
        limit: int = 50,
        **equals: object,
    ) -> Page[AuditEntry]:
        """Give a page, newest first."""
        return SqlRepository(self._transaction, AUDIT).page(
            groups=groups, after=after, limit=limit, newest_first=True, **equals
        )

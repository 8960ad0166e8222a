"""The record of orders, for auditors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.errors import DeniedError, InvalidError

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.events import AuditEntry, Change
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork


class AuditDeniedError(DeniedError):
    """The caller may not read the audit of any group."""

    code = "audit-denied"

    def __init__(self, *, person: str) -> None:
        self.person = person
        super().__init__(f"{person} may not read the audit. Ask for the role auditor in a group.")


HISTORIC = ("assignment", "deployment", "grant", "location", "route", "runtime", "service")
"""The nouns whose every value is kept with its time."""


class NounUnknownError(InvalidError):
    """The past of such things is not kept."""

    code = "noun-unknown"

    def __init__(self, *, noun: str) -> None:
        self.noun = noun[:80]
        super().__init__(
            f"The past of a {noun[:80]!r} is not kept. Ask for one of {', '.join(HISTORIC)}; what was ordered "
            "stands in the audit."
        )


class Audit:
    """Read what was ordered, and what a thing was over time."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def page(
        self,
        who: Principal,
        *,
        noun: str | None = None,
        subject: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[AuditEntry]:
        """List audit rows of the groups whose audit the caller may read, newest first."""
        equals = {k: v for k, v in (("noun", noun), ("subject", subject)) if v is not None}
        with self._open_work.reading(who) as work:
            return work.audit.page(groups=_auditable(who), after=after, limit=limit, **equals)

    def history(self, who: Principal, *, noun: str, subject: str) -> tuple[Change, ...]:
        """Give every value that a thing has had, oldest first."""
        if noun not in HISTORIC:
            raise NounUnknownError(noun=noun)
        groups = _auditable(who)
        with self._open_work.reading(who) as work:
            changes = work.history.of(noun, subject)
        return tuple(c for c in changes if groups is None or c.value.get("group") in groups)


def _auditable(who: Principal) -> frozenset[GroupName] | None:
    groups = frozenset(
        g.group for g in who.grants if who.may(Action.READ_AUDIT, group=g.group) and not g.ended_at
    )
    if not groups:
        raise AuditDeniedError(person=who.name)
    return None if EVERY_GROUP in groups else groups

"""Groups and their policy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.application.finding import group_seen
from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.groups import Group
from pilothouse.domain.ids import GroupName

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork


class Groups:
    """Create groups and set what their policy grants."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def create(self, who: Principal, *, name: str, title: str = "") -> Group:
        """Create a group whose policy grants nothing beyond the platform's own."""
        who.require(Action.ADMINISTER, group=EVERY_GROUP)
        with self._open_work(who) as work:
            group = work.groups.add(
                Group(
                    name=GroupName(name),
                    title=title or name,
                    python_source=False,
                    skops_types=(),
                    created_at=work.at,
                )
            )
            work.audit.record("create", noun="group", subject=name, group=group.name, detail={})
            return work.commit(group)

    def set_policy(
        self,
        who: Principal,
        *,
        name: str,
        python_source: bool | None = None,
        skops_types: tuple[str, ...] | None = None,
    ) -> Group:
        """Change what the group's models may bring; what is None stays."""
        who.require(Action.ADMINISTER, group=GroupName(name))
        with self._open_work(who) as work:
            group = work.groups.get(name)
            changed = work.groups.save(
                replace(
                    group,
                    python_source=group.python_source if python_source is None else python_source,
                    skops_types=group.skops_types if skops_types is None else skops_types,
                )
            )
            work.audit.record(
                "set-policy",
                noun="group",
                subject=name,
                group=group.name,
                detail={"python_source": changed.python_source, "skops_types": changed.skops_types},
            )
            return work.commit(changed)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Group]:
        """List the groups that the caller sees."""
        readable = who.readable
        with self._open_work.reading(who) as work:
            if readable is None:
                return work.groups.page(after=after, limit=limit)
            return work.groups.page(after=after, limit=limit, name=readable)

    def get(self, who: Principal, *, name: str) -> Group:
        """Give one group."""
        with self._open_work.reading(who) as work:
            return group_seen(work, name)

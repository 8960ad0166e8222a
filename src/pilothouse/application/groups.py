"""Groups and their policy."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from pilothouse.application.finding import group_seen
from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.external_jobs import TopicTakenError
from pilothouse.domain.groups import Group
from pilothouse.domain.ids import GroupName
from pilothouse.domain.secrets import parse_reference

if TYPE_CHECKING:
    from collections.abc import Collection

    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import SetPolicy


class Groups:
    """
    Create groups and set what their policy grants.

    Parameters
    ----------
    own_topics
        The topics that task types of the platform work on; no policy gives them to others.
    """

    def __init__(self, *, open_work: OpenWork, own_topics: Collection[str]) -> None:
        self._open_work = open_work
        self._own_topics = own_topics

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

    def set_policy(self, who: Principal, *, name: str, wanted: SetPolicy) -> Group:
        """
        Change what the group's models may bring and its life cycles may reach; what is None stays.

        Raises
        ------
        ActionDeniedError
            When the caller does not administer the group; for hosts and notification targets, every group.
        SecretReferenceError
            When a notification target is no reference.
        TopicTakenError
            When a task type of the platform works on one of the external topics.
        """
        self._refuse_own(wanted.external_topics or ())
        reaching = (wanted.outgoing_hosts, wanted.notification_targets) != (None, None)
        who.require(Action.ADMINISTER, group=EVERY_GROUP if reaching else GroupName(name))
        for target in wanted.notification_targets or ():
            parse_reference(target)
        changes: dict[str, Any] = {
            field.name: value
            for field in fields(wanted)
            if (value := getattr(wanted, field.name)) is not None
        }
        with self._open_work(who) as work:
            group = work.groups.get(name)
            changed = work.groups.save(replace(group, **changes))
            _recall(work, group, changed)
            detail = {field.name: getattr(changed, field.name) for field in fields(wanted)}
            work.audit.record(
                "set-policy", noun="group", subject=name, group=changed.name, detail=detail
            )
            return work.commit(changed)

    def _refuse_own(self, topics: tuple[str, ...]) -> None:
        taken = tuple(topic for topic in topics if topic in self._own_topics)
        if taken:
            raise TopicTakenError(topics=taken)

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


def _recall(work: UnitOfWork, before: Group, after: Group) -> None:
    """Take back the jobs of topics that are no longer given away: the platform says by incidents that they stand."""
    gone = tuple(t for t in before.external_topics if t not in after.external_topics)
    if gone:
        work.external_jobs.recall(gone, group=after.name)

"""
Notify: tell people what a life cycle has come to.

A notification is a row in the audit and a line of the logger ``pilothouse.notifications``; where targets are named,
it goes by mail, chat or pager too, to each of them once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import GROUP_TARGETS
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import Done, Facilities, Outcome, TaskContext, TaskType
from pilothouse.lifecycle.tasks.reaching import policy_of

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.outgoing import OutgoingPolicy

log = logging.getLogger("pilothouse.notifications")


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``notify``."""

    def handle(context: TaskContext) -> Outcome:
        policy = policy_of(facilities, context)
        targets = _targets(context, policy)
        for target in targets:
            policy.check_target(target)
        context.once("notify", bool, lambda who: _told(facilities, context, who, targets))
        for target in targets:
            _tell(facilities, context, target, policy)
        return Done()

    return TaskType(topic=Topic.NOTIFY, parameters=PARAMETERS[Topic.NOTIFY], handle=handle)


def _targets(context: TaskContext, policy: OutgoingPolicy) -> tuple[str, ...]:
    """Read references apart by commas, each once; the word `group` stands for all that the group is granted."""
    given = [part.strip() for part in (context.text("targets") or "").split(",") if part.strip()]
    spread = (policy.notification_targets if part == GROUP_TARGETS else (part,) for part in given)
    return tuple(dict.fromkeys(target for targets in spread for target in targets))


def _tell(
    facilities: Facilities, context: TaskContext, target: str, policy: OutgoingPolicy
) -> None:
    """Send to one target; what has reached it is not sent again when another target fails."""

    def sent(who: Principal) -> bool:
        subject, text = context.needed("subject"), context.text("text") or ""
        facilities.notifications.send(target, subject=subject, text=text, policy=policy)
        with facilities.open_work(who) as work:
            return work.commit(True)

    context.once(f"send-{digest(target)[:16]}", bool, sent)


def _told(
    facilities: Facilities, context: TaskContext, who: Principal, targets: tuple[str, ...]
) -> bool:
    subject, text = context.needed("subject"), context.text("text") or ""
    heading = context.heading
    with facilities.open_work(who) as work:
        work.audit.record(
            "notify",
            noun="run",
            subject=heading.run_id,
            group=heading.group,
            detail={
                "subject": subject,
                "text": text,
                "element": context.job.element,
                "targets": targets,
            },
        )
        told = work.commit(True)
    log.info("%s: %s", subject, text)
    return told

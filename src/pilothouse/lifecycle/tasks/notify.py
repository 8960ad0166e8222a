"""
Notify: tell people what a life cycle has come to.

Today a notification is a row in the audit and a line of the logger ``pilothouse.notifications``; mail and chat
are not sent yet.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import Done, Facilities, Outcome, TaskContext, TaskType

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal

log = logging.getLogger("pilothouse.notifications")


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``notify``."""

    def handle(context: TaskContext) -> Outcome:
        context.once("notify", bool, lambda who: _told(facilities, context, who))
        return Done()

    return TaskType(topic=Topic.NOTIFY, parameters=PARAMETERS[Topic.NOTIFY], handle=handle)


def _told(facilities: Facilities, context: TaskContext, who: Principal) -> bool:
    subject, text = context.needed("subject"), context.text("text") or ""
    heading = context.heading
    with facilities.open_work(who) as work:
        work.audit.record(
            "notify",
            noun="run",
            subject=heading.run_id,
            group=heading.group,
            detail={"subject": subject, "text": text, "element": context.job.element},
        )
        told = work.commit(True)
    log.info("%s: %s", subject, text)
    return told

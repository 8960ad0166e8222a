"""Webhook: post JSON to a host that the group's policy grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.outgoing import CallRefusedError, Method, OutgoingAnswer
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Outcome,
    TaskContext,
    TaskType,
)
from pilothouse.lifecycle.tasks.reaching import Reach

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal

REFUSED = "webhook-refused"
PART = "send"


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``webhook``."""

    def handle(context: TaskContext) -> Outcome:
        reach = Reach(facilities, context)
        try:
            answer = context.once(PART, OutgoingAnswer, lambda who: _sent(context, reach, who))
        except CallRefusedError as refused:
            response = {"status": refused.status, "body": refused.body}
            return BusinessError(
                code=REFUSED, message=refused.message, variables={"response": response}
            )
        return Done(variables={"response": {"status": answer.status, "body": answer.body}})

    return TaskType(topic=Topic.WEBHOOK, parameters=PARAMETERS[Topic.WEBHOOK], handle=handle)


def _sent(context: TaskContext, reach: Reach, who: Principal) -> OutgoingAnswer:
    """Send it, outside any transaction; cut off before the note of it, it is sent again under the same key."""
    url = context.needed("url")
    body = context.job.inputs.get("body") or {}
    answer = reach.change(Method.POST, url, key=reach.key(PART), body=body)
    where = url.split("?", maxsplit=1)[0]
    return reach.kept(who, "call", answer, url=where, status=answer.status)

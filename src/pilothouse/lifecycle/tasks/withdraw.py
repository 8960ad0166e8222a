"""Withdraw a snapshot from a service in a stage, out of the route too."""

from __future__ import annotations

from pilothouse.domain.deployments import Deployment
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    Done,
    Facilities,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
)


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``withdraw``."""

    def handle(context: TaskContext) -> Outcome:
        service = own_service(facilities, context)
        withdrawn = context.once(
            "withdraw",
            tuple[Deployment, ...],
            lambda who: facilities.deployments.withdraw_snapshot(
                who,
                snapshot=context.needed("snapshot"),
                service=service.tag,
                stage=context.needed("stage"),
            ),
        )
        return Done(variables={"deployments": [d.id for d in withdrawn]})

    return TaskType(topic=Topic.WITHDRAW, parameters=PARAMETERS[Topic.WITHDRAW], handle=handle)

"""Deploy a snapshot to a stage, give it the traffic, and withdraw what it replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.deployments import Deployment, DeploymentState
from pilothouse.domain.routes import Route
from pilothouse.domain.runtimes import Mode
from pilothouse.lifecycle.errors import DeploymentFailedError, TaskInputError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    Done,
    Facilities,
    Later,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
    pause_s,
    reported_before,
)
from pilothouse.wire.requests import OrderDeployment

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.services import Service


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``deploy``."""
    return TaskType(
        topic=Topic.DEPLOY,
        parameters=PARAMETERS[Topic.DEPLOY],
        handle=lambda context: _Deploying(facilities, context).outcome(),
    )


class _Deploying:
    """One delivery: order, wait until all run, move the traffic, wait until the entries have, then replace."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context
        self._service = own_service(facilities, context)
        self._mode = _mode(context, self._service)
        self._names = {
            "snapshot": context.needed("snapshot"),
            "service": self._service.tag,
            "stage": context.needed("stage"),
        }

    def outcome(self) -> Outcome:
        ordered = self._ordered()
        for deployment in ordered:
            if deployment.state is DeploymentState.FAILED:
                raise self._failure(deployment, reason=deployment.reason)
        if any(d.state is not DeploymentState.RUNNING for d in ordered):
            return Later(after_s=pause_s(self._context))
        if not self._has_traffic():
            return Later(after_s=pause_s(self._context))
        self._replace()
        return Done(variables={"deployments": [_shown(d) for d in ordered]})

    def _ordered(self) -> tuple[Deployment, ...]:
        """Give what was ordered as it stands now; what somebody withdrew meanwhile is said once, then ordered anew."""
        wanted = OrderDeployment(**self._names, mode=self._mode)
        turn = 0
        while True:
            placed = self._context.once(
                f"order-{turn}",
                tuple[Deployment, ...],
                lambda who: self._facilities.deployments.order(who, wanted),
            )
            current = tuple(self._current(d) for d in placed)
            gone = [d for d in current if not d.state.wanted]
            if not gone:
                return current
            if not reported_before(self._facilities, self._context, f"reported-{turn}"):
                raise self._failure(gone[0], reason="it was withdrawn while a life cycle waited")
            turn += 1

    def _current(self, deployment: Deployment) -> Deployment:
        return self._facilities.deployments.get(self._context.who, deployment_id=deployment.id)

    @property
    def _routed(self) -> bool:
        return self._mode is Mode.BATCH or self._context.flag("route", otherwise=True)

    def _has_traffic(self) -> bool:
        """Move the traffic, where that is asked for, and say whether every entry has taken the route."""
        if self._mode is Mode.BATCH or not self._routed:
            return True
        context, deployments = self._context, self._facilities.deployments
        route = context.once("promote", Route, lambda who: deployments.promote(who, **self._names))
        taken = self._facilities.runtimes.route_taken(
            context.who, service=route.service, stage=route.stage
        )
        return taken >= route.generation

    def _replace(self) -> None:
        if self._routed and self._context.flag("replace", otherwise=False):
            self._context.once("replace", tuple[Deployment, ...], self._replaced)

    def _replaced(self, who: Principal) -> tuple[Deployment, ...]:
        return self._facilities.deployments.withdraw_others(who, **self._names, mode=self._mode)

    def _failure(self, deployment: Deployment, *, reason: str) -> DeploymentFailedError:
        with self._facilities.open_work.reading(self._context.who) as work:
            runtime = work.runtimes.get(deployment.runtime_id)
        return DeploymentFailedError(deployment=deployment.id, runtime=runtime.name, reason=reason)


def _mode(context: TaskContext, service: Service) -> Mode:
    given = context.text("mode")
    if given is not None and given not in set(Mode):
        raise TaskInputError(
            topic=Topic.DEPLOY, parameter="mode", problem=f"is {given!r}, not batch or online"
        )
    return Mode(given) if given else service.mode


def _shown(deployment: Deployment) -> dict[str, object]:
    return {
        "id": deployment.id,
        "runtime": deployment.runtime_id,
        "stage": deployment.stage,
        "mode": deployment.mode.value,
    }

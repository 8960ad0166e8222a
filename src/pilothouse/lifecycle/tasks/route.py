"""Look at the traffic of a service in a stage, or give a snapshot a share of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import snapshot_named, stage_named
from pilothouse.application.routes import route_of
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.routes import Route
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Later,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
    pause_s,
)

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal

CHANGED = "route-changed"


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``route``."""

    def handle(context: TaskContext) -> Outcome:
        return _Routing(facilities, context).outcome()

    return TaskType(topic=Topic.ROUTE, parameters=PARAMETERS[Topic.ROUTE], handle=handle)


class _Routing:
    """One delivery: look, or set the share and wait until every entry has taken the route."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context
        self._service = own_service(facilities, context)

    def outcome(self) -> Outcome:
        context = self._context
        if context.job.inputs.get("share") is None:
            return Done(variables={"route": self._shown(self._seen())})
        try:
            route = context.once("shift", Route, self._shifted)
        except ConflictError as conflict:
            return BusinessError(code=CHANGED, message=conflict.message)
        taken = self._facilities.runtimes.route_taken(
            context.who, service=route.service, stage=route.stage
        )
        if taken < route.generation:
            return Later(after_s=pause_s(context))
        return Done(variables={"route": self._shown(route)})

    def _seen(self) -> Route | None:
        with self._facilities.open_work.reading(self._context.who) as work:
            return route_of(
                work, self._service, stage_named(work, self._context.needed("stage")).name
            )

    def _shifted(self, who: Principal) -> Route:
        given = self._context.job.inputs.get("generation")
        return self._facilities.routes.shift(
            who,
            service=self._service.tag,
            stage=self._context.needed("stage"),
            snapshot=self._context.needed("snapshot"),
            share=self._context.number("share", otherwise=0.0),
            expected=None
            if given is None
            else int(self._context.number("generation", otherwise=0)),
        )

    def _shown(self, route: Route | None) -> dict[str, object]:
        """Give the route as a drawing sees it; without one, its generation is 0 and nobody answers."""
        with self._facilities.open_work.reading(self._context.who) as work:
            own = snapshot_named(work, self._context.needed("snapshot"))
        variants = route.variants if route else ()
        others = [v for v in variants if v.snapshot_id != own.id]
        first = max(others, key=lambda v: v.weight, default=None)
        return {
            "generation": route.generation if route else 0,
            "champion": first.snapshot if first else None,
            "share": route.share(own.id) if route else 0.0,
            "shares": {v.snapshot: route.share(v.snapshot_id) for v in variants} if route else {},
        }

"""Routes: who answers for a service in a stage, changed by compare-and-set only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import service_tagged, snapshot_named, stage_named
from pilothouse.domain.access import Action
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.errors import ConflictError, NotFoundError, RefusedError
from pilothouse.domain.ids import StageName
from pilothouse.domain.routes import Route, Variant
from pilothouse.domain.runtimes import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pilothouse.domain.access import Principal
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import Snapshot
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import RouteShare, SetRoute


class NotRunningError(RefusedError):
    """A snapshot cannot get traffic where it does not run."""

    code = "not-running"

    def __init__(self, *, snapshot: str, service: str, stage: str) -> None:
        self.snapshot, self.service, self.stage = snapshot, service, stage
        super().__init__(
            f"Snapshot {snapshot} does not run online for {service} on every entry of {stage}. Deploy it there "
            "and wait until it is running."
        )


def route_of(work: UnitOfWork, service: Service, stage: StageName) -> Route | None:
    """Give the route of a service in a stage, where one was ever set."""
    return work.routes.find(service=service.tag, stage=stage)


def set_route(
    work: UnitOfWork,
    service: Service,
    stage: StageName,
    *,
    variants: tuple[Variant, ...],
    shadows: tuple[Variant, ...] = (),
) -> Route:
    """Write the next generation of a route, with its audit row."""
    route = route_of(work, service, stage)
    if route is None:
        route = work.routes.add(
            Route(
                id=work.new_id("rou"),
                group=service.group,
                service=service.tag,
                stage=stage,
                generation=1,
                variants=variants,
                shadows=shadows,
                changed_at=work.at,
            )
        )
    elif (route.variants, route.shadows) != (variants, shadows):
        route = work.routes.save(route.changed(variants=variants, shadows=shadows, at=work.at))
    else:
        return route
    shares = {v.snapshot: route.share(v.snapshot_id) for v in variants}
    work.audit.record(
        "set",
        noun="route",
        subject=route.id,
        group=route.group,
        detail={
            "service": service.tag,
            "stage": stage,
            "generation": route.generation,
            "shares": shares,
            "shadows": {v.snapshot: v.weight for v in shadows},
        },
    )
    return route


def check_running(work: UnitOfWork, snapshot: Snapshot, service: Service, stage: StageName) -> None:
    """
    Make sure that a snapshot runs on every entry that has the service in the stage.

    Raises
    ------
    NotRunningError
        When an entry would have nobody to answer.
    """
    deployments = work.deployments.all(
        service=service.tag, stage=stage, mode=Mode.ONLINE, ended_at=None
    )
    entries = {d.runtime_id for d in deployments if d.state.wanted}
    running = {
        d.runtime_id
        for d in deployments
        if d.snapshot_id == snapshot.id and d.state is DeploymentState.RUNNING
    }
    if not running or running != entries:
        raise NotRunningError(snapshot=snapshot.name, service=service.tag, stage=stage)


class Routes:
    """Divide a service's traffic in a stage among running snapshots."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def get(self, who: Principal, *, service: str, stage: str) -> Route:
        """Give a service's route in a stage."""
        with self._open_work.reading(who) as work:
            found = route_of(work, service_tagged(work, service), StageName(stage))
        if found is None:
            raise _no_route(service, stage)
        return found

    def set(self, who: Principal, *, service: str, stage: str, wanted: SetRoute) -> Route:
        """
        Set a route, if it still has the generation that the caller saw (0 where there is none yet).

        Raises
        ------
        ConflictError
            When somebody changed it since.
        NotRunningError
            When a variant or shadow does not run there.
        """
        with self._open_work(who) as work:
            found = service_tagged(work, service)
            name = stage_named(work, stage).name
            who.require(Action.DEPLOY, group=found.group, stage=name)
            route = route_of(work, found, name)
            generation = route.generation if route else 0
            if generation != wanted.expected_generation:
                raise _changed(
                    service, stage, expected=wanted.expected_generation, found=generation
                )
            return work.commit(
                set_route(
                    work,
                    found,
                    name,
                    variants=_variants(work, found, name, wanted.variants),
                    shadows=_variants(work, found, name, wanted.shadows),
                )
            )

    def shift(
        self,
        who: Principal,
        *,
        service: str,
        stage: str,
        snapshot: str,
        share: float,
        expected: int | None,
    ) -> Route:
        """
        Give a snapshot a share of the requests, 0 to 1; the others keep their proportions, shadows stay.

        Parameters
        ----------
        expected
            The generation that the caller has seen; None takes the route as it is.

        Raises
        ------
        ConflictError
            When somebody changed the route since.
        NotFoundError
            When there is no route yet.
        NotRunningError
            When the snapshot does not run there.
        RouteInvalidError
            When nobody would answer the rest.
        """
        with self._open_work(who) as work:
            found = service_tagged(work, service)
            name = stage_named(work, stage).name
            who.require(Action.DEPLOY, group=found.group, stage=name)
            route = route_of(work, found, name)
            if route is None:
                raise _no_route(service, stage)
            if expected not in (None, route.generation):
                raise _changed(service, stage, expected=expected, found=route.generation)
            moved = snapshot_named(work, snapshot)
            if share > 0:
                check_running(work, moved, found, name)
            variants = route.shifted(moved.id, moved.name, share=share)
            return work.commit(
                set_route(work, found, name, variants=variants, shadows=route.shadows)
            )


def _no_route(service: str, stage: str) -> NotFoundError:
    cure = "Deploy a snapshot online there first."
    return NotFoundError(noun="route", name=f"{service} in {stage}", cure=cure)


def _changed(service: str, stage: str, *, expected: int | None, found: int) -> ConflictError:
    name = f"{service} in {stage}"
    return ConflictError(noun="route", name=name, expected=expected or 0, found=found)


def _variants(
    work: UnitOfWork, service: Service, stage: StageName, shares: Iterable[RouteShare]
) -> tuple[Variant, ...]:
    variants = []
    for share in shares:
        snapshot = snapshot_named(work, share.snapshot)
        check_running(work, snapshot, service, stage)
        variants.append(
            Variant(snapshot_id=snapshot.id, snapshot=snapshot.name, weight=share.weight)
        )
    return tuple(variants)

"""All deployments and routes of the entry, converging to what the control plane wants."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pilothouse.domain.desired import DesiredRoute, ObservedState
from pilothouse.domain.errors import InvalidError, NotFoundError, UnavailableError
from pilothouse.scoring.deployments import HostedDeployment, HostingLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.domain.desired import Desired, DesiredDeployment, ObservedDeployment
    from pilothouse.domain.ids import DeploymentId, ServiceTag
    from pilothouse.scoring.models import OpenScorer

log = logging.getLogger(__name__)

OPENING_THREADS = 4


class ServiceUnknownError(NotFoundError):
    """This entry serves no such service."""

    code = "service-unknown"

    def __init__(self, *, service: str) -> None:
        super().__init__(
            noun="service",
            name=service[:80],
            cure="List what this entry serves with GET /v2/models.",
        )


class ServiceNotReadyError(UnavailableError):
    """The service has a route, but nothing behind it runs yet."""

    code = "service-not-ready"

    def __init__(self, *, service: str) -> None:
        self.service = service
        super().__init__(
            f"Service {service!r} is known here, and none of its snapshots runs yet. Send the request again.",
            retry_after_s=2.0,
        )


class VersionUnknownError(NotFoundError):
    """No snapshot of that version is held for the service."""

    code = "version-unknown"

    def __init__(self, *, service: str, version: str) -> None:
        self.service, self.version = service, version[:80]
        super().__init__(
            noun="version",
            name=f"{service}/{version[:80]}",
            cure=f"GET /v2/models/{service} lists the versions held here.",
        )


class VersionAmbiguousError(InvalidError):
    """A number stands for snapshots of several models."""

    code = "version-ambiguous"

    def __init__(self, *, service: str, version: str, snapshots: tuple[str, ...]) -> None:
        self.service, self.version, self.snapshots = service, version, snapshots
        super().__init__(
            f"Version {version} of service {service!r} could be {' or '.join(snapshots)}. "
            "Name the snapshot as model@number."
        )


class Hosting:
    """
    Holds deployments and routes; every method runs in the event loop.

    A route comes into effect, at once and as a whole, when every variant with a weight runs; until then the
    route before it stays. Where no earlier route answers, it comes into effect once every variant has either
    come up or failed, and one of them runs. What is no longer wanted is drained once no route needs it.

    Parameters
    ----------
    open_scorer
        Opens a deployment's snapshot; blocks.
    limits
        How deployments are kept.
    """

    def __init__(self, *, open_scorer: OpenScorer, limits: HostingLimits) -> None:
        self._open_scorer, self._limits = open_scorer, limits
        self._executor = ThreadPoolExecutor(OPENING_THREADS, thread_name_prefix="open")
        self._desired: Desired | None = None
        self._held: dict[DeploymentId, HostedDeployment] = {}
        self._incoming: dict[DeploymentId, HostedDeployment] = {}
        self._retired: list[HostedDeployment] = []
        self._routes: dict[ServiceTag, DesiredRoute] = {}
        self._restarts_before = 0
        self._settling = self._unsettled = False

    def apply(self, desired: Desired) -> None:
        """Begin to converge to a new desired state."""
        self._desired = desired
        self._settling = True  # routes may name deployments that the loop has not come to yet
        for want in desired.deployments:
            self._want(want)
        wanted = {d.id for d in desired.deployments}
        for gone in [i for i in self._incoming if i not in wanted]:
            self._retire(self._incoming.pop(gone))
        self._settling = False
        self._settle()

    def route(self, service: ServiceTag) -> DesiredRoute:
        """
        Give the route in effect.

        Raises
        ------
        ServiceUnknownError
            When the entry serves no such service.
        ServiceNotReadyError
            When it should, and nothing runs yet.
        """
        route = self._routes.get(service)
        if route is None or not route.variants:
            if any(r.service == service and r.variants for r in self._wanted_routes()):
                raise ServiceNotReadyError(service=service)
            raise ServiceUnknownError(service=service)
        return route

    def knows(self, service: ServiceTag) -> bool:
        """Say whether a route in effect or wanted is for this service."""
        return service in self._routes or any(r.service == service for r in self._wanted_routes())

    def generation(self, service: ServiceTag) -> int:
        """Give the generation of the route in effect, 0 where there is none."""
        route = self._routes.get(service)
        return 0 if route is None else route.generation

    def deployment(self, deployment_id: DeploymentId) -> HostedDeployment:
        """Give a deployment that a route in effect names."""
        return self._held[deployment_id]

    def pinned(self, service: ServiceTag, version: str) -> HostedDeployment:
        """
        Give the deployment of one version of a service, whether or not the route names it.

        Parameters
        ----------
        service
            The service.
        version
            A snapshot's number, or ``model@number``.

        Raises
        ------
        VersionUnknownError
            When none is held.
        VersionAmbiguousError
            When a number fits snapshots of several models.
        """
        found = [
            d for d in self.of_service(service) if version in (str(d.want.number), d.want.snapshot)
        ]
        if not found:
            if not any(self.of_service(service)):
                raise ServiceUnknownError(service=service)
            raise VersionUnknownError(service=service, version=version)
        snapshots = tuple(sorted({d.want.snapshot for d in found}))
        if len(snapshots) > 1:
            raise VersionAmbiguousError(service=service, version=version, snapshots=snapshots)
        return next((d for d in found if d.running is not None), found[0])

    def of_service(self, service: ServiceTag) -> Iterator[HostedDeployment]:
        """Give every deployment held and wanted for a service."""
        wanted = () if self._desired is None else self._desired.deployments
        return (self._held[d.id] for d in wanted if d.service == service and d.id in self._held)

    @property
    def services(self) -> tuple[ServiceTag, ...]:
        """The services that have a route in effect, in order of name."""
        return tuple(sorted(s for s, r in self._routes.items() if r.variants))

    @property
    def ready(self) -> bool:
        """Whether a desired state is held and every route in it has come into effect, or one before it."""
        return self._desired is not None and all(
            r.service in self._routes for r in self._desired.routes
        )

    @property
    def routes(self) -> dict[ServiceTag, int]:
        """The generation in effect, by service."""
        return {s: r.generation for s, r in self._routes.items()}

    @property
    def restarts(self) -> int:
        """How often a model was started again because its process had ended."""
        return self._restarts_before + sum(d.restarts for d in self._held.values())

    def observed(self) -> tuple[ObservedDeployment, ...]:
        """Say how every deployment stands; one that replaces another of its id is told in its place."""
        newest = {**self._held, **self._incoming}
        draining = [d for d in self._retired if d.want.id not in newest]
        return tuple(d.observed() for d in (*newest.values(), *draining))

    def every(self) -> tuple[HostedDeployment, ...]:
        """Give every deployment that the entry holds, wanted or not."""
        return (*self._held.values(), *self._incoming.values(), *self._retired)

    def watch(self) -> None:
        """Notice models that ended while nobody used them."""
        for deployment in list(self._held.values()):
            deployment.watch()

    async def close(self, *, timeout_s: float) -> None:
        """Drain and close everything; what has not finished after `timeout_s` is cut off."""
        everything = self.every()
        for deployment in everything:
            deployment.drain()
        waits = [asyncio.ensure_future(d.closed.wait()) for d in everything]
        if waits:
            _, late = await asyncio.wait(waits, timeout=timeout_s)
            for wait in late:
                wait.cancel()
            if late:
                log.error("%d deployments did not drain within %g s", len(late), timeout_s)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _want(self, want: DesiredDeployment) -> None:
        held, incoming = self._held.get(want.id), self._incoming.get(want.id)
        if incoming is not None and not incoming.same_model(want):
            self._retire(self._incoming.pop(want.id))
            incoming = None
        if held is not None and held.same_model(want):
            held.adopt(want)
        elif incoming is not None:
            incoming.adopt(want)
        else:
            fresh = self._fresh(want)
            (self._held if held is None else self._incoming)[want.id] = fresh
            fresh.start()

    def _fresh(self, want: DesiredDeployment) -> HostedDeployment:
        return HostedDeployment(
            want,
            open_scorer=self._open_scorer,
            executor=self._executor,
            limits=self._limits,
            changed=self._settle,
        )

    def _settle(self) -> None:
        """Bring into effect whatever can be; called after every change, its own changes included."""
        self._unsettled = True
        if self._settling:
            return
        self._settling = True
        while self._unsettled:
            self._unsettled = False
            self._swap_incoming()
            self._switch_routes()
            self._retire_unneeded()
        self._settling = False
        self._retired = [d for d in self._retired if not d.closed.is_set()]

    def _swap_incoming(self) -> None:
        for deployment_id, incoming in list(self._incoming.items()):
            if incoming.state is ObservedState.RUNNING:
                del self._incoming[deployment_id]
                self._retire(self._held.pop(deployment_id))
                self._held[deployment_id] = incoming

    def _switch_routes(self) -> None:
        wanted = {r.service: r for r in self._wanted_routes()}
        for service in [s for s in self._routes if s not in wanted]:
            del self._routes[service]
        for service, route in wanted.items():
            if self._routes.get(service) != route and self._may_switch(route):
                self._routes[service] = route
                log.info("route %s of %s is in effect", route.generation, service)

    def _may_switch(self, route: DesiredRoute) -> bool:
        states = self._states(route)
        if all(s is ObservedState.RUNNING for s in states):
            return True
        former = self._routes.get(route.service)
        if former is not None and ObservedState.RUNNING in self._states(former):
            return False
        settled = (ObservedState.RUNNING, ObservedState.FAILED)
        return ObservedState.RUNNING in states and all(s in settled for s in states)

    def _states(self, route: DesiredRoute) -> list[ObservedState]:
        return [self._held[v.deployment_id].state for v in route.variants if v.weight > 0]

    def _retire_unneeded(self) -> None:
        if self._desired is None:
            return
        needed = {d.id for d in self._desired.deployments}
        for route in self._routes.values():
            needed |= {v.deployment_id for v in (*route.variants, *route.shadows)}
        for gone in [i for i in self._held if i not in needed]:
            self._retire(self._held.pop(gone))

    def _retire(self, deployment: HostedDeployment) -> None:
        self._restarts_before += deployment.restarts
        self._retired.append(deployment)
        deployment.drain()

    def _wanted_routes(self) -> tuple[DesiredRoute, ...]:
        return () if self._desired is None else self._desired.routes

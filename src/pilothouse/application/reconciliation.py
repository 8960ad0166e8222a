"""Reconciliation: what should run is written down; here each runtime is made to converge to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.domain.access import TokenKind
from pilothouse.domain.deployments import Deployment, DeploymentState
from pilothouse.domain.desired import (
    SCHEMA,
    Desired,
    DesiredDeployment,
    DesiredLog,
    DesiredRoute,
    DesiredToken,
    DesiredVariant,
    LogState,
    ObservedState,
)
from pilothouse.domain.errors import PilothouseError, UnavailableError
from pilothouse.domain.plain import digest
from pilothouse.domain.runtimes import Mode, Runtime, RuntimeHealth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.domain.access import Principal, Token
    from pilothouse.domain.desired import Observed, ObservedDeployment
    from pilothouse.domain.ids import DeploymentId, RuntimeId, ServiceTag, SnapshotId
    from pilothouse.domain.routes import Route, Variant
    from pilothouse.ports.connectors import Connector, Connectors
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformToken:
    """The platform's own scoring token, for smoke tests; only its SHA-256 leaves the process that holds it."""

    sha256: str


class Reconciliation:
    """Makes runtimes converge, one at a time."""

    def __init__(
        self,
        *,
        open_work: OpenWork,
        connectors: Connectors,
        platform_token: PlatformToken,
    ) -> None:
        self._open_work = open_work
        self._connectors = connectors
        self._platform_token = platform_token

    def runtimes(self, who: Principal) -> tuple[RuntimeId, ...]:
        """Give the runtimes to look after: all in use, and retired ones whose entry may still run."""
        with self._open_work.reading(who) as work:
            return tuple(
                r.id
                for r in work.runtimes.all()
                if r.retired_at is None or r.desired_digest != RETIRED
            )

    def stop(self, who: Principal) -> None:
        """
        Stop every entry, and change nothing that is wanted: the next reconciliation starts them again.

        For a laptop whose runtimes shall end with the control plane.
        """
        with self._open_work.reading(who) as work:
            runtimes = work.runtimes.all(retired_at=None)
        for runtime in runtimes:
            self._connectors.of(runtime).withdraw(runtime)

    def reconcile(self, who: Principal, runtime_id: RuntimeId) -> None:
        """
        Make one runtime converge and write down what it says.

        Nothing is assumed to have worked: what was ordered counts as running only once the runtime says so.
        Two processes may do it at once: orders are fenced by generation, records by version.
        """
        runtime, desired = self._wanted(who, runtime_id)
        if runtime.retired_at is not None:
            self._connectors.of(runtime).withdraw(runtime)
            self._retired(who, runtime)
            return
        self._converge(who, runtime, desired)

    def _converge(self, who: Principal, runtime: Runtime, desired: Desired) -> None:
        try:
            observed = self._driven(self._connectors.of(runtime), runtime, desired)
        except PilothouseError as problem:
            if not isinstance(problem, UnavailableError):
                log.exception("runtime %s cannot be driven", runtime.name)
            self._unhealthy(who, runtime, problem.message)
            return
        self._record(who, runtime, observed)

    def _driven(self, connector: Connector, runtime: Runtime, desired: Desired) -> Observed | None:
        connector.capabilities(runtime)
        if Mode.ONLINE not in runtime.modes or desired.generation == 0:
            return None
        try:
            observed = connector.observe(runtime)
        except UnavailableError:
            connector.ensure(runtime, desired)
            return connector.observe(runtime)
        if observed.generation < desired.generation:
            connector.ensure(runtime, desired)
            observed = connector.observe(runtime)
        return observed

    def _wanted(self, who: Principal, runtime_id: RuntimeId) -> tuple[Runtime, Desired]:
        """Work out what the runtime should hold; a new content gets the next generation, durably, first."""
        with self._open_work(who) as work:
            runtime = work.runtimes.get(runtime_id)
            desired = _desired(work, runtime, self._platform_token)
            content = digest((desired.deployments, desired.routes, desired.tokens, desired.logs))
            empty = not desired.deployments and runtime.desired_generation == 0
            if content != runtime.desired_digest and not empty and runtime.retired_at is None:
                runtime = work.runtimes.save(
                    replace(
                        runtime,
                        desired_generation=runtime.desired_generation + 1,
                        desired_digest=content,
                    )
                )
            work.commit(None)
        return runtime, replace(desired, generation=runtime.desired_generation)

    def _record(self, who: Principal, runtime: Runtime, observed: Observed | None) -> None:
        seen = {d.id: d for d in observed.deployments} if observed else {}
        with self._open_work(who) as work:
            current = work.runtimes.get(runtime.id)
            healthy = _caught_up(
                replace(current, health=RuntimeHealth.HEALTHY, health_reason=_remark(observed)),
                observed,
            )
            if healthy != current:
                work.runtimes.save(healthy)
            for deployment in work.deployments.all(runtime_id=runtime.id, ended_at=None):
                moved = _moved(deployment, seen, work, observed, runtime)
                if moved != deployment:
                    work.deployments.save(moved)
            work.commit(None)

    def _unhealthy(self, who: Principal, runtime: Runtime, reason: str) -> None:
        with self._open_work(who) as work:
            current = work.runtimes.get(runtime.id)
            if (current.health, current.health_reason) != (RuntimeHealth.UNREACHABLE, reason):
                work.runtimes.save(
                    replace(current, health=RuntimeHealth.UNREACHABLE, health_reason=reason)
                )
            work.commit(None)

    def _retired(self, who: Principal, runtime: Runtime) -> None:
        with self._open_work(who) as work:
            work.runtimes.save(replace(work.runtimes.get(runtime.id), desired_digest=RETIRED))
            work.commit(None)


RETIRED = "retired"


def _remark(observed: Observed | None) -> str:
    """
    Say what a healthy runtime's people should know all the same.

    The words hold no numbers: a runtime keeps a history row for each of its values.
    """
    if observed is None:
        return ""
    log = observed.log
    match log.state:
        case LogState.UNAVAILABLE:
            return f"predictions are not logged: {log.reason}"
        case LogState.STALLED:
            return "the prediction log stalls and its rows wait on the entry's disk; the entry's log says why"
        case _ if any(log.dropped.values()):
            reasons = ", ".join(sorted(log.dropped))
            return f"rows were answered and not logged since the entry started ({reasons})"
        case _:
            return ""


def _caught_up(runtime: Runtime, observed: Observed | None) -> Runtime:
    """
    Let the next order be of a higher generation than anything the entry holds.

    An entry is ahead of what is written down only where an older state of the database was restored.
    """
    if observed is None or observed.generation <= runtime.desired_generation:
        return runtime
    return replace(runtime, desired_generation=observed.generation, desired_digest="")


def _desired(work: UnitOfWork, runtime: Runtime, platform: PlatformToken) -> Desired:
    deployments = tuple(
        d
        for d in work.deployments.all(runtime_id=runtime.id, mode=Mode.ONLINE, ended_at=None)
        if d.state.wanted
    )
    services = frozenset(d.service for d in deployments)
    held = {(d.service, d.snapshot_id): d.id for d in deployments}
    routes = work.routes.all(stage=runtime.stage, service=services) if services else ()
    tokens = work.tokens.all(kind=TokenKind.SCORING, revoked_at=None) if services else ()
    return Desired(
        schema=SCHEMA,
        runtime_id=runtime.id,
        stage=runtime.stage,
        generation=runtime.desired_generation,
        deployments=tuple(
            DesiredDeployment(
                id=d.id,
                generation=1,
                service=d.service,
                snapshot=d.snapshot,
                number=d.number,
                digest=d.digest,
            )
            for d in deployments
        ),
        routes=tuple(_desired_route(route, held) for route in routes),
        tokens=(
            DesiredToken(id="platform", sha256=platform.sha256, services=(), expires_at=None),
            *_tokens(work, tokens, runtime),
        ),
        logs=tuple(
            DesiredLog(service=s.tag, policy=s.log)
            for s in (work.services.all(tag=services) if services else ())
        ),
    )


def _tokens(work: UnitOfWork, tokens: Iterable[Token], runtime: Runtime) -> Iterable[DesiredToken]:
    """Give the usable tokens; one that names no service opens every service of its own group only."""
    for token in tokens:
        if not token.usable(at=work.at):
            continue
        services = token.services or tuple(s.tag for s in work.services.all(group=token.group))
        if services:
            yield DesiredToken(
                id=token.id, sha256=token.sha256, services=services, expires_at=token.expires_at
            )


def _desired_route(
    route: Route, held: Mapping[tuple[ServiceTag, SnapshotId], DeploymentId]
) -> DesiredRoute:
    def here(variants: tuple[Variant, ...]) -> tuple[DesiredVariant, ...]:
        return tuple(
            DesiredVariant(deployment_id=held[route.service, v.snapshot_id], weight=v.weight)
            for v in variants
            if (route.service, v.snapshot_id) in held
        )

    return DesiredRoute(
        service=route.service,
        generation=route.generation,
        variants=here(route.variants),
        shadows=here(route.shadows),
    )


OBSERVED = {
    ObservedState.LOADING: DeploymentState.DEPLOYING,
    ObservedState.RUNNING: DeploymentState.RUNNING,
    ObservedState.FAILED: DeploymentState.FAILED,
    ObservedState.DRAINING: DeploymentState.DRAINING,
}


def _moved(
    deployment: Deployment,
    seen: Mapping[DeploymentId, ObservedDeployment],
    work: UnitOfWork,
    observed: Observed | None,
    runtime: Runtime,
) -> Deployment:
    """Give the deployment as the runtime's own word makes it."""
    if deployment.mode is Mode.BATCH:
        return _moved_batch(deployment, work)
    if observed is None and runtime.desired_generation == 0 and not deployment.state.wanted:
        return deployment.moved(DeploymentState.WITHDRAWN, at=work.at)  # it never got there
    if observed is None or observed.generation != runtime.desired_generation:
        return deployment
    word = seen.get(deployment.id)
    if not deployment.state.wanted:
        return deployment if word else deployment.moved(DeploymentState.WITHDRAWN, at=work.at)
    if word is None:
        return deployment
    state = OBSERVED[word.state]
    same = (deployment.state, deployment.reason) == (state, word.reason)
    if state is DeploymentState.DRAINING or same:
        return deployment
    return deployment.moved(state, at=work.at, reason=word.reason, isolation=word.isolation)


def _moved_batch(deployment: Deployment, work: UnitOfWork) -> Deployment:
    """Move a batch deployment, which holds nothing on its runtime: being there for jobs is all that it is."""
    if not deployment.state.wanted:
        return deployment.moved(DeploymentState.WITHDRAWN, at=work.at)
    if deployment.state is DeploymentState.RUNNING:
        return deployment
    return deployment.moved(DeploymentState.RUNNING, at=work.at)

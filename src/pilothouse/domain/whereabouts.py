"""The one answer to where every version of a service runs, in which mode and with what share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.deployments import Deployment, DeploymentState
from pilothouse.domain.ids import ServiceTag, SnapshotId, StageName
from pilothouse.domain.routes import Route
from pilothouse.domain.runtimes import Mode, Runtime, RuntimeHealth
from pilothouse.domain.snapshots import ServiceAssignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Whereabouts:
    """
    One snapshot of a service in one place.

    `share` is the fraction of the service's requests in the stage that the snapshot answers, None in
    batch; `stage` and what follows are None for a snapshot that is tagged and runs nowhere.
    """

    service: ServiceTag
    snapshot: str
    digest: str
    stage: StageName | None
    mode: Mode | None
    runtime: str | None
    address: str | None
    state: DeploymentState | None
    share: float | None
    shadow: float | None
    route_generation: int | None
    health: RuntimeHealth | None
    deployment_id: str | None
    since: datetime | None
    reason: str = ""


def whereabouts(
    *,
    service: ServiceTag,
    assignments: Iterable[ServiceAssignment],
    deployments: Iterable[Deployment],
    routes: Mapping[StageName, Route],
    runtimes: Mapping[str, Runtime],
    names: Mapping[SnapshotId, tuple[str, str]],
) -> tuple[Whereabouts, ...]:
    """
    Say where every snapshot of a service is.

    Parameters
    ----------
    assignments, deployments, routes, runtimes
        What stood at the moment that is asked about.
    names
        Name and digest of each snapshot that an assignment names.
    """
    rows = [
        _placed(service, d, routes.get(d.stage), runtimes.get(d.runtime_id))
        for d in deployments
        if d.state is not DeploymentState.WITHDRAWN
    ]
    placed = {r.snapshot for r in rows}
    for assignment in assignments:
        name, digest = names[assignment.snapshot_id]
        if assignment.ended_at is None and name not in placed:
            rows.append(_nowhere(service, name, digest, assignment.assigned_at))
    return tuple(rows)


def _placed(
    service: ServiceTag, deployment: Deployment, route: Route | None, runtime: Runtime | None
) -> Whereabouts:
    online = deployment.mode is Mode.ONLINE
    shadow = next(
        (
            v.weight
            for v in (route.shadows if route else ())
            if v.snapshot_id == deployment.snapshot_id
        ),
        None,
    )
    return Whereabouts(
        service=service,
        snapshot=deployment.snapshot,
        digest=deployment.digest,
        stage=deployment.stage,
        mode=deployment.mode,
        runtime=runtime.name if runtime else None,
        address=runtime.address if runtime and online else None,
        state=deployment.state,
        share=(route.share(deployment.snapshot_id) if route else 0.0) if online else None,
        shadow=shadow if online else None,
        route_generation=route.generation if route and online else None,
        health=runtime.health if runtime else None,
        deployment_id=deployment.id,
        since=deployment.running_at or deployment.ordered_at,
        reason=deployment.reason,
    )


def _nowhere(service: ServiceTag, name: str, digest: str, since: datetime) -> Whereabouts:
    return Whereabouts(
        service=service,
        snapshot=name,
        digest=digest,
        stage=None,
        mode=None,
        runtime=None,
        address=None,
        state=None,
        share=None,
        shadow=None,
        route_generation=None,
        health=None,
        deployment_id=None,
        since=since,
    )

"""Desired states for tests, in a few words."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilothouse.domain.desired import (
    Desired,
    DesiredDeployment,
    DesiredRoute,
    DesiredToken,
    DesiredVariant,
    Limits,
)
from pilothouse.domain.ids import DeploymentId, RuntimeId, ServiceTag, StageName

if TYPE_CHECKING:
    from collections.abc import Sequence

SERVICE = ServiceTag("cc-fraud")
RUNTIME = RuntimeId("rt_1")
STAGE = StageName("PROD")
TOKEN = "pht_a-token-of-cc-fraud"
OTHER_TOKEN = "pht_a-token-of-another-service"
OLD_TOKEN = "pht_a-token-that-has-expired"


def deployment(
    number: int,
    *,
    service: ServiceTag = SERVICE,
    model: str = "gbm",
    generation: int = 1,
    digest: str | None = None,
    limits: Limits = Limits(),
) -> DesiredDeployment:
    """Give a deployment ``dep_<model>_<number>`` of ``<model>@<number>``."""
    return DesiredDeployment(
        id=DeploymentId(f"dep_{model}_{number}"),
        generation=generation,
        service=service,
        snapshot=f"{model}@{number}",
        number=number,
        digest=digest or f"{number:064x}",
        limits=limits,
    )


def variant(number: int, weight: float = 1.0, *, model: str = "gbm") -> DesiredVariant:
    """Give a part of a route."""
    return DesiredVariant(deployment_id=DeploymentId(f"dep_{model}_{number}"), weight=weight)


def route(
    generation: int,
    *variants: DesiredVariant,
    shadows: Sequence[DesiredVariant] = (),
    service: ServiceTag = SERVICE,
) -> DesiredRoute:
    """Give a route."""
    return DesiredRoute(
        service=service, generation=generation, variants=variants, shadows=tuple(shadows)
    )


def token(secret: str, *services: ServiceTag, expires_at: datetime | None = None) -> DesiredToken:
    """Give a token as the control plane tells it."""
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return DesiredToken(
        id=f"tok_{digest[:6]}", sha256=digest, services=services, expires_at=expires_at
    )


TOKENS = (
    token(TOKEN, SERVICE),
    token(OTHER_TOKEN, ServiceTag("heloc")),
    token(OLD_TOKEN, expires_at=datetime(2020, 1, 1, tzinfo=UTC)),
)


def desired(
    generation: int,
    *,
    deployments: Sequence[DesiredDeployment] = (),
    routes: Sequence[DesiredRoute] = (),
    tokens: Sequence[DesiredToken] = TOKENS,
    runtime_id: RuntimeId = RUNTIME,
) -> Desired:
    """Give a desired state."""
    return Desired(
        schema=1,
        runtime_id=runtime_id,
        stage=STAGE,
        generation=generation,
        deployments=tuple(deployments),
        routes=tuple(routes),
        tokens=tuple(tokens),
    )


def one(number: int, *, generation: int = 1) -> Desired:
    """Give the desired state in which one snapshot answers for the service."""
    return desired(
        generation, deployments=[deployment(number)], routes=[route(generation, variant(number))]
    )

"""Deployments."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.deployments import Deployment
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import OrderDeployment

router = APIRouter(prefix="/deployments", tags=["deployments"])


@router.post("", status_code=202, response_model=list[Deployment])
def order(plane: Plane, who: KeyedWho, wanted: OrderDeployment) -> JSONResponse:
    """Deploy a snapshot for a service in a stage, on every suiting runtime unless one is named."""
    return changed(plane, who, lambda: plane.deployments.order(who, wanted), 202)


@router.get("", response_model=Page[Deployment])
def page(
    plane: Plane,
    who: Who,
    service: str | None = None,
    stage: str | None = None,
    after: After = None,
    limit: Limit = 50,
) -> JSONResponse:
    """List deployments, newest first."""
    return shown(
        plane.deployments.page(who, service=service, stage=stage, after=after, limit=limit)
    )


@router.get("/{deployment_id}", response_model=Deployment)
def get(plane: Plane, who: Who, deployment_id: str) -> JSONResponse:
    """Show a deployment."""
    return shown(plane.deployments.get(who, deployment_id=deployment_id))


@router.post("/{deployment_id}/withdraw", status_code=202, response_model=Deployment)
def withdraw(
    plane: Plane, who: KeyedWho, deployment_id: str, stop_service: bool = False
) -> JSONResponse:
    """Withdraw a deployment; with traffic, only if the service may stop."""
    return changed(
        plane,
        who,
        lambda: plane.deployments.withdraw(
            who, deployment_id=deployment_id, stop_service=stop_service
        ),
        202,
    )

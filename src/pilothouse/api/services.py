"""Services, their routes and endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.endpoints import Endpoint
from pilothouse.domain.pages import Page
from pilothouse.domain.plain import from_plain
from pilothouse.domain.routes import Route
from pilothouse.domain.services import Service
from pilothouse.domain.whereabouts import Whereabouts
from pilothouse.wire.requests import DefineService, SetLog, SetRoute

router = APIRouter(prefix="/services", tags=["services"])
Moment = Annotated[
    str | None,
    Query(description="An RFC 3339 time with its zone.", json_schema_extra={"format": "date-time"}),
]


@router.post("", status_code=201, response_model=Service)
def define(plane: Plane, who: KeyedWho, wanted: DefineService) -> JSONResponse:
    """Define a service by its tag."""
    return changed(plane, who, lambda: plane.services.define(who, wanted), 201)


@router.get("", response_model=Page[Service])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List services."""
    return shown(plane.services.page(who, after=after, limit=limit))


@router.get("/{tag}", response_model=Service)
def get(plane: Plane, who: Who, tag: str) -> JSONResponse:
    """Show a service."""
    return shown(plane.services.get(who, tag=tag))


@router.post("/{tag}/log", response_model=Service)
def set_log(plane: Plane, who: KeyedWho, tag: str, wanted: SetLog) -> JSONResponse:
    """Change what the prediction log keeps of the service."""
    return changed(plane, who, lambda: plane.services.set_log(who, tag=tag, wanted=wanted))


@router.get("/{tag}/where", response_model=list[Whereabouts])
def where(plane: Plane, who: Who, tag: str, at: Moment = None) -> JSONResponse:
    """Say where every version runs, in which mode and with what share; `at` asks about a past moment."""
    moment = None if at is None else from_plain(datetime, at, path="at")
    return shown(plane.services.where(who, tag=tag, at=moment))


@router.get("/{tag}/routes/{stage}", response_model=Route)
def get_route(plane: Plane, who: Who, tag: str, stage: str) -> JSONResponse:
    """Show a service's route in a stage."""
    return shown(plane.routes.get(who, service=tag, stage=stage))


@router.post("/{tag}/routes/{stage}", response_model=Route)
def set_route(plane: Plane, who: KeyedWho, tag: str, stage: str, wanted: SetRoute) -> JSONResponse:
    """Divide the service's traffic in a stage, if the route is still of the expected generation."""
    return changed(
        plane, who, lambda: plane.routes.set(who, service=tag, stage=stage, wanted=wanted)
    )


@router.get("/{tag}/endpoints/{stage}", response_model=list[Endpoint])
def endpoints(plane: Plane, who: Who, tag: str, stage: str) -> JSONResponse:
    """Say where applications meet the service in a stage."""
    return shown(plane.runtimes.endpoints(who, service=tag, stage=stage))

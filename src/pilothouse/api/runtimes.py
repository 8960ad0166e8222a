"""Runtimes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.ids import JobId
from pilothouse.domain.pages import Page
from pilothouse.domain.runtimes import Capabilities, Runtime
from pilothouse.wire.requests import RegisterRuntime

router = APIRouter(prefix="/runtimes", tags=["runtimes"])


@router.post("", status_code=201, response_model=Runtime)
def register(plane: Plane, who: KeyedWho, wanted: RegisterRuntime) -> JSONResponse:
    """Register a runtime."""
    return changed(plane, who, lambda: plane.runtimes.register(who, wanted), 201)


@router.get("", response_model=Page[Runtime])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List runtimes."""
    return shown(plane.runtimes.page(who, after=after, limit=limit))


@router.get("/{name}", response_model=Runtime)
def get(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Show a runtime."""
    return shown(plane.runtimes.get(who, name=name))


@router.get("/{name}/capabilities", response_model=Capabilities)
def capabilities(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Say what a runtime can do, and for what it cannot, why."""
    return shown(plane.runtimes.capabilities(who, name=name))


@router.get("/{name}/logs", response_model=list[str])
def logs(
    plane: Plane,
    who: Who,
    name: str,
    job: str | None = None,
    lines: Annotated[int, Query(ge=1, le=10_000)] = 200,
) -> JSONResponse:
    """Give the last lines of a runtime's log, or of a job's there."""
    job_id = JobId(job) if job else None
    return shown(tuple(plane.runtimes.logs(who, name=name, job_id=job_id, lines=lines)))


@router.post("/{name}/retire", response_model=Runtime)
def retire(plane: Plane, who: KeyedWho, name: str) -> JSONResponse:
    """Take an empty runtime out of use."""
    return changed(plane, who, lambda: plane.runtimes.retire(who, name=name))

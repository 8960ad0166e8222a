"""Jobs and evaluations."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.evaluations import Evaluation
from pilothouse.domain.jobs import Job
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import OrderJob

router = APIRouter(tags=["jobs"])


@router.post("/jobs", status_code=202, response_model=Job)
def order(plane: Plane, who: KeyedWho, wanted: OrderJob) -> JSONResponse:
    """Run a snapshot over a table."""
    return changed(plane, who, lambda: plane.jobs.order(who, wanted), 202)


@router.get("/jobs", response_model=Page[Job])
def page(
    plane: Plane, who: Who, service: str | None = None, after: After = None, limit: Limit = 50
) -> JSONResponse:
    """List jobs, newest first."""
    return shown(plane.jobs.page(who, service=service, after=after, limit=limit))


@router.get("/jobs/{job_id}", response_model=Job)
def get(plane: Plane, who: Who, job_id: str) -> JSONResponse:
    """Show a job with its progress."""
    return shown(plane.jobs.get(who, job_id=job_id))


@router.post("/jobs/{job_id}/cancel", status_code=202, response_model=Job)
def cancel(plane: Plane, who: KeyedWho, job_id: str) -> JSONResponse:
    """Stop a job; it leaves no output."""
    return changed(plane, who, lambda: plane.jobs.cancel(who, job_id=job_id), 202)


@router.get("/evaluations", response_model=Page[Evaluation])
def evaluations(
    plane: Plane, who: Who, snapshot: str | None = None, after: After = None, limit: Limit = 50
) -> JSONResponse:
    """List verdicts with their evidence, newest first."""
    return shown(plane.evaluations.page(who, snapshot=snapshot, after=after, limit=limit))

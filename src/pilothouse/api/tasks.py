"""Tasks."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.pages import Page
from pilothouse.domain.tasks import Task
from pilothouse.wire.requests import CompleteTask

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.get("", response_model=Page[Task])
def page(
    plane: Plane,
    who: Who,
    mine: bool = False,
    waiting: bool = False,
    after: After = None,
    limit: Limit = 50,
) -> JSONResponse:
    """List tasks: those that the caller may do, those that wait, or all."""
    return shown(plane.tasks.page(who, mine=mine, waiting=waiting, after=after, limit=limit))


@router.get("/{task_id}", response_model=Task)
def get(plane: Plane, who: Who, task_id: str) -> JSONResponse:
    """Show a task."""
    return shown(plane.tasks.get(who, task_id=task_id))


@router.post("/{task_id}/claim", response_model=Task)
def claim(plane: Plane, who: KeyedWho, task_id: str) -> JSONResponse:
    """Take a task."""
    return changed(plane, who, lambda: plane.tasks.claim(who, task_id=task_id))


@router.post("/{task_id}/release", response_model=Task)
def release(plane: Plane, who: KeyedWho, task_id: str) -> JSONResponse:
    """Give a task back."""
    return changed(plane, who, lambda: plane.tasks.release(who, task_id=task_id))


@router.post("/{task_id}/complete", response_model=Task)
def complete(plane: Plane, who: KeyedWho, task_id: str, wanted: CompleteTask) -> JSONResponse:
    """Answer a task."""
    return changed(
        plane,
        who,
        lambda: plane.tasks.complete(who, task_id=task_id, answers=wanted.answers),
    )

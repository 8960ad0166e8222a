"""Groups."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.groups import Group
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import CreateGroup, SetPolicy

router = APIRouter(prefix="/groups", tags=["groups"])


@router.post("", status_code=201, response_model=Group)
def create(plane: Plane, who: KeyedWho, wanted: CreateGroup) -> JSONResponse:
    """Create a group."""
    return changed(
        plane, who, lambda: plane.groups.create(who, name=wanted.name, title=wanted.title), 201
    )


@router.get("", response_model=Page[Group])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List groups."""
    return shown(plane.groups.page(who, after=after, limit=limit))


@router.get("/{name}", response_model=Group)
def get(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Show a group."""
    return shown(plane.groups.get(who, name=name))


@router.post("/{name}/policy", response_model=Group)
def set_policy(plane: Plane, who: KeyedWho, name: str, wanted: SetPolicy) -> JSONResponse:
    """Change what the group's models may bring and its life cycles may reach."""
    return changed(plane, who, lambda: plane.groups.set_policy(who, name=name, wanted=wanted))

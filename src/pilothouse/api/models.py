"""Models."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.models import Model
from pilothouse.domain.pages import Page
from pilothouse.domain.whereabouts import Whereabouts
from pilothouse.wire.requests import RegisterModel

router = APIRouter(prefix="/models", tags=["models"])


@router.post("", status_code=201, response_model=Model)
def register(plane: Plane, who: KeyedWho, wanted: RegisterModel) -> JSONResponse:
    """Register a model."""
    return changed(plane, who, lambda: plane.models.register(who, wanted), 201)


@router.get("", response_model=Page[Model])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List models."""
    return shown(plane.models.page(who, after=after, limit=limit))


@router.get("/{name}", response_model=Model)
def get(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Show a model."""
    return shown(plane.models.get(who, name=name))


@router.get("/{name}/where", response_model=list[Whereabouts])
def where(plane: Plane, who: Who, name: str) -> JSONResponse:
    """Say where every snapshot of a model runs, over all its services."""
    return shown(plane.services.where_model(who, model=name))

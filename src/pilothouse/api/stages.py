"""Stages."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import KeyedWho, Plane, Who, changed, shown
from pilothouse.domain.stages import Stage
from pilothouse.wire.requests import DefineStage

router = APIRouter(prefix="/stages", tags=["stages"])


@router.post("", status_code=201, response_model=Stage)
def define(plane: Plane, who: KeyedWho, wanted: DefineStage) -> JSONResponse:
    """Add a stage."""
    return changed(
        plane,
        who,
        lambda: plane.stages.define(
            who, name=wanted.name, position=wanted.position, production=wanted.production
        ),
        201,
    )


@router.get("", response_model=list[Stage])
def listed(plane: Plane, who: Who) -> JSONResponse:
    """List stages in the order of the path."""
    return shown(plane.stages.listed(who))

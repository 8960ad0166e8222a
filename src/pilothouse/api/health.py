"""Health, the only page that asks for no token."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from pilothouse.api.calls import Plane, Who, shown

router = APIRouter(tags=["health"])


@router.get("/health")
def health(plane: Plane) -> JSONResponse:
    """Say whether the control plane answers and its database does."""
    plane.check_database()
    return shown({"status": "ok"})


@router.get("/status")
def status(request: Request, plane: Plane, who: Who) -> JSONResponse:
    """Say how this process's own loops fare, and where it keeps its things."""
    loops: dict[str, object] = request.app.state.loops()
    return shown({"loops": loops, "home": str(plane.settings.home)})

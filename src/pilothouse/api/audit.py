"""The audit and the history of things."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, Limit, Plane, Who, shown
from pilothouse.domain.events import AuditEntry, Change
from pilothouse.domain.pages import Page

router = APIRouter(tags=["audit"])


@router.get("/audit", response_model=Page[AuditEntry])
def page(
    plane: Plane,
    who: Who,
    noun: str | None = None,
    subject: str | None = None,
    after: After = None,
    limit: Limit = 50,
) -> JSONResponse:
    """List what was ordered, newest first."""
    return shown(plane.audit.page(who, noun=noun, subject=subject, after=after, limit=limit))


@router.get("/history/{noun}/{subject}", response_model=list[Change])
def history(plane: Plane, who: Who, noun: str, subject: str) -> JSONResponse:
    """Give every value that a thing has had, with who changed it and why."""
    return shown(plane.audit.history(who, noun=noun, subject=subject))

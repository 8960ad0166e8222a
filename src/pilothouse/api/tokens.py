"""Tokens."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.access import Token
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import IssueScoringToken, IssueToken
from pilothouse.wire.views import IssuedToken

router = APIRouter(tags=["tokens"])


@router.post("/tokens", status_code=201, response_model=IssuedToken)
def issue(plane: Plane, who: Who, wanted: IssueToken) -> JSONResponse:
    """Issue an API token; its text is in this answer and nowhere else."""
    return shown(
        plane.tokens.issue(
            who,
            name=wanted.name,
            group=wanted.group,
            person=wanted.person,
            expires_at=wanted.expires_at,
        ),
        201,
    )


@router.post("/scoring-tokens", status_code=201, response_model=IssuedToken)
def issue_scoring(plane: Plane, who: Who, wanted: IssueScoringToken) -> JSONResponse:
    """Issue a scoring token for consuming applications; its text is in this answer and nowhere else."""
    return shown(
        plane.tokens.issue_scoring(
            who,
            name=wanted.name,
            group=wanted.group,
            services=wanted.services,
            expires_at=wanted.expires_at,
        ),
        201,
    )


@router.get("/tokens", response_model=Page[Token])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List tokens, without their texts."""
    return shown(plane.tokens.page(who, after=after, limit=limit))


@router.post("/tokens/{token_id}/revoke", response_model=Token)
def revoke(plane: Plane, who: KeyedWho, token_id: str) -> JSONResponse:
    """End a token."""
    return changed(plane, who, lambda: plane.tokens.revoke(who, token_id=token_id))

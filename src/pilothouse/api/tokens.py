"""Tokens."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from pilothouse.api.calls import After, KeyedWho, Limit, Plane, Who, changed, shown
from pilothouse.domain.access import Token
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.pages import Page
from pilothouse.wire.requests import IssueScoringToken, IssueToken
from pilothouse.wire.views import IssuedToken

router = APIRouter(tags=["tokens"])


@router.post("/tokens", status_code=201, response_model=IssuedToken)
def issue(plane: Plane, who: KeyedWho, wanted: IssueToken) -> JSONResponse:
    """
    Issue an API token; its text is in this answer and nowhere else.

    Repeated with its key the call gives the same token with a new text, and the lost one opens nothing.
    """
    return _issued(
        lambda: plane.tokens.issue(
            who,
            name=wanted.name,
            group=wanted.group,
            person=wanted.person,
            expires_at=wanted.expires_at,
        )
    )


@router.post("/scoring-tokens", status_code=201, response_model=IssuedToken)
def issue_scoring(plane: Plane, who: KeyedWho, wanted: IssueScoringToken) -> JSONResponse:
    """
    Issue a scoring token for consuming applications; its text is in this answer and nowhere else.

    Repeated with its key the call gives the same token with a new text, and the lost one opens nothing.
    """
    return _issued(
        lambda: plane.tokens.issue_scoring(
            who,
            name=wanted.name,
            group=wanted.group,
            services=wanted.services,
            expires_at=wanted.expires_at,
        )
    )


@router.get("/tokens", response_model=Page[Token])
def page(plane: Plane, who: Who, after: After = None, limit: Limit = 50) -> JSONResponse:
    """List tokens, without their texts."""
    return shown(plane.tokens.page(who, after=after, limit=limit))


@router.post("/tokens/{token_id}/revoke", response_model=Token)
def revoke(plane: Plane, who: KeyedWho, token_id: str) -> JSONResponse:
    """End a token."""
    return changed(plane, who, lambda: plane.tokens.revoke(who, token_id=token_id))


def _issued(act: Callable[[], IssuedToken]) -> JSONResponse:
    try:
        return shown(act(), 201)
    except ConflictError:  # the same keyed call came first meanwhile: now its token is there
        return shown(act(), 201)

"""Scoring tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pilothouse.domain.ids import ServiceTag
from pilothouse.scoring.tokens import (
    ServiceDeniedError,
    TokenExpiredError,
    TokenInvalidError,
    TokenMissingError,
    Tokens,
)
from tests.entries.documents import SERVICE, token

NOW = datetime(2026, 1, 5, tzinfo=UTC)
TOKENS = Tokens(
    [
        token("of-one", SERVICE),
        token("of-all"),
        token("of-today", SERVICE, expires_at=NOW + timedelta(seconds=1)),
    ]
)


@pytest.mark.parametrize("authorization", ["Bearer of-one", "bearer of-all", "BEARER  of-today"])
def test_a_good_token_is_let_in(authorization: str) -> None:
    assert TOKENS.check(authorization, service=SERVICE, now=NOW).sha256


@pytest.mark.parametrize("authorization", [None, "", "of-one", "Basic of-one", "Bearer"])
def test_no_token_is_told_so(authorization: str | None) -> None:
    with pytest.raises(TokenMissingError):
        TOKENS.check(authorization, service=SERVICE, now=NOW)


@pytest.mark.parametrize(
    "authorization", ["Bearer of-on", "Bearer of-one x", "Bearer ", "Bearer \xff"]
)
def test_an_unknown_token_is_told_so(authorization: str) -> None:
    with pytest.raises(TokenInvalidError):
        TOKENS.check(authorization, service=SERVICE, now=NOW)


def test_a_token_ends_at_its_expiry() -> None:
    with pytest.raises(TokenExpiredError) as caught:
        TOKENS.check("Bearer of-today", service=SERVICE, now=NOW + timedelta(seconds=1))
    assert caught.value.expired_at == "2026-01-05T00:00:01+00:00"


def test_a_token_is_for_its_services_alone() -> None:
    with pytest.raises(ServiceDeniedError) as caught:
        TOKENS.check("Bearer of-one", service=ServiceTag("heloc"), now=NOW)
    assert caught.value.service == "heloc"
    assert TOKENS.check("Bearer of-all", service=ServiceTag("heloc"), now=NOW).services == ()

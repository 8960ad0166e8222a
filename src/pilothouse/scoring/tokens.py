"""Scoring tokens: known by their SHA-256 alone, checked without a call to anybody."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from pilothouse.domain.errors import DeniedError, NotSignedInError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pilothouse.domain.desired import DesiredToken

BEARER = "bearer "


class TokenMissingError(NotSignedInError):
    """A request carries no scoring token."""

    code = "token-missing"

    def __init__(self) -> None:
        super().__init__(
            "This needs a scoring token. Send it as 'Authorization: Bearer TOKEN'; an operator makes one with "
            "`pilothouse tokens issue-scoring`."
        )


class TokenInvalidError(NotSignedInError):
    """The token is not known here."""

    code = "token-invalid"

    def __init__(self) -> None:
        super().__init__("The scoring token is not known here. Check it, or ask for a new one.")


class TokenExpiredError(NotSignedInError):
    """The token was good once."""

    code = "token-expired"

    def __init__(self, *, token: str, expired_at: datetime) -> None:
        self.token, self.expired_at = token, expired_at.isoformat()
        super().__init__(
            f"Scoring token {token} expired at {expired_at.isoformat()}. Ask for a new one."
        )


class ServiceDeniedError(DeniedError):
    """The token is good, but not for this service."""

    code = "service-denied"

    def __init__(self, *, token: str, service: str) -> None:
        self.token, self.service = token, service
        super().__init__(
            f"Scoring token {token} is not for service {service!r}. Ask for a token of that service."
        )


class Tokens:
    """
    The scoring tokens of one desired state; replaced whole when it changes.

    Looking a digest up tells nothing about another token by its time: who does not hold the token cannot
    steer its digest.

    Parameters
    ----------
    tokens
        What the control plane granted.
    """

    def __init__(self, tokens: Iterable[DesiredToken] = ()) -> None:
        self._by_digest = {t.sha256: t for t in tokens}

    def holder(self, authorization: str | None, *, now: datetime) -> DesiredToken:
        """
        Give the token that an ``Authorization`` header carries.

        Raises
        ------
        NotSignedInError
            `TokenMissingError`, `TokenInvalidError` or `TokenExpiredError`.
        """
        if not authorization or authorization[: len(BEARER)].lower() != BEARER:
            raise TokenMissingError
        secret = authorization[len(BEARER) :].strip()
        held = self._by_digest.get(sha256(secret.encode("utf-8", "surrogateescape")).hexdigest())
        if held is None:
            raise TokenInvalidError
        if held.expires_at is not None and held.expires_at <= now:
            raise TokenExpiredError(token=held.id, expired_at=held.expires_at)
        return held

    def check(self, authorization: str | None, *, service: str, now: datetime) -> DesiredToken:
        """
        Give the token back if it may use the service.

        Raises
        ------
        NotSignedInError
            As `holder` does.
        ServiceDeniedError
            When it is for other services; whether this one exists is not told.
        """
        held = self.holder(authorization, now=now)
        if not allows(held, service):
            raise ServiceDeniedError(token=held.id, service=service[:80])
        return held


def allows(token: DesiredToken, service: str) -> bool:
    """Say whether a token may use a service."""
    return not token.services or service in token.services

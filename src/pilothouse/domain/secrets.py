"""Secrets are named by reference everywhere; only the process that uses one ever reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pilothouse.domain.errors import InvalidError, RefusedError, UnavailableError

_REFERENCE = re.compile(r"([a-z][a-z0-9-]{0,31}):(.{1,1000})\Z")


class SecretReferenceError(InvalidError):
    """A text is not a reference to a secret."""

    code = "secret-reference-invalid"

    def __init__(self, *, scheme: str | None) -> None:
        # The text itself may be a secret that somebody put in place of its reference: it is never repeated.
        self.scheme = scheme
        found = (
            "it has no scheme" if scheme is None else f"nothing understands the scheme {scheme!r}"
        )
        super().__init__(
            f"This is not a reference to a secret: {found}. Write env:NAME or file:/path, or install the "
            "plug-in that brings the scheme; never write the secret itself."
        )


class SecretMissingError(UnavailableError):
    """What a reference names is not there, or is empty."""

    code = "secret-missing"

    def __init__(self, *, reference: str, problem: str) -> None:
        self.reference, self.problem = reference, problem
        super().__init__(
            f"The secret {reference} cannot be read: {problem}. Provide it to the process that uses it."
        )


class SecretExposedError(RefusedError):
    """Others could read the secret's file."""

    code = "secret-exposed"

    def __init__(self, *, reference: str, problem: str) -> None:
        self.reference, self.problem = reference, problem
        super().__init__(
            f"The secret {reference} is refused: {problem}. Others may have read it: change the secret, "
            "then keep it in a file of this process's own user with mode 0600."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretReference:
    """A scheme that says who keeps the secret, and the name that it has there."""

    scheme: str
    name: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.name}"


def parse_reference(text: str) -> SecretReference:
    """
    Read a reference such as ``env:SMTP_PASSWORD`` or ``file:/run/secrets/smtp``.

    Raises
    ------
    SecretReferenceError
        When the text has no scheme; the text is not repeated, as it may be the secret itself.

    Examples
    --------
    >>> parse_reference("env:SMTP_PASSWORD")
    SecretReference(scheme='env', name='SMTP_PASSWORD')
    """
    found = _REFERENCE.match(text)
    if not found:
        raise SecretReferenceError(scheme=None)
    return SecretReference(scheme=found[1], name=found[2])

"""What callers are shown, where it is not the domain value itself."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.domain.access import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A new token; `text` is shown this once and kept nowhere."""

    token: Token
    text: str

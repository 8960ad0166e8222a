"""The making and knowing of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pilothouse.domain.access import TokenKind


class TokenMint(Protocol):
    """Makes token texts and knows them again by their SHA-256."""

    def mint(self, kind: TokenKind) -> tuple[str, str]:
        """Give a new token's text, to be shown once, and its SHA-256 in hexadecimal."""
        ...

    def fingerprint(self, text: str) -> str:
        """Give the SHA-256 of a token's text in hexadecimal."""
        ...

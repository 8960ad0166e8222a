"""Tokens: made once, shown once, kept only as their SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from pilothouse.domain.access import TokenKind
from pilothouse.domain.ids import ALPHABET

if TYPE_CHECKING:
    from pilothouse.ports.clock import Ids

HANDLE_BYTES = 5
SECRET_BYTES = 32
ENTROPY_BYTES = HANDLE_BYTES + SECRET_BYTES
PREFIXES = {TokenKind.API: "ph", TokenKind.SCORING: "phs"}
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}
_TEXT = re.compile(r"(phs?)_[0-9A-HJKMNP-TV-Z]{8}_[0-9A-HJKMNP-TV-Z]{52}\Z")


def mint(kind: TokenKind, *, entropy: bytes) -> tuple[str, str]:
    """
    Make a token: a prefix that says what it opens, a handle that may be shown, and the secret.

    Parameters
    ----------
    kind
        What it opens.
    entropy
        Exactly 37 bytes that nobody can guess: 5 for the handle, 32 for the secret.

    Returns
    -------
    tuple of str
        The text, for its holder alone, and its SHA-256, which is all that is kept.

    Raises
    ------
    ValueError
        When the entropy has another size: a mistake in the program.

    Examples
    --------
    >>> text, sha256 = mint(TokenKind.SCORING, entropy=bytes(37))
    >>> text[:20]
    'phs_00000000_0000000'
    >>> fingerprint(text) == sha256
    True
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a token needs {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    handle, secret = _base32(entropy[:HANDLE_BYTES]), _base32(entropy[HANDLE_BYTES:])
    text = f"{PREFIXES[kind]}_{handle}_{secret}"
    return text, fingerprint(text)


def kind_of(text: str) -> TokenKind | None:
    """
    Say what a text would open if it were a token, or None when it has not the form of one.

    Examples
    --------
    >>> kind_of("phs_" + 8 * "1" + "_" + 52 * "0")
    <TokenKind.SCORING: 'scoring'>
    >>> kind_of("hunter2") is None
    True
    """
    found = _TEXT.match(text)
    return _KINDS[found[1]] if found else None


def fingerprint(text: str) -> str:
    """
    Give the SHA-256 of a token's text, in lower-case hexadecimal.

    A plain hash is enough: the text has 256 bits of entropy, so there is nothing to guess.

    Examples
    --------
    >>> fingerprint("ph_x")[:8]
    '3ae2fbbb'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def matches(text: str, *, sha256: str) -> bool:
    """
    Whether a token's text has this SHA-256; the time it takes tells nothing.

    Examples
    --------
    >>> matches("ph_x", sha256=fingerprint("ph_x"))
    True
    """
    return hmac.compare_digest(fingerprint(text), sha256)


class Mint:
    """Makes tokens of an installation's own randomness; it keeps `pilothouse.ports.tokens.TokenMint`."""

    def __init__(self, *, ids: Ids) -> None:
        self._ids = ids

    def mint(self, kind: TokenKind) -> tuple[str, str]:
        """Give a new token's text, to be shown once, and its SHA-256 in hexadecimal."""
        return mint(kind, entropy=self._ids.entropy(ENTROPY_BYTES))

    def fingerprint(self, text: str) -> str:
        """Give the SHA-256 of a token's text in hexadecimal."""
        return fingerprint(text)


def _base32(entropy: bytes) -> str:
    """Write bytes in Crockford's base32, most significant first, padded with zero bits to whole digits."""
    digits = -(-len(entropy) * 8 // 5)
    number = int.from_bytes(entropy) << (digits * 5 - len(entropy) * 8)
    return "".join(ALPHABET[(number >> (5 * at)) & 31] for at in reversed(range(digits)))

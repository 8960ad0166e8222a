"""Where an artefact lies in its store: ``sha256/ab/cdef…``, so that no folder grows without bound."""

from __future__ import annotations

import re

from pilothouse.artifacts.errors import Sha256InvalidError
from pilothouse.domain.snapshots import SHA256

ROOT = "sha256"
STAGING = "staging"
_KEY = re.compile(r"sha256/([0-9a-f]{2})/([0-9a-f]{62})\Z")


def key_of(sha256: str) -> str:
    """
    Give the key of an artefact.

    Raises
    ------
    Sha256InvalidError
        When the text is not a SHA-256, so that no text can lead out of the store.

    Examples
    --------
    >>> key_of("ab" + 62 * "0")[:12]
    'sha256/ab/00'
    """
    if not SHA256.match(sha256):
        raise Sha256InvalidError(found=sha256)
    return f"{ROOT}/{sha256[:2]}/{sha256[2:]}"


def sha256_of(key: str) -> str | None:
    """
    Give the digest that a key stands for, or None for a key that is no artefact's.

    Examples
    --------
    >>> sha256_of(key_of(64 * "a")) == 64 * "a"
    True
    >>> sha256_of("sha256/ab/notes.txt") is None
    True
    """
    found = _KEY.match(key)
    return found[1] + found[2] if found else None

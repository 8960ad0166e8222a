"""Streams of bytes that are checked against a SHA-256 as they pass."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pilothouse.domain.artifacts import (
    ArtifactCorruptError,
    ArtifactDigestError,
    ArtifactTooLargeError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class PromisedStream:
    """
    An upload that promises a digest: its end is reached only when the promise was kept.

    Whoever writes the chunks away must make them visible only after the last one, and throw them away
    when the iteration raises.
    """

    def __init__(self, chunks: Iterable[bytes], *, sha256: str, limit: int | None) -> None:
        self._chunks, self._sha256, self._limit = chunks, sha256, limit
        self.size = 0

    def __iter__(self) -> Iterator[bytes]:
        """
        Pass the chunks on.

        Raises
        ------
        ArtifactTooLargeError
            With the first byte over the limit.
        ArtifactDigestError
            After the last chunk, when the digest is another.
        """
        seen = hashlib.sha256()
        for chunk in self._chunks:
            self.size += len(chunk)
            if self._limit is not None and self.size > self._limit:
                raise ArtifactTooLargeError(limit=self._limit)
            seen.update(chunk)
            yield chunk
        if seen.hexdigest() != self._sha256:
            raise ArtifactDigestError(expected=self._sha256, found=seen.hexdigest(), size=self.size)


def verified(chunks: Iterable[bytes], *, sha256: str) -> Iterator[bytes]:
    """
    Pass on what a store reads, but the last chunk only once the digest of all is right.

    Parameters
    ----------
    chunks
        The bytes in order.
    sha256
        What they must have, 64 lower-case hexadecimal digits.

    Raises
    ------
    ArtifactCorruptError
        When the bytes have another digest.

    Examples
    --------
    >>> whole = hashlib.sha256(b"abcdef").hexdigest()
    >>> list(verified([b"abc", b"def"], sha256=whole))
    [b'abc', b'def']
    """
    seen, held = hashlib.sha256(), b""
    for chunk in chunks:
        if held:
            yield held
        seen.update(chunk)
        held = chunk
    if seen.hexdigest() != sha256:
        raise ArtifactCorruptError(sha256=sha256, found=seen.hexdigest())
    if held:
        yield held

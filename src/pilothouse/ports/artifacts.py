"""The store of artefacts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pilothouse.domain.artifacts import StoredArtifact


class ArtifactStore(Protocol):
    """Files by their SHA-256 (64 lower-case hexadecimal digits), written once, never changed."""

    def put(self, chunks: Iterable[bytes], *, sha256: str, limit: int | None = None) -> int:
        """
        Store a stream under its digest and give its size in bytes.

        Putting what is there already is no error and writes nothing. Nothing is visible before the whole
        stream is verified.

        Raises
        ------
        ArtifactDigestError
            When the stream has another digest.
        ArtifactTooLargeError
            When it has more than `limit` bytes.
        """
        ...

    def get(self, sha256: str) -> Iterator[bytes]:
        """
        Read an artefact in chunks, verified as it goes; the last chunk comes only once the digest is right.

        Raises
        ------
        ArtifactMissingError
            When there is none.
        ArtifactCorruptError
            When the bytes do not have this digest.
        """
        ...

    def size(self, sha256: str) -> int | None:
        """Give the size in bytes, or None when there is no such artefact."""
        ...

    def stored(self) -> Iterator[StoredArtifact]:
        """List every artefact, in no order."""
        ...

    def remove(self, sha256: str) -> None:
        """Remove an artefact; only the sweep calls this. Removing what is not there is no error."""
        ...

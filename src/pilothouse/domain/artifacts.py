"""Artefacts: files stored by the SHA-256 of what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.errors import InvalidError, NotFoundError, UnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArtifact:
    """One artefact as its store lists it."""

    sha256: str
    size: int
    modified_at: datetime


class ArtifactMissingError(NotFoundError):
    """The store holds no artefact of this digest."""

    code = "artifact-missing"

    def __init__(self, *, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(
            noun="artifact",
            name=sha256,
            cure="Upload it with `PUT /api/v1/artifacts/{sha256}` first.",
        )


class ArtifactDigestError(InvalidError):
    """What was uploaded is not what its digest promises."""

    code = "artifact-digest"

    def __init__(self, *, expected: str, found: str, size: int) -> None:
        self.expected, self.found, self.size = expected, found, size
        super().__init__(
            f"The upload promised SHA-256 {expected} but its {size} bytes have {found}: it was cut short or "
            "altered on the way. Nothing was stored; send it again."
        )


class ArtifactTooLargeError(InvalidError):
    """An upload passes the limit."""

    code = "artifact-too-large"

    def __init__(self, *, limit: int) -> None:
        self.limit = limit
        super().__init__(
            f"The upload is larger than {limit} bytes. Raise PILOTHOUSE_ARTIFACT_LIMIT_BYTES or split the file."
        )


class ArtifactCorruptError(UnavailableError):
    """The store gave back other bytes than were put in."""

    code = "artifact-corrupt"

    def __init__(self, *, sha256: str, found: str) -> None:
        self.sha256, self.found = sha256, found
        super().__init__(
            f"The store answered for artefact {sha256} with bytes of SHA-256 {found}. Do not use them: restore "
            "the artefact from a backup or upload it again."
        )

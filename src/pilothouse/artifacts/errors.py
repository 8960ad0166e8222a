"""What can go wrong between Pilothouse and the place where artefacts are kept."""

from __future__ import annotations

from pilothouse.domain.errors import InvalidError, UnavailableError


class Sha256InvalidError(InvalidError):
    """A text is not a SHA-256."""

    code = "sha256-invalid"

    def __init__(self, *, found: str) -> None:
        self.found = found[:80]
        super().__init__(
            f"{found[:80]!r} is not a SHA-256: give 64 lower-case hexadecimal digits, as `sha256sum` prints."
        )


class StoreUrlError(InvalidError):
    """A URL does not name a store that can be opened."""

    code = "artifact-store-url"

    def __init__(self, *, url: str, problem: str) -> None:
        self.url, self.problem = url, problem
        super().__init__(
            f"{url!r} cannot be opened as an artefact store: {problem}. Use file:///folder, "
            "s3://bucket/prefix, gs://bucket/prefix or az://container/prefix in PILOTHOUSE_ARTIFACTS."
        )


class StoreUnreachableError(UnavailableError):
    """The store does not answer, or refuses."""

    code = "artifact-store-unreachable"

    def __init__(self, *, url: str, problem: str) -> None:
        self.url, self.problem = url, problem
        super().__init__(
            f"The artefact store {url} cannot do what it is asked: {problem}. Look at its disk, address and "
            "credentials; the call may be repeated."
        )

"""The artefact store over obstore: local folders, S3, Google Cloud Storage, Azure."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore import exceptions
from obstore.store import LocalStore, from_url

from pilothouse.artifacts.errors import StoreUnreachableError, StoreUrlError
from pilothouse.artifacts.landing import BucketLanding, FolderLanding, Landing
from pilothouse.artifacts.layout import ROOT, key_of, sha256_of
from pilothouse.artifacts.streams import PromisedStream, verified
from pilothouse.domain.artifacts import (
    ArtifactCorruptError,
    ArtifactMissingError,
    StoredArtifact,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from obstore.store import ObjectStore

READ_BYTES = 4 * 2**20
SCHEMES = ("file", "memory", "s3", "s3a", "gs", "az", "abfs", "abfss")


class ObstoreArtifacts:
    """
    Artefacts by SHA-256 in one place; it keeps `pilothouse.ports.artifacts.ArtifactStore`.

    Parameters
    ----------
    store
        Where objects are read, listed and removed.
    landing
        How uploads become objects there.
    url
        What to call the place in errors.
    """

    def __init__(self, *, store: ObjectStore, landing: Landing, url: str) -> None:
        self._store, self._landing, self._url = store, landing, url

    def put(self, chunks: Iterable[bytes], *, sha256: str, limit: int | None = None) -> int:
        """
        Store a stream under its digest and give its size in bytes.

        What is there already is read and verified: when it is whole, the stream is only checked and
        nothing is written; when it is damaged, the stream takes its place.

        Raises
        ------
        ArtifactDigestError
            When the stream has another digest; nothing is stored.
        ArtifactTooLargeError
            When it has more than `limit` bytes; nothing is stored.
        StoreUnreachableError
            When the place cannot be written; nothing is stored.
        """
        key, stream = key_of(sha256), PromisedStream(chunks, sha256=sha256, limit=limit)
        if self._whole(sha256):
            for _ in stream:
                pass
        else:
            with self._asking():
                self._landing.land(key, stream)
        return stream.size

    def get(self, sha256: str) -> Iterator[bytes]:
        """
        Read an artefact in chunks of at most 4 MiB; the last comes only once the digest is right.

        Raises
        ------
        ArtifactMissingError
            At once, when there is none.
        ArtifactCorruptError
            In place of the last chunk, when the bytes do not have this digest.
        """
        size = self.size(sha256)
        if size is None:
            raise ArtifactMissingError(sha256=sha256)
        return verified(self._ranges(sha256, size=size), sha256=sha256)

    def size(self, sha256: str) -> int | None:
        """Give the size in bytes, or None when there is no such artefact."""
        with self._asking():
            try:
                return obstore.head(self._store, key_of(sha256))["size"]
            except FileNotFoundError:
                return None

    def stored(self) -> Iterator[StoredArtifact]:
        """List every artefact, in no order."""
        with self._asking():
            for batch in obstore.list(self._store, ROOT):
                for meta in batch:
                    sha256 = sha256_of(meta["path"])
                    if sha256:
                        yield StoredArtifact(
                            sha256=sha256, size=meta["size"], modified_at=meta["last_modified"]
                        )

    def remove(self, sha256: str) -> None:
        """Remove an artefact; removing what is not there is no error."""
        with self._asking():
            try:
                obstore.delete(self._store, key_of(sha256))
            except FileNotFoundError:
                return

    def discard_abandoned(self, *, older_than: datetime) -> int:
        """Remove what broken uploads left before `older_than`, and give how many there were."""
        with self._asking():
            return self._landing.discard_abandoned(older_than=older_than)

    def _whole(self, sha256: str) -> bool:
        try:
            for _ in self.get(sha256):
                pass
        except (ArtifactMissingError, ArtifactCorruptError):
            return False
        return True

    def _ranges(self, sha256: str, *, size: int) -> Iterator[bytes]:
        # Ranges and not one long answer: a slow reader of a large file would run into the request's time-out.
        for start in range(0, size, READ_BYTES):
            yield self._range(sha256, start=start, end=min(start + READ_BYTES, size))

    def _range(self, sha256: str, *, start: int, end: int) -> bytes:
        with self._asking():
            try:
                return bytes(obstore.get_range(self._store, key_of(sha256), start=start, end=end))
            except FileNotFoundError:
                raise ArtifactMissingError(sha256=sha256) from None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except (exceptions.BaseError, OSError) as problem:
            raise StoreUnreachableError(
                url=self._url, problem=str(problem).split("\n", 1)[0]
            ) from problem


def open_store(url: str, **options: Any) -> ObstoreArtifacts:  # noqa: ANN401 obstore's options differ by store
    """
    Open the store that a URL names.

    Parameters
    ----------
    url
        ``file:///folder`` (made if it does not exist), ``s3://bucket/prefix``, ``gs://bucket/prefix``,
        ``az://container/prefix``; ``memory:///`` keeps nothing and is for tests.
    options
        What obstore takes for the store, such as ``endpoint``, ``region``, ``access_key_id``; by default read from
        the usual environment variables (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID`` …). An endpoint that begins
        with ``http://`` allows plain HTTP.

    Raises
    ------
    StoreUrlError
        When the URL or an option is not understood.

    Examples
    --------
    >>> store = open_store("memory:///")
    >>> sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    >>> store.put([b"a", b"bc"], sha256=sha256)
    3
    >>> b"".join(store.get(sha256))
    b'abc'
    """
    scheme = urlsplit(url).scheme
    if scheme not in SCHEMES:
        raise StoreUrlError(url=url, problem=f"the scheme {scheme!r} is not known")
    if scheme == "file":
        return _open_folder(url)
    if str(options.get("endpoint", "")).startswith("http://"):
        options.setdefault("client_options", {"allow_http": True})
    try:
        store = from_url(url, **options)
    except (exceptions.BaseError, ValueError, TypeError) as problem:
        raise StoreUrlError(url=url, problem=str(problem).split("\n", 1)[0]) from problem
    return ObstoreArtifacts(store=store, landing=BucketLanding(store=store), url=url)


def _open_folder(url: str) -> ObstoreArtifacts:
    parts = urlsplit(url)
    root = Path(unquote(parts.path))
    if parts.netloc or not parts.path.startswith("/") or root == Path("/"):
        raise StoreUrlError(url=url, problem="name an absolute folder with three slashes")
    try:
        landing = FolderLanding(root=root)
        store = LocalStore(prefix=root)
    except OSError as problem:
        raise StoreUrlError(url=url, problem=str(problem)) from problem
    return ObstoreArtifacts(store=store, landing=landing, url=url)

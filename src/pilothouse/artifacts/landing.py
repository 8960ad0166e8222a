"""
How an upload lands: whole and verified, or not at all.

In a folder it is written to ``staging/``, synced, renamed into place, and the folder synced, because obstore's own local
writer does not sync: after `put` returns, a power cut loses nothing. In a bucket a small upload is verified in memory and
created only if absent; a large one is a multipart upload that is completed after its digest was
verified and aborted otherwise, so no half and no wrong object can ever be read. (A process that is killed
in the middle leaves parts that no listing shows: give the bucket a rule that aborts incomplete
multipart uploads after a day.)
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import obstore

from pilothouse.artifacts.layout import STAGING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from obstore.store import ObjectStore

PART_BYTES = 8 * 2**20


class Landing(Protocol):
    """Makes a stream an object; when the stream raises, nothing becomes visible and nothing stays."""

    def land(self, key: str, chunks: Iterable[bytes]) -> None:
        """Write the stream away under the key; an object that is there with the same bytes may stay."""
        ...

    def discard_abandoned(self, *, older_than: datetime) -> int:
        """Remove what broken uploads left before `older_than`, and give how many there were."""
        ...


class FolderLanding:
    """Lands in a local folder, durably."""

    def __init__(self, *, root: Path) -> None:
        self._root, self._staging = root, root / STAGING
        _make_durable(self._staging)

    def land(self, key: str, chunks: Iterable[bytes]) -> None:
        """Write to ``staging/``, sync, rename, sync the folder."""
        target = self._root / key
        _make_durable(target.parent)
        handle, name = tempfile.mkstemp(dir=self._staging)
        staged = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fchmod(file.fileno(), 0o444)
                os.fsync(file.fileno())
            staged.replace(target)
        finally:
            staged.unlink(missing_ok=True)  # it is there only when something failed
        _sync_folder(target.parent)

    def discard_abandoned(self, *, older_than: datetime) -> int:
        """Remove staged files that were last written before `older_than`."""
        removed = 0
        for file in self._staging.iterdir():
            try:
                if file.stat().st_mtime < older_than.timestamp():
                    file.unlink()
                    removed += 1
            except FileNotFoundError:
                continue  # its upload has just landed
        return removed


class BucketLanding:
    """Lands in an object store."""

    def __init__(self, *, store: ObjectStore) -> None:
        self._store = store

    def land(self, key: str, chunks: Iterable[bytes]) -> None:
        """Create a small object in one conditional call, a large one by a multipart upload."""
        stream = iter(chunks)
        head, more = _first_part(stream)
        if more is None:
            self._create(key, head)
            return
        # Leaving the block by an error aborts the multipart upload; only a clean exit completes it.
        with obstore.open_writer(self._store, key, buffer_size=PART_BYTES) as writer:
            writer.write(head)
            writer.write(more)
            for chunk in stream:
                writer.write(chunk)

    def discard_abandoned(self, *, older_than: datetime) -> int:
        """Give 0: parts of broken uploads are not objects, the bucket's own rule removes them."""
        return 0

    def _create(self, key: str, content: bytes) -> None:
        try:
            obstore.put(self._store, key, content, mode="create", use_multipart=False)
        except obstore.exceptions.AlreadyExistsError:
            # Somebody was quicker, or what is there is damaged: these bytes are verified, so both end well.
            obstore.put(self._store, key, content, use_multipart=False)


def _first_part(stream: Iterator[bytes]) -> tuple[bytes, bytes | None]:
    """Read up to one part; the second value is the chunk that no longer fitted, None when all did."""
    head = bytearray()
    for chunk in stream:
        if len(head) + len(chunk) > PART_BYTES:
            return bytes(head), chunk
        head += chunk
    return bytes(head), None


def _make_durable(folder: Path) -> None:
    """Make a folder with its parents, each entry synced to disk."""
    if folder.is_dir():
        return
    _make_durable(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

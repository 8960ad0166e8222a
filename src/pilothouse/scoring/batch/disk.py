"""Writing to disk so that a crash at any instant leaves the old or the new, never a part."""

from __future__ import annotations

import hashlib
import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CHUNK_BYTES = 2**20


def replace_file(path: Path, content: bytes, *, durable: bool) -> None:
    """
    Put a file in place whole.

    Parameters
    ----------
    path
        The file; a reader sees the old content or the new one.
    content
        What it holds afterwards.
    durable
        Whether it must also survive the loss of power from the moment of return.
    """
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    beside.replace(path)
    if durable:
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Make a file's content survive the loss of power."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make a folder's names survive the loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(stream: IO[bytes], *, between: Callable[[], None] = lambda: None) -> str:
    """
    Give the SHA-256 of a stream from its beginning, in hexadecimal; `between` is called at every mebibyte.

    Examples
    --------
    >>> import io
    >>> sha256_of(io.BytesIO(b"abc"))[:8]
    'ba7816bf'
    """
    stream.seek(0)
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        between()
    return digest.hexdigest()

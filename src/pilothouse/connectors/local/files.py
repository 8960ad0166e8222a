"""Files that a crash at any moment leaves whole, and locks that end with their holder."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.plain import DocumentError, canonical, from_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
PRIVATE_FOLDER = 0o700
TAIL_BYTES = 4 * 2**20
ROTATE_BYTES = 10 * 2**20


def make_folder(folder: Path) -> None:
    """Make a folder, with its parents, that only this user can enter."""
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file of mode 0600 durably and at once: a reader sees the old one or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)  # it is there only when something failed
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_document(path: Path, value: object) -> bool:
    """Write a value as JSON; give whether the file had other content before."""
    content = canonical(value)
    if path.is_file() and path.read_bytes() == content:
        return False
    write_whole(path, content)
    return True


def read_document(kind: type[T], path: Path) -> T | None:
    """
    Read a value, or None where there is no such file.

    Raises
    ------
    DocumentError
        When the file holds something else.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        document = json.loads(content)
    except ValueError as problem:
        raise DocumentError(path=path.name, problem=f"not JSON ({problem})") from problem
    return from_plain(kind, document, path=path.name)


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock among all threads and processes of this host; wait for it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def rotate(path: Path) -> None:
    """Set a log aside as ``.1`` once it is larger than 10 MiB; call it while nobody writes to it."""
    if path.is_file() and path.stat().st_size > ROTATE_BYTES:
        path.replace(path.with_name(path.name + ".1"))


def last_lines(path: Path, *, lines: int) -> list[str]:
    """
    Give the last lines of a log, reaching back into its rotated predecessor where it is short.

    Of each file the last 4 MiB are looked at, which bounds the memory; a line is cut to 10,000 characters
    with a mark that says so.
    """
    found: list[str] = []
    for file in (path, path.with_name(path.name + ".1")):
        if len(found) < lines and file.is_file():
            found = _tail(file)[-(lines - len(found)) :] + found
    return [line if len(line) <= 10_000 else line[:10_000] + " … (cut)" for line in found]


def _tail(path: Path) -> list[str]:
    with path.open("rb") as file:
        start = max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES)
        file.seek(start)
        lines = file.read().decode(errors="replace").splitlines()
    return lines[1:] if start else lines

"""Folders: the files of a model folder that make a snapshot, and archives that a folder comes in."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from pilothouse.domain.snapshots import FileEntry, Manifest, PathInvalidError, check_path
from pilothouse.scoring.folder_errors import FolderRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHUNK = 1 << 20
BYTECODE_FOLDER, BYTECODE_SUFFIX = "__pycache__", ".pyc"


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderLimits:
    """How much a model folder, or an archive of one, may hold."""

    files: int = 10_000
    total_bytes: int = 20 * 2**30


@dataclass(slots=True, kw_only=True)
class Tally:
    """What has been seen of a folder or archive so far, held against the limits."""

    limits: FolderLimits
    files: int = 0
    total_bytes: int = 0
    names: set[str] = field(default_factory=set)

    def count(self, path: str) -> str:
        """Count a file and give what is wrong with it, or an empty text."""
        self.files += 1
        if self.files > self.limits.files:
            return f"there are more than {self.limits.files} files"
        same = unicodedata.normalize("NFC", path).casefold()
        if same in self.names:
            return "another file has the same name but for its case"
        self.names.add(same)
        return ""

    def grow(self, size: int) -> str:
        """Count bytes and give what is wrong, or an empty text."""
        self.total_bytes += size
        over = self.total_bytes > self.limits.total_bytes
        return f"more than {self.limits.total_bytes} bytes together" if over else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The files of a snapshot, sorted by path, and how many bytecode files were left out."""

    files: tuple[FileEntry, ...]
    bytecode: int


def gather(
    folder: Path,
    manifest: Manifest,
    *,
    target: Path,
    limits: FolderLimits = FolderLimits(),
) -> Gathered:
    """
    Copy the files that a manifest declares, and only those, hashing them on the way.

    Python's bytecode caches are left out: they follow from the source.

    Parameters
    ----------
    folder
        The model folder.
    manifest
        Its manifest; a declared folder stands for everything in it.
    target
        An empty folder for the copies.
    limits
        How much may be declared.

    Raises
    ------
    FolderRefusedError
        When a declared file is missing, a link or device, not portable by name, or there is too much.
    """
    tally = Tally(limits=limits)
    found: dict[str, FileEntry] = {}
    bytecode = 0
    for declared in dict.fromkeys(check_path(p) for p in manifest.files.values()):
        _refuse_links(folder, declared)
        for path in _walk(folder, declared):
            if _is_bytecode(path):
                bytecode += 1
            elif path not in found:
                found[path] = _copied(folder, path, target, tally)
    if not found:
        raise FolderRefusedError(path="", problem="the declared folders are empty")
    return Gathered(files=tuple(found[p] for p in sorted(found)), bytecode=bytecode)


def gather_all(
    folder: Path, *, target: Path, limits: FolderLimits = FolderLimits()
) -> tuple[FileEntry, ...]:
    """
    Copy every file of a folder, hashing them on the way, sorted by path; bytecode caches are left out.

    Raises
    ------
    FolderRefusedError
        When one is a link or device, not portable by name, or there is too much.
    """
    tally = Tally(limits=limits)
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries]
    paths = (path for name in names for path in _walk(folder, name) if not _is_bytecode(path))
    return tuple(_copied(folder, path, target, tally) for path in sorted(paths))


def _is_bytecode(path: str) -> bool:
    return path.endswith(BYTECODE_SUFFIX) or BYTECODE_FOLDER in path.split("/")


def _refuse_links(folder: Path, declared: str) -> None:
    at = folder
    for part in declared.split("/"):
        at /= part
        if at.is_symlink():
            raise FolderRefusedError(path=declared, problem="it is a link or leads through one")
    if not at.exists():
        raise FolderRefusedError(path=declared, problem="it is missing")


def _walk(folder: Path, declared: str) -> Iterator[str]:
    waiting = [declared]
    while waiting:
        path = waiting.pop()
        mode = (folder / path).lstat().st_mode
        if stat.S_ISDIR(mode):
            with os.scandir(folder / path) as entries:
                waiting.extend(f"{path}/{entry.name}" for entry in entries)
        elif stat.S_ISREG(mode):
            yield path
        else:
            raise FolderRefusedError(path=path, problem="it is a link, device or socket")


def _copied(folder: Path, path: str, target: Path, tally: Tally) -> FileEntry:
    try:
        check_path(path)
    except PathInvalidError:
        raise FolderRefusedError(
            path=path, problem="its name cannot be carried to other systems"
        ) from None
    _refuse(path, tally.count(path))
    copy = target / path
    copy.parent.mkdir(parents=True, exist_ok=True)
    found, size = hashlib.sha256(), 0
    with _opened(folder, path) as source, copy.open("xb") as out:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            _refuse(path, tally.grow(len(chunk)))
            found.update(chunk)
            out.write(chunk)
    return FileEntry(path=path, sha256=found.hexdigest(), size=size)


def small_file(folder: Path, path: str, *, limit: int) -> bytes:
    """
    Read a file of a model folder, at most one byte more than `limit`.

    Raises
    ------
    FolderRefusedError
        When it is missing, leads through a link, or is no plain file.
    """
    _refuse_links(folder, check_path(path))
    with _opened(folder, path) as stream:
        return stream.read(limit + 1)


def _opened(folder: Path, path: str) -> BinaryIO:
    # Not followed and not waited for: the file may have become a link or a pipe since it was looked at.
    try:
        fd = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as problem:
        raise FolderRefusedError(
            path=path, problem=f"it cannot be read ({problem.strerror})"
        ) from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise FolderRefusedError(path=path, problem="it is not a plain file")
    return os.fdopen(fd, "rb")


def _refuse(path: str, problem: str) -> None:
    if problem:
        raise FolderRefusedError(path=path, problem=problem)

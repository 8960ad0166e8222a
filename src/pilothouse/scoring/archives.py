"""Archives: model folders uploaded as ``.tar.gz`` or ``.zip``, unpacked whole or not at all."""

from __future__ import annotations

import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO

from pilothouse.domain.snapshots import MANIFEST_NAME, PathInvalidError, check_path
from pilothouse.scoring.folder_errors import ArchiveRefusedError
from pilothouse.scoring.folders import CHUNK, FolderLimits, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GZIP_MAGIC, ZIP_MAGIC = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
HEADER_LIMIT = 1 << 20
BROKEN = (
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def unpack(archive: Path, target: Path, *, limits: FolderLimits = FolderLimits()) -> Path:
    """
    Unpack an archive into a new folder, and give the folder that holds the manifest.

    That is `target` itself, or the only folder in it. When anything is wrong, nothing is left behind.

    Parameters
    ----------
    archive
        A ``.tar.gz`` or ``.zip`` file; its first bytes decide which, not its name.
    target
        A folder that does not exist yet.
    limits
        How much may come out of it, whatever the archive's own headers promise.

    Raises
    ------
    ArchiveRefusedError
        When it is broken, too large, or holds an absolute path, ``..``, a link, a device or a name twice.
    """
    partial = target.with_name(target.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # of an unpacking that was killed
    partial.mkdir(parents=True)
    try:
        with archive.open("rb") as stream:
            _unpack(stream, partial, Tally(limits=limits))
        partial.rename(target)
    except BROKEN as problem:
        raise ArchiveRefusedError(path="", problem=f"it is broken: {problem}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return manifest_folder(target)


def manifest_folder(folder: Path) -> Path:
    """Give the folder itself, or its only sub-folder where that alone has a manifest."""
    inside = list(folder.iterdir())
    if len(inside) == 1 and (inside[0] / MANIFEST_NAME).is_file():
        return inside[0]
    return folder


def _unpack(stream: BinaryIO, target: Path, tally: Tally) -> None:
    start = stream.read(4)
    stream.seek(0)
    if start[:2] == GZIP_MAGIC:
        entries = _tar_entries(stream, tally)
    elif start in ZIP_MAGIC:
        entries = _zip_entries(stream, tally)
    else:
        raise ArchiveRefusedError(path="", problem="it is neither .tar.gz nor .zip")
    for path, source in entries:
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with source, place.open("xb") as out:
            while chunk := source.read(CHUNK):
                _refuse(path, tally.grow(len(chunk)))
                out.write(chunk)


class _Bounded(io.RawIOBase):
    """
    A decompressed tar stream that never hands out much at once, and not without end.

    tarfile reads extended headers whole, of whatever size they claim to have.
    """

    def __init__(self, source: gzip.GzipFile, most: int) -> None:
        self._source, self._most = source, most

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._check(offset)
        return self._source.seek(offset, whence)

    def tell(self) -> int:
        return self._source.tell()

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= HEADER_LIMIT:
            raise ArchiveRefusedError(path="", problem=f"a header of {size} bytes")
        data = self._source.read(size)
        self._check(self._source.tell())
        return data

    def _check(self, position: int) -> None:
        if position > self._most:
            raise ArchiveRefusedError(
                path="", problem=f"it unpacks to more than {self._most} bytes"
            )


def _tar_entries(stream: BinaryIO, tally: Tally) -> Iterator[tuple[str, IO[bytes]]]:
    # Beside the files' own bytes: headers and padding, at most 4 blocks of 512 bytes a member.
    most = tally.limits.total_bytes + 2048 * (tally.limits.files + 10) + HEADER_LIMIT
    bounded = _Bounded(gzip.GzipFile(fileobj=stream), most)
    with tarfile.open(fileobj=bounded, mode="r:") as tar:
        for member in tar:
            path = _path(member.name)
            if member.isdir():
                _refuse(path, tally.count(path))
                continue
            if not member.isreg() or member.issparse():
                raise ArchiveRefusedError(path=path, problem="it is a link, device or sparse file")
            _refuse(path, tally.count(path))
            source = tar.extractfile(member)
            if source is not None:
                yield path, source


def _zip_entries(stream: BinaryIO, tally: Tally) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(stream) as archive:
        for info in archive.infolist():
            path = _path(info.filename)
            _refuse(path, tally.count(path))
            kind = stat.S_IFMT(info.external_attr >> 16)
            if info.is_dir():
                continue
            if kind not in (0, stat.S_IFREG):
                raise ArchiveRefusedError(path=path, problem="it is a link or device")
            if info.flag_bits & 1:
                raise ArchiveRefusedError(path=path, problem="it is encrypted")
            yield path, archive.open(info)


def _path(name: str) -> str:
    try:
        return check_path(name)
    except PathInvalidError:
        if name.rstrip("/") in (".", "./."):
            return "."
        raise ArchiveRefusedError(
            path=name, problem="its path leaves the folder or is not portable"
        ) from None


def _refuse(path: str, problem: str) -> None:
    if problem:
        raise ArchiveRefusedError(path=path, problem=problem)

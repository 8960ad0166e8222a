r"""
Segments: files of records that one process appends to by memory and another reads.

A file is reserved on the disk as a whole when it is made, so that a write can neither be refused nor kill its
process (a page of a mapped file that finds no room raises SIGBUS). It begins with a header of 64 bytes::

    0   magic            8 bytes, "PHLOG\\r\\n\\x01": kind of file, and version of the form
    8   stream          16 bytes, random; a new one each time that a scoring process starts
    24  number           8 bytes, from 1, in the order of the stream
    32  size             8 bytes, of the whole file
    40  made             8 bytes, microseconds since 1970
    48  checksum         4 bytes, CRC-32 of the 48 before it
    52  (zero)           4 bytes
    56  sealed           8 bytes, where the last record ends once the file is finished; 0 before

Records follow, each at a multiple of 8: length (4 bytes), CRC-32 of the payload (4 bytes), payload. The length is
written last, in one store, so a record is either there or not whenever its process is killed. Numbers are in the
machine's own order, little-endian: a segment never leaves its host.

Whoever appends holds a lock (``flock``) on the file until it is sealed; the kernel lets go of it when the process ends,
however it ends. A file that nobody holds is finished.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from pilothouse.domain.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAGIC = b"PHLOG\r\n\x01"
HEADER = struct.Struct("<8s16sQQqI4xQ")
CHECKED_BYTES, SEALED_AT = 48, 56
FRAME_BYTES = 8
SMALLEST, LARGEST = 4096, 1 << 30
SUFFIX, MAKING = ".segment", ".making"


class SegmentInvalidError(InvalidError):
    """A file is no segment, or was changed by somebody else than its writer."""

    code = "segment-invalid"

    def __init__(self, *, file: str, problem: str) -> None:
        self.file, self.problem = file, problem
        super().__init__(
            f"Segment {file} of the prediction log cannot be read: {problem}. It is set aside; what was read before "
            "that place is kept."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentName:
    """Which segment: a stream, in hexadecimal, and its number in it."""

    stream: str
    number: int

    @property
    def file(self) -> str:
        """The file's name."""
        return f"{self.stream}-{self.number:010d}{SUFFIX}"


class Segment:
    """
    A segment that this process appends to; one thread at a time.

    Parameters
    ----------
    folder
        Where it is made.
    name
        Which one.
    size
        Bytes of the whole file.
    made_us
        When, in microseconds since 1970.

    Raises
    ------
    OSError
        When the disk has no room for it, or the folder cannot be written; nothing is left behind.
    """

    def __init__(self, folder: Path, name: SegmentName, *, size: int, made_us: int) -> None:
        self.path, self.name, self.size, self.made_us = folder / name.file, name, size, made_us
        partial = folder / f"{name.file}{MAKING}"
        self._handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(self._handle, 0, size)
            fcntl.flock(self._handle, fcntl.LOCK_EX)
            self._map = mmap.mmap(self._handle, size)
            self._map[: HEADER.size] = _header(name, size=size, made_us=made_us)
            partial.rename(self.path)  # no reader ever meets one without header or lock
        except OSError:
            os.close(self._handle)
            partial.unlink(missing_ok=True)
            raise
        self._words = memoryview(self._map).cast("I")
        self.end = HEADER.size

    def fits(self, payload_bytes: int) -> bool:
        """Say whether a payload of so many bytes has room."""
        return self.end + _framed(payload_bytes) <= self.size

    def append(self, payload: bytes) -> None:
        """Append a record that fits; it is there for every reader, and for good, when this returns."""
        at, length = self.end, len(payload)
        self._map[at + FRAME_BYTES : at + FRAME_BYTES + length] = payload
        word = at >> 2
        self._words[word + 1] = crc32(payload)
        self._words[word] = length  # the commit: one aligned store
        self.end = at + _framed(length)

    def seal(self) -> None:
        """Say where it ends, and let go of it."""
        self._words.release()
        self._map[SEALED_AT : SEALED_AT + 8] = self.end.to_bytes(8, "little")
        self._map.close()
        os.close(self._handle)


@dataclass(frozen=True, slots=True)
class Record:
    """One record: where it ends, which is its position in the segment, and what it holds."""

    end: int
    payload: bytes


class SegmentReader:
    """
    A segment that this process reads, which another may still append to.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    finished
        Whether nobody will append any more; it is looked at before the records are.
    torn
        Whether a last record was found that its process did not finish to write. Nobody was answered for it.

    Raises
    ------
    SegmentInvalidError
        When it is no segment.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.torn = path, False
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            self._map = self._mapped()
            self.name, self.size, self.made_us = self._checked_header()
        except BaseException:
            os.close(self._handle)
            raise
        self.finished = False
        self._end = HEADER.size
        self.look()

    def _mapped(self) -> mmap.mmap:
        size = os.fstat(self._handle).st_size
        if not SMALLEST <= size <= LARGEST:
            raise self._invalid(f"it has {size} bytes")
        return mmap.mmap(self._handle, size, prot=mmap.PROT_READ)

    def look(self) -> None:
        """Look whether it is finished by now."""
        if not self.finished:
            with suppress(BlockingIOError):
                fcntl.flock(self._handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
                self.finished = True

    @property
    def start(self) -> int:
        """Where its records begin."""
        return HEADER.size

    @property
    def sealed(self) -> int:
        """Where its records end; 0 where its writer has not said so."""
        return int.from_bytes(self._map[SEALED_AT : SEALED_AT + 8], "little")

    def written(self, *, after: int = 0) -> int:
        """Give how many bytes of records are there; `after` spares what was read before."""
        if not self.sealed:
            with suppress(SegmentInvalidError):
                for _ in self.records(after=after):
                    pass
        return (self.sealed or self._end) - HEADER.size

    def records(self, *, after: int = 0) -> Iterator[Record]:
        """
        Give the records that are there, from the beginning or after the end of one that was given before.

        Raises
        ------
        SegmentInvalidError
            At a record that its writer cannot have left so.
        """
        at = self._end = after or HEADER.size
        sealed = self.sealed
        while at + FRAME_BYTES <= self.size:
            length, checksum = struct.unpack_from("<II", self._map, at)
            if length == 0:
                break
            start, end = at + FRAME_BYTES, at + _framed(length)
            payload = self._map[start : start + length] if end <= self.size else b""
            if not payload or crc32(payload) != checksum:
                self._judge_broken(at, sealed)
                break
            at = self._end = end
            yield Record(end, payload)
        if sealed and at != sealed and not self.torn:
            raise self._invalid(f"it is sealed at {sealed}, and its records end at {at}")

    def close(self) -> None:
        """Let go of it."""
        self._map.close()
        os.close(self._handle)

    def _judge_broken(self, at: int, sealed: int) -> None:
        """Leave a record that is not whole: it is being written, or was when its process ended."""
        if sealed:
            raise self._invalid(f"the record at {at} does not have its checksum")
        self.torn = self.finished

    def _checked_header(self) -> tuple[SegmentName, int, int]:
        magic, stream, number, size, made_us, checksum, sealed = HEADER.unpack_from(self._map)
        if magic != MAGIC:
            raise self._invalid("its first bytes are not those of a segment of this version")
        if checksum != crc32(self._map[:CHECKED_BYTES]) or size != len(self._map):
            raise self._invalid("its header was altered or cut")
        if sealed and not HEADER.size <= sealed <= size:
            raise self._invalid(f"it is sealed at {sealed} of {size}")
        name = SegmentName(stream=stream.hex(), number=number)
        if name.file != self.path.name:
            raise self._invalid(f"it is {name.file} by its header")
        return name, size, made_us

    def _invalid(self, problem: str) -> SegmentInvalidError:
        return SegmentInvalidError(file=self.path.name, problem=problem)


def _framed(payload_bytes: int) -> int:
    return (FRAME_BYTES + payload_bytes + 7) & ~7


def _header(name: SegmentName, *, size: int, made_us: int) -> bytes:
    stream = bytes.fromhex(name.stream)
    plain = HEADER.pack(MAGIC, stream, name.number, size, made_us, 0, 0)
    return HEADER.pack(MAGIC, stream, name.number, size, made_us, crc32(plain[:CHECKED_BYTES]), 0)

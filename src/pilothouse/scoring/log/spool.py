"""The spool: the folder of segments that a scoring process appends to, within a bound, and never waits for."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError
from pilothouse.scoring.log.segments import (
    FRAME_BYTES,
    HEADER,
    LARGEST,
    MAKING,
    SMALLEST,
    SUFFIX,
    Segment,
    SegmentName,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pilothouse.ports.clock import Clock

log = logging.getLogger(__name__)

MIB = 2**20


class DropReason(StrEnum):
    """Why a record did not get into the log."""

    DISK = "disk"  # no room, or the folder cannot be written
    BACKLOG = "backlog"  # as many segments wait for the writer as may
    SIZE = "size"  # one record is larger than a segment
    CODE = "code"  # the record could not be encoded: a mistake in the program


class SpoolLimitsError(InvalidError):
    """The limits of a spool contradict themselves."""

    code = "spool-limits-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The limits of the prediction log: {problem}. Correct them in entry.json."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolLimits:
    """
    How much of the disk a spool may take.

    Attributes
    ----------
    segment_bytes
        Size of one segment, a multiple of 4096.
    total_bytes
        What all segments may take together, those that were set aside included.
    rotate_s
        A segment that is older is finished even though it has room.
    retry_s
        After the disk or the bound refused a segment, how long until the next is tried; in between every record is
        dropped at once, without asking the disk.
    """

    segment_bytes: int = 16 * MIB
    total_bytes: int = 512 * MIB
    rotate_s: float = 30.0
    retry_s: float = 1.0

    def __post_init__(self) -> None:
        if not SMALLEST <= self.segment_bytes <= LARGEST or self.segment_bytes % SMALLEST:
            raise SpoolLimitsError(
                problem=f"segment_bytes is a multiple of {SMALLEST} up to {LARGEST}"
            )
        if self.total_bytes < 2 * self.segment_bytes:
            raise SpoolLimitsError(problem="total_bytes holds at least two segments")

    @property
    def record_bytes(self) -> int:
        """The largest record that a fresh segment holds."""
        return self.segment_bytes - HEADER.size - FRAME_BYTES


class Spool:
    """
    Appends records; every method runs in the event loop, and none raises or waits.

    Parameters
    ----------
    folder
        Where the segments are; it exists.
    stream
        16 random bytes in hexadecimal, new with each start.
    limits
        How much of the disk it may take.
    clock
        For the age of segments.

    Attributes
    ----------
    appended
        How many records were appended.
    dropped
        How many were not, by reason.
    """

    def __init__(self, folder: Path, *, stream: str, limits: SpoolLimits, clock: Clock) -> None:
        self._folder, self._stream, self._limits, self._clock = folder, stream, limits, clock
        self._segment: Segment | None = None
        self._number, self._retry_at = 0, 0.0
        self._refusal = DropReason.DISK
        self._told: set[object] = {None}
        self.appended, self.appended_bytes = 0, 0
        self.dropped: Counter[DropReason] = Counter()
        for partial in folder.glob(f"*{MAKING}"):
            partial.unlink(missing_ok=True)  # of a process that was killed while it made one

    def append(
        self, payload: bytes, *, about: object = None, description: Callable[[], bytes] = bytes
    ) -> DropReason | None:
        """
        Append a record, after the description of what it is about where the segment does not hold that yet.

        Parameters
        ----------
        payload
            The record.
        about
            What it is about, such as a snapshot's digest; None where it explains itself.
        description
            Gives the record that describes it; every segment can so be read by itself.

        Returns
        -------
        DropReason | None
            Why it was dropped and counted, None when it is in the log.
        """
        segment = self._segment
        if segment is not None and about in self._told and segment.fits(len(payload)):
            segment.append(payload)
        else:
            reason = self._append_described(payload, about, description())
            if reason is not None:
                self.dropped[reason] += 1
                return reason
        self.appended += 1
        self.appended_bytes += len(payload)
        return None

    def tend(self) -> None:
        """Finish a segment that holds something and has grown old; called from time to time."""
        segment = self._segment
        if segment is None or segment.end == HEADER.size:
            return
        if self._now() - segment.made_us / 1e6 >= self._limits.rotate_s:
            self._finish()

    def close(self) -> None:
        """Finish the segment that is open, if any."""
        self._finish()

    def _append_described(
        self, payload: bytes, about: object, described: bytes
    ) -> DropReason | None:
        reason = self._refused(len(described) + len(payload) + 2 * FRAME_BYTES)
        if reason is not None:
            return reason
        segment = self._segment
        assert segment is not None  # noqa: S101 not refused, so there is one
        if about not in self._told:
            segment.append(described)
            self._told.add(about)
        segment.append(payload)
        return None

    def _refused(self, wanted: int) -> DropReason | None:
        if wanted > self._limits.record_bytes:
            return DropReason.SIZE
        if self._segment is not None and self._segment.fits(wanted):
            return None
        self._finish()
        now = self._now()
        if now < self._retry_at:
            return self._refusal
        refusal = self._opened(now)
        if refusal is not None:
            self._refusal, self._retry_at = refusal, now + self._limits.retry_s
        return refusal

    def _opened(self, now: float) -> DropReason | None:
        """Begin the next segment, or say what is in the way."""
        size = self._limits.segment_bytes
        try:
            if self._taken() + size > self._limits.total_bytes:
                log.error("the prediction log's spool is full: its writer does not keep up")
                return DropReason.BACKLOG
            name = SegmentName(stream=self._stream, number=self._number + 1)
            self._segment = Segment(self._folder, name, size=size, made_us=int(now * 1e6))
        except OSError as problem:
            log.error("no segment of the prediction log can be made: %s", problem)  # noqa: TRY400 it is counted
            return DropReason.DISK
        self._number += 1
        return None

    def _taken(self) -> int:
        taken = 0
        for path in self._folder.glob(f"**/*{SUFFIX}"):
            with suppress(FileNotFoundError):  # the writer has just carried it off
                taken += path.stat().st_size
        return taken

    def _finish(self) -> None:
        if self._segment is not None:
            self._segment.seal()
            self._segment = None
            self._told = {None}

    def _now(self) -> float:
        return self._clock.now().timestamp()

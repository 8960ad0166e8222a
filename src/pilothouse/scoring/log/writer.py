"""The writer: carries records from the spool's segments into tables and windows, each exactly once."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.scoring.log.records import (
    Described,
    Observation,
    RecordInvalidError,
    Scored,
    decode,
    microseconds,
)
from pilothouse.scoring.log.rows import Rows, TableName, kept, model_of
from pilothouse.scoring.log.segments import SUFFIX, SegmentInvalidError, SegmentReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pilothouse.domain.errors import InvalidError
    from pilothouse.domain.prediction_logs import LogPolicy
    from pilothouse.ports.clock import Clock
    from pilothouse.scoring.log.privacy import Hasher
    from pilothouse.scoring.log.records import LogRecord
    from pilothouse.scoring.log.rows import Model
    from pilothouse.scoring.log.segments import SegmentName
    from pilothouse.scoring.log.tables import LogTables
    from pilothouse.scoring.log.windows import Window, WindowStore

log = logging.getLogger(__name__)

SET_ASIDE = "set-aside"
BATCH_ROWS = 20_000
SCORES = (TableName.PREDICTIONS, TableName.PROTECTED)


@dataclass(slots=True, kw_only=True)
class Written:
    """What a writer has done since it began."""

    rows: Counter[str] = field(default_factory=Counter)  # by table
    sampled_out: int = 0
    windows: int = 0
    torn: int = 0
    set_aside: int = 0


class Waiting(NamedTuple):
    """What waits for the writer: bytes of records, and when the oldest segment of them was made."""

    size: int
    oldest_us: int | None


class Batch(NamedTuple):
    """Records of one segment in order, each with its position in the stream, and where they end in the segment."""

    records: list[tuple[int, Scored | Observation]]
    end: int


class Writer:
    """
    Carries segments into tables; one at a time for a spool.

    A segment is removed once nobody appends to it, all of its rows are in the tables and its window is put. Whatever of
    this was done when a writer is killed, the next one finds out from the tables and the store alone.

    Parameters
    ----------
    folder
        The spool's.
    tables, windows
        Where rows and counts go.
    logs
        Gives what is wanted of each service, when it is called.
    hasher
        For sensitive values.
    clock
        For days and ages.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tables: LogTables,
        windows: WindowStore,
        logs: Callable[[], Mapping[str, LogPolicy]],
        hasher: Hasher,
        clock: Clock,
    ) -> None:
        self._folder, self._tables, self._windows = folder, tables, windows
        self._logs, self._hasher, self._clock = logs, hasher, clock
        self._progress: dict[SegmentName, _Progress] = {}
        self.written = Written()

    def write(self) -> bool:
        """
        Carry what is there; give whether there was anything.

        Raises
        ------
        Exception
            Whatever the tables or the store raise. Nothing is lost by it: what was not carried is carried by the next
            call.
        """
        busy = False
        for path in self._segments():
            busy = self._carry(path) or busy
        return busy

    def waiting(self) -> Waiting:
        """Say what waits; a segment that cannot be read counts with its whole size."""
        size, oldest = 0, None
        for path in self._segments():
            try:
                reader = SegmentReader(path)
            except SegmentInvalidError:
                size += path.stat().st_size
                continue
            progress = self._progress.get(reader.name)
            carried = 0 if progress is None else progress.carried
            left = reader.written(after=carried and reader.start + carried) - carried
            reader.close()
            size += left
            if left and (oldest is None or reader.made_us < oldest):
                oldest = reader.made_us
        return Waiting(size, oldest)

    def behind_s(self, waiting: Waiting) -> float:
        """Give how old the oldest of what waits is."""
        if waiting.oldest_us is None:
            return 0.0
        return max(0.0, (microseconds(self._clock.now()) - waiting.oldest_us) / 1e6)

    def tidy(self, *, keep_removed_hours: int) -> None:
        """Join small files of the tables, and remove what is older than it may be."""
        self._tables.tidy(
            self._logs(), today=self._clock.now().date(), keep_removed_hours=keep_removed_hours
        )

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob(f"*{SUFFIX}"), key=lambda p: (p.stat().st_mtime_ns, p.name))

    def _carry(self, path: Path) -> bool:
        try:
            reader = SegmentReader(path)
        except SegmentInvalidError as problem:
            self._put_aside(path, problem)
            return True
        try:
            return self._carry_from(reader)
        except (SegmentInvalidError, RecordInvalidError) as problem:
            if not reader.finished:
                log.error("%s", problem.message)  # noqa: TRY400 judged again once nobody appends to it
                return False
            progress = self._progress.pop(reader.name)
            progress.window.broken = True
            self._put(progress.window)
            self._put_aside(path, problem)
            return True
        finally:
            reader.close()

    def _carry_from(self, reader: SegmentReader) -> bool:
        progress = self._progress.get(reader.name)
        if progress is None:
            window = self._windows.begin(reader.name, made_us=reader.made_us)
            progress = self._progress[reader.name] = _Progress(window, reader)
        busy = False
        for batch in progress.batches(reader):
            self._commit(reader.name, batch, progress)
            busy = True
        if reader.finished:
            self._finish(reader, progress)
        return busy or reader.finished

    def _commit(self, name: SegmentName, batch: Batch, progress: _Progress) -> None:
        there = {t: self._tables.position(t, name.stream) for t in TableName}
        rows, left_out = Rows(self._logs(), hasher=self._hasher), 0
        for position, record in batch.records:
            if isinstance(record, Observation):
                if position > there[TableName.OUTCOMES]:
                    rows.observed(record)
            elif kept(record):
                wanted = [t for t in SCORES if position > there[t]]
                rows.scored(record, progress.models[record.digest], wanted)
            else:
                left_out += record.rows
        position = _position(name, batch.end)
        for table, content in rows.tables():
            try:
                self._tables.append(table, content, stream=name.stream, position=position)
            except BaseException:
                self._tables.forget()  # whether it is in the table is not known
                raise
            self.written.rows[table.value] += content.num_rows
        self.written.sampled_out += left_out
        progress.carried = batch.end - progress.start

    def _finish(self, reader: SegmentReader, progress: _Progress) -> None:
        self._put(progress.window)
        if reader.torn:
            log.warning("%s ended within a record that nobody was answered for", reader.path.name)
            self.written.torn += 1
        reader.path.unlink()
        del self._progress[reader.name]

    def _put(self, window: Window) -> None:
        if not window.empty:
            self._windows.put(window)
            self.written.windows += 1

    def _put_aside(self, path: Path, problem: InvalidError) -> None:
        log.error("%s", problem.message)
        aside = self._folder / SET_ASIDE
        aside.mkdir(mode=0o700, exist_ok=True)
        path.rename(aside / path.name)
        self.written.set_aside += 1


class _Progress:
    """How far one segment is carried, and what it counts so far."""

    def __init__(self, window: Window, reader: SegmentReader) -> None:
        self.window = window
        self.models: dict[str, Model] = {}
        self.start = self._read = reader.start
        self.carried = 0
        self._uncommitted: Batch | None = None
        self._name = reader.name

    def batches(self, reader: SegmentReader) -> Iterator[Batch]:
        """
        Give what was not carried yet, in batches.

        A batch whose commit fails is given again by the next call, and counted once.

        Raises
        ------
        SegmentInvalidError, RecordInvalidError
            At a record that cannot be read, once those before it are given.
        """
        if self._uncommitted is not None:
            yield from self._given(self._uncommitted.records)
        broken: InvalidError | None = None
        while broken is None:
            before = self._read
            records, broken = self._some(reader)
            if self._read == before:
                break
            yield from self._given(records)
        if broken is not None:
            raise broken

    def _some(
        self, reader: SegmentReader
    ) -> tuple[list[tuple[int, Scored | Observation]], InvalidError | None]:
        """Read as many records as make a batch, and the error that stopped the reading, if one did."""
        records: list[tuple[int, Scored | Observation]] = []
        rows = 0
        try:
            for found in reader.records(after=self._read):
                record = decode(found.payload)
                self._count(record)
                self._read = found.end
                if isinstance(record, (Scored, Observation)):
                    records.append((_position(self._name, found.end), record))
                    rows += record.rows if isinstance(record, Scored) else 1
                if rows >= BATCH_ROWS:
                    break
        except (SegmentInvalidError, RecordInvalidError) as problem:
            return records, problem
        return records, None

    def _given(self, records: list[tuple[int, Scored | Observation]]) -> Iterator[Batch]:
        self._uncommitted = Batch(records, self._read)
        yield self._uncommitted
        self._uncommitted = None

    def _count(self, record: LogRecord) -> None:
        if isinstance(record, Described):
            self.models[record.digest] = model_of(record)
            return
        model = None
        if isinstance(record, Scored):
            model = self.models.get(record.digest)
            if model is None:
                raise RecordInvalidError(
                    problem=f"nothing before it describes {record.digest[:64]}"
                )
        self.window.add(record, model)


def _position(name: SegmentName, end: int) -> int:
    """Give a position in a stream, which rises from segment to segment and from record to record."""
    return (name.number << 32) | end

"""CSV (RFC 4180): text only, so that the schema says what each cell is and one bad cell costs one record."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from pilothouse.domain.schemas import DataType
from pilothouse.scoring.tables.blocks import (
    Block,
    RecordProblem,
    TableUnreadableError,
    Unreadable,
)
from pilothouse.scoring.tables.cells import cell
from pilothouse.scoring.tables.lines import BYTE_ORDER_MARK, MAXIMUM_LINE_BYTES
from pilothouse.scoring.tables.parquet import arrow_schema, record_batch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.schemas import Column, Scalar

MAXIMUM_HEADER_BYTES = 2**20
MAXIMUM_WAITING = 100_000
MAXIMUM_WAITING_BYTES = 64 * 2**20

# What both Arrow and Python read alike; anything else goes cell by cell.
FAST_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"
FAST_INTEGER = r"^-?[0-9]{1,18}$"


class _TextStream(io.RawIOBase):
    """A file as valid UTF-8, its invalid bytes marked, its quotes counted."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._tail = stream, b""
        self.quotes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._stream.read(max(size, 4096))
        whole = self._tail + chunk
        self.quotes += chunk.count(b'"')
        try:
            _, used = codecs.utf_8_decode(whole, "strict", not chunk)
            valid = whole[:used]
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(whole, "pilothouse-mark", not chunk)
            valid = text.encode()
        self._tail = whole[used:]
        return valid if valid or not chunk else self.read(size)


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as problem:
        words = str(problem)
        if "straddl" in words:
            words = f"a record has more than {MAXIMUM_LINE_BYTES} bytes, or a quote is never closed"
        elif words.startswith("CSV parse error"):  # Arrow's words would quote the line itself
            words = "too many lines on end have another number of cells than the header"
        raise TableUnreadableError(table="CSV", problem=words.rstrip(".")) from problem


class CsvReader:
    """
    Reads CSV with a header: commas, double quotes, UTF-8.

    An empty cell is null; a quoted empty cell is the empty text. Numbers are decimal with a point, booleans
    are ``true`` and ``false`` in any case. A cell that is not what its column says stays text, and
    the check of the schema decides on it. Lines with another number of cells are unreadable records; blank
    lines are no records (unless there is one column only, where a blank line is a null).

    Parameters
    ----------
    stream
        The file, opened for reading bytes, seekable.

    Raises
    ------
    TableUnreadableError
        When there is no header, or it names a column twice.
    """

    fixed = True
    records: int | None = None

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._names = _header(stream)
        self._waiting: list[Unreadable] = []
        self._waiting_bytes = 0

    def has(self, name: str) -> bool:
        """Whether the header names this column."""
        return name in self._names

    def type_of(self, name: str) -> DataType | None:
        """Give None: CSV declares no types."""
        return None

    def blocks(self, columns: Sequence[Column], *, rows: int) -> Iterator[Block]:
        """Read the records in order, at most `rows` readable ones in a block."""
        number = 1
        for batch in self._batches([c.name for c in columns], rows=rows):
            skipped = {u.number for u in self._waiting}
            numbers: list[int] = []
            while len(numbers) < batch.num_rows:
                if number not in skipped:
                    numbers.append(number)
                number += 1
            values = {c.name: _cells(batch.column(c.name), c.type) for c in columns}
            yield Block(numbers=numbers, columns=values, unreadable=self._before(number))
        if self._waiting:
            nothing: dict[str, Sequence[object]] = {c.name: () for c in columns}
            yield Block(numbers=(), columns=nothing, unreadable=self._waiting)

    def _before(self, number: int) -> list[Unreadable]:
        due = [u for u in self._waiting if u.number < number]
        self._waiting = [u for u in self._waiting if u.number >= number]
        self._waiting_bytes = sum(len(u.text or "") for u in self._waiting)
        return due

    def _batches(self, names: list[str], *, rows: int) -> Iterator[pa.RecordBatch]:
        self._stream.seek(0)
        text = _TextStream(self._stream)
        with _typed_errors():
            batches = self._opened(text, names)
        while batches is not None:
            with _typed_errors():
                batch = next(batches, None)
            if batch is None:
                break
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)
        if text.quotes % 2:
            raise TableUnreadableError(table="CSV", problem="a quote is never closed")

    def _opened(self, text: _TextStream, names: list[str]) -> Iterator[pa.RecordBatch] | None:
        try:
            return pcsv.open_csv(  # type: ignore[no-any-return]
                pa.PythonFile(text, mode="r"),
                read_options=pcsv.ReadOptions(use_threads=False, block_size=MAXIMUM_LINE_BYTES),
                parse_options=pcsv.ParseOptions(
                    newlines_in_values=True,
                    invalid_row_handler=self._invalid,
                    ignore_empty_lines=len(self._names) > 1,
                ),
                convert_options=pcsv.ConvertOptions(
                    include_columns=names,
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                    null_values=[""],
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid as problem:
            if "Empty CSV file" in str(
                problem
            ):  # the header was read already, so nothing follows it
                return None
            raise

    def _invalid(self, row: pcsv.InvalidRow) -> str:
        self._waiting_bytes += len(row.text)
        if len(self._waiting) >= MAXIMUM_WAITING or self._waiting_bytes > MAXIMUM_WAITING_BYTES:
            return "error"
        self._waiting.append(
            Unreadable(
                number=row.number - 1,  # Arrow counts the header
                code=RecordProblem.MALFORMED,
                message=f"the line has {row.actual_columns} cells where the header has "
                f"{row.expected_columns}",
                text=row.text,
            )
        )
        return "skip"


def _header(stream: IO[bytes]) -> tuple[str, ...]:
    start = stream.read(MAXIMUM_HEADER_BYTES).removeprefix(BYTE_ORDER_MARK)
    text = start.decode("utf-8", errors="pilothouse-mark")
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), strict=True), [])
    except csv.Error as problem:
        raise TableUnreadableError(table="CSV", problem=f"its header: {problem}") from problem
    if not any(names):
        raise TableUnreadableError(table="CSV", problem="it has no header")
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise TableUnreadableError(
            table="CSV", problem=f"its header names columns twice: {', '.join(twice)}"
        )
    return tuple(names)


def _cells(texts: pa.Array, kind: DataType) -> Sequence[object]:
    if kind is DataType.NUMBER and _all_match(texts, FAST_NUMBER):
        return texts.cast(pa.float64()).to_pylist()  # type: ignore[no-any-return]
    if kind is DataType.INTEGER and _all_match(texts, FAST_INTEGER):
        return texts.cast(pa.int64()).to_pylist()  # type: ignore[no-any-return]
    return [None if text is None else cell(text, kind) for text in texts.to_pylist()]


def _all_match(texts: pa.Array, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(texts, pattern)).as_py() is not False


class CsvWriter:
    """
    Writes CSV that `CsvReader` reads back to the same values: text quoted, null an empty cell.

    Parameters
    ----------
    path
        The file to write.
    columns
        Name and type of every column, in order.
    """

    def __init__(self, path: Path, columns: Sequence[tuple[str, DataType]]) -> None:
        self._schema = arrow_schema(columns)
        self._writer = pcsv.CSVWriter(path, self._schema)

    def write(self, columns: Mapping[str, Sequence[Scalar]]) -> None:
        """Append rows."""
        self._writer.write_batch(record_batch(self._schema, columns))

    def close(self) -> None:
        """Complete the file."""
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

"""JSON lines: one object a line, each answering for itself."""

from __future__ import annotations

import json
from typing import IO, TYPE_CHECKING, NoReturn, Self

from pilothouse.domain.schemas import DataType
from pilothouse.scoring.tables.blocks import Block, RecordProblem, Unreadable
from pilothouse.scoring.tables.lines import MAXIMUM_LINE_BYTES, bounded_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.schemas import Column, Scalar

PEEKED_LINES = 1000


class _NotRecordError(ValueError):
    """A line is no JSON object of the strict kind."""


class JsonLinesReader:
    """
    Reads JSON lines, strictly as RFC 8259 has them: no NaN, no key twice, UTF-8.

    A blank line is not a record. A record that lacks a column asked for cannot be read; keys not asked for
    are left aside. The first readable record says which columns there are that need not be there.

    Parameters
    ----------
    stream
        The file, opened for reading bytes, seekable.
    """

    fixed = False
    records: int | None = None

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._first = self._peek()

    def _peek(self) -> Mapping[str, object]:
        for _, line in zip(range(PEEKED_LINES), bounded_lines(self._stream), strict=False):
            record = _record(line, number=0) if line is None or line.strip() else None
            if isinstance(record, dict):
                return record
        return {}

    def has(self, name: str) -> bool:
        """Whether the first readable record has this column."""
        return name in self._first

    def type_of(self, name: str) -> DataType | None:
        """Give None: JSON lines declare no types."""
        return None

    def blocks(self, columns: Sequence[Column], *, rows: int) -> Iterator[Block]:
        """Read the records in order, at most `rows` readable ones in a block."""
        self._stream.seek(0)
        names = tuple(c.name for c in columns)
        numbers: list[int] = []
        records: list[tuple[object, ...]] = []
        unreadable: list[Unreadable] = []
        for number, found in enumerate(self._values(names), start=1):
            if isinstance(found, Unreadable):
                unreadable.append(found)
            else:
                numbers.append(number)
                records.append(found)
            if max(len(numbers), len(unreadable)) >= rows:
                yield _block(names, numbers, records, unreadable)
                numbers, records, unreadable = [], [], []
        if numbers or unreadable:
            yield _block(names, numbers, records, unreadable)

    def _values(self, names: tuple[str, ...]) -> Iterator[tuple[object, ...] | Unreadable]:
        number = 0
        for line in bounded_lines(self._stream):
            if line is not None and not line.strip():
                continue
            number += 1
            record = _record(line, number=number)
            yield record if isinstance(record, Unreadable) else _chosen(record, names, number)


def _block(
    names: tuple[str, ...],
    numbers: list[int],
    records: list[tuple[object, ...]],
    unreadable: list[Unreadable],
) -> Block:
    values = zip(*records, strict=True) if records else ((),) * len(names)
    return Block(
        numbers=numbers, columns=dict(zip(names, values, strict=True)), unreadable=unreadable
    )


def _record(line: bytes | None, *, number: int) -> dict[str, object] | Unreadable:
    if line is None:
        return Unreadable(
            number=number,
            code=RecordProblem.TOO_LONG,
            message=f"the line has more than {MAXIMUM_LINE_BYTES} bytes",
        )
    try:
        return _parsed(line)
    except (ValueError, RecursionError) as problem:
        words = str(problem) or "nested too deeply"
        return Unreadable(
            number=number,
            code=RecordProblem.MALFORMED,
            message=f"the line is no JSON object: {words}",
            text=line.decode(errors="replace"),
        )


def _parsed(line: bytes) -> dict[str, object]:
    found = json.loads(
        line.decode(), parse_constant=_no_constant, object_pairs_hook=_object_of_pairs
    )
    if not isinstance(found, dict):
        raise _NotRecordError("it holds something else")
    if b"\\u" in line:
        json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate has no UTF-8 form
    return found


def _no_constant(name: str) -> NoReturn:
    raise _NotRecordError(f"{name} is not JSON")


def _object_of_pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotRecordError("a key stands twice")
    return found


def _chosen(
    record: dict[str, object], names: tuple[str, ...], number: int
) -> tuple[object, ...] | Unreadable:
    try:
        return tuple(record[name] for name in names)
    except KeyError:
        missing = [name for name in names if name not in record]
        return Unreadable(
            number=number,
            code=RecordProblem.MISSING,
            message="the record lacks " + ", ".join(missing),
            text=json.dumps(record, ensure_ascii=False),
        )


class JsonLinesWriter:
    """
    Writes JSON lines; numbers are written so that they read back to the same binary64.

    Parameters
    ----------
    path
        The file to write; it must not exist.
    columns
        Name and type of every column, in order.
    """

    def __init__(self, path: Path, columns: Sequence[tuple[str, DataType]]) -> None:
        self._columns = columns
        self._file = path.open("x", encoding="utf-8")

    def write(self, columns: Mapping[str, Sequence[Scalar]]) -> None:
        """Append rows."""
        names = tuple(name for name, _ in self._columns)
        values = [_typed(columns[name], kind) for name, kind in self._columns]
        for row in zip(*values, strict=True):
            json.dump(
                dict(zip(names, row, strict=True)), self._file, ensure_ascii=False, allow_nan=False
            )
            self._file.write("\n")

    def close(self) -> None:
        """Complete the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _typed(values: Sequence[Scalar], kind: DataType) -> Sequence[Scalar]:
    if kind is not DataType.NUMBER:
        return values
    return [float(v) if type(v) is int else v for v in values]

"""Parquet: columnar, typed by the file itself, read one batch at a time and only the columns needed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pilothouse.domain.schemas import DataType
from pilothouse.scoring.tables.blocks import Block, ColumnUnsupportedError, TableUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.schemas import Column, Scalar

READ_BUFFER_BYTES = 2**20
ROW_GROUP_ROWS = 2**16


@contextmanager
def _typed_errors() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as problem:
        if isinstance(problem, OSError) and problem.errno is not None:
            raise  # the disk, not the file's form
        raise TableUnreadableError(table="Parquet", problem=_first_line(problem)) from problem


def _first_line(problem: Exception) -> str:
    words = str(problem).strip().splitlines()
    return words[0].rstrip(".") if words else type(problem).__name__


class ParquetReader:
    """
    Reads a Parquet file.

    Parameters
    ----------
    stream
        The file, opened for reading bytes, seekable.

    Raises
    ------
    TableUnreadableError
        When it is not a whole Parquet file, or has a column twice.
    """

    fixed = True

    def __init__(self, stream: IO[bytes]) -> None:
        with _typed_errors():
            self._file = pq.ParquetFile(
                stream,
                pre_buffer=False,
                buffer_size=READ_BUFFER_BYTES,
                page_checksum_verification=True,
            )
            self._schema = self._file.schema_arrow
        self.records: int | None = self._file.metadata.num_rows
        twice = {n for n in self._schema.names if self._schema.names.count(n) > 1}
        if twice:
            raise TableUnreadableError(
                table="Parquet", problem=f"columns stand twice: {', '.join(sorted(twice))}"
            )

    def has(self, name: str) -> bool:
        """Whether the file has this column."""
        return name in self._schema.names

    def type_of(self, name: str) -> DataType | None:
        """Give the type that the file declares for a column, or None when no schema type is like it."""
        return _data_type(self._schema.field(name).type)

    def blocks(self, columns: Sequence[Column], *, rows: int) -> Iterator[Block]:
        """Read the records in order, `rows` in a block."""
        names = [c.name for c in columns]
        for name in names:
            kind = self._schema.field(name).type
            if _data_type(kind) is None and not pa.types.is_null(kind):
                raise ColumnUnsupportedError(column=name, found=str(kind))
        first = 1
        for batch in self._batches(names, rows=rows):
            with _typed_errors():
                values = {name: _plain(batch.column(name)) for name in names}
            yield Block(numbers=range(first, first + batch.num_rows), columns=values)
            first += batch.num_rows

    def _batches(self, names: list[str], *, rows: int) -> Iterator[pa.RecordBatch]:
        batches = self._file.iter_batches(batch_size=rows, columns=names, use_threads=False)
        while True:
            with _typed_errors():
                batch = next(batches, None)
            if batch is None:
                return
            yield batch


def _data_type(kind: pa.DataType) -> DataType | None:
    types = pa.types
    if types.is_dictionary(kind):
        return _data_type(kind.value_type)
    if types.is_boolean(kind):
        return DataType.BOOLEAN
    if types.is_integer(kind):
        return DataType.INTEGER
    if types.is_floating(kind):
        return DataType.NUMBER
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return DataType.STRING
    return DataType.TIMESTAMP if types.is_timestamp(kind) else None


def _plain(values: pa.Array) -> Sequence[object]:
    kind = values.type
    if not pa.types.is_timestamp(kind):
        return values.to_pylist()  # type: ignore[no-any-return]
    if kind.tz is None:  # stays without a zone, which the schema's check then refuses
        return pc.strftime(values, format="%Y-%m-%dT%H:%M:%S").to_pylist()  # type: ignore[no-any-return]
    in_utc = values.cast(pa.timestamp(kind.unit, "UTC"))
    return pc.strftime(in_utc, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()  # type: ignore[no-any-return]


ARROW_TYPES: dict[DataType, pa.DataType] = {
    DataType.BOOLEAN: pa.bool_(),
    DataType.INTEGER: pa.int64(),
    DataType.NUMBER: pa.float64(),
    DataType.STRING: pa.string(),
    DataType.TIMESTAMP: pa.string(),
}


def arrow_schema(columns: Sequence[tuple[str, DataType]]) -> pa.Schema:
    """Give the Arrow schema of a table; a timestamp is its RFC 3339 text, which loses nothing."""
    return pa.schema([(name, ARROW_TYPES[kind]) for name, kind in columns])


def record_batch(schema: pa.Schema, columns: Mapping[str, Sequence[Scalar]]) -> pa.RecordBatch:
    """Give rows as an Arrow batch."""
    arrays = [pa.array(columns[field.name], type=field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class ParquetWriter:
    """
    Writes a Parquet file, in row groups of about `ROW_GROUP_ROWS` rows.

    Parameters
    ----------
    path
        The file to write.
    columns
        Name and type of every column, in order.
    """

    def __init__(self, path: Path, columns: Sequence[tuple[str, DataType]]) -> None:
        self._schema = arrow_schema(columns)
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def write(self, columns: Mapping[str, Sequence[Scalar]]) -> None:
        """Append rows."""
        batch = record_batch(self._schema, columns)
        self._waiting.append(batch)
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
        self._waiting, self._rows = [], 0

    def close(self) -> None:
        """Write what waits, and the footer."""
        self._flush()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._writer.close()

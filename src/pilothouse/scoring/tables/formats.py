"""Which reader and writer a format has; the libraries behind one are loaded when it is used."""

from __future__ import annotations

import importlib
from typing import IO, TYPE_CHECKING

from pilothouse.domain.errors import MissingExtraError
from pilothouse.domain.jobs import TableFormat

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import ModuleType

    from pilothouse.domain.schemas import DataType
    from pilothouse.scoring.tables.blocks import TableReader, TableWriter

EXTRA = "tables"


def loaded(module: str, *, purpose: str) -> ModuleType:
    """
    Import a module of Pilothouse that needs the extra ``tables``.

    Raises
    ------
    MissingExtraError
        When a library of that extra is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as problem:
        library = (problem.name or "").partition(".")[0]
        if library in ("pyarrow", "numpy"):
            raise MissingExtraError(library=library, extra=EXTRA, purpose=purpose) from problem
        raise


def open_reader(stream: IO[bytes], form: TableFormat) -> TableReader:
    """
    Open a file as a table.

    Parameters
    ----------
    stream
        The file, opened for reading bytes, seekable; it stays the caller's to close.
    form
        What the file is said to be; never guessed.

    Raises
    ------
    TableUnreadableError
        When the file is something else.
    MissingExtraError
        When the format's library is not installed.
    """
    match form:
        case TableFormat.PARQUET:
            reader = _format("parquet", "Reading Parquet").ParquetReader
        case TableFormat.CSV:
            reader = _format("csv", "Reading CSV").CsvReader
        case TableFormat.JSONL:
            reader = _format("jsonl", "Reading JSON lines").JsonLinesReader
    return reader(stream)  # type: ignore[no-any-return]


def open_writer(
    path: Path, form: TableFormat, columns: Sequence[tuple[str, DataType]]
) -> AbstractContextManager[TableWriter]:
    """
    Start a file with these columns.

    Raises
    ------
    MissingExtraError
        When the format's library is not installed.
    """
    match form:
        case TableFormat.PARQUET:
            writer = _format("parquet", "Writing Parquet").ParquetWriter
        case TableFormat.CSV:
            writer = _format("csv", "Writing CSV").CsvWriter
        case TableFormat.JSONL:
            writer = _format("jsonl", "Writing JSON lines").JsonLinesWriter
    return writer(path, columns)  # type: ignore[no-any-return]


def _format(name: str, purpose: str) -> ModuleType:
    return loaded(f"pilothouse.scoring.tables.{name}", purpose=purpose)

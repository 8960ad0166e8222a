"""What every table format keeps: readers that give blocks of records, writers that take columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from pilothouse.domain.errors import InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pilothouse.domain.schemas import Column, DataType, Scalar


class TableUnreadableError(InvalidError):
    """A file is not the table that it is said to be, as a whole."""

    code = "table-unreadable"

    def __init__(self, *, table: str, problem: str) -> None:
        self.table, self.problem = table, problem
        super().__init__(
            f"The {table} file cannot be read: {problem}. Write it again or correct it."
        )


class ColumnUnsupportedError(InvalidError):
    """A column of a file has a type that no column of a schema can be read from."""

    code = "column-unsupported"

    def __init__(self, *, column: str, found: str) -> None:
        self.column, self.found = column, found
        super().__init__(
            f"Column {column!r} of the file is a {found}, which has no exact form as a boolean, integer, "
            "number, string or timestamp. Convert it where the file is written."
        )


class RecordProblem(StrEnum):
    """Why a record could not be read, or could not be scored although it was read."""

    MALFORMED = "malformed"
    TOO_LONG = "too-long"
    MISSING = "missing"
    NOT_TEXT = "not-text"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record that could not be read: its number in the file, why, and its text where there is one."""

    number: int
    code: RecordProblem
    message: str
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """
    Some consecutive records of a table.

    Attributes
    ----------
    numbers
        The number of each readable record in its file, from 1, shape ``(rows,)``, rising.
    columns
        The columns asked for, shape ``(rows,)`` each; not checked against a schema yet.
    unreadable
        The records between them that could not be read.
    """

    numbers: Sequence[int]
    columns: Mapping[str, Sequence[object]]
    unreadable: Sequence[Unreadable] = ()

    @property
    def records(self) -> int:
        """How many records of the file stand in this block, readable or not."""
        return len(self.numbers) + len(self.unreadable)


class TableReader(Protocol):
    """
    Reads one file as a table.

    Attributes
    ----------
    fixed
        Whether all records have the same columns. If not, each record answers for itself whether it has
        the columns asked for.
    records
        How many records the file has, where it says so.
    """

    fixed: bool
    records: int | None

    def has(self, name: str) -> bool:
        """Whether the table has this column; where columns are not fixed, whether its first record has it."""
        ...

    def type_of(self, name: str) -> DataType | None:
        """Give the type that the file itself declares for a column, or None where it declares none."""
        ...

    def blocks(self, columns: Sequence[Column], *, rows: int) -> Iterator[Block]:
        """
        Read the records in order, at most `rows` readable ones in a block.

        Raises
        ------
        TableUnreadableError
            When the file is broken in a way that is not one record's alone.
        """
        ...


class TableWriter(Protocol):
    """Writes one file as a table; a context manager that completes the file when left without an error."""

    def write(self, columns: Mapping[str, Sequence[Scalar]]) -> None:
        """Append rows; every column of the table, all of one length."""
        ...

    def close(self) -> None:
        """Complete the file."""
        ...

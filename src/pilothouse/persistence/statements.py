"""
Statements made once: their text for the driver, and what turns values into cells and cells into values.

What a run's steps write and read again and again passes here, because building, looking up and unpacking an
expression costs more than the database's own work on it. The types of the columns are the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pilothouse.persistence.columns import binding, plain_text, reading
from pilothouse.persistence.making import column_type
from pilothouse.persistence.rows import Storage, shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Executable
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler

    from pilothouse.persistence.rows import Field

T = TypeVar("T")
Turn = Callable[[Any], Any]
MADE: dict[tuple[object, str], Any] = {}
"""By statement or kind of value, and by dialect; there are as many as the code has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement in the words of one dialect; `names` are its parameters, in order where they have no names."""

    text: str
    names: tuple[str, ...]
    positional: bool
    turns: Mapping[str, Turn | None]
    fixed: Mapping[str, Any]
    """What the statement was written with."""

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        """Give the driver's parameters for values by the names that the statement was written with."""
        turned = {
            name: turn(values[name]) if turn and values[name] is not None else values[name]
            for name, turn in self.turns.items()
        }
        turned.update(self.fixed)
        return tuple(turned[name] for name in self.names) if self.positional else turned


def statement_for(statement: Executable, dialect: Dialect) -> Statement:
    """Give a statement in the words of a dialect; it must be one that the module keeps, not a passing one."""
    key = (statement, dialect.name)
    if key not in MADE:
        MADE[key] = _made(statement, dialect)
    made: Statement = MADE[key]
    return made


def _made(statement: Any, dialect: Dialect) -> Statement:  # noqa: ANN401 what compiles has no common type
    compiled: SQLCompiler = statement.compile(dialect=dialect)
    names = tuple(compiled.positiontup or compiled.binds)
    binds = {name: compiled.binds[name] for name in dict.fromkeys(names)}
    return Statement(
        text=str(compiled),
        names=names,
        positional=compiled.positional,
        turns={n: binding(b.type, dialect) for n, b in binds.items() if b.required},
        fixed={n: b.value for n, b in binds.items() if not b.required},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec(Generic[T]):
    """
    How one kind of value is written to and read from the cells of one dialect's driver.

    Attributes
    ----------
    names
        Its fields, in order.
    cells_of
        Gives what they hold.
    texts
        The numbers of those that are text.
    reads, writes
        By their number, what is done to those other cells that are not the field's value as it is.
    """

    kind: type[T]
    names: tuple[str, ...]
    cells_of: Callable[[T], tuple[Any, ...]]
    texts: tuple[int, ...]
    reads: tuple[tuple[int, Turn], ...]
    writes: tuple[tuple[int, Turn], ...]

    def values(self, rows: Iterable[Sequence[Any]]) -> list[T]:
        """Read values from rows of cells in the order of their fields."""
        return [self.value(self.read(row)) for row in rows]

    def read(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Give what the fields of a value hold, from a row of cells."""
        cells = list(row)
        for number, read in self.reads:
            if cells[number] is not None:
                cells[number] = read(cells[number])
        return tuple(cells)

    def value(self, held: Sequence[Any]) -> T:
        """Make a value of what its fields hold."""
        return self.kind(**dict(zip(self.names, held, strict=True)))

    def parameters(
        self, made: Statement, values: Iterable[T], *, beside: tuple[str, Sequence[Any]] | None
    ) -> list[tuple[Any, ...]] | list[dict[str, Any]]:
        """
        Give a statement's parameters for values; ``key_id`` is the field ``id`` where a row is looked for.

        `beside` is one more parameter, with what it is for each of them.
        """
        rows, names = [self._written(value) for value in values], self.names
        if beside is not None:
            names = (*names, beside[0])
            rows = [[*cells, more] for cells, more in zip(rows, beside[1], strict=True)]
        if made.names == names and made.positional:
            return [tuple(cells) for cells in rows]
        wanted = itemgetter(*(names.index(name.removeprefix("key_")) for name in made.names))
        if made.positional:
            return [wanted(cells) for cells in rows]
        return [dict(zip(made.names, wanted(cells), strict=True)) for cells in rows]

    def _written(self, value: T) -> list[Any]:
        cells = list(self.cells_of(value))
        for number in self.texts:
            cell = cells[number]
            # Most cells are text that is kept as it is; a call for each took 9 us of a step.
            if cell is not None and (type(cell) is not str or "\0" in cell):
                cells[number] = plain_text(cell)
        for number, write in self.writes:
            if cells[number] is not None:
                cells[number] = write(cells[number])
        return cells


def codec_for(kind: type[T], dialect: Dialect) -> Codec[T]:
    """Give how a kind of value is written and read."""
    key = (kind, dialect.name)
    if key not in MADE:
        fields = shape(kind)
        names = tuple(field.name for field in fields)
        reads = ((number, _read(field, dialect)) for number, field in enumerate(fields))
        # A JSON cell's value is plain, or is made so while it is written: to look through it before took 10 us of a step.
        writes = ((number, _write(field, dialect)) for number, field in enumerate(fields))
        MADE[key] = Codec(
            kind=kind,
            names=names,
            cells_of=attrgetter(*names),
            reads=tuple((number, turn) for number, turn in reads if turn),
            texts=tuple(
                n for n, f in enumerate(fields) if f.storage is Storage.TEXT and not f.texts
            ),
            writes=tuple(
                (n, turn)
                for n, turn in writes
                if turn and (fields[n].texts or fields[n].storage is not Storage.TEXT)
            ),
        )
    made: Codec[T] = MADE[key]
    return made


def _read(field: Field, dialect: Dialect) -> Turn | None:
    """Put together what the column's type and the field do to a cell."""
    typed, fielded = reading(column_type(field.storage), dialect), field.read
    if typed is None or fielded is None:
        return typed or fielded
    return lambda cell: fielded(typed(cell))


def _write(field: Field, dialect: Dialect) -> Turn | None:
    texts = field.texts
    if texts is not None:
        return lambda member: texts[member] if member in texts else plain_text(member)
    return binding(column_type(field.storage), dialect)

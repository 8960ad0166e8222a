"""Test cases as a table of comma-separated values: a case a row."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NoReturn

from pilothouse.dmn.cases.case import EXACT, Case, Expected, Kind
from pilothouse.dmn.cases.errors import CaseFileError
from pilothouse.dmn.cases.json_file import moment
from pilothouse.dmn.cases.values import CaseValueError, cell_value, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from decimal import Decimal

    from pilothouse.feel import Budget, Value


class Column(StrEnum):
    """The columns that are no inputs."""

    NAME = "name"
    DECISION = "decision"
    EXPECTED = "expected"
    RULES = "rules"
    TOLERANCE = "tolerance"
    NOW = "now"


_OUTPUT = "expected."
_INPUT = "input."
_BETWEEN_RULES = ";"


def read_csv(text: str, *, file: str, budget: Budget) -> tuple[Case, ...]:
    """
    Read the cases of a table.

    Parameters
    ----------
    text
        The first row names the columns: ``name``, ``decision``, ``expected`` (or ``expected.`` and the name of an output, several
        times), and where wanted ``rules`` (ids between semicolons), ``tolerance`` and ``now``. Every other column is an
        input; a full stop in its name leads into a context (``applicant.age``), and ``input.`` before it sets it
        apart from the columns above (``input.name``). Cells are read by `cell_value`. An empty cell of an input is not given,
        an empty cell of an output is not expected.
    file
        Its name, for messages.
    budget
        Pays for the values of the whole file.

    Raises
    ------
    CaseFileError
        When it is no such table.
    """
    rows = _rows(text, file)
    header = next(rows, None)
    if header is None:
        _refuse(file, 0, "it is empty", "Name the columns in the first row")
    table = _Table.of(header[1], file, budget)
    return tuple(table.case(cells, line) for line, cells in rows)


def _rows(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Go through the rows that are not empty, each with the line where it starts."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse(file, line, f"it is no table: {error}", "Correct the quotes there")


def _refuse(file: str, line: int, problem: str, cure: str) -> NoReturn:
    raise CaseFileError(file=file, line=line, problem=problem, cure=cure)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table whose columns are known."""

    columns: tuple[str, ...]
    file: str
    budget: Budget

    @classmethod
    def of(cls, header: Sequence[str], file: str, budget: Budget) -> _Table:
        columns = tuple(name.strip() for name in header)
        for place, name in enumerate(columns, 1):
            if not name:
                _refuse(file, 1, f"column {place} has no name", "Name it")
            if columns.index(name) != place - 1:
                _refuse(file, 1, f"the column {name!r} stands twice", "Take one out")
        table = cls(columns, file, budget)
        table.check_columns()
        return table

    def check_columns(self) -> None:
        """Refuse a table that lacks a column, or expects in two ways."""
        for needed in (Column.NAME, Column.DECISION):
            if needed not in self.columns:
                _refuse(
                    self.file,
                    1,
                    f"there is no column {needed.value!r}",
                    "Add it, with commas between",
                )
        outputs = any(name.startswith(_OUTPUT) for name in self.columns)
        if outputs and Column.EXPECTED in self.columns:
            _refuse(
                self.file,
                1,
                "it has both 'expected' and columns of single outputs",
                "Keep one of them",
            )
        if not outputs and Column.EXPECTED not in self.columns and Column.RULES not in self.columns:
            _refuse(self.file, 1, "no column says what is expected", "Add the column 'expected'")
        self._check_inputs()

    def _check_inputs(self) -> None:
        paths = {_path(name): name for name in self.columns if _is_input(name)}
        for path, name in paths.items():
            above = [paths[path[:i]] for i in range(1, len(path)) if path[:i] in paths]
            if above or not all(path):
                _refuse(
                    self.file,
                    1,
                    f"the column {name!r} leads into {above[0]!r}"
                    if above
                    else f"the column {name!r} has an empty part",
                    "Give an input as one context, or by its parts",
                )

    def case(self, cells: Sequence[str], line: int) -> Case:
        if len(cells) != len(self.columns):
            _refuse(
                self.file,
                line,
                f"the row has {len(cells)} cells, and the table {len(self.columns)} columns",
                "Put cells that have a comma in double quotes",
            )
        row = {name: cell for name, cell in zip(self.columns, cells, strict=True) if cell.strip()}
        case = Case(
            name=self._text(row, Column.NAME, line),
            kind=Kind.DECISION,
            target=self._text(row, Column.DECISION, line),
            inputs=self._inputs(row, line),
            expected=self._expected(row, line),
            rules=self._rules(row),
            now=self._now(row, line),
            line=line,
        )
        if case.expected is None and not case.rules:
            _refuse(self.file, line, "the case expects nothing", "Write null where null must come")
        return case

    def _text(self, row: dict[str, str], column: Column, line: int) -> str:
        if column not in row:
            _refuse(self.file, line, f"the cell of {column.value!r} is empty", "Fill it in")
        return row[column].strip()

    def _value(self, cell: str, column: str, line: int) -> Value:
        try:
            return cell_value(cell, budget=self.budget)
        except CaseValueError as error:
            cure = "Correct it, or put text in double quotes as FEEL does"
            _refuse(self.file, line, f"in the column {column!r}, {error.problem}", cure)

    def _inputs(self, row: dict[str, str], line: int) -> dict[str, Value]:
        inputs: dict[str, Value] = {}
        for column, cell in row.items():
            if not _is_input(column):
                continue
            value = self._value(cell, column, line)
            _put(inputs, _path(column), value)
        return inputs

    def _expected(self, row: dict[str, str], line: int) -> Expected | None:
        outputs = {
            name.removeprefix(_OUTPUT): self._value(cell, name, line)
            for name, cell in row.items()
            if name.startswith(_OUTPUT)
        }
        if outputs:
            return Expected(value=outputs, tolerance=self._tolerance(row, line))
        if Column.EXPECTED not in row:
            return None
        value = self._value(row[Column.EXPECTED], Column.EXPECTED.value, line)
        return Expected(value=value, tolerance=self._tolerance(row, line))

    def _tolerance(self, row: dict[str, str], line: int) -> Decimal:
        if Column.TOLERANCE not in row:
            return EXACT
        try:
            tolerance = number(row[Column.TOLERANCE])
        except CaseValueError as error:
            _refuse(self.file, line, f"in the column 'tolerance', {error.problem}", "Write 0.01")
        if tolerance < 0:
            _refuse(self.file, line, "the tolerance is below 0", "Write it without a sign")
        return tolerance

    def _rules(self, row: dict[str, str]) -> tuple[str, ...]:
        listed = row.get(Column.RULES, "").split(_BETWEEN_RULES)
        return tuple(rule.strip() for rule in listed if rule.strip())

    def _now(self, row: dict[str, str], line: int) -> datetime | None:
        return moment(row[Column.NOW], self.file, line) if Column.NOW in row else None


def _is_input(column: str) -> bool:
    return column not in set(Column) and not column.startswith(_OUTPUT)


def _path(column: str) -> tuple[str, ...]:
    return tuple(column.removeprefix(_INPUT).split("."))


def _put(inputs: dict[str, Value], path: Sequence[str], value: Value) -> None:
    """Put a value into nested contexts, whose places are free by the check of the columns."""
    place = inputs
    for name in path[:-1]:
        inner = place.get(name)
        if not isinstance(inner, dict):
            inner = {}
            place[name] = inner
        place = inner
    place[path[-1]] = value

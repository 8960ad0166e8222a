"""The check of records against a schema: the same on a laptop, for a request and for a row of a file."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.schemas import Column, DataType, OnViolation, Scalar, Schema

INT64_LOW, INT64_HIGH = -(2**63), 2**63 - 1
EXACT_FLOAT_INTEGER = 2**53
DECIMAL_INTEGER = re.compile(r"[+-]?[0-9]{1,19}\Z")
DECIMAL_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,4})?\Z")


class ViolationCode(StrEnum):
    """How a value can break its column's contract."""

    NULL = "null"
    TYPE = "type"
    NOT_FINITE = "not-finite"
    RANGE = "range"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One value that breaks its column's contract, in words that a caller can act on."""

    row: int
    column: str
    code: ViolationCode
    message: str


class ColumnsDifferError(InvalidError):
    """The columns sent are not the columns of the schema."""

    code = "columns-differ"

    def __init__(self, *, missing: tuple[str, ...], unknown: tuple[str, ...]) -> None:
        self.missing, self.unknown = missing, unknown
        parts = []
        if missing:
            parts.append("missing: " + ", ".join(missing[:20]))
        if unknown:
            parts.append("not known: " + ", ".join(unknown[:20]))
        super().__init__(
            f"The columns differ from the schema ({'; '.join(parts)}). Send exactly the schema's columns."
        )


class LengthsDifferError(InvalidError):
    """Columns of one table have different lengths."""

    code = "lengths-differ"

    def __init__(self, *, column: str, rows: int, expected: int) -> None:
        self.column, self.rows, self.expected = column, rows, expected
        super().__init__(
            f"Column {column!r} has {rows} values where the first column has {expected}. "
            "Send one value per row in every column."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """
    A table after the check.

    Attributes
    ----------
    columns
        Every accepted column with its values, coerced where the schema says so; all rows, in order.
    accepted
        Per row, whether it may be scored, shape ``(rows,)``.
    violations
        What is wrong, by row; a flagged row has violations and is accepted all the same.
    coerced
        How many values were converted.
    """

    columns: Mapping[str, Sequence[Scalar]]
    accepted: Sequence[bool]
    violations: Sequence[Violation]
    coerced: int


Problem = tuple[ViolationCode, str]
CheckValue = Callable[[object], Problem | None]
Coerce = Callable[[object], Scalar]


class Contract:
    """
    A schema made ready to check tables of records.

    Parameters
    ----------
    schema
        The model's input or output schema.
    strict_columns
        Whether a column that the schema does not name is an error (True for requests), or left aside
        (False for files that carry more than the model asks for).
    """

    def __init__(self, schema: Schema, *, strict_columns: bool = True) -> None:
        self.schema = schema
        self._strict = strict_columns
        self._checks = {c.name: _value_check(c) for c in schema.columns}
        self._asked = tuple(c.name for c in schema.predictors)
        self._accepted = tuple(c for c in schema.columns if c.accepted)
        self._accepted_names = frozenset(c.name for c in self._accepted)

    def check(self, columns: Mapping[str, Sequence[object]]) -> Checked:
        """
        Check a table, column by column.

        Raises
        ------
        ColumnsDifferError
            When a column that the model asks for is missing, or an unknown one was sent.
        LengthsDifferError
            When the columns are not equally long.
        """
        wanted = self._wanted(columns)
        rows = len(next(iter(columns.values()))) if columns else 0
        accepted = [True] * rows
        violations: list[Violation] = []
        checked: dict[str, Sequence[Scalar]] = {}
        coerced = 0
        for column in wanted:
            values = columns[column.name]
            if len(values) != rows:
                raise LengthsDifferError(column=column.name, rows=len(values), expected=rows)
            checked[column.name], converted = self._check_column(
                column, values, accepted, violations
            )
            coerced += converted
        violations.sort(key=lambda v: v.row)
        return Checked(columns=checked, accepted=accepted, violations=violations, coerced=coerced)

    def _wanted(self, columns: Mapping[str, Sequence[object]]) -> list[Column]:
        missing = tuple(name for name in self._asked if name not in columns)
        unknown: tuple[str, ...] = ()
        if self._strict:
            unknown = tuple(name for name in columns if name not in self._accepted_names)
        if missing or unknown:
            raise ColumnsDifferError(missing=missing, unknown=unknown)
        return [c for c in self._accepted if c.name in columns]

    def _check_column(
        self,
        column: Column,
        values: Sequence[object],
        accepted: list[bool],
        violations: list[Violation],
    ) -> tuple[Sequence[Scalar], int]:
        check = self._checks[column.name]
        broken = [
            (row, problem)
            for row, value in enumerate(values)
            if (problem := check(value)) is not None
        ]
        if not broken:
            return values, 0  # type: ignore[return-value]  # every value passed its type check
        repaired = list(values)
        coerced = 0
        for row, problem in broken:
            if self.schema.on_violation is OnViolation.COERCE:
                candidate = _coerced(column, values[row])
                if candidate is not None and check(candidate) is None:
                    repaired[row] = candidate
                    coerced += 1
                    continue
            code, words = problem
            violations.append(
                Violation(
                    row=row,
                    column=column.name,
                    code=code,
                    message=_message(column, values[row], words),
                )
            )
            flagged = self.schema.on_violation is OnViolation.FLAG
            if not (flagged and code in (ViolationCode.RANGE, ViolationCode.CATEGORY)):
                accepted[row] = False
        return repaired, coerced  # type: ignore[return-value]  # rejected rows are never scored


def _message(column: Column, value: object, words: str) -> str:
    shown = "(hidden)" if column.sensitive else repr(value)
    return f"{column.name}: {shown if len(shown) <= 60 else shown[:57] + '...'} {words}"


def _value_check(column: Column) -> CheckValue:
    of_type = _TYPE_CHECKS[column.type]
    bounds = _bounds_check(column)

    def check(value: object) -> Problem | None:
        if value is None:
            return (
                None
                if column.nullable
                else (ViolationCode.NULL, "is null, and the column has no nulls")
            )
        return of_type(value) or bounds(value)

    return check


def _bounds_check(column: Column) -> CheckValue:
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    categories = None if column.categories is None else frozenset(column.categories)

    def check(value: object) -> Problem | None:
        if categories is not None and value not in categories:
            return (ViolationCode.CATEGORY, "is not one of the known categories")
        if not low <= value <= high:  # type: ignore[operator]  # the type was checked just before
            return (ViolationCode.RANGE, f"is outside {low!r} to {high!r}")
        return None

    bounded = column.type in (DataType.INTEGER, DataType.NUMBER) and (low, high) != (
        -math.inf,
        math.inf,
    )
    if bounded:
        return check
    if categories is None:
        return lambda _: None
    return lambda value: (
        None
        if value in categories
        else (ViolationCode.CATEGORY, "is not one of the known categories")
    )


def _boolean(value: object) -> Problem | None:
    return None if isinstance(value, bool) else (ViolationCode.TYPE, "is not true or false")


def _integer(value: object) -> Problem | None:
    if type(value) is not int:
        return (ViolationCode.TYPE, "is not a whole number")
    # Not a range that a schema may flag and score all the same: no runtime can hold the value.
    return (
        None if INT64_LOW <= value <= INT64_HIGH else (ViolationCode.TYPE, "does not fit 64 bits")
    )


def _number(value: object) -> Problem | None:
    if type(value) is float:
        return (
            None if math.isfinite(value) else (ViolationCode.NOT_FINITE, "is not a finite number")
        )
    if type(value) is not int:
        return (ViolationCode.TYPE, "is not a number")
    if -EXACT_FLOAT_INTEGER <= value <= EXACT_FLOAT_INTEGER or _is_exact(value):
        return None
    return (ViolationCode.TYPE, "is a whole number that a binary64 cannot hold exactly")


def _is_exact(value: int) -> bool:
    try:
        return float(value) == value
    except OverflowError:
        return False


def _string(value: object) -> Problem | None:
    return None if isinstance(value, str) else (ViolationCode.TYPE, "is not text")


def _timestamp(value: object) -> Problem | None:
    wrong = (ViolationCode.TYPE, "is not an RFC 3339 time with its zone")
    if not isinstance(value, str):
        return wrong
    try:
        return None if datetime.fromisoformat(value).tzinfo is not None else wrong
    except ValueError:
        return wrong


_TYPE_CHECKS: dict[DataType, CheckValue] = {
    DataType.BOOLEAN: _boolean,
    DataType.INTEGER: _integer,
    DataType.NUMBER: _number,
    DataType.STRING: _string,
    DataType.TIMESTAMP: _timestamp,
}


def _coerced(column: Column, value: object) -> Scalar:
    """Give the value in the column's type where nothing is lost, or None."""
    match column.type:
        case DataType.INTEGER:
            return _as_integer(value)
        case DataType.NUMBER:
            return _as_number(value)
        case DataType.BOOLEAN:
            return {"true": True, "false": False, "1": True, "0": False}.get(str(value).lower())
        case DataType.STRING:
            return str(value) if type(value) is int else None
        case DataType.TIMESTAMP:
            return None


def _as_number(value: object) -> float | None:
    text = value.strip() if isinstance(value, str) else ""
    if not DECIMAL_NUMBER.match(text):
        return None
    number = float(text)
    # Written back, the binary64 must be the number that was sent: more digits than it holds are a loss.
    return number if math.isfinite(number) and Decimal(repr(number)) == Decimal(text) else None


def _as_integer(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT_FLOAT_INTEGER:
        return int(value)
    if isinstance(value, str) and DECIMAL_INTEGER.match(value.strip()):
        return int(value)
    return None

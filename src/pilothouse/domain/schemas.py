"""Schemas: what a model takes and gives, column by column."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from pilothouse.domain.errors import InvalidError

MAXIMUM_FIELDS = 10_000
MAXIMUM_CATEGORIES = 100_000

Scalar = str | int | float | bool | None


class SchemaInvalidError(InvalidError):
    """A schema contradicts itself."""

    code = "schema-invalid"

    def __init__(self, *, column: str, problem: str) -> None:
        self.column, self.problem = column, problem
        super().__init__(f"Column {column!r} of the schema: {problem}. Correct the manifest.")


class DataType(StrEnum):
    """The types that a column can have."""

    BOOLEAN = "boolean"
    INTEGER = "integer"  # 64 bits, signed
    NUMBER = "number"  # IEEE 754 binary64, finite
    STRING = "string"
    TIMESTAMP = "timestamp"  # RFC 3339 text with a zone


class ColumnRole(StrEnum):
    """What a column is for."""

    IDENTIFIER = "identifier"
    PREDICTOR = "predictor"
    NON_PREDICTOR = "non_predictor"
    PREDICTION_DATE = "prediction_date"
    WEIGHT = "weight"
    SCORE = "score"
    LABEL = "label"


class OnViolation(StrEnum):
    """What happens to a record that breaks the schema; a value that cannot be read is always rejected."""

    REJECT = "reject"
    COERCE = "coerce"  # convert where nothing is lost ("7" or 7.0 to 7), and count it; else reject
    FLAG = "flag"  # score it although a range or category is broken, and say so in the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    One column of a schema.

    `minimum` and `maximum` are inclusive; `categories` is the closed list of values. A `sensitive`
    column's values never appear in messages or logs. `protected` marks a protected class.
    """

    name: str
    type: DataType
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str | int | bool, ...] | None = None
    role: ColumnRole = ColumnRole.PREDICTOR
    protected: bool = False
    sensitive: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 200:
            raise SchemaInvalidError(
                column=self.name[:40], problem="a name has 1 to 200 characters"
            )
        bounded = self.minimum is not None or self.maximum is not None
        if bounded and self.type not in (DataType.INTEGER, DataType.NUMBER):
            raise SchemaInvalidError(column=self.name, problem="only numbers have a range")
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        if low > high:
            raise SchemaInvalidError(column=self.name, problem="minimum is above maximum")
        if self.categories is not None:
            self._check_categories(self.categories)

    def _check_categories(self, categories: tuple[str | int | bool, ...]) -> None:
        wanted = {DataType.STRING: str, DataType.INTEGER: int, DataType.BOOLEAN: bool}.get(
            self.type
        )
        if wanted is None:
            raise SchemaInvalidError(column=self.name, problem=f"a {self.type} has no categories")
        if not 0 < len(categories) <= MAXIMUM_CATEGORIES:
            raise SchemaInvalidError(
                column=self.name, problem=f"categories are 1 to {MAXIMUM_CATEGORIES} values"
            )
        if any(type(c) is not wanted for c in categories):
            raise SchemaInvalidError(
                column=self.name, problem=f"each category must be a {self.type}"
            )
        if len(set(categories)) != len(categories):
            raise SchemaInvalidError(column=self.name, problem="a category stands twice")

    @property
    def asked(self) -> bool:
        """Whether a caller must send this column when asking for a score."""
        return self.role in (ColumnRole.PREDICTOR, ColumnRole.PREDICTION_DATE)

    @property
    def accepted(self) -> bool:
        """Whether a caller may send this column when asking for a score."""
        return self.asked or self.role is ColumnRole.IDENTIFIER


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The columns that a model takes or gives, in order."""

    columns: tuple[Column, ...]
    on_violation: OnViolation = OnViolation.REJECT

    def __post_init__(self) -> None:
        if not 0 < len(self.columns) <= MAXIMUM_FIELDS:
            raise SchemaInvalidError(
                column="", problem=f"a schema has 1 to {MAXIMUM_FIELDS} columns"
            )
        seen: set[str] = set()
        for column in self.columns:
            if column.name in seen:
                raise SchemaInvalidError(column=column.name, problem="it stands twice")
            seen.add(column.name)

    def named(self, name: str) -> Column | None:
        """Give the column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)

    @property
    def predictors(self) -> tuple[Column, ...]:
        """The columns that the model itself sees, in order."""
        return tuple(c for c in self.columns if c.asked)

    @property
    def label(self) -> Column | None:
        """The column of the truth, where the schema names one."""
        return next((c for c in self.columns if c.role is ColumnRole.LABEL), None)

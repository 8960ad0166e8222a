"""Schema inference: a first schema from a sample, for a person to read and correct."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pilothouse.domain.contracts import EXACT_FLOAT_INTEGER
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.schemas import Column, ColumnRole, DataType, Scalar, Schema

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MAXIMUM_INFERRED_CATEGORIES = 100
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z")
ROLE_NAMES = (
    (ColumnRole.IDENTIFIER, re.compile(r"(.*_)?(id|uuid|guid)\Z")),
    (ColumnRole.LABEL, re.compile(r"(label|target|ground_truth|(.*_)?label)\Z")),
    (ColumnRole.SCORE, re.compile(r"(.*_)?(score|probability|proba)\Z")),
)


class SampleInvalidError(InvalidError):
    """A sample does not say what a column is."""

    code = "sample-invalid"

    def __init__(self, *, column: str, problem: str) -> None:
        self.column, self.problem = column, problem
        super().__init__(
            f"Column {column!r} of the sample: {problem}. Take a cleaner sample, or write the column by hand."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceHints:
    """
    What a person knows and a sample does not say.

    Attributes
    ----------
    roles
        Roles by column name; they win over what the names suggest.
    categorical
        Columns of whole numbers that are codes, whose values become categories.
    ranges
        Whether the smallest and largest value seen become the column's range.
    """

    roles: Mapping[str, ColumnRole] = field(default_factory=dict)
    categorical: Collection[str] = ()
    ranges: bool = True


def infer_schema(
    columns: Mapping[str, Sequence[Scalar]],
    *,
    hints: InferenceHints = InferenceHints(),
) -> Schema:
    """
    Infer a schema from a sample.

    Types: true and false are `boolean`; whole numbers `integer`; numbers, mixed with whole ones or not, `number`;
    text `timestamp` where every value is an RFC 3339 time with its zone, else `string`. A NaN counts as a null, and
    a column with a null is nullable. Numbers get the range that was seen. Text of at most 100 different values that
    repeat gets its values as categories, whole numbers only where a hint says so. By its name a column is an
    identifier (``id``, ``uuid``, ``customer_id``), a label (``label``, ``target``, ``ground_truth``) or a score (``score``,
    ``probability``), else a predictor. Identifiers and scores get neither range nor categories.

    Parameters
    ----------
    columns
        A sample by column, equally long.
    hints
        What is known beforehand.

    Raises
    ------
    SampleInvalidError
        When a column is empty, all null, mixes types, or holds numbers that no type holds exactly.

    Examples
    --------
    >>> schema = infer_schema({"age": [31, 44], "state": ["MA", "MA"]})
    >>> [(c.name, c.type.value, c.minimum, c.categories) for c in schema.columns]
    [('age', 'integer', 31.0, None), ('state', 'string', None, ('MA',))]
    """
    unknown = sorted((set(hints.roles) | set(hints.categorical)) - set(columns))
    if unknown:
        raise SampleInvalidError(column=unknown[0], problem="a hint names it, and it is not there")
    return Schema(columns=tuple(_column(name, values, hints) for name, values in columns.items()))


def _column(name: str, values: Sequence[Scalar], hints: InferenceHints) -> Column:
    present = [v for v in values if v is not None and v == v]
    if not present:
        raise SampleInvalidError(column=name, problem="it has no value at all")
    kind = _type(name, present)
    role = hints.roles.get(name) or role_of(name)
    plain = role in (ColumnRole.IDENTIFIER, ColumnRole.SCORE)
    categories = None if plain else _categories(name, kind, present, hints)
    ranged = (
        hints.ranges
        and not plain
        and categories is None
        and kind in (DataType.INTEGER, DataType.NUMBER)
        # A range is a pair of binary64, which would round larger whole numbers and refuse the sample itself.
        and not any(isinstance(v, int) and abs(v) > EXACT_FLOAT_INTEGER for v in present)
    )
    return Column(
        name=name,
        type=kind,
        nullable=len(present) < len(values),
        minimum=float(min(present)) if ranged else None,
        maximum=float(max(present)) if ranged else None,
        categories=categories,
        role=role,
    )


def role_of(name: str) -> ColumnRole:
    """
    Say what a column is for, by its name.

    Examples
    --------
    >>> [role_of(n).value for n in ("customer_id", "Target", "p_score", "paid")]
    ['identifier', 'label', 'score', 'predictor']
    """
    return next(
        (role for role, form in ROLE_NAMES if form.match(name.lower())), ColumnRole.PREDICTOR
    )


def _type(name: str, present: Sequence[Scalar]) -> DataType:
    kinds = {type(v) for v in present}
    if kinds == {bool}:
        return DataType.BOOLEAN
    if kinds == {int}:
        return DataType.INTEGER
    if kinds <= {int, float}:
        return _number(name, present)
    if kinds == {str}:
        return DataType.TIMESTAMP if all(_is_time(str(v)) for v in present) else DataType.STRING
    words = ", ".join(sorted(k.__name__ for k in kinds))
    raise SampleInvalidError(column=name, problem=f"it mixes {words}")


def _number(name: str, present: Sequence[Scalar]) -> DataType:
    for value in present:
        if isinstance(value, int) and abs(value) > EXACT_FLOAT_INTEGER:
            raise SampleInvalidError(
                column=name, problem="a whole number that a binary64 cannot hold exactly"
            )
        if value in (float("inf"), float("-inf")):
            raise SampleInvalidError(column=name, problem="it holds an infinity")
    return DataType.NUMBER


def _is_time(text: str) -> bool:
    if not RFC3339.match(text):
        return False
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _categories(
    name: str, kind: DataType, present: Sequence[Scalar], hints: InferenceHints
) -> tuple[str | int | bool, ...] | None:
    asked = name in hints.categorical
    if asked and kind not in (DataType.STRING, DataType.INTEGER):
        raise SampleInvalidError(column=name, problem=f"a {kind} cannot have categories")
    if not asked and kind is not DataType.STRING:
        return None
    distinct = {v for v in present if isinstance(v, (str, int))}
    repeats = len(distinct) < len(present) and len(distinct) <= MAXIMUM_INFERRED_CATEGORIES
    if not asked and not repeats:
        return None
    return tuple(sorted(distinct))

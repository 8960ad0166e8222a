"""Schemas and contracts: what a record may hold, and that nothing of it is ever changed in silence."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.domain.contracts import (
    Checked,
    ColumnsDifferError,
    Contract,
    LengthsDifferError,
    ViolationCode,
)
from pilothouse.domain.schemas import (
    Column,
    ColumnRole,
    DataType,
    OnViolation,
    Schema,
    SchemaInvalidError,
)

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.from_regex(r"[+-]?[0-9]{1,25}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
    | st.lists(st.integers(), max_size=2)
    | st.integers().map(str)
    | st.integers(-(2**70), 2**70).map(float)
)


def checked(
    value: object,
    kind: DataType,
    on: OnViolation = OnViolation.REJECT,
    **column: Any,  # noqa: ANN401
) -> Checked:
    schema = Schema(columns=(Column(name="x", type=kind, **column),), on_violation=on)
    return Contract(schema).check({"x": [value]})


def code(result: Checked) -> ViolationCode | None:
    return result.violations[0].code if result.violations else None


GOOD = [
    (DataType.BOOLEAN, True),
    (DataType.INTEGER, 7),
    (DataType.INTEGER, 2**63 - 1),
    (DataType.INTEGER, -(2**63)),
    (DataType.NUMBER, 7),
    (DataType.NUMBER, 0.5),
    (DataType.NUMBER, 2**53),
    (DataType.NUMBER, 2**60),
    (DataType.STRING, ""),
    (DataType.TIMESTAMP, "2026-01-05T12:00:00Z"),
    (DataType.TIMESTAMP, "2026-01-05T12:00:00+01:00"),
]
BAD = [
    (DataType.BOOLEAN, 1, ViolationCode.TYPE),
    (DataType.BOOLEAN, "true", ViolationCode.TYPE),
    (DataType.INTEGER, 2.5, ViolationCode.TYPE),
    (DataType.INTEGER, 2.0, ViolationCode.TYPE),
    (DataType.INTEGER, "2", ViolationCode.TYPE),
    (DataType.INTEGER, True, ViolationCode.TYPE),
    (DataType.INTEGER, 2**63, ViolationCode.TYPE),
    (DataType.INTEGER, -(2**63) - 1, ViolationCode.TYPE),
    (DataType.NUMBER, True, ViolationCode.TYPE),
    (DataType.NUMBER, "1.5", ViolationCode.TYPE),
    (DataType.NUMBER, math.nan, ViolationCode.NOT_FINITE),
    (DataType.NUMBER, -math.inf, ViolationCode.NOT_FINITE),
    (DataType.NUMBER, 2**53 + 1, ViolationCode.TYPE),
    (DataType.NUMBER, 10**400, ViolationCode.TYPE),
    (DataType.STRING, 5, ViolationCode.TYPE),
    (DataType.STRING, b"x", ViolationCode.TYPE),
    (DataType.TIMESTAMP, "2026-01-05T12:00:00", ViolationCode.TYPE),
    (DataType.TIMESTAMP, "today", ViolationCode.TYPE),
    (DataType.TIMESTAMP, 0, ViolationCode.TYPE),
]


@pytest.mark.parametrize(("kind", "value"), GOOD)
@pytest.mark.parametrize("on", OnViolation)
def test_a_value_of_the_type_is_taken_as_it_is(
    kind: DataType, value: object, on: OnViolation
) -> None:
    result = checked(value, kind, on)

    assert (result.columns["x"], result.accepted, result.coerced) == ([value], [True], 0)
    assert type(result.columns["x"][0]) is type(value)


@pytest.mark.parametrize(("kind", "value", "wanted"), BAD)
@pytest.mark.parametrize("on", [OnViolation.REJECT, OnViolation.FLAG])
def test_a_value_of_another_type_is_rejected_even_where_ranges_are_flagged(
    kind: DataType, value: object, wanted: ViolationCode, on: OnViolation
) -> None:
    result = checked(value, kind, on)

    assert (code(result), result.accepted) == (wanted, [False])


@pytest.mark.parametrize("kind", DataType)
@pytest.mark.parametrize("on", OnViolation)
def test_null_is_taken_only_where_the_column_may_be_null(kind: DataType, on: OnViolation) -> None:
    assert code(checked(None, kind, on)) is ViolationCode.NULL
    assert checked(None, kind, on).accepted == [False]
    assert checked(None, kind, on, nullable=True).accepted == [True]


@pytest.mark.parametrize(
    ("kind", "value", "becomes"),
    [
        (DataType.INTEGER, 2.0, 2),
        (DataType.INTEGER, "7", 7),
        (DataType.INTEGER, " +7 ", 7),
        (DataType.INTEGER, "9223372036854775807", 2**63 - 1),
        (DataType.NUMBER, "0.1", 0.1),
        (DataType.NUMBER, "1e3", 1000.0),
        (DataType.NUMBER, "0.10", 0.1),
        (DataType.BOOLEAN, "TRUE", True),
        (DataType.BOOLEAN, 0, False),
        (DataType.STRING, 5, "5"),
    ],
)
def test_a_value_is_converted_and_counted_where_nothing_is_lost(
    kind: DataType, value: object, becomes: object
) -> None:
    result = checked(value, kind, OnViolation.COERCE)

    assert (result.columns["x"], result.coerced, result.accepted) == ([becomes], 1, [True])
    assert type(result.columns["x"][0]) is type(becomes)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DataType.INTEGER, 2.5),
        (DataType.INTEGER, True),
        (DataType.INTEGER, float(2**60)),
        (DataType.INTEGER, "9223372036854775808"),
        (DataType.INTEGER, "2.0"),
        (DataType.INTEGER, math.inf),
        (DataType.NUMBER, "9007199254740993"),
        (DataType.NUMBER, "0.12345678901234567890"),
        (DataType.NUMBER, "1e400"),
        (DataType.NUMBER, "1e-400"),
        (DataType.NUMBER, "nan"),
        (DataType.NUMBER, "1_000"),
        (DataType.NUMBER, "٣"),
        (DataType.NUMBER, True),
        (DataType.BOOLEAN, "yes"),
        (DataType.BOOLEAN, 2),
        (DataType.STRING, 0.1),
        (DataType.STRING, True),
        (DataType.TIMESTAMP, 0),
    ],
)
def test_a_value_that_would_lose_something_is_rejected(kind: DataType, value: object) -> None:
    result = checked(value, kind, OnViolation.COERCE)

    assert (result.accepted, result.coerced, len(result.violations)) == ([False], 0, 1)


def means_the_same(value: object, coerced: object, kind: DataType) -> bool:
    """Whether a person would say that both are one value."""
    match kind:
        case DataType.BOOLEAN:
            return str(value).lower() in {str(coerced).lower(), str(int(bool(coerced)))}
        case DataType.STRING:
            return str(value) == coerced
        case DataType.INTEGER:
            return Decimal(str(value).strip()) == Decimal(str(coerced))
        case DataType.NUMBER:
            return Decimal(str(value).strip()) == Decimal(repr(coerced))
        case DataType.TIMESTAMP:
            return False


@given(value=VALUES, kind=st.sampled_from(DataType))
def test_whatever_is_converted_still_means_the_same(value: object, kind: DataType) -> None:
    result = checked(value, kind, OnViolation.COERCE)

    assert result.accepted == [not result.violations]
    if result.coerced:
        assert means_the_same(value, result.columns["x"][0], kind)
    elif result.accepted[0]:
        assert result.columns["x"][0] is value


@given(value=VALUES, kind=st.sampled_from(DataType))
def test_rejecting_never_changes_a_value(value: object, kind: DataType) -> None:
    result = checked(value, kind, OnViolation.REJECT)

    assert result.coerced == 0
    assert result.columns["x"][0] is value
    assert result.accepted == [not result.violations]


@pytest.mark.parametrize(
    ("column", "value", "wanted"),
    [
        ({"minimum": 0, "maximum": 10}, -1, ViolationCode.RANGE),
        ({"minimum": 0, "maximum": 10}, 11, ViolationCode.RANGE),
        ({"minimum": 0}, 0, None),
        ({"maximum": 10}, 10, None),
        ({"categories": (1, 2)}, 3, ViolationCode.CATEGORY),
        ({"categories": (1, 20), "maximum": 10}, 20, ViolationCode.RANGE),
        ({"categories": (1, 2), "maximum": 10}, 2, None),
    ],
)
def test_ranges_and_categories_are_rejected_or_flagged(
    column: dict[str, Any], value: int, wanted: ViolationCode | None
) -> None:
    rejected = checked(value, DataType.INTEGER, OnViolation.REJECT, **column)
    flagged = checked(value, DataType.INTEGER, OnViolation.FLAG, **column)

    assert (code(rejected), rejected.accepted) == (wanted, [wanted is None])
    assert (code(flagged), flagged.accepted) == (wanted, [True])


def test_a_converted_value_must_keep_its_range() -> None:
    result = checked("11", DataType.INTEGER, OnViolation.COERCE, maximum=10)

    assert (result.accepted, result.coerced) == ([False], 0)


def test_a_sensitive_value_never_stands_in_a_message() -> None:
    result = checked("4111-1111", DataType.INTEGER, sensitive=True)

    assert "4111" not in result.violations[0].message
    assert "(hidden)" in result.violations[0].message


def test_a_violation_names_its_row_its_column_and_its_value() -> None:
    schema = Schema(columns=(Column(name="age", type=DataType.INTEGER),))

    result = Contract(schema).check({"age": [1, 2.5, 3]})

    (found,) = result.violations
    assert (found.row, found.column) == (1, "age")
    assert found.message == "age: 2.5 is not a whole number"


TWO = Schema(
    columns=(
        Column(name="id", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
        Column(name="age", type=DataType.INTEGER),
        Column(name="truth", type=DataType.INTEGER, role=ColumnRole.LABEL),
    )
)


@pytest.mark.parametrize(
    ("columns", "missing", "unknown"),
    [
        ({}, ("age",), ()),
        ({"id": ["a"]}, ("age",), ()),
        ({"age": [1], "agee": [1]}, (), ("agee",)),
        ({"age": [1], "truth": [1]}, (), ("truth",)),
    ],
)
def test_missing_and_unknown_columns_are_named(
    columns: dict[str, list[object]], missing: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    with pytest.raises(ColumnsDifferError) as differ:
        Contract(TWO).check(columns)

    assert (differ.value.missing, differ.value.unknown) == (missing, unknown)


def test_a_file_may_carry_more_columns_than_the_model_asks_for() -> None:
    result = Contract(TWO, strict_columns=False).check({"age": [1], "more": ["x"]})

    assert dict(result.columns) == {"age": [1]}


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(LengthsDifferError) as differ:
        Contract(TWO).check({"id": ["a", "b"], "age": [1]})

    assert (differ.value.column, differ.value.rows, differ.value.expected) == ("age", 1, 2)


def test_no_rows_are_no_violation() -> None:
    assert Contract(TWO).check({"age": []}).accepted == []


@pytest.mark.parametrize(
    "column",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"type": DataType.STRING, "minimum": 0},
        {"minimum": 2, "maximum": 1},
        {"categories": ()},
        {"categories": (1, 1)},
        {"categories": ("a",)},
        {"categories": (True,)},
        {"type": DataType.NUMBER, "categories": (1,)},
    ],
)
def test_a_column_that_contradicts_itself_is_refused(column: dict[str, Any]) -> None:
    with pytest.raises(SchemaInvalidError) as refused:
        Column(**({"name": "x", "type": DataType.INTEGER} | column))

    assert refused.value.problem


def test_a_schema_has_columns_and_each_once() -> None:
    column = Column(name="x", type=DataType.INTEGER)
    with pytest.raises(SchemaInvalidError):
        Schema(columns=())

    with pytest.raises(SchemaInvalidError) as refused:
        Schema(columns=(column, column))

    assert (refused.value.column, refused.value.problem) == ("x", "it stands twice")

"""Tensors to columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.schemas import Column, ColumnRole, DataType, OnViolation, Schema
from pilothouse.oip.errors import TensorLengthError, TensorRepeatedError
from pilothouse.oip.messages import Datatype, Tensor
from pilothouse.scoring.columns import DatatypeMismatchError, MatrixMisfitError, columns_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.oip.messages import Element

SCHEMA = Schema(
    columns=(
        Column(name="account", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
        Column(name="amount", type=DataType.NUMBER),
        Column(name="segment", type=DataType.STRING),
        Column(name="age", type=DataType.INTEGER),
        Column(name="truth", type=DataType.BOOLEAN, role=ColumnRole.LABEL),
    )
)
SEGMENT = Tensor("segment", Datatype.BYTES, 2, 1, ["retail", "corporate"])


def matrix(elements: Sequence[Element], width: int, datatype: Datatype = Datatype.FP64) -> Tensor:
    return Tensor("table", datatype, len(elements) // width, width, elements)


def test_a_matrix_fills_the_columns_that_no_tensor_names_in_the_schemas_order() -> None:
    found = columns_of([matrix([1.5, 30.0, 2.5, 31.0], 2), SEGMENT], SCHEMA)

    assert found == {"amount": [1.5, 2.5], "segment": ["retail", "corporate"], "age": [30, 31]}
    assert [type(age) for age in found["age"]] == [int, int]


def test_a_float_that_is_no_whole_number_never_becomes_an_integer() -> None:
    found = columns_of([matrix([1.0, 30.5, 2.0, None, 3.0, 2.0**60], 2), _segments(3)], SCHEMA)
    assert found["age"] == [30.5, None, 2.0**60]
    assert type(found["age"][2]) is float


def _segments(rows: int) -> Tensor:
    return Tensor("segment", Datatype.BYTES, rows, 1, ["retail"] * rows)


@pytest.mark.parametrize("width", [3, 4])
def test_a_matrix_of_another_width_is_refused(width: int) -> None:
    with pytest.raises(MatrixMisfitError) as caught:
        columns_of([matrix([1.0] * width * 2, width), SEGMENT], SCHEMA)
    assert f"{width} columns where 2" in caught.value.message


def test_two_matrices_are_refused() -> None:
    with pytest.raises(MatrixMisfitError):
        columns_of([matrix([1.0] * 4, 2), matrix([1.0] * 4, 2)], SCHEMA)


def test_a_matrix_of_a_datatype_that_a_column_cannot_take_is_refused_unless_the_schema_coerces() -> (
    None
):
    texts = matrix(["1", "retail", "30"], 3, Datatype.BYTES)
    with pytest.raises(DatatypeMismatchError) as caught:
        columns_of([texts], SCHEMA)
    assert caught.value.column == "amount"
    coercing = Schema(columns=SCHEMA.columns, on_violation=OnViolation.COERCE)
    assert columns_of([texts], coercing) == {"amount": ["1"], "segment": ["retail"], "age": ["30"]}


def test_columns_are_of_one_length_and_stand_once() -> None:
    with pytest.raises(TensorLengthError):
        columns_of([SEGMENT, matrix([1.0] * 2, 2)], SCHEMA)
    with pytest.raises(TensorRepeatedError):
        columns_of([SEGMENT, SEGMENT], SCHEMA)

"""Tensors to the columns of a schema: one tensor a column, or a matrix of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.schemas import DataType, OnViolation
from pilothouse.oip.elements import EXACT_INTEGER, FLOATS
from pilothouse.oip.errors import TensorLengthError, TensorRepeatedError
from pilothouse.oip.messages import Datatype

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.schemas import Column, Schema
    from pilothouse.oip.messages import Element, Tensor

DATATYPES = {
    DataType.BOOLEAN: Datatype.BOOL,
    DataType.INTEGER: Datatype.INT64,
    DataType.NUMBER: Datatype.FP64,
    DataType.STRING: Datatype.BYTES,
    DataType.TIMESTAMP: Datatype.BYTES,
}
_NUMBERS = frozenset(Datatype) - {Datatype.BOOL, Datatype.BYTES}
SUITABLE = {
    DataType.BOOLEAN: frozenset({Datatype.BOOL}),
    DataType.INTEGER: _NUMBERS - FLOATS,
    DataType.NUMBER: _NUMBERS,
    DataType.STRING: frozenset({Datatype.BYTES}),
    DataType.TIMESTAMP: frozenset({Datatype.BYTES}),
}


class DatatypeMismatchError(InvalidError):
    """A tensor's datatype is not its column's type."""

    code = "datatype-mismatch"

    def __init__(self, *, column: str, expected: str, found: str) -> None:
        self.column, self.expected, self.found = column, expected, found
        super().__init__(
            f"Column {column!r} is {expected}; the request sends it as {found}. "
            "Send the datatype that the model's metadata names."
        )


class MatrixMisfitError(InvalidError):
    """A matrix has another number of columns than the model asks for, or there are several."""

    code = "matrix-misfit"

    def __init__(self, *, tensor: str, problem: str) -> None:
        self.tensor, self.problem = tensor, problem
        super().__init__(
            f"Tensor {tensor!r} is a matrix, and {problem}. Send one matrix with the columns that no other tensor "
            "names, in the order of the model's metadata, or one tensor a column."
        )


def columns_of(tensors: Sequence[Tensor], schema: Schema) -> Mapping[str, Sequence[Element]]:
    """
    Give tensors as columns by name.

    A tensor of width 1 is the column of its name. A wider one is a matrix: it fills the columns that the
    model asks for and no other tensor names, in the schema's order; its own name means nothing.

    Raises
    ------
    TensorRepeatedError, TensorLengthError
        When a column stands twice, or tensors have different numbers of rows.
    DatatypeMismatchError
        When a tensor has a datatype that its column cannot take, and the schema does not coerce.
    MatrixMisfitError
        When a matrix does not fit.
    """
    columns: dict[str, Sequence[Element]] = {}
    matrix: Tensor | None = None
    rows = tensors[0].rows
    for tensor in tensors:
        if tensor.rows != rows:
            raise TensorLengthError(tensor=tensor.name, expected=rows, found=tensor.rows)
        if tensor.width == 1:
            if tensor.name in columns:
                raise TensorRepeatedError(tensor=tensor.name)
            columns[tensor.name] = tensor.elements
        elif matrix is None:
            matrix = tensor
        else:
            raise MatrixMisfitError(tensor=tensor.name, problem=f"{matrix.name!r} is one already")
    if schema.on_violation is not OnViolation.COERCE:
        _check_datatypes(tensors, schema)
    if matrix is not None:
        columns.update(_spread(matrix, schema, taken=columns))
    return columns


def _check_datatypes(tensors: Sequence[Tensor], schema: Schema) -> None:
    types = {c.name: c.type for c in schema.columns}
    for tensor in tensors:
        wanted = types.get(tensor.name) if tensor.width == 1 else None
        if wanted is not None and tensor.datatype not in SUITABLE[wanted]:
            raise _mismatch(tensor.name, wanted, tensor)


def _mismatch(column: str, wanted: DataType, tensor: Tensor) -> DatatypeMismatchError:
    return DatatypeMismatchError(
        column=column, expected=DATATYPES[wanted].value, found=tensor.datatype.value
    )


def _spread(
    matrix: Tensor, schema: Schema, *, taken: Mapping[str, object]
) -> dict[str, Sequence[Element]]:
    left = [c for c in schema.predictors if c.name not in taken]
    if len(left) != matrix.width:
        raise MatrixMisfitError(
            tensor=matrix.name, problem=f"has {matrix.width} columns where {len(left)} are wanted"
        )
    coerces = schema.on_violation is OnViolation.COERCE
    spread = {}
    for index, column in enumerate(left):
        values = matrix.elements[index :: matrix.width]
        if _holds_integers(matrix, column):
            values = [_whole(v) for v in values]
        elif not coerces and matrix.datatype not in SUITABLE[column.type]:
            raise _mismatch(column.name, column.type, matrix)
        spread[column.name] = values
    return spread


def _holds_integers(matrix: Tensor, column: Column) -> bool:
    """Say whether floats stand for integers: the columns of a matrix share one datatype, and none is lost."""
    return column.type is DataType.INTEGER and matrix.datatype in FLOATS


def _whole(value: Element) -> Element:
    exact = type(value) is float and value.is_integer() and abs(value) <= EXACT_INTEGER
    return int(value) if exact else value  # type: ignore[arg-type]  # a float, as the line before says

"""
Columns as the tables that libraries take.

A type follows from the schema alone, never from the values of one block: a row scored by itself and the same
row inside a file meet the model in the same form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.contracts import EXACT_FLOAT_INTEGER
from pilothouse.domain.schemas import Column, DataType
from pilothouse.scoring.formats.contract import library

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilothouse.domain.schemas import Scalar
    from pilothouse.scoring.formats.contract import Columns, Foreign, Library

    Build = Callable[[Columns, int], Foreign]

NUMERIC = frozenset({DataType.NUMBER, DataType.INTEGER, DataType.BOOLEAN})


class IntegerTooLargeError(ValueError):
    """A whole number does not survive the model's own type."""

    def __init__(self, *, column: str, kind: str) -> None:
        super().__init__(
            f"column {column!r} holds a whole number that a {kind} cannot hold exactly"
        )


def frame_of(format: str, predictors: tuple[Column, ...], categorical: frozenset[str]) -> Build:
    """
    Give what builds a pandas DataFrame of the predictors.

    Raises
    ------
    LibraryMissingError
        When pandas is not in the model's environment.
    """
    pd = library(format, "pandas", package="pandas")
    dtypes = {c.name: _pandas_type(pd, c, categorical) for c in predictors}

    def build(columns: Columns, rows: int) -> Foreign:
        del rows
        series = {}
        for column in predictors:
            values = exact(column, columns[column.name])
            if column.type is DataType.TIMESTAMP:
                series[column.name] = pd.to_datetime(
                    pd.Series(values, dtype=object), utc=True, format="ISO8601"
                )
            else:
                series[column.name] = pd.Series(_nan_for_null(values), dtype=dtypes[column.name])
        return pd.DataFrame(series)

    return build


def _pandas_type(pd: Library, column: Column, categorical: frozenset[str]) -> Foreign:
    if column.name in categorical:
        return pd.CategoricalDtype(list(column.categories or ()))
    match column.type:
        case DataType.NUMBER:
            return "float64"
        case DataType.INTEGER:
            return "float64" if column.nullable else "int64"
        case DataType.BOOLEAN:
            return "object" if column.nullable else "bool"
        case DataType.STRING:
            return "object" if int(pd.__version__.partition(".")[0]) < 3 else "str"
        case DataType.TIMESTAMP:
            return "datetime64[ns, UTC]"


def array_of(format: str, predictors: tuple[Column, ...]) -> Build:
    """
    Give what builds a numpy array of the predictors, shape ``(rows, columns)``.

    Raises
    ------
    LibraryMissingError
        When numpy is not in the model's environment.
    """
    np = library(format, "numpy", package="numpy")
    dtype = np.float64 if all(c.type in NUMERIC for c in predictors) else np.object_

    def build(columns: Columns, rows: int) -> Foreign:
        table = np.empty((rows, len(predictors)), dtype=dtype)
        for index, column in enumerate(predictors):
            values = columns[column.name]
            table[:, index] = _nan_for_null(exact(column, values, always=dtype is np.float64))
        return table

    return build


def exact(column: Column, values: Sequence[Scalar], *, always: bool = False) -> Sequence[Scalar]:
    """Give whole numbers back that a binary64 holds exactly, where they will become one; else raise."""
    as_float = column.type is DataType.INTEGER and (always or column.nullable)
    if as_float and any(
        v is not None and not -EXACT_FLOAT_INTEGER <= v <= EXACT_FLOAT_INTEGER  # type: ignore[operator]  # integers by contract
        for v in values
    ):
        raise IntegerTooLargeError(column=column.name, kind="binary64")
    return values


def _nan_for_null(values: Sequence[Scalar]) -> list[Scalar]:
    return [float("nan") if v is None else v for v in values]

"""A compiled model that answers: one row of Python values, or a block of columns."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pilothouse.evaluator import reference
from pilothouse.evaluator.container import loads
from pilothouse.evaluator.errors import InputsDifferError, RowRefusedError, ValueUnfitError
from pilothouse.evaluator.ir import Kind
from pilothouse.evaluator.native import program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pilothouse.evaluator.ir import Form, Input, Label, Output
    from pilothouse.evaluator.operations import Floats, Refuse

EXACT_INTEGER = 2**53
Value = Any
Column = Any  # a numpy array, or a sequence of Python values


def load(source: bytes | Path) -> Compiled:
    """
    Make a compiled model ready from a file's bytes, or from a file, which is mapped rather than read.

    Raises
    ------
    FormInvalidError
        When it is broken.
    OSError
        When the file cannot be read.
    """
    if isinstance(source, bytes):
        return Compiled(loads(source))
    with source.open("rb") as stream:
        if source.stat().st_size == 0:
            return Compiled(loads(b""))
        return Compiled(loads(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)))


class Compiled:
    """
    A compiled model.

    Rows and blocks agree bit for bit. The kernel evaluates where it was built, numpy elsewhere; with the kernel, `block` works
    without the interpreter's lock, and a `Compiled` may be used by several threads.

    Parameters
    ----------
    form
        A form that `loads` or a lowering has given.
    native
        False to evaluate by numpy although there is a kernel.
    """

    def __init__(self, form: Form, *, native: bool = True) -> None:
        self.form = form
        self._words = [{w: float(c) for c, w in enumerate(i.words)} for i in form.inputs]
        self._program = program(form, self._words) if native else None

    @property
    def native(self) -> bool:
        """Whether the kernel evaluates."""
        return self._program is not None

    def row(self, values: list[Value] | tuple[Value, ...]) -> tuple[Label, ...]:
        """
        Evaluate one row.

        Parameters
        ----------
        values
            A value for each input in order: a number, text or a boolean; None or NaN where it is missing.

        Returns
        -------
        tuple
            A value for each output in order.

        Raises
        ------
        InputsDifferError
            When there are more or fewer values than inputs.
        ValueUnfitError
            When a value is not of its input's kind, or a whole number is beyond 2**53.
        RowRefusedError
            When the model refuses the row.
        """
        if len(values) != len(self.form.inputs):
            raise InputsDifferError(
                problem=f"{len(values)} values for {len(self.form.inputs)} inputs"
            )
        if self._program is None:
            return self._row_by_numpy(values)
        answer: Any = self._program.row(values)
        if type(answer) is tuple:
            return answer
        raise self._problem(answer, row=0)

    def block(self, columns: Mapping[str, Column]) -> dict[str, Column]:
        """
        Evaluate many rows.

        Parameters
        ----------
        columns
            A column for each input by name, of equal lengths; each an array of numbers, or values as of `row`.

        Returns
        -------
        dict
            A column for each output: an array of binary64, or a list of labels.

        Raises
        ------
        InputsDifferError
            When a column is missing or has another length.
        ValueUnfitError
            When a value is not of its input's kind.
        RowRefusedError
            When the model refuses a row; it is named.
        """
        inputs = [self._coded(i, columns) for i in range(len(self.form.inputs))]
        rows = inputs[0].size
        for given, column in zip(self.form.inputs, inputs, strict=True):
            if column.size != rows:
                raise InputsDifferError(
                    problem=f"{given.name!r} has {column.size} rows, and others {rows}"
                )
        made = self._answered(inputs, rows)
        return {o.name: _named(o, y) for o, y in zip(self.form.outputs, made, strict=True)}

    def _answered(self, inputs: list[Floats], rows: int) -> list[Floats]:
        if self._program is None:
            return reference.run(self.form, inputs)
        made = [np.empty(rows, dtype=np.float64) for _ in self.form.outputs]
        ended, refused = self._program.block(rows, inputs, made)
        if ended >= 0:
            raise self._problem(ended, row=refused)
        return made

    def _row_by_numpy(self, values: Sequence[Value]) -> tuple[Label, ...]:
        inputs = [
            _by_python(given, words, [value])
            for given, words, value in zip(self.form.inputs, self._words, values, strict=True)
        ]
        made = reference.run(self.form, inputs)
        return tuple(
            float(y[0]) if o.labels is None else o.labels[int(y[0])]
            for o, y in zip(self.form.outputs, made, strict=True)
        )

    def _problem(self, ended: int, *, row: int) -> Exception:
        if ended < 0:
            return _unfit(self.form.inputs[-1 - ended])
        operation = cast("Refuse", self.form.operations[ended])
        return RowRefusedError(
            row=row, step=operation.step, problem=reference.REASONS[operation.reason]
        )

    def _coded(self, index: int, columns: Mapping[str, Column]) -> Floats:
        given = self.form.inputs[index]
        if given.name not in columns:
            raise InputsDifferError(problem=f"{given.name!r} is missing")
        column = columns[given.name]
        if isinstance(column, np.ndarray) and column.dtype.kind in "fiub":
            return _by_array(given, column)
        values = column if type(column) is list else np.asarray(column, dtype=object).tolist()
        if self._program is None:
            return _by_python(given, self._words[index], values)
        made = np.empty(len(values), dtype=np.float64)
        if self._program.coded(index, values, made) >= 0:
            raise _unfit(given)
        return made


def _by_array(given: Input, column: Column) -> Floats:
    """Take numbers as they are, and refuse what binary64 would round."""
    if column.ndim != 1:
        raise InputsDifferError(problem=f"{given.name!r} is not one column")
    fits = (given.kind is Kind.BOOLEAN) == (column.dtype.kind == "b")
    if given.kind is Kind.TEXT or not fits:
        raise _unfit(given)
    made = np.ascontiguousarray(column, dtype=np.float64)
    wide = column.dtype.kind in "iu" and column.dtype.itemsize == made.itemsize
    if wide and made.size and np.abs(made).max() > EXACT_INTEGER:
        raise _unfit(given)
    return made


def _by_python(given: Input, words: dict[str, float], values: Sequence[Value]) -> Floats:
    return np.array([_number(given, words, v) for v in values], dtype=np.float64)


def _number(given: Input, words: dict[str, float], value: Value) -> float:
    if value is None or (isinstance(value, float) and value != value):
        return float("nan")
    match given.kind:
        case Kind.TEXT if type(value) is str:
            return words.get(value, -1.0)
        case Kind.BOOLEAN if type(value) is bool:
            return float(value)
        case Kind.NUMBER if isinstance(value, float):
            return value
        case Kind.NUMBER if type(value) is int and abs(value) <= EXACT_INTEGER:
            return float(value)
        case _:
            raise _unfit(given)


def _unfit(given: Input) -> ValueUnfitError:
    return ValueUnfitError(
        column=given.name, problem=f"holds a value that is no {given.kind} (or no exact one)"
    )


def _named(output: Output, column: Floats) -> Column:
    if output.labels is None:
        return column
    return np.array(output.labels, dtype=object)[column.astype(np.intp)].tolist()

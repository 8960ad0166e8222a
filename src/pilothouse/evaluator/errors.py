"""
What can be wrong with a compiled model, a model that is to be lowered, or a row.

The evaluator stands beside `pilothouse.domain` and imports none of it, so its errors have a root of their own.
"""

from __future__ import annotations

from typing import ClassVar


class EvaluatorError(ValueError):
    """The root of every error of the evaluator."""

    code: ClassVar[str] = "evaluator"

    @property
    def message(self) -> str:
        """The whole sentence that a person reads."""
        return str(self.args[0])


class FormInvalidError(EvaluatorError):
    """A compiled model's file is broken, of another version, or was made to do harm."""

    code = "compiled-form-invalid"

    def __init__(self, *, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(
            f"This is no compiled model that can be evaluated: {place}: {problem}. Compile the snapshot again."
        )


class NotLoweredError(EvaluatorError):
    """A step of a model has no lowering, so the model runs by ONNX Runtime or by its own library."""

    code = "model-not-lowered"

    def __init__(self, *, step: str, kind: str, problem: str) -> None:
        self.step, self.kind, self.problem = step, kind, problem
        super().__init__(
            f"Step {step!r} ({kind}) cannot be compiled: {problem}. "
            "Replace the step, or let the model run by its own library."
        )


class RowRefusedError(EvaluatorError):
    """The model refuses a row, as its original does; the value is not repeated here, for it may be sensitive."""

    code = "row-refused"

    def __init__(self, *, row: int, step: str, problem: str) -> None:
        self.row, self.step, self.problem = row, step, problem
        super().__init__(
            f"Row {row} is refused by step {step!r}: {problem}. Correct the row, or train the model to take such values."
        )


class ValueUnfitError(EvaluatorError):
    """A value is not of its column's kind, or binary64 cannot hold it exactly."""

    code = "value-unfit"

    def __init__(self, *, column: str, problem: str) -> None:
        self.column, self.problem = column, problem
        super().__init__(f"Column {column!r} {problem}. Give a value of the column's kind.")


class InputsDifferError(EvaluatorError):
    """A row or block has other columns than the compiled model asks for, or columns of several lengths."""

    code = "inputs-differ"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The compiled model cannot read these columns: {problem}. Give the columns that it names, equally long."
        )

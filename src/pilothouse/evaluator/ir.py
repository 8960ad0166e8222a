"""The form of a compiled model: typed inputs, operations over numbered columns, named outputs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pilothouse.evaluator.operations import Operation

Label = str | int | float | bool


class Kind(StrEnum):
    """What an input column holds."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """
    A column that the model is given.

    Attributes
    ----------
    words
        Of a text column: the words that the model knows, by their codes.
    """

    name: str
    kind: Kind
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """
    A column that the model gives.

    Attributes
    ----------
    column
        Where the program leaves it.
    labels
        Where the column holds indices: what each stands for; None where the number itself is the answer.
    """

    name: str
    column: int
    labels: tuple[Label, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """
    A whole compiled model.

    Attributes
    ----------
    facts
        What made it, of which model; words for people, never read by the evaluator.
    """

    inputs: tuple[Input, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[Output, ...]
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def columns(self) -> int:
        """How many columns a run fills, those of the inputs included."""
        return len(self.inputs) + sum(o.width for o in self.operations)

    def output(self, name: str) -> Output | None:
        """Give the output of that name, or None."""
        return next((o for o in self.outputs if o.name == name), None)

    def only(self, names: Collection[str]) -> Form:
        """Give the form with these outputs, and with nothing that only others need; refusals stay."""
        return _without_the_unused(
            replace(self, outputs=tuple(o for o in self.outputs if o.name in names))
        )


def _without_the_unused(form: Form) -> Form:
    needed = {o.column for o in form.outputs}
    kept: list[tuple[int, Operation]] = []
    start = form.columns
    for operation in reversed(form.operations):
        start -= operation.width
        made = range(start, start + operation.width)
        if not made or not needed.isdisjoint(made):
            needed.update(operation.source.tolist())
            kept.append((start, operation))
    moved = np.arange(form.columns, dtype=np.int32)
    operations: list[Operation] = []
    at = len(form.inputs)
    for start, operation in reversed(kept):
        operations.append(replace(operation, source=moved[operation.source]))
        moved[start : start + operation.width] = np.arange(at, at + operation.width)
        at += operation.width
    outputs = tuple(replace(o, column=int(moved[o.column])) for o in form.outputs)
    return replace(form, operations=tuple(operations), outputs=outputs)

"""What a lowering writes to: columns with what they hold, operations so far, and the step that it is at."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pilothouse.evaluator.errors import NotLoweredError
from pilothouse.evaluator.ir import Kind
from pilothouse.evaluator.operations import (
    Apply,
    Binary,
    Constant,
    Lookup,
    Pair,
    Refusal,
    Refuse,
    Row,
    Unary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn

    from numpy.typing import NDArray

    from pilothouse.evaluator.ir import Input, Label
    from pilothouse.evaluator.operations import Across, Ints, Operation

UNKNOWN_INSIDE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
Foreign = Any
"""An object of a library that is not imported here."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A column, and the input whose words it codes where it holds text."""

    column: int
    text: int | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Columns side by side; names only where the model is given a table with names."""

    cells: tuple[Cell, ...]
    names: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.cells)

    def picked(self, places: Iterable[int]) -> Matrix:
        """Give some of the columns."""
        chosen = tuple(places)
        names = None if self.names is None else tuple(self.names[p] for p in chosen)
        return Matrix(tuple(self.cells[p] for p in chosen), names)

    @property
    def source(self) -> Ints:
        """The numbers of the columns."""
        return np.array([c.column for c in self.cells], dtype=np.int32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """
    What a predictor gives.

    Attributes
    ----------
    value
        The column of `predict`: a number, or the index of a class.
    classes
        What the indices stand for; None of a regressor.
    proba
        A column for each class, where there is `predict_proba`.
    decision
        One column, or one for each class, where there is `decision_function`.
    """

    value: int
    classes: tuple[Label, ...] | None = None
    proba: tuple[int, ...] = ()
    decision: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Families:
    """Who lowers which class, by its name."""

    transformers: Mapping[str, Foreign]
    predictors: Mapping[str, Foreign]


class Lowering:
    """A form in the making."""

    def __init__(self, schema: Sequence[Input], families: Families) -> None:
        self._schema = tuple(schema)
        self._families = families
        self._words: list[dict[str, int]] = [{} for _ in schema]
        self._at: list[tuple[str, Foreign]] = []
        self._next = len(self._schema)
        self.operations: list[Operation] = []

    @property
    def given(self) -> Matrix:
        """The inputs."""
        cells = (
            Cell(i, i if given.kind is Kind.TEXT else None) for i, given in enumerate(self._schema)
        )
        return Matrix(tuple(cells), tuple(i.name for i in self._schema))

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs with the words that the model knows."""
        return tuple(
            replace(given, words=tuple(words))
            for given, words in zip(self._schema, self._words, strict=True)
        )

    @property
    def step(self) -> str:
        """Where in the model we are."""
        return ".".join(name for name, _ in self._at) or "model"

    def word(self, cell: Cell, word: str) -> float:
        """Give the code of a word in a column of text, a new one where it has none."""
        if cell.text is None:
            self.refuse("text is compared with a column of numbers")
        words = self._words[cell.text]
        return float(words.setdefault(word, len(words)))

    def add(self, operation: Operation) -> Matrix:
        """Append an operation and give the columns that it makes."""
        self.operations.append(operation)
        begin, self._next = self._next, self._next + operation.width
        return Matrix(tuple(Cell(c) for c in range(begin, self._next)))

    def refuse(self, problem: str) -> NoReturn:
        """
        Give up.

        Raises
        ------
        NotLoweredError
            Always, with the step and its class.
        """
        kind = type(self._at[-1][1]) if self._at else type(None)
        raise NotLoweredError(
            step=self.step, kind=f"{kind.__module__}.{kind.__qualname__}", problem=problem
        )

    def require(self, holds: bool, problem: str) -> None:
        """Give up unless something holds."""
        if not holds:
            self.refuse(problem)

    @contextmanager
    def _within(self, name: str, model: Foreign) -> Iterator[None]:
        self._at.append((name, model))
        try:
            yield
        except NotLoweredError:
            raise
        except UNKNOWN_INSIDE as problem:
            self.refuse(f"it is not fitted, or of an unknown version ({problem})")
        finally:
            self._at.pop()

    def transform(self, name: str, model: Foreign, matrix: Matrix) -> Matrix:
        """Lower a transformer, which may be a pipeline."""
        with self._within(name, model):
            made: Matrix = self._family(self._families.transformers, model)(self, model, matrix)
            return made

    def predict(self, name: str, model: Foreign, matrix: Matrix) -> tuple[Answers, ...]:
        """Lower a predictor, which may be a pipeline; gives answers for each target."""
        with self._within(name, model):
            said: Answers | tuple[Answers, ...] = self._family(self._families.predictors, model)(
                self, model, matrix
            )
            return said if isinstance(said, tuple) else (said,)

    def predict_one(self, name: str, model: Foreign, matrix: Matrix) -> Answers:
        """Lower a predictor of one target."""
        said = self.predict(name, model, matrix)
        self.require(len(said) == 1, "a part of it has several targets")
        return said[0]

    def _family(self, families: Mapping[str, Foreign], model: Foreign) -> Foreign:
        kind = type(model)
        # A foreign subclass may do anything else, so it does not count as what it derives from.
        if kind.__module__.partition(".")[0] != "sklearn" or kind.__name__ not in families:
            self.refuse("there is no lowering for its class")
        return families[kind.__name__]

    def numbers(self, matrix: Matrix) -> Ints:
        """Give the numbers of columns that hold no text."""
        self.require(all(c.text is None for c in matrix.cells), "it is given text")
        return matrix.source

    def guard(self, matrix: Matrix, *reasons: Refusal) -> Ints:
        """Let rows be refused as the original refuses them; give the numbers of the columns."""
        source = self.numbers(matrix)
        for reason in reasons:
            self.add(Refuse(source=source, reason=reason, step=self.step))
        return source

    def finite(self, matrix: Matrix) -> Ints:
        """Let rows with missing or infinite values be refused."""
        return self.guard(matrix, Refusal.MISSING, Refusal.INFINITE)

    def constant(self, matrix: Matrix, function: Binary, constant: NDArray[np.float64]) -> Matrix:
        """Apply a function of each column and its constant."""
        values = np.broadcast_to(np.asarray(constant, dtype=np.float64), (len(matrix),))
        return self.add(
            Constant(source=matrix.source, function=function, constant=np.array(values))
        )

    def scalar(self, matrix: Matrix, function: Binary, value: float) -> Matrix:
        """Apply a function of each column and one number."""
        return self.constant(matrix, function, np.array(value))

    def apply(self, matrix: Matrix, function: Unary) -> Matrix:
        """Apply a function to each column."""
        return self.add(Apply(source=matrix.source, function=function))

    def row(self, matrix: Matrix, function: Across) -> Matrix:
        """Apply a function to all columns of a row."""
        return self.add(Row(source=matrix.source, function=function))

    def pair(self, first: Matrix, second: Matrix, function: Binary) -> Matrix:
        """Apply a function to columns and their partners."""
        source = np.concatenate((first.source, second.source))
        return self.add(Pair(source=source, function=function))

    def lookup(
        self,
        cell: Cell,
        pairs: Mapping[float, Sequence[float]],
        other: Sequence[float],
        missing: Sequence[float],
    ) -> Matrix:
        """Replace the values of a column by rows of a table."""
        keys = np.array(sorted(pairs), dtype=np.float64)
        table = [pairs[k] for k in keys.tolist()] + [other, missing]
        return self.add(
            Lookup(
                source=np.array([cell.column], dtype=np.int32),
                keys=keys,
                table=np.array(table, dtype=np.float64),
            )
        )


def columns(matrix: Matrix) -> tuple[int, ...]:
    """Give the numbers of a matrix's columns."""
    return tuple(c.column for c in matrix.cells)


def matrix_of(numbers: Iterable[int]) -> Matrix:
    """Give a matrix of columns that hold numbers."""
    return Matrix(tuple(Cell(n) for n in numbers))


def joined(parts: Iterable[Matrix]) -> Matrix:
    """Put matrices side by side."""
    return Matrix(tuple(c for part in parts for c in part.cells))


def labels(values: Foreign) -> tuple[Label, ...]:
    """Give classes as plain values."""
    return tuple(v.item() if isinstance(v, np.generic) else v for v in values)

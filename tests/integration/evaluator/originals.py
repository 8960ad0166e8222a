"""Small real models to lower, the tables that they were trained on, and what they answer themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pilothouse.evaluator import Input, Kind

Foreign = Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.evaluator.edges import Values
    from pilothouse.evaluator.ir import Output

SEED = 2026
NUMBERS = ("age", "income", "debt", "score")
WORDS = ("job", "region")
FLAGS = ("member",)
JOBS = ("clerk", "nurse", "smith", "none of these")
REGIONS = ("north", "south", "east")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Training data, as a frame and as the rows that a compiled model is given."""

    frame: pd.DataFrame
    schema: tuple[Input, ...]

    @property
    def rows(self) -> list[Values]:
        """The rows, missing values as None."""
        plain = self.frame.astype(object).where(self.frame.notna(), None)
        return [tuple(row) for row in plain.itertuples(index=False)]

    def target(self, classes: int) -> np.ndarray[Any, np.dtype[Any]]:
        """Give labels that hang together with the columns."""
        rng = np.random.default_rng(SEED)
        sum_ = sum(np.nan_to_num(self.frame[n].to_numpy(float)) for n in self.numbers)
        noisy = sum_ + rng.normal(size=len(self.frame))
        return np.asarray(np.digitize(noisy, np.quantile(noisy, np.arange(1, classes) / classes)))

    @property
    def numbers(self) -> list[str]:
        """The names of the columns of numbers."""
        return [i.name for i in self.schema if i.kind is Kind.NUMBER]

    @property
    def words(self) -> list[str]:
        """The names of the columns of text."""
        return [i.name for i in self.schema if i.kind is Kind.TEXT]


def people(rows: int = 160, *, gaps: float = 0.08, words: bool = True, seed: int = SEED) -> Given:
    """Make up people, some of whose values are missing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for name in NUMBERS:
        values = np.round(rng.normal(size=rows) * 3, 2)
        columns[name] = np.where(rng.random(rows) < gaps, np.nan, values)
    if words:
        for name, known in zip(WORDS, (JOBS, REGIONS), strict=True):
            held = rng.choice(np.array(known, dtype=object), rows)
            held[rng.random(rows) < gaps] = np.nan
            columns[name] = pd.Series(held, dtype="str")
    frame = pd.DataFrame(columns)
    kinds = {n: Kind.TEXT if n in WORDS else Kind.NUMBER for n in frame.columns}
    return Given(frame=frame, schema=tuple(Input(name=n, kind=k) for n, k in kinds.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A model of scikit-learn as the gate asks it."""

    model: Any
    given: Given
    outputs: Sequence[Output]

    def __call__(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """Give a column for each output, as the format for scikit-learn would."""
        frame = pd.DataFrame(
            {
                i.name: pd.Series(
                    [np.nan if v is None else v for v in columns[i.name]],
                    dtype="str" if i.kind is Kind.TEXT else "float64",
                )
                for i in self.given.schema
            }
        )
        held: dict[str, Any] = {}
        said = {}
        for output in self.outputs:
            method, _, part = output.name.partition(":")
            if method not in held:
                held[method] = getattr(self.model, method)(frame)
            said[output.name] = self._column(held[method], method, part)
        return said

    def _column(self, answer: Foreign, method: str, part: str) -> Sequence[Any]:
        if isinstance(answer, list):
            target, _, label = part.partition(":")
            classes = [str(c) for c in self.model.classes_[int(target)]]
            return list(answer[int(target)][:, classes.index(label)])
        if not part:
            return list(answer.ravel().tolist())
        if method == "predict":
            return list(answer[:, int(part)].tolist())
        classes = [str(c) for c in self.model.classes_]
        return list(answer[:, classes.index(part)].tolist())

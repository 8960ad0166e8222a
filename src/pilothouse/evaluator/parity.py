"""Whether a compiled model answers as its original does, row by row and bit by bit near enough; the gate before it may score."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilothouse.evaluator.compiled import Compiled
    from pilothouse.evaluator.edges import Values

    Columns = Mapping[str, Sequence[Any]]
    Original = Callable[[Columns], Columns]


class Precision(Enum):
    """How far a compiled answer may be off: ``|a - b| <= tolerance * max(1, |b|)``."""

    DOUBLE = 1e-12
    SINGLE = 2e-7


class Verdict(StrEnum):
    """What the comparison comes to."""

    PASSED = "passed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """
    The result of a comparison.

    Attributes
    ----------
    rows
        How many rows were compared, the refused ones included.
    refused
        How many rows both refuse.
    refusals_differ
        How many rows only one of them refuses.
    largest_difference
        Of all numbers, ``|a - b| / max(1, |b|)``; infinite where only one is NaN.
    label_flips
        How many labels differ.
    first_difference
        The first row that fails, and its output; None where none does.
    """

    rows: int
    refused: int
    refusals_differ: int
    largest_difference: float
    label_flips: int
    tolerance: float
    first_difference: tuple[int, str] | None

    @property
    def verdict(self) -> Verdict:
        """Whether the compiled model may score."""
        flawless = not self.refusals_differ and not self.label_flips
        return (
            Verdict.PASSED
            if flawless and self.largest_difference <= self.tolerance and self.rows > self.refused
            else Verdict.FAILED
        )


class _Refused:
    """Stands for the answer to a row that is refused."""


REFUSED = _Refused()
Answer = tuple[Any, ...] | _Refused


def prove(
    original: Original,
    compiled: Compiled,
    rows: Sequence[Values],
    *,
    precision: Precision = Precision.DOUBLE,
) -> Proof:
    """
    Compare answers to the same rows.

    Parameters
    ----------
    original
        Gives the model's own columns of answers, by the names of the form's outputs, for columns of values; raises for a
        block with a row that it refuses.
    compiled
        The compiled model.
    rows
        Real rows and rows at the edges, a value for each input.
    """
    names = tuple(o.name for o in compiled.form.outputs)
    given = tuple(i.name for i in compiled.form.inputs)
    ours = _answers(compiled.block, rows, given, names)
    theirs = _grouped(original, rows, given, names, apart=ours)
    exact = tuple(o.labels is not None for o in compiled.form.outputs)
    tally = _Tally(names=names, exact=exact, tolerance=precision.value)
    for row, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        tally.count(row, a, b)
    return Proof(
        rows=len(rows),
        refused=tally.refused,
        refusals_differ=tally.refusals_differ,
        largest_difference=tally.largest,
        label_flips=tally.flips,
        tolerance=precision.value,
        first_difference=tally.first,
    )


def _answers(
    model: Original, rows: Sequence[Values], given: tuple[str, ...], names: tuple[str, ...]
) -> list[Answer]:
    """Ask for all rows at once; where that is refused, for halves, until each refused row is known."""
    if not rows:
        return []
    columns = {name: [r[i] for r in rows] for i, name in enumerate(given)}
    try:
        said = model(columns)
    except Exception:  # noqa: BLE001  the original is a stranger: whatever it raises, it refuses
        if len(rows) == 1:
            return [REFUSED]
    else:
        return list(zip(*(list(said[name]) for name in names), strict=True))
    half = len(rows) // 2
    return _answers(model, rows[:half], given, names) + _answers(model, rows[half:], given, names)


def _grouped(
    model: Original,
    rows: Sequence[Values],
    given: tuple[str, ...],
    names: tuple[str, ...],
    *,
    apart: Sequence[Answer],
) -> list[Answer]:
    """Ask for the rows that the other refuses one by one, for they would be refused here too, and for the rest at once."""
    alone = [at for at, answer in enumerate(apart) if isinstance(answer, _Refused)]
    rest = [at for at, answer in enumerate(apart) if not isinstance(answer, _Refused)]
    said = dict(zip(rest, _answers(model, [rows[at] for at in rest], given, names), strict=True))
    said |= {at: _answers(model, [rows[at]], given, names)[0] for at in alone}
    return [said[at] for at in range(len(rows))]


class _Tally:
    """What has been seen so far."""

    def __init__(
        self, *, names: tuple[str, ...], exact: tuple[bool, ...], tolerance: float
    ) -> None:
        self._names, self._exact, self._tolerance = names, exact, tolerance
        self.refused = self.refusals_differ = self.flips = 0
        self.largest = 0.0
        self.first: tuple[int, str] | None = None

    def count(self, row: int, ours: Answer, theirs: Answer) -> None:
        """Compare one row's answers."""
        if isinstance(ours, _Refused) or isinstance(theirs, _Refused):
            both = isinstance(ours, _Refused) and isinstance(theirs, _Refused)
            self.refused += both
            self.refusals_differ += not both
            if not both:
                self._note(row, "refusal")
            return
        for name, exact, a, b in zip(self._names, self._exact, ours, theirs, strict=True):
            if exact and a != b:
                self.flips += 1
                self._note(row, name)
            elif not exact:
                off = difference(float(a), float(b))
                self.largest = max(self.largest, off)
                if off > self._tolerance:
                    self._note(row, name)

    def _note(self, row: int, name: str) -> None:
        if self.first is None:
            self.first = (row, name)


def difference(ours: float, theirs: float) -> float:
    """
    Give how far one number is off another, relative to one or to the other's size.

    Examples
    --------
    >>> difference(2.0, 2.5)
    0.2
    >>> difference(float("nan"), float("nan"))
    0.0
    >>> difference(1.0, float("inf"))
    inf
    """
    if ours == theirs or (math.isnan(ours) and math.isnan(theirs)):
        return 0.0
    if not (math.isfinite(ours) and math.isfinite(theirs)):
        return math.inf
    return abs(ours - theirs) / max(1.0, abs(theirs))

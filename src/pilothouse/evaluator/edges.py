"""Rows at a compiled model's edges: split points and their neighbours, unseen categories, missing values, extremes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilothouse.evaluator.ir import Kind
from pilothouse.evaluator.operations import (
    Apply,
    Binary,
    Bins,
    Constant,
    Fill,
    Interpolate,
    Lookup,
    Trees,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pilothouse.evaluator.ir import Form, Input
    from pilothouse.evaluator.operations import Floats, Operation

    Inverse = Callable[[float], float]

Value = str | float | bool | None
Values = tuple[Value, ...]
LARGEST, LARGEST_SINGLE = float(np.finfo(np.float64).max), float(np.finfo(np.float32).max)
NUMBERS: Values = (
    None,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    5e-324,
    1e-30,
    1e6,
    -1e6,
    2.0**53,
    LARGEST_SINGLE,
    -LARGEST_SINGLE,
    math.nextafter(LARGEST_SINGLE, math.inf),
    1e300,
    -1e300,
    LARGEST,
    math.inf,
    -math.inf,
)
UNSEEN: Values = (None, "", "\x00 unseen", "ünsëen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """
    Rows at the edges.

    Attributes
    ----------
    left_out
        How many values of interest were passed over for the limit.
    """

    rows: tuple[Values, ...]
    left_out: int


def edge_rows(form: Form, rows: Sequence[Values], *, per_input: int = 200) -> Edges:
    """
    Change one value at a time in rows that are real, then all of them at once.

    Parameters
    ----------
    form
        Its trees, tables and bins say where a small change matters.
    rows
        One row or more.
    per_input
        How many values of interest are tried for each input, spread evenly over all of them.
    """
    found = points(form)
    made: list[Values] = []
    left_out = 0
    for index, given in enumerate(form.inputs):
        values = _values(given, found[index])
        kept = _spread(values, per_input)
        left_out += len(values) - len(kept)
        for value in kept:
            base = rows[len(made) % len(rows)]
            made.append((*base[:index], value, *base[index + 1 :]))
    made.append((None,) * len(form.inputs))
    made.append(tuple("\x00 unseen" if i.kind is Kind.TEXT else None for i in form.inputs))
    return Edges(rows=tuple(made), left_out=left_out)


def _values(given: Input, found: Sequence[float]) -> Values:
    match given.kind:
        case Kind.TEXT:
            return (*UNSEEN, *given.words)
        case Kind.BOOLEAN:
            return (None, True, False)
        case Kind.NUMBER:
            near = {n for p in found if math.isfinite(p) for n in _neighbours(p)}
            return (*NUMBERS, *sorted(near))


def _neighbours(point: float) -> tuple[float, ...]:
    """Give a split point and what lies next to it, in binary64 and in binary32."""
    with np.errstate(over="ignore"):
        single = np.float32(point)
        near = (np.nextafter(single, np.float32(s)) for s in (-np.inf, np.inf))
        return (
            point,
            math.nextafter(point, math.inf),
            math.nextafter(point, -math.inf),
            float(single),
            *map(float, near),
        )


def _spread(values: Values, most: int) -> Values:
    if len(values) <= most:
        return values
    fixed = values[: min(len(NUMBERS), most)]
    places = np.linspace(len(fixed), len(values) - 1, most - len(fixed)).astype(int)
    return (*fixed, *(values[p] for p in dict.fromkeys(places.tolist())))


def points(form: Form) -> list[list[float]]:
    """Give for each input where the answers may jump or bend, as far as they can be traced back to it."""
    origins: dict[int, tuple[int, Inverse]] = {
        i: (i, _same) for i, given in enumerate(form.inputs) if given.kind is Kind.NUMBER
    }
    found: list[list[float]] = [[] for _ in form.inputs]
    start = len(form.inputs)
    for operation in form.operations:
        for source, values in _looked_at(operation):
            if source in origins:
                index, inverse = origins[source]
                found[index] += [inverse(v) for v in np.unique(values).tolist()]
        for place, source in enumerate(operation.source.tolist()):
            if source in origins and (step := _inverse(operation, place)) is not None:
                index, before = origins[source]
                origins[start + place] = (index, _chained(before, step))
        start += operation.width
    return found


def _same(value: float) -> float:
    return value


def _chained(outer: Inverse, inner: Inverse) -> Inverse:
    return lambda value: outer(inner(value))


def _looked_at(operation: Operation) -> list[tuple[int, Floats]]:
    """Give what an operation compares its source columns with."""
    match operation:
        case Trees():
            compared = (operation.feature >= 0) & (operation.categories < 0)
            return [
                (source, operation.threshold[compared & (operation.feature == place)])
                for place, source in enumerate(operation.source.tolist())
            ]
        case Bins():
            return [(int(operation.source[0]), operation.edges)]
        case Lookup():
            return [(int(operation.source[0]), operation.keys)]
        case Interpolate():
            return [(int(operation.source[0]), operation.x)]
        case Constant() if operation.function in COMPARED:
            return [
                (source, operation.constant[place : place + 1])
                for place, source in enumerate(operation.source.tolist())
            ]
        case Fill() if not math.isnan(operation.marker):
            return [(s, np.array([operation.marker])) for s in operation.source.tolist()]
        case _:
            return []


COMPARED = frozenset(
    {Binary.GREATER, Binary.GREATER_EQUAL, Binary.EQUAL, Binary.MINIMUM, Binary.MAXIMUM}
)


def _inverse(operation: Operation, place: int) -> Inverse | None:
    """Give what takes a value of the new column back to the source's, roughly."""
    match operation:
        case Fill():
            return _same
        case Apply():
            return None
        case Constant():
            constant = float(operation.constant[place])
            return _undone(operation.function, constant)
        case _:
            return None


def _undone(function: Binary, constant: float) -> Inverse | None:
    match function:
        case Binary.ADD:
            return lambda value: value - constant
        case Binary.SUBTRACT:
            return lambda value: value + constant
        case Binary.MULTIPLY if constant != 0:
            return lambda value: value / constant
        case Binary.DIVIDE:
            return lambda value: value * constant
        case Binary.MINIMUM | Binary.MAXIMUM:
            return _same
        case _:
            return None

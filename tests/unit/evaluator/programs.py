"""Small programs made at random, and the numbers to run them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from hypothesis import strategies as st

from pilothouse.evaluator import Form, Input, Kind, Output
from pilothouse.evaluator.operations import (
    Across,
    Apply,
    Binary,
    Bins,
    Constant,
    Distances,
    Fill,
    Interpolate,
    Linear,
    Lookup,
    OneHot,
    Pair,
    Products,
    Row,
    Trees,
    Unary,
)

if TYPE_CHECKING:
    from pilothouse.evaluator.operations import Floats, Ints, Operation

T = TypeVar("T")
INPUTS = 3
# Elsewhere numpy's own functions may differ from the C library's in the last place.
EXACT_UNARY = (
    Unary.MISSING,
    Unary.ABSOLUTE,
    Unary.NEGATIVE,
    Unary.SQUARE,
    Unary.SQUARE_ROOT,
    Unary.SINGLE,
    Unary.SIGN,
    Unary.FLOOR,
    Unary.CEILING,
    Unary.ROUND,
)
EXACT_ACROSS = (Across.SHARES, Across.ARGMAX, Across.ARGMIN, Across.SUM, Across.MAXIMUM)
EXACT_BINARY = tuple(b for b in Binary if b is not Binary.POWER)
NUMBERS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, 2.0, 1e-300, 1e300, 3.5e38, 0.1, -7.0)


def numbers(rows: int, seed: int) -> list[Floats]:
    """Give a column for each input, with all that is special among them."""
    rng = np.random.default_rng(seed)
    special = rng.choice(np.array(NUMBERS), (INPUTS, rows))
    plain = np.round(rng.normal(size=(INPUTS, rows)) * 4, 1)
    return list(np.where(rng.random((INPUTS, rows)) < 0.4, special, plain))


@st.composite
def forms(draw: st.DrawFn) -> Form:
    """Give a form whose operations read what is there before them."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    operations: list[Operation] = []
    columns = INPUTS
    for maker in draw(st.lists(st.sampled_from(MAKERS), min_size=1, max_size=6)):
        operation = maker(rng, columns)
        operations.append(operation)
        columns += operation.width
    return Form(
        inputs=tuple(Input(name=f"x{i}", kind=Kind.NUMBER) for i in range(INPUTS)),
        operations=tuple(operations),
        outputs=tuple(Output(name=f"y{i}", column=i) for i in range(columns)),
    )


def _source(rng: np.random.Generator, columns: int, size: int | None = None) -> Ints:
    return rng.integers(0, columns, size or rng.integers(1, 5)).astype(np.int32)


def _floats(rng: np.random.Generator, *shape: int) -> Floats:
    return np.round(rng.normal(size=shape) * 2, 1)


def _ascending(rng: np.random.Generator) -> Floats:
    return np.unique(_floats(rng, int(rng.integers(1, 6))))


def _choice(rng: np.random.Generator, values: tuple[T, ...]) -> T:
    return values[rng.integers(0, len(values))]


def fill(rng: np.random.Generator, columns: int) -> Operation:
    source = _source(rng, columns)
    marker = float(_choice(rng, (np.nan, 1.0)))
    return Fill(source=source, value=_floats(rng, source.size), marker=marker)


def constant(rng: np.random.Generator, columns: int) -> Operation:
    source = _source(rng, columns)
    return Constant(
        source=source, function=_choice(rng, EXACT_BINARY), constant=_floats(rng, source.size)
    )


def apply(rng: np.random.Generator, columns: int) -> Operation:
    return Apply(source=_source(rng, columns), function=_choice(rng, EXACT_UNARY))


def pair(rng: np.random.Generator, columns: int) -> Operation:
    return Pair(source=_source(rng, columns, 4), function=_choice(rng, EXACT_BINARY))


def row(rng: np.random.Generator, columns: int) -> Operation:
    return Row(source=_source(rng, columns), function=_choice(rng, EXACT_ACROSS))


def lookup(rng: np.random.Generator, columns: int) -> Operation:
    keys = np.arange(3.0) if rng.random() < 0.5 else _ascending(rng)
    return Lookup(source=_source(rng, columns, 1), keys=keys, table=_floats(rng, keys.size + 2, 2))


def one_hot(rng: np.random.Generator, columns: int) -> Operation:
    return OneHot(source=_source(rng, columns, 1), size=int(rng.integers(1, 5)))


def bins(rng: np.random.Generator, columns: int) -> Operation:
    return Bins(source=_source(rng, columns, 1), edges=_ascending(rng))


def linear(rng: np.random.Generator, columns: int) -> Operation:
    source = _source(rng, columns)
    return Linear(source=source, weights=_floats(rng, 2, source.size), bias=_floats(rng, 2))


def products(rng: np.random.Generator, columns: int) -> Operation:
    source = _source(rng, columns)
    factors = rng.integers(0, source.size, 5).astype(np.int32)
    return Products(source=source, ends=np.array([0, 2, 5], dtype=np.int32), factors=factors)


def distances(rng: np.random.Generator, columns: int) -> Operation:
    source = _source(rng, columns)
    shape = (2, source.size)
    return Distances(
        source=source, centres=_floats(rng, *shape), scales=np.abs(_floats(rng, *shape)) + 0.5
    )


def interpolate(rng: np.random.Generator, columns: int) -> Operation:
    x = _ascending(rng)
    return Interpolate(source=_source(rng, columns, 1), x=x, y=_floats(rng, x.size))


def trees(rng: np.random.Generator, columns: int) -> Trees:
    source = _source(rng, columns)
    grown = [_grown(rng, source.size) for _ in range(int(rng.integers(1, 12)))]
    nodes = np.cumsum([0, *(len(t) for t in grown)])
    rows: list[tuple[float, ...]] = [
        (f, t, a if f < 0 else a + at, b if f < 0 else b + at, m, c)
        for at, tree in zip(nodes.tolist(), grown, strict=False)
        for f, t, a, b, m, c in tree
    ]
    feature, threshold, left, right, missing, categories = (
        np.array(c) for c in zip(*rows, strict=True)
    )
    single = bool(rng.random() < 0.5)
    return Trees(
        source=source,
        roots=nodes[:-1].astype(np.int32),
        targets=rng.integers(0, 2, len(grown)).astype(np.int32),
        feature=feature.astype(np.int32),
        threshold=threshold,
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        missing_left=missing.astype(np.int32),
        categories=categories.astype(np.int32),
        words=rng.integers(0, 2**32, 4).astype(np.uint32),
        leaves=_floats(rng, 7, 2),
        start=_floats(rng, 3),
        single=single,
        single_sum=single and bool(rng.random() < 0.5),
    )


def _grown(rng: np.random.Generator, features: int) -> list[tuple[float, ...]]:
    """Give nodes, each (feature, threshold, left, right, missing_left, categories)."""
    made: list[tuple[float, ...]] = [()]
    waiting = [(0, 0)]
    while waiting:
        at, depth = waiting.pop()
        if depth == 6 or rng.random() < 0.3:
            made[at] = (-1, 0.0, int(rng.integers(0, 7)), -1, 0, -1)
            continue
        left, right = len(made), len(made) + 1
        made += [(), ()]
        of_categories = rng.random() < 0.2
        feature, missing = int(rng.integers(0, features)), int(rng.random() < 0.5)
        split = float(rng.integers(0, 3)) if of_categories else float(_floats(rng, 1)[0])
        made[at] = (feature, split, left, right, missing, 1 if of_categories else -1)
        waiting += [(right, depth + 1), (left, depth + 1)]
    return made


MAKERS = (
    fill,
    constant,
    apply,
    pair,
    row,
    lookup,
    one_hot,
    bins,
    linear,
    products,
    distances,
    interpolate,
    trees,
)

"""
The operations of a compiled model.

A program works on numbered columns of binary64. The inputs are the first columns; each operation reads the columns
``source`` and appends ``width`` new ones. Selecting and joining columns therefore costs nothing: it is a matter
of which numbers stand in ``source``. A missing value is NaN. Text is a code: the place of the word in its input's
vocabulary, or -1 for a word that the model has never seen.

Sums are taken from left to right, one addition after another and without fused multiply-add, by the kernel and by
numpy alike; a row by itself and the same row within a block give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Words = NDArray[np.uint32]


class Binary(IntEnum):
    """A function of two numbers."""

    ADD = 0
    SUBTRACT = 1
    MULTIPLY = 2
    DIVIDE = 3
    MINIMUM = 4
    MAXIMUM = 5
    GREATER = 6  # 1.0 or 0.0, and so the next three
    GREATER_EQUAL = 7
    EQUAL = 8
    POWER = 9


class Unary(IntEnum):
    """A function of one number."""

    MISSING = 0  # 1.0 for NaN, else 0.0
    ABSOLUTE = 1
    NEGATIVE = 2
    SQUARE = 3
    SQUARE_ROOT = 4
    EXP = 5
    EXPM1 = 6
    LOG = 7
    LOG1P = 8
    LOGISTIC = 9  # 1 / (1 + exp(-x))
    TANH = 10
    SINGLE = 11  # rounded to binary32
    LOG2 = 12
    LOG10 = 13
    SIN = 14
    COS = 15
    CUBE_ROOT = 16
    SIGN = 17
    FLOOR = 18
    CEILING = 19
    ROUND = 20  # half to even
    EXP2 = 21


class Across(IntEnum):
    """A function of all source columns of a row."""

    SOFTMAX = 0
    SHARES = 1  # each divided by the sum
    ARGMAX = 2  # the first of the greatest
    ARGMIN = 3
    SUM = 4
    LOG_SHARES = 5  # each less log(sum(exp)): logarithms of shares
    LENGTH = 6  # Euclidean
    MAXIMUM = 7


class Refusal(IntEnum):
    """What a row is refused for."""

    MISSING = 0
    INFINITE = 1
    BEYOND_SINGLE = 2  # greater than binary32 can hold, infinities included
    NEGATIVE = 3
    UNSEEN = 4  # a code of a category that the model was not trained on: negative


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fill:
    """Put a value in the place of each missing one, or of each that equals `marker` where that is a number."""

    code: ClassVar[int] = 0
    source: Ints
    value: Floats
    marker: float = float("nan")

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.source.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Constant:
    """Apply a function to each column and its constant; missing stays missing under arithmetic."""

    code: ClassVar[int] = 1
    source: Ints
    function: Binary
    constant: Floats

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.source.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Apply:
    """Apply a function to each column."""

    code: ClassVar[int] = 2
    source: Ints
    function: Unary

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.source.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pair:
    """Apply a function to each column of the first half of `source` and its partner in the second half."""

    code: ClassVar[int] = 3
    source: Ints
    function: Binary

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.source.size // 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """Apply a function to all source columns of a row together."""

    code: ClassVar[int] = 4
    source: Ints
    function: Across

    @property
    def width(self) -> int:
        """How many columns it makes."""
        many = (Across.SOFTMAX, Across.SHARES, Across.LOG_SHARES)
        return self.source.size if self.function in many else 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lookup:
    """
    Replace a value by what stands beside it in a table.

    Attributes
    ----------
    source
        One column.
    keys
        Ascending, without NaN, shape ``(n,)``.
    table
        Shape ``(n + 2, width)``: the rows of the keys, then that of any other value, then that of a missing one.
    """

    code: ClassVar[int] = 5
    source: Ints
    keys: Floats
    table: Floats

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return int(self.table.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneHot:
    """Make a column of each index from 0 below `size`: 1.0 where the source is that index, else 0.0."""

    code: ClassVar[int] = 6
    source: Ints
    size: int

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bins:
    """Say how many edges (ascending) are at most the value; NaN lies above all of them."""

    code: ClassVar[int] = 7
    source: Ints
    edges: Floats

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Linear:
    """Sum up each column times its weight, then add the bias; `weights` has shape ``(width, sources)``."""

    code: ClassVar[int] = 8
    source: Ints
    weights: Floats
    bias: Floats

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.bias.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Products:
    """Multiply source columns: `factors` holds their places, product by product, split at `ends`; none gives 1.0."""

    code: ClassVar[int] = 9
    source: Ints
    ends: Ints
    factors: Ints

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.ends.size


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Distances:
    """Sum up ``(x - centre)**2 / scale`` over the columns; `centres` and `scales` have shape ``(width, sources)``."""

    code: ClassVar[int] = 10
    source: Ints
    centres: Floats
    scales: Floats

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return int(self.centres.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interpolate:
    """Read a piecewise linear curve through ``(x, y)``, x ascending, at the value held within its ends."""

    code: ClassVar[int] = 11
    source: Ints
    x: Floats
    y: Floats

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Refuse:
    """Refuse a row for any of its source values; makes no column."""

    code: ClassVar[int] = 12
    source: Ints
    reason: Refusal
    step: str

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trees:
    """
    Add up the leaves that a row reaches, tree after tree.

    A node sends a row to the left where ``value <= threshold``, or where the category's bit is set; a missing value
    goes where `missing_left` says. Children stand behind their parents, so every way ends.

    Attributes
    ----------
    roots
        The node at which each tree begins, ascending.
    targets
        The first column that each tree adds to.
    feature
        A node's place in `source`; -1 for a leaf.
    threshold
        What a node compares with.
    left, right
        Children; for a leaf, `left` is its row of `leaves` and `right` is -1.
    missing_left
        1 where a missing value goes to the left.
    categories
        The node's first word in `words`, or -1 for a comparison; a node of categories has its number of words
        as threshold. A value outside of its words goes to the right.
    words
        Sets of categories, 32 to a word.
    leaves
        Shape ``(n, k)``: what a leaf adds to `k` neighbouring columns.
    start
        What the sums start from, shape ``(width,)``.
    single
        Whether values are rounded to binary32 before they are compared.
    single_sum
        Whether sums are kept in binary32.
    """

    code: ClassVar[int] = 13
    source: Ints
    roots: Ints
    targets: Ints
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: Ints
    categories: Ints
    words: Words
    leaves: Floats
    start: Floats
    single: bool
    single_sum: bool

    @property
    def width(self) -> int:
        """How many columns it makes."""
        return self.start.size


Operation = (
    Fill
    | Constant
    | Apply
    | Pair
    | Row
    | Lookup
    | OneHot
    | Bins
    | Linear
    | Products
    | Distances
    | Interpolate
    | Refuse
    | Trees
)
OPERATIONS: tuple[type[Operation], ...] = (
    Fill,
    Constant,
    Apply,
    Pair,
    Row,
    Lookup,
    OneHot,
    Bins,
    Linear,
    Products,
    Distances,
    Interpolate,
    Refuse,
    Trees,
)

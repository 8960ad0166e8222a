"""
How points and ranges lie to one another. Source: DMN 1.5, section 10.3.4.9 (table 78), after Allen's algebra.

Each argument becomes two cuts in the line of its values: ``[1..5)`` begins just before 1 and ends just before 5,
the point 5 begins just before 5 and ends just after it. A relation is then a matter of which cuts come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.comparison import ordered
from pilothouse.feel.functions.parameters import Parameter, bounds, single
from pilothouse.feel.functions.registry import Calls, Registry
from pilothouse.feel.signs import Operator
from pilothouse.feel.values import Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.feel.budget import Budget

RANGES = Registry()

Cut: TypeAlias = tuple[int, Value, int]
"""-1 or 1 for a side without an end, else 0; the value; -1 for just before it, 1 for just after."""

_FAR = 2
"""How far cuts at different values are apart; the two cuts of one value are 1 apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """
    How the cuts of two arguments lie: below 0 where the first argument's comes first, 0 where they are the same.

    Parameters
    ----------
    starts
        The first's start to the second's start.
    start_end
        The first's start to the second's end.
    end_start
        The first's end to the second's start.
    ends
        The first's end to the second's end.
    """

    starts: int
    start_end: int
    end_start: int
    ends: int


class Shape(StrEnum):
    """Which argument may be a point."""

    POINTS = "points"
    POINT_RANGE = "point and range"
    RANGE_POINT = "range and point"
    RANGES = "ranges"


_NAMES: Mapping[Shape, tuple[Parameter, Parameter]] = {
    Shape.POINTS: (Parameter(name="point1"), Parameter(name="point2")),
    Shape.POINT_RANGE: (Parameter(name="point"), bounds("range")),
    Shape.RANGE_POINT: (bounds("range"), Parameter(name="point")),
    Shape.RANGES: (bounds("range1"), bounds("range2")),
}


def _shape(left: Value, right: Value) -> Shape:
    if isinstance(left, Range):
        return Shape.RANGES if isinstance(right, Range) else Shape.RANGE_POINT
    return Shape.POINT_RANGE if isinstance(right, Range) else Shape.POINTS


def _enter(name: str, holds: Callable[[Order], bool], *shapes: Shape) -> None:
    def run(budget: Budget, first: Value, second: Value) -> Value:
        left, right = single(first), single(second)
        shape = _shape(left, right)
        if _scattered(left) or _scattered(right):
            return budget.null(
                f"{name}() has no value: a range of all but one value has no two ends"
            )
        if shape not in shapes:
            return budget.null(f"{name}() has no value for {shape}, only for {' or '.join(shapes)}")
        order = _order(left, right)
        if order is None:
            return budget.null(
                f"{name}() has no value: {_what(left)} and {_what(right)} have no order"
            )
        return holds(order)

    RANGES.add_for(Calls.BY_POSITION, name, "first", "second")(run)
    for shape in shapes:
        RANGES.add_for(Calls.BY_NAME, name, *_NAMES[shape])(run)


def _scattered(value: Value) -> bool:
    return isinstance(value, Range) and value.operator is Operator.UNEQUAL


def _what(value: Value) -> str:
    if isinstance(value, Range):
        return f"a range of {kind_of(value.end if value.start is None else value.start)}"
    return "null" if value is None else f"a {kind_of(value)}"


def _order(left: Value, right: Value) -> Order | None:
    (start1, end1), (start2, end2) = _cuts(left), _cuts(right)
    starts, start_end = _apart(start1, start2), _apart(start1, end2)
    end_start, ends = _apart(end1, start2), _apart(end1, end2)
    if starts is None or start_end is None or end_start is None or ends is None:
        return None
    return Order(starts=starts, start_end=start_end, end_start=end_start, ends=ends)


def _cuts(value: Value) -> tuple[Cut, Cut]:
    if not isinstance(value, Range):
        return (0, value, -1), (0, value, 1)
    start = (-1 if value.start is None else 0, value.start, -1 if value.start_included else 1)
    end = (1 if value.end is None else 0, value.end, 1 if value.end_included else -1)
    return start, end


def _apart(left: Cut, right: Cut) -> int | None:
    if left[0] or right[0]:
        return _FAR * (left[0] - right[0])
    if ordered(Operator.LESS, left[1], right[1]):
        return -_FAR
    later = ordered(Operator.MORE, left[1], right[1])
    if later is None:
        return None
    return _FAR if later else (left[2] - right[2]) // 2


_ALL = (Shape.POINTS, Shape.POINT_RANGE, Shape.RANGE_POINT, Shape.RANGES)
_FIRST_MAY = (Shape.POINT_RANGE, Shape.RANGES)
_SECOND_MAY = (Shape.RANGE_POINT, Shape.RANGES)

_enter("before", lambda order: order.end_start <= 0, *_ALL)
_enter("after", lambda order: order.start_end >= 0, *_ALL)
# Both ends are at one value and belong to their ranges: just after it is 1 from just before it.
_enter("meets", lambda order: order.end_start == 1, Shape.RANGES)
_enter("met by", lambda order: order.start_end == -1, Shape.RANGES)
_enter("overlaps", lambda order: order.end_start > 0 > order.start_end, Shape.RANGES)
_enter(
    "overlaps before",
    lambda order: order.starts < 0 < order.end_start and order.ends <= 0,
    Shape.RANGES,
)
_enter(
    "overlaps after",
    lambda order: order.starts > 0 > order.start_end and order.ends >= 0,
    Shape.RANGES,
)
_enter("finishes", lambda order: order.ends == 0 and order.starts >= 0, *_FIRST_MAY)
_enter("finished by", lambda order: order.ends == 0 and order.starts <= 0, *_SECOND_MAY)
_enter("includes", lambda order: order.starts <= 0 <= order.ends, *_SECOND_MAY)
_enter("during", lambda order: order.ends <= 0 <= order.starts, *_FIRST_MAY)
_enter("starts", lambda order: order.starts == 0 and order.ends <= 0, *_FIRST_MAY)
_enter("started by", lambda order: order.starts == 0 and order.ends >= 0, *_SECOND_MAY)
_enter("coincides", lambda order: order.starts == 0 and order.ends == 0, Shape.POINTS, Shape.RANGES)

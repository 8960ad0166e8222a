"""How points and ranges lie to one another, against the formulas of the standard (DMN 1.5, table 78)."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pilothouse.feel import Budget, Range, Value, compile_expression
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call
from pilothouse.feel.signs import Operator

if TYPE_CHECKING:
    from collections.abc import Callable


class Bounds(NamedTuple):
    """A range of numbers."""

    start: Decimal
    end: Decimal
    start_included: bool
    end_included: bool

    def value(self) -> Range:
        return Range(
            start=self.start,
            end=self.end,
            start_included=self.start_included,
            end_included=self.end_included,
        )


ENDS = [(Decimal(a), Decimal(b)) for a in range(1, 5) for b in range(a + 1, 5)]
RANGES = [
    Bounds(start, end, low, high)
    for (start, end), low, high in product(ENDS, (True, False), (True, False))
]
POINTS = [Decimal(n) / 2 for n in range(1, 10)]

TWO_RANGES: dict[str, Callable[[Bounds, Bounds], bool]] = {
    "before": lambda a, b: (
        a.end < b.start or (not (a.end_included and b.start_included) and a.end == b.start)
    ),
    "after": lambda a, b: (
        a.start > b.end or (not (a.start_included and b.end_included) and a.start == b.end)
    ),
    "meets": lambda a, b: a.end_included and b.start_included and a.end == b.start,
    "met by": lambda a, b: a.start_included and b.end_included and a.start == b.end,
    "overlaps": lambda a, b: (
        (a.end > b.start or (a.end == b.start and a.end_included and b.start_included))
        and (a.start < b.end or (a.start == b.end and a.start_included and b.end_included))
    ),
    "overlaps before": lambda a, b: (
        (a.start < b.start or (a.start == b.start and a.start_included and not b.start_included))
        and (a.end > b.start or (a.end == b.start and a.end_included and b.start_included))
        and (a.end < b.end or (a.end == b.end and (not a.end_included or b.end_included)))
    ),
    "overlaps after": lambda a, b: TWO_RANGES["overlaps before"](b, a),
    "finishes": lambda a, b: (
        a.end_included == b.end_included
        and a.end == b.end
        and (
            a.start > b.start or (a.start == b.start and (not a.start_included or b.start_included))
        )
    ),
    "finished by": lambda a, b: TWO_RANGES["finishes"](b, a),
    "includes": lambda a, b: (
        (a.start < b.start or (a.start == b.start and (a.start_included or not b.start_included)))
        and (a.end > b.end or (a.end == b.end and (a.end_included or not b.end_included)))
    ),
    "during": lambda a, b: TWO_RANGES["includes"](b, a),
    "starts": lambda a, b: (
        a.start == b.start
        and a.start_included == b.start_included
        and (a.end < b.end or (a.end == b.end and (not a.end_included or b.end_included)))
    ),
    "started by": lambda a, b: TWO_RANGES["starts"](b, a),
    "coincides": lambda a, b: a == b,
}
RANGE_AND_POINT: dict[str, Callable[[Bounds, Decimal], bool]] = {
    "before": lambda a, p: a.end < p or (a.end == p and not a.end_included),
    "after": lambda a, p: a.start > p or (a.start == p and not a.start_included),
    "finished by": lambda a, p: a.end_included and a.end == p,
    "includes": lambda a, p: (
        a.start < p < a.end
        or (a.start == p and a.start_included)
        or (a.end == p and a.end_included)
    ),
    "started by": lambda a, p: a.start == p and a.start_included,
}
TURNED = {
    "before": "after",
    "after": "before",
    "finishes": "finished by",
    "during": "includes",
    "starts": "started by",
}


def of(name: str, *arguments: Value) -> Value:
    return call(FUNCTIONS[name], arguments, (), Budget())


def value(text: str) -> Value:
    return compile_expression(text).evaluate({})


@pytest.mark.parametrize("name", sorted(TWO_RANGES))
def test_two_ranges_lie_as_the_standard_says(name: str) -> None:
    answers = {
        (left, right): of(name, left.value(), right.value())
        for left, right in product(RANGES, RANGES)
    }
    assert answers == {pair: TWO_RANGES[name](*pair) for pair in answers}
    assert set(answers.values()) == {True, False}


@pytest.mark.parametrize("name", sorted(RANGE_AND_POINT))
def test_a_range_and_a_point_lie_as_the_standard_says(name: str) -> None:
    wrong = [
        (bounds, point)
        for bounds, point in product(RANGES, POINTS)
        if of(name, bounds.value(), point) is not RANGE_AND_POINT[name](bounds, point)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(TURNED))
def test_a_point_and_a_range_lie_the_other_way_round(name: str) -> None:
    wrong = [
        (point, bounds)
        for bounds, point in product(RANGES, POINTS)
        if of(name, point, bounds.value()) is not RANGE_AND_POINT[TURNED[name]](bounds, point)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("before(1, 10)", True),
        ("before(10, 10)", False),
        ("after(point1: 10, point2: 5)", True),
        ("coincides(5, 5.0)", True),
        ("before(point: 1, range: (1..10])", True),
        ("before(range: [1..10), point: 10)", True),
        ("meets(range1: [1..5], range2: [5..10])", True),
        ('during(@"2026-01-05", [@"2026-01-01"..@"2026-02-01"])', True),
        ('before("a", ["b".."c"])', True),
        ('finishes(@"P3D", [@"P1D"..@"P3D"])', True),
        ("includes([1..10], [10..10])", True),
    ],
)
def test_gives_a_truth_value(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("name", "left", "right", "expected"),
    [
        ("before", (Operator.LESS, 5), (Operator.AT_LEAST, 5), True),
        ("before", (Operator.AT_MOST, 5), (Operator.AT_LEAST, 5), False),
        ("meets", (Operator.AT_MOST, 5), (Operator.AT_LEAST, 5), True),
        ("includes", (Operator.MORE, 5), (Operator.MORE, 7), True),
        ("includes", (Operator.MORE, 7), (Operator.MORE, 5), False),
        ("finishes", (Operator.MORE, 7), (Operator.MORE, 5), True),
        ("overlaps", (Operator.MORE, 7), (Operator.LESS, 8), True),
        ("overlaps", (Operator.MORE, 8), (Operator.LESS, 8), False),
        ("coincides", (Operator.EQUAL, 8), (Operator.EQUAL, 8), True),
    ],
)
def test_ranges_may_be_open_on_one_side(
    name: str, left: tuple[Operator, int], right: tuple[Operator, int], expected: bool
) -> None:
    first, second = (Range.compared(sign, Decimal(to)) for sign, to in (left, right))
    assert of(name, first, second) is expected


@pytest.mark.parametrize(
    "text",
    [
        *('before(1, "a")', "before(null, 1)", "before(1)", "before(1, 2, 3)", "before(1, null)"),
        *("meets(1, [1..2])", "during([1..2], 1)", "includes(1, [1..2])", "coincides(1, [1..2])"),
        *("overlaps(1, 2)", "before(point1: [1..2], range2: 3)", "before(range1: 1, range2: 2)"),
        *('before([1..2], ["a".."b"])', "starts(true, [1..2])", "overlaps([1, 2], [3, 4])"),
        'before(@"12:00:00", @"2026-01-05")',
    ],
)
def test_is_null_for_a_reason(text: str) -> None:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    assert budget.nulls


def test_a_range_of_all_but_one_value_has_no_place() -> None:
    budget = Budget()
    scattered = Range.compared(Operator.UNEQUAL, Decimal(1))
    assert call(FUNCTIONS["before"], (scattered, Decimal(3)), (), budget) is None
    assert (
        budget.nulls[0].problem
        == "before() has no value: a range of all but one value has no two ends"
    )

"""Equality, order and membership of values, most of all of those in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import compile_expression
from pilothouse.feel.budget import Budget
from pilothouse.feel.comparison import equal, member, ordered, within
from pilothouse.feel.signs import Operator
from pilothouse.feel.temporal import read_moment
from pilothouse.feel.values import Range, Value, admit

if TYPE_CHECKING:
    from pilothouse.feel.temporal import Moment

ZONES = st.sampled_from(
    [UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(hours=-3, minutes=-30))]
)
ZONED = st.datetimes(datetime(1900, 1, 3), datetime(9990, 1, 1), timezones=ZONES)  # noqa: DTZ001
LOCAL = st.datetimes()
LENGTHS = st.timedeltas(timedelta(days=-3_000_000), timedelta(days=3_000_000))


def moment(text: str) -> Moment:
    found = read_moment(text)
    assert found is not None, text
    return found


def taken(raw: object) -> Value:
    return admit(raw, name="raw", budget=Budget())


@given(st.one_of(st.tuples(LOCAL, LOCAL), st.tuples(ZONED, ZONED)))
def test_order_agrees_with_python_to_the_second(pair: tuple[datetime, datetime]) -> None:
    budget = Budget()
    left, right = taken(pair[0]), taken(pair[1])
    first, second = (
        (at.astimezone(UTC) if at.tzinfo else at).replace(microsecond=0) for at in pair
    )
    assert equal(left, right, budget) is (first == second)
    assert ordered(Operator.LESS, left, right) is (first < second)
    assert ordered(Operator.AT_LEAST, left, right) is (first >= second)


@given(LENGTHS, LENGTHS)
def test_durations_compare_exactly(left: timedelta, right: timedelta) -> None:
    assert ordered(Operator.LESS, taken(left), taken(right)) is (left < right)
    assert equal(taken(left), taken(right), Budget()) is (left == right)


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        ("10:30:00.0001", "10:30:00.0002", True),
        ("10:30:00Z", "10:30:00+00:00", True),
        ("10:30:00Z", "11:30:00+01:00", True),
        ("00:01:00Z", "00:01:00@Etc/UTC", True),
        ("10:30:00@Europe/Paris", "10:30:00@Europe/Paris", True),
        ("10:30:00@Europe/Paris", "10:30:00@Europe/Berlin", None),
        ("10:30:00", "10:30:00Z", None),
        ("2018-12-08T00:00:00", "2018-12-08T00:00:00Z", None),
        ("2018-10-08T00:00:00+02:00", "2018-10-08T00:00:00@Europe/Paris", True),
        ("2018-02-08T00:00:00+01:00", "2018-02-08T00:00:00@Europe/Paris", True),
        ("2002-04-02T12:00:00@Australia/Melbourne", "2002-04-02T12:00:00@Australia/Sydney", True),
        ("2018-12-08T00:00:00@Europe/Paris", "2018-12-08T00:00:00@Asia/Dhaka", False),
        ("P1D", "PT24H", True),
        ("P0D", "-P0D", True),
        ("P1Y", "P12M", True),
        ("P1Y", "P365D", None),
        ("2018-12-08", "2018-12-08T00:00:00Z", None),
    ],
)
def test_moments_are_equal_by_value(left: str, right: str, answer: bool | None) -> None:
    budget = Budget()
    assert equal(moment(left), moment(right), budget) is answer
    assert bool(budget.nulls) is (answer is None)


@pytest.mark.parametrize(
    ("left", "right", "answer"),
    [
        ("2018-12-08T10:00:00", "2018-12-08T11:00:00@Asia/Dhaka", True),
        ("10:00:00+05:00", "11:00:00", True),
        ("10:00:00", "10:00:00Z", False),
        ("10:00:00@Europe/Paris", "11:00:00Z", None),
        ("2018-12-08", "2018-12-08T10:00:00", None),
        ("P1D", "P1M", None),
        ("-0001-01-01", "0001-01-01", True),
    ],
)
def test_moments_are_ordered_by_value(left: str, right: str, answer: bool | None) -> None:
    assert ordered(Operator.LESS, moment(left), moment(right)) is answer


def test_parts_are_what_identity_compares() -> None:
    assert moment("20:00:50+00:00") != moment("21:00:50+01:00")
    assert moment("23:00:50Z") == moment("23:00:50+00:00")
    assert moment("23:00:50@Etc/GMT") != moment("23:00:50Z")


@pytest.mark.parametrize(
    ("sign", "inside", "outside"),
    [("<", 4, 5), ("<=", 5, 6), (">", 6, 5), (">=", 5, 4), ("=", 5, 6), ("!=", 6, 5)],
)
def test_a_comparison_is_a_range_with_an_open_end(sign: str, inside: int, outside: int) -> None:
    bounds = Range.compared(Operator(sign), Decimal(5))
    assert within(Decimal(inside), bounds) is True
    assert within(Decimal(outside), bounds) is False
    assert within("5", bounds) is None


def test_ranges_are_equal_when_they_are_written_alike() -> None:
    budget = Budget()
    less, exact = Range.compared(Operator.LESS, Decimal(5)), Range.compared(Operator.EQUAL, "a")
    assert equal(less, Range.compared(Operator.LESS, Decimal("5.0")), budget) is True
    assert equal(less, Range.compared(Operator.AT_MOST, Decimal(5)), budget) is False
    assert equal(exact, Range(start="a", end="a"), budget) is False
    assert equal(Range(start="a", end="b"), Range(start="a", end="b"), budget) is True


def test_a_range_with_an_open_end_equals_the_comparison_that_means_it() -> None:
    assert compile_expression('range("[2..)") = (>= 2)').evaluate({}) is True
    assert compile_expression('is(range("(..2)"), (< 2))').evaluate({}) is True


def test_a_value_is_looked_for_in_lists_and_ranges_without_noise() -> None:
    budget = Budget()
    tests: Value = (Decimal(1), "a", Range(start=moment("P1D"), end=moment("P3D")))
    assert member(moment("P2D"), tests, budget) is True
    assert member(moment("P4D"), tests, budget) is False
    assert budget.nulls == ()


def test_a_value_of_another_type_in_a_range_is_null_with_its_reason() -> None:
    budget = Budget()
    assert member("a", Range(start=Decimal(1), end=Decimal(2)), budget) is None
    assert budget.nulls[0].problem == "string >= number has no value"

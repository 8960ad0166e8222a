"""FEEL against Python's own decimals, and against text that nobody meant as FEEL."""

from __future__ import annotations

import operator
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import (
    Budget,
    FeelBudgetError,
    FeelPatternError,
    FeelSyntaxError,
    compile_expression,
    compile_unary_tests,
    plain_value,
)
from pilothouse.feel.values import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

ORACLE = Context(prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
NUMBERS = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6
)
WORDS = st.sampled_from(
    [
        *(
            "1",
            "2.5",
            '"a"',
            "x",
            "y.z",
            "true",
            "null",
            "item",
            "?",
            '@"P1D"',
            "count",
            "date and time",
        ),
        *("+", "-", "*", "/", "**", "=", "!=", "<", ">=", "and", "or", "in", "between", "..", "."),
        *("(", ")", "[", "]", "{", "}", ",", ":", "not", "if", "then", "else", "for", "return"),
        *("some", "every", "satisfies", "instance", "of", "number", "sum(", "is defined("),
    ]
)


@pytest.mark.parametrize(
    ("sign", "function"),
    [("+", ORACLE.add), ("-", ORACLE.subtract), ("*", ORACLE.multiply), ("/", ORACLE.divide)],
)
@given(left=NUMBERS, right=NUMBERS)
def test_arithmetic_agrees_with_decimal(
    sign: str, function: Callable[[Decimal, Decimal], Decimal], left: Decimal, right: Decimal
) -> None:
    try:
        expected: Decimal | None = function(left, right)
    except DecimalException:
        expected = None
    found = compile_expression(f"left {sign} right").evaluate({"left": left, "right": right})
    assert found == expected


@pytest.mark.parametrize(
    ("sign", "function"),
    [
        ("<", operator.lt),
        ("<=", operator.le),
        (">", operator.gt),
        (">=", operator.ge),
        ("=", operator.eq),
        ("!=", operator.ne),
    ],
)
@given(left=st.integers(-50, 50), right=NUMBERS | st.integers(-50, 50))
def test_comparison_agrees_with_decimal(
    sign: str, function: Callable[[object, object], bool], left: int, right: Decimal
) -> None:
    context = {"left": left, "right": right}
    assert compile_expression(f"left {sign} right").evaluate(context) is function(left, right)
    assert compile_expression(f"left {sign} {right:f}").evaluate(context) is function(left, right)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_the_way_through_feel(number: float) -> None:
    found = compile_expression("x").evaluate({"x": number})
    assert plain_value(found) == number


@given(st.integers(-(10**33), 10**33))
def test_numbers_written_out_are_read_exactly(number: int) -> None:
    assert compile_expression(str(number)).evaluate({}) == Decimal(number)


@given(st.text(max_size=200))
def test_any_text_survives_as_a_string(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert compile_expression(f'"{escaped}"').evaluate({}) == text


def _outcome(run: Callable[[], object]) -> type[object]:
    """Run what may only give a value or a typed error; any other exception fails the test."""
    try:
        found = run()
    except FeelSyntaxError:
        return FeelSyntaxError
    except (FeelBudgetError, FeelPatternError) as error:
        return type(error)
    return type(found)


@given(st.text(max_size=120) | st.lists(WORDS, max_size=40).map(" ".join))
def test_random_text_gives_a_value_or_a_typed_error(text: str) -> None:
    context = {"x": [1, {"z": None}], "y": {"z": "a"}, "count": 3}
    outcome = _outcome(
        lambda: compile_expression(text).evaluate(context, budget=Budget(steps=2_000))
    )
    assert outcome in {*KINDS, FeelSyntaxError, FeelBudgetError}


@given(st.text(max_size=120) | st.lists(WORDS, max_size=40).map(" ".join))
def test_random_cells_give_a_truth_value_or_a_typed_error(text: str) -> None:
    budget = Budget(steps=2_000)
    outcome = _outcome(lambda: compile_unary_tests(text).matches(1, {"x": 1}, budget=budget))
    assert outcome in {bool, FeelSyntaxError, FeelBudgetError}


@given(st.text(alphabet="ab|()*+?[]^$.{}1,\\d-", max_size=20), st.text(alphabet="ab", max_size=20))
def test_random_patterns_give_a_truth_value_or_null_or_a_typed_error(
    pattern: str, text: str
) -> None:
    expression = compile_expression("matches(text, pattern)")
    outcome = _outcome(lambda: expression.evaluate({"text": text, "pattern": pattern}))
    assert outcome in {bool, type(None), FeelPatternError, FeelBudgetError}

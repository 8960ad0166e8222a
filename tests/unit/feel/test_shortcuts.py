"""The short ways of comparisons give what the long way gives, errors and reasons included."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pilothouse.feel import Budget, FeelValueError, compile_expression

if TYPE_CHECKING:
    from pilothouse.feel import Value

OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
NUMBERS = st.one_of(
    st.floats(),
    st.integers(),
    st.integers(min_value=-5, max_value=5),
    st.decimals(),
    st.booleans(),
    st.none(),
    st.text(max_size=3),
)
CONSTANTS = st.one_of(
    st.integers(min_value=-(10**20), max_value=10**20).map(str),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-1e20, max_value=1e20).map(
        lambda number: format(Decimal(repr(number)), "f")
    ),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20).map(
        lambda number: format(number, "f")
    ),
    st.text(alphabet="ab ", max_size=2).map(lambda text: f'"{text}"'),
)


def _outcome(text: str, value: object) -> tuple[Value | str, int]:
    """Evaluate, and give the answer or the error, with the number of reasons."""
    budget = Budget()
    try:
        answer = compile_expression(text).evaluate({"v": value, "m": {"a": value}}, budget=budget)
    except FeelValueError as error:
        return error.problem, 0
    return answer, len(budget.nulls)


@given(value=NUMBERS, operator=st.sampled_from(OPERATORS), constant=CONSTANTS)
@example(value=0.1 + 0.2, operator="=", constant="0.3")
@example(value=9007199254740993, operator="=", constant="9007199254740992.0")
@example(value=1, operator="<", constant="1.00000000000000000001")
@example(value=-0.0, operator="=", constant="0")
@example(value=math.nan, operator="=", constant="0")
@example(value=math.inf, operator=">", constant="0")
@example(value=1e308, operator=">", constant="0")
def test_comparison_with_a_constant_is_the_comparison(
    value: object, operator: str, constant: str
) -> None:
    # In brackets with an addition of nothing, the constant is none to the compiler.
    long_way = f"v {operator} [{constant}][1]"

    assert _outcome(f"v {operator} {constant}", value) == _outcome(long_way, value)
    assert _outcome(f"m.a {operator} {constant}", value)[0] == _outcome(long_way, value)[0] or (
        isinstance(_outcome(long_way, value)[0], str)
    )


@given(value=st.one_of(NUMBERS, st.sampled_from(["a", "b"])))
@pytest.mark.parametrize(
    ("short", "long"),
    [
        ('v in ["a", "b"]', 'v in (for x in ["a", "b"] return x)'),
        ('v in ("a", "b")', 'v in (["a"][1], ["b"][1])'),
        ('v in "a"', 'v in ["a"][1]'),
        ("v in []", "v in (for x in [] return x)"),
        ('m.a in ["a", "b"]', 'v in (for x in ["a", "b"] return x)'),
    ],
)
def test_search_among_texts_is_the_search(short: str, long: str, value: object) -> None:
    assert _outcome(short, value)[0] == _outcome(long, value)[0]


def test_member_of_a_mapping_that_is_no_dict_is_read_the_long_way() -> None:
    assert compile_expression("m.a > 1").evaluate({"m": None}) is None
    assert compile_expression("m.a > 1").evaluate({"m": [{"a": 2}]}) is None
    assert compile_expression("m.a > 1").evaluate({}) is None

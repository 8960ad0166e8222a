"""The cells of decision tables."""

from __future__ import annotations

from datetime import date

import pytest

from pilothouse.feel import FeelBudgetError, FeelValueError, compile_unary_tests


@pytest.mark.parametrize(
    ("text", "passing", "failing"),
    [
        ("-", [1, "a", None, [1]], []),
        ("> 3", [4, 3.01], [3, None, "4"]),
        ("<= 3", [3], [4]),
        ("= 3", [3], [4, None]),
        ("!= 3", [4, None], [3]),
        ("3", [3, 3.0], [4, "3", None]),
        ('"low"', ["low"], ["Low", None]),
        ('"low", "medium"', ["low", "medium"], ["high"]),
        ('not("low", "medium")', ["high"], ["low", "medium"]),
        ("not(> 3)", [3, 1], [4]),
        ("[0.8..1.0]", [0.8, 0.9, 1], [0.79, 1.01, None]),
        ("(0.8..1.0)", [0.9], [0.8, 1.0]),
        ("]0.8..1.0]", [1.0], [0.8]),
        ("< 1, > 5, 3", [0, 6, 3], [2]),
        ("true", [True], [False, None, 1, "true"]),
        ("false", [False], [True, None]),
        ("null", [None], [0, False]),
        ("? > 3 and ? < limit", [4], [3, 10]),
        ('contains(?, "a")', ["bar"], ["foo"]),
        ("? and limit in (1, 10)", [True], [False, None]),
        ("limit in (1, 10) and ? = false", [False], [True]),
        ("limit", [10], [9]),
        ("limit > 5", [1, "x"], [None, False]),
        ("limit < 5", [False], [1, "x"]),
        ("names", ["a", "b"], ["c"]),
        ("limit - 1", [9], [10]),
        ("-5", [-5], [5]),
        ('< date("2026-01-05")', [date(2026, 1, 4)], [date(2026, 1, 5), 1]),
        ("not(true) or ? = 1", [1], [2]),
    ],
)
def test_values_pass_or_fail(text: str, passing: list[object], failing: list[object]) -> None:
    tests = compile_unary_tests(text)
    context = {"limit": 10, "names": ["a", "b"]}
    assert [tests.matches(v, context) for v in passing] == [True] * len(passing)
    assert [tests.matches(v, context) for v in failing] == [False] * len(failing)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(FeelValueError) as caught:
        compile_unary_tests("> 1").matches(object(), {})
    assert caught.value.name == "?"


def test_tests_run_inside_the_budget() -> None:
    with pytest.raises(FeelBudgetError):
        compile_unary_tests("count(for i in 1..1000000000 return i) > ?").matches(1, {})


def test_free_names_are_known() -> None:
    assert compile_unary_tests("? > limit, other").names == {"limit", "other"}

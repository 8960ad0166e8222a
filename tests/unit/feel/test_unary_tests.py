"""The cells of decision tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from pilothouse.feel import Budget, Date, FeelBudgetError, FeelValueError, compile_unary_tests
from pilothouse.feel.literals import read_range_literal
from pilothouse.feel.syntax import Call, Interval, Literal, OperatorTest, ValueTest


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
        ("(< 5)", [4], [5]),
        ("[< 5, > 10]", [4, 11], [5, 10]),
        ("not([1..3], 7)", [4], [2, 7]),
        ("? + 1", [], [1, 2]),
        ("[1..3], (5..limit[", [2, 9], [4, 5, 10]),
        ("? in (1, 2) or ? in [7..9]", [1, 8], [3]),
        ("every n in names satisfies n != ?", ["c"], ["a"]),
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


def test_the_tree_has_literals_where_values_are_written_out() -> None:
    tree = compile_unary_tests('-5, date("2026-01-05"), [-1..duration("P1D")], < -3').tree
    first, second, third, fourth = tree.tests
    assert isinstance(first, ValueTest)
    assert isinstance(first.expression, Literal)
    assert first.expression.value == Decimal(-5)
    assert isinstance(second, ValueTest)
    assert isinstance(second.expression, Literal)
    assert second.expression.value == Date(year=2026, month=1, day=5)
    assert isinstance(third, ValueTest)
    assert isinstance(third.expression, Interval)
    assert isinstance(third.expression.low, Literal)
    assert isinstance(third.expression.high, Literal)
    assert isinstance(fourth, OperatorTest)
    assert isinstance(fourth.operand, Literal)


def test_a_constructor_is_no_literal_where_a_variable_has_its_name() -> None:
    tree = compile_unary_tests('date("2026-01-05")', names=["date"]).tree
    test = tree.tests[0]
    assert isinstance(test, ValueTest)
    assert isinstance(test.expression, Call)


def test_values_of_feel_are_tested_as_they_are() -> None:
    tests = compile_unary_tests("< limit")
    assert tests.passes(Decimal(1), {"limit": Decimal(2)}, budget=Budget())


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("[1..3)", "1", "3"),
        (" ] -1 .. 1.5e1 ] ", "-1", "15"),
        ("(..2]", None, "2"),
        ("[1..)", "1", None),
    ],
)
def test_range_literals_are_read(text: str, start: str | None, end: str | None) -> None:
    found = read_range_literal(text)
    assert found is not None
    assert found.start == (None if start is None else Decimal(start))
    assert found.end == (None if end is None else Decimal(end))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1", "[1..2", "[1..]", "[..2]", "(..)", "[3..1]", '[1.."a"]', "[null..1]"),
        *("[a..b]", "[1+1..3]", "< 5", "[1..2] x", "[1e9999..2]", '[-"a".."b"]', "[date(1)..2]"),
        *('[date(string("2026-01-05"))..@"2026-01-06"]', '[@"soon"..@"later"]'),
    ],
)
def test_what_is_no_range_literal_is_none(text: str) -> None:
    assert read_range_literal(text) is None

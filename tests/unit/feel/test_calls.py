"""Functions written in FEEL, and calls of whatever gives a function."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pilothouse.feel import (
    Budget,
    ExternalFunctionError,
    FeelBudgetError,
    FeelSyntaxError,
    Function,
    Resource,
    Value,
    compile_expression,
)


def value(text: str) -> Value:
    return compile_expression(text).evaluate({"base": 100})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(function(a, b) a - b)(5, 3)", "2"),
        ("(function(a, b) a - b)(b: 5, a: 3)", "-2"),
        ("-(function(a) a)(10)", "-10"),
        ("(function() 7)()", "7"),
        ("(function(a: number) a + base)(1)", "101"),
        ("(function(a: number) a)([4])", "4"),
        ("(function(a+b, in case) a+b * in case)(a+b: 2, in case: 3)", "6"),
        ("{double: function(x) x * 2, r: double(double(3))}.r", "12"),
        ("{add: function(x) function(y) x + y, r: add(1)(2)}.r", "3"),
        ("[function(x) x + 1][1](2)", "3"),
        ("{m: {f: function(x) x * 2}, r: m.f(4)}.r", "8"),
        ("{n: 1, f: function() n, r: {n: 2, r: f()}.r}.r", "1"),
        ("(for i in 1..3 return function(x) x + i)[2](10)", "12"),
        (
            "{fact: function(n) if n <= 1 then 1 else n * fact(n - 1), r: fact(20)}.r",
            str(2432902008176640000),
        ),
        ("{total: sum, r: total([1, 2])}.r", "3"),
        ('{size: string length, r: size(string: "abc")}.r', "3"),
        ("[{f: function(x) x > 1, n: 2}][f(n)][1].n", "2"),
        ("{sum: 3, r: sum([1, 2])}.r", "3"),
        ("sort([1, 3, 2], function(x, y) x > y)[1]", "3"),
    ],
)
def test_calls_give_numbers(text: str, expected: str) -> None:
    assert value(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("(function(a) a)(1, 2)", "the function(a) cannot take 2 arguments"),
        ("(function(a) a)(b: 1)", "the function(a) cannot take b"),
        ('(function(a: number) 1)("x")', 'the string "x" is not of the type number'),
        ("5(3)", "number cannot be called"),
        ("{f: null, r: f(1)}.r", "null cannot be called"),
    ],
)
def test_calls_that_fit_no_function_are_null_with_a_reason(text: str, problem: str) -> None:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    assert problem in [null.problem for null in budget.nulls]
    assert all(null.text == text and null.line == 1 for null in budget.nulls)


def test_a_parameter_that_a_call_by_names_leaves_out_is_null() -> None:
    assert value("(function(a, b) b = null)(a: 1)") is True


def test_a_variable_that_holds_a_function_is_called_where_it_is_announced() -> None:
    double = compile_expression("function(x) x * 2").evaluate({})
    expression = compile_expression("scale up(4)", names=["scale up"])
    assert expression.evaluate({"scale up": double}) == Decimal(8)


def test_a_name_that_nobody_knows_cannot_be_called() -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression("1 + scale(4)", names=["scaled"])
    assert (caught.value.column, caught.value.expected) == (
        5,
        "a known function (the nearest is scaled())",
    )


def test_a_variable_that_is_no_function_does_not_hide_a_built_in_one() -> None:
    expression = compile_expression("date(date).year", names=["date"])
    assert expression.evaluate({"date": "2026-01-05"}) == Decimal(2026)


def test_an_external_function_is_refused_at_its_place() -> None:
    with pytest.raises(ExternalFunctionError) as caught:
        compile_expression('function(x) external {java: {class: "java.lang.Math"}}')
    assert (caught.value.code, caught.value.column) == ("feel-external-function", 13)


@pytest.mark.parametrize(
    "text",
    [
        "{f: function(n) f(n + 1), r: f(1)}.r",
        "{f: function(n) for i in 1..10 return f(n), r: f(1)}.r",
        "(function(f) f(f))(function(f) f(f))",
    ],
)
def test_recursion_without_end_is_stopped(text: str) -> None:
    with pytest.raises(FeelBudgetError) as caught:
        value(text)
    assert caught.value.resource is Resource.CALLS


def test_recursion_that_doubles_is_stopped_by_its_steps() -> None:
    with pytest.raises(FeelBudgetError) as caught:
        value("{f: function(n) if n = 0 then 1 else f(n - 1) + f(n - 1), r: f(40)}.r")
    assert caught.value.resource is Resource.STEPS


def test_recursion_through_deep_bodies_is_stopped() -> None:
    body = "abs(" * 80 + "f(n)" + ")" * 80
    with pytest.raises(FeelBudgetError):
        value(f"{{f: function(n) {body}, r: f(1)}}.r")


def test_a_function_is_a_value() -> None:
    found = value("function(a, b c) a")
    assert isinstance(found, Function)
    assert found.parameters == ("a", "b c")

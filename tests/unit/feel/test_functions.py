"""The built-in functions as a whole: how they are called, what they refuse, and why; booleans and identity."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pilothouse.feel import (
    FUNCTION_NAMES,
    Budget,
    Range,
    Value,
    admit,
    compile_expression,
)
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import Registry, call, merged
from pilothouse.feel.invocation import invoke
from pilothouse.feel.values import Function

STANDARD = """
abs after all any append before ceiling coincides concatenate contains context|context merge|context put
count date|date and time|day of week|day of year|decimal|distinct values|duration during|ends with|even exp
finished by|finishes flatten floor|get entries|get value|includes|index of|insert before|is|list contains
list replace|log|lower case|matches max mean median meets|met by|min mode modulo|month of year|not now number odd
overlaps|overlaps after|overlaps before|product range remove replace reverse|round down|round half down
round half up|round up|sort split sqrt|started by|starts|starts with|stddev string|string join|string length
sublist substring|substring after|substring before|sum time today union|upper case|week of year
years and months duration
"""


def value(text: str) -> Value:
    return compile_expression(text).evaluate({})


def reason(text: str) -> str:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    return budget.nulls[0].problem


def called(name: str, *arguments: object, names: tuple[str, ...] = ()) -> tuple[Value, list[str]]:
    budget = Budget()
    admitted = tuple(admit(argument, name="argument", budget=budget) for argument in arguments)
    found = call(FUNCTIONS[name], admitted, names, budget)
    return found, [null.problem for null in budget.nulls]


def standard_names() -> list[str]:
    """Two words or more stand between bars or line ends; single ones may stand side by side."""
    names = []
    for part in STANDARD.replace("\n", "|").split("|"):
        words = part.split(" ")
        names += [part] if part in FUNCTIONS else words
    return [name for name in names if name]


@pytest.mark.parametrize("name", standard_names())
def test_the_functions_of_the_standard_are_there(name: str) -> None:
    assert name in FUNCTIONS


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_no_function_of_nulls_is_null_without_a_reason(name: str) -> None:
    form = FUNCTIONS[name].forms[0]
    found, reasons = called(name, *[None for _ in form.parameters])
    assert found is not None or reasons or name == "not" or name == "string"


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_refuses_twenty_arguments_by_name(name: str) -> None:
    names = tuple(f"unknown{i}" for i in range(20))
    found, reasons = called(name, *[None] * 20, names=names)
    assert found is None
    assert "cannot take unknown0" in reasons[0]


@pytest.mark.parametrize("name", sorted(FUNCTION_NAMES))
def test_every_function_can_be_called_by_its_name(name: str) -> None:
    arguments = ", ".join("null" for _ in FUNCTIONS[name].parameters) if name in FUNCTIONS else "x"
    found = compile_expression(f"{name}({arguments})").evaluate({})
    assert found in (None, False, True, (), (None,))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("abs()", "abs(n) cannot take 0 arguments"),
        ("modulo(1)", "modulo(dividend, divisor) cannot take 1 argument"),
        ("abs(m: 1)", "abs(n) cannot take m"),
        ('abs("a")', "abs() has no value: 'n' must be a number or a duration, not a string"),
        ("sqrt(null)", "sqrt() has no value: 'number' must be a number, not null"),
        ("floor(1.5, null)", "floor() has no value: 'scale' is null"),
        ("floor(n: 1.5, scale: null)", "floor() has no value: 'scale' is null"),
        (
            "substring(1, 1)",
            "substring() has no value: 'string' must be a string, not a number",
        ),
        (
            'substring("abc", 1.5)',
            "substring() has no value: 'start position' must be a whole number, not 1.5",
        ),
        (
            "insert before([1], 1)",
            "insert before(list, position, newItem) cannot take 2 arguments",
        ),
        (
            "number(from: 1, point: 2)",
            "number(from) or number(from, grouping separator, decimal separator) cannot take from, point",
        ),
        ('sum([1, "a"])', "sum() has no value: item 2 is a string, not a number"),
        ("count(null)", "count() has no value: 'list' is null"),
        ("not(1)", "not() has no value: 'negand' is a number, not a boolean"),
        ("any([false, 1])", "any() has no value: item 2 is a number, not a boolean"),
    ],
)
def test_a_null_says_why(text: str, problem: str) -> None:
    assert reason(text) == problem


@pytest.mark.parametrize("text", ["not(null)", "any([false, null])", "all([true, null])"])
def test_the_nulls_of_logic_need_no_reason(text: str) -> None:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    assert budget.nulls == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abs([-3]) = 3", True),
        ('contains(["foobar"], "ob")', True),
        ("count(list: 5) = 1", True),
        ("not([true])", False),
        ("list contains(5, 5)", True),
        ("before([1], [2])", True),
        ('get value([{a: 1}], ["a"]) = 1', True),
    ],
)
def test_an_item_and_a_list_of_it_stand_for_each_other(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all([true, true])", True),
        ("all([true, null])", None),
        ("all([null, false])", False),
        ("all([1, false])", False),
        ("all(true, 1)", None),
        ("all(null)", None),
        ("any(false, true)", True),
        ("any([false, null])", None),
        ("any([1, true])", True),
        ("any(list: [null, false])", None),
        ("all([])", True),
        ("any([])", False),
        ("all(list: true)", True),
        ("not(true)", False),
        ("not(negand: false)", True),
        ("not(null)", None),
    ],
)
def test_gives_a_truth_value(text: str, expected: bool | None) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("is(1, 1.0)", True),
        ('is(1, "1")', False),
        ("is(null, null)", True),
        ("is([1, {a: null}], [1.0, {a: null}])", True),
        ("is([1, 2], [1])", False),
        ("is({a: 1}, {b: 1})", False),
        ("is([1..2], [1..2])", True),
        ("is([1..2], [1..2))", False),
        ("is(value1: 1)", False),
        ("is(value2: null)", True),
        ('is(@"12:00:00Z", @"12:00:00+00:00")', True),
        ('is(@"12:00:00+01:00", @"11:00:00Z")', False),
        ('is(@"2026-01-05", @"2026-01-05T00:00:00")', False),
        ('is(@"P1D", @"PT24H")', True),
        ('is(@"P0D", @"P0M")', False),
    ],
)
def test_is_asks_for_the_same_value(text: str, expected: bool) -> None:
    assert value(text) is expected


def test_is_needs_both_values_when_they_have_no_names() -> None:
    assert called("is", 1) == (
        None,
        ["is(value1, value2) or is(value2) or is(value1) cannot take 1 argument"],
    )


def test_a_built_in_function_is_one_value() -> None:
    assert FUNCTIONS["abs"].value is FUNCTIONS["abs"].value
    assert FUNCTIONS["abs"].value.parameters == ("n",)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("abs", (Decimal(-1),), Decimal(1)),
        ("floor", (Decimal("1.56"), Decimal(1)), Decimal("1.5")),
        ("floor", (Decimal("1.56"),), Decimal(1)),
        ("sum", (Decimal(1), Decimal(2)), Decimal(3)),
        ("context put", ({}, "a", Decimal(1)), {"a": Decimal(1)}),
        ("before", (Decimal(1), Decimal(2)), True),
    ],
)
def test_a_built_in_function_can_be_called_as_a_value(
    name: str, arguments: tuple[Value, ...], expected: Value
) -> None:
    assert invoke(FUNCTIONS[name].value, arguments, (), Budget()) == expected


def test_a_function_can_be_given_to_another() -> None:
    precedes = FUNCTIONS["after"].value
    found = call(FUNCTIONS["sort"], ((Decimal(1), Decimal(3)), precedes), (), Budget())
    assert found == (Decimal(3), Decimal(1))


def test_names_may_be_in_any_order() -> None:
    assert called("modulo", 5, 12, names=("divisor", "dividend"))[0] == Decimal(2)


def test_a_name_that_is_there_twice_is_refused() -> None:
    assert called("modulo", 5, 12, names=("divisor", "divisor"))[0] is None


def test_two_registries_cannot_have_the_same_function() -> None:
    one, other = Registry(), Registry()
    one.add("f")(lambda budget: None)
    other.add("f")(lambda budget: None)
    with pytest.raises(ValueError, match="built in twice: f"):
        merged(one, other)


def test_functions_and_ranges_have_a_text() -> None:
    function = Function(name="f", parameters=("x", "y"), run=lambda budget, values: None)
    written = call(FUNCTIONS["string"], (function,), (), Budget())
    assert written == "function(x, y)"
    assert (
        called("string", Range(start=Decimal(1), end=Decimal(2), end_included=False))[0] == "[1..2)"
    )

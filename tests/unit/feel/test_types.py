"""Types: what conforms, what is converted, what is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pilothouse.feel import (
    Budget,
    Date,
    Fault,
    Value,
    compile_expression,
    compile_unary_tests,
)
from pilothouse.feel.types import (
    ANY,
    DATE_AND_TIME,
    NUMBER,
    STRING,
    Constrained,
    ContextType,
    ListType,
    Named,
    Type,
)

TIER = Named("tTier", Constrained(STRING, compile_unary_tests('"low", "high"')))
LOAN = Named("tLoan", ContextType({"amount": NUMBER, "tier": TIER}))
TYPES: dict[str, Type] = {
    "tTier": TIER,
    "tLoan": LOAN,
    "loan types.tLoan": LOAN,
    "tLoans": ListType(LOAN),
}


def value(text: str) -> Value:
    return compile_expression(text, types=TYPES).evaluate({})


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2] instance of list<number>",
        "[] instance of list<number>",
        "[null] instance of list<number>",
        "[[1]] instance of list<list<number>>",
        "[1] instance of list<number> = true",
        "[1] instance of list<number>=true",
        "{a: 1, b: 2} instance of context<a: number>",
        "{a b: null} instance of context<a b: number>",
        "{a: {b: [1]}} instance of context<a: context<b: list<number>>>",
        "[1..3] instance of range<number>",
        "(> 3) instance of range<number>",
        'date("2026-01-05") instance of date',
        '@"P1D" instance of days and time duration',
        "null instance of Null",
        "1 instance of Any",
        "(function() 1) instance of function<> -> number",
        "(function(a: number) a + 1) instance of function<number> -> number",
        "(function(a: context<a: string>) [a]) instance of function<context<a: string, b: string>> -> list<Any>",
        "(function(a, b) a > b) instance of function<number, number> -> boolean",
        '(function(a: string) a + "!") instance of function<string> -> string',
        "sum instance of function<Any> -> Any",
        '{amount: 1, tier: "high", more: 2} instance of tLoan',
        '{amount: 1, tier: "other"} instance of loan types.tLoan',
        "[] instance of tLoans",
    ],
)
def test_is_an_instance(text: str) -> None:
    assert value(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "null instance of Any",
        "null instance of number",
        "1 instance of Null",
        "1 instance of list<number>",
        "[1] instance of number",
        '[1, "a"] instance of list<number>',
        "{b: 2} instance of context<a: number>",
        "{a: 1} instance of context<a: string>",
        "[1..3] instance of range<string>",
        "(function() 1) instance of function<> -> string",
        "(function(a: string) 1) instance of function<number> -> number",
        "(function(a) a) instance of function<number> -> number",
        "(function(a) a) instance of function<> -> Any",
        '{amount: "1"} instance of tLoan',
    ],
)
def test_is_no_instance(text: str) -> None:
    assert value(text) is False


def test_a_type_that_lacks_its_parameters_makes_the_test_null() -> None:
    budget = Budget()
    assert compile_expression("[1] instance of list").evaluate({}, budget=budget) is None
    assert budget.nulls[0].problem == "instance of list has no value: the type lacks its parameters"


@pytest.mark.parametrize(
    ("wanted", "given", "expected"),
    [
        (NUMBER, Decimal(1), Decimal(1)),
        (NUMBER, None, None),
        (NUMBER, (Decimal(1),), Decimal(1)),
        (ListType(NUMBER), Decimal(1), (Decimal(1),)),
        (ListType(NUMBER), (), ()),
        (NUMBER, (None,), None),
        (ANY, "x", "x"),
        (TIER, "low", "low"),
        (TIER, ("low",), "low"),
        (LOAN, {"amount": Decimal(1), "tier": None}, {"amount": Decimal(1), "tier": None}),
    ],
)
def test_values_that_fit_are_converted(wanted: Type, given: Value, expected: Value) -> None:
    budget = Budget()
    assert wanted.coerced(given, budget) == expected
    assert budget.nulls == ()


@pytest.mark.parametrize(
    ("wanted", "given", "problem"),
    [
        (NUMBER, "1", 'the string "1" is not of the type number'),
        (NUMBER, (Decimal(1), Decimal(2)), "the list is not of the type number"),
        (ListType(NUMBER), "1", 'the string "1" is not of the type list<number>'),
        (TIER, "other", 'the string "other" is not among the allowed values of the type tTier'),
        (LOAN, {"amount": Decimal(1)}, "the context is not of the type tLoan"),
        (
            ListType(LOAN),
            ({"amount": Decimal(1), "tier": "other"},),
            "the list is not among the allowed values of the type list<tLoan>",
        ),
    ],
)
def test_values_that_do_not_fit_are_null_with_a_reason(
    wanted: Type, given: Value, problem: str
) -> None:
    budget = Budget()
    assert wanted.coerced(given, budget) is None
    assert [(n.fault, n.problem) for n in budget.nulls] == [(Fault.TYPE, problem)]


def test_a_date_becomes_its_midnight_in_universal_time() -> None:
    found = DATE_AND_TIME.coerced(Date(year=2026, month=1, day=5), Budget())
    assert found == compile_expression('@"2026-01-05T00:00:00Z"').evaluate({})


def test_types_are_written_as_feel_writes_them() -> None:
    kind = ContextType({"a": ListType(NUMBER), "b c": TIER})
    assert kind.name == "context<a: list<number>, b c: tTier>"

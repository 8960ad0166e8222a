"""Hostile expressions stop inside the budget; hostile contexts are refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

import pytest

from pilothouse.domain.errors import RefusedError
from pilothouse.feel import (
    Budget,
    Fault,
    FeelBudgetError,
    FeelValueError,
    Resource,
    compile_expression,
)

HUGE = "a" * 100_000_000


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..1000000000 return i",
        "for i in 1..100000, j in 1..100000 return i",
        "some i in 1..1000000000 satisfies i < 0",
        "every i in 1..1000000000 satisfies i > 0",
        "string(for i in 1..200 return [partial, partial])",
        "(for i in 1..200 return [partial, partial]) = (for i in 1..200 return [partial, partial])",
        "count(flatten(for i in 1..200 return [partial, partial]))",
        "for i in 1..3000 return concatenate(partial, partial)",
        "distinct values(for i in 1..5000 return i)",
        "(for i in 1..5000 return i)[(for j in 1..5000 return j) = 1]",
    ],
)
def test_work_without_end_is_stopped(text: str) -> None:
    with pytest.raises(FeelBudgetError) as caught:
        compile_expression(text).evaluate({})
    assert caught.value.resource in (Resource.STEPS, Resource.DEPTH)


@pytest.mark.parametrize(
    "text",
    [
        'for i in 1..60 return if i = 1 then "ab" else partial[-1] + partial[-1]',
        "upper case(x)",
        "x + x",
        "number(x)",
        'contains(x, "b")',
        "string([x])",
        'matches(x, "b")',
    ],
)
def test_texts_without_end_are_stopped(text: str) -> None:
    with pytest.raises(FeelBudgetError) as caught:
        compile_expression(text).evaluate({"x": HUGE})
    assert caught.value.resource is Resource.CHARACTERS


def test_the_budget_error_is_a_refusal_with_a_stable_code() -> None:
    with pytest.raises(RefusedError) as caught:
        compile_expression("for i in 1..100 return i").evaluate({}, budget=Budget(steps=50))
    assert caught.value.code == "feel-budget"
    assert caught.value.fields == {"resource": Resource.STEPS, "limit": 50}


def test_one_budget_bounds_several_evaluations() -> None:
    expression, budget = compile_expression("a + b"), Budget(steps=7)
    expression.evaluate({"a": 1, "b": 2}, budget=budget)
    expression.evaluate({"a": 1, "b": 2}, budget=budget)
    assert budget.left == 1
    with pytest.raises(FeelBudgetError):
        expression.evaluate({"a": 1, "b": 2}, budget=budget)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9.9 ** 99999999999999999999", None),
        ("0.5 ** 1e30 < 1e-6000", True),
        ("exp(999999999999)", None),
        ("exp(-999999999999) < 1e-6000", True),
        ("decimal(1e6000, 6000) = 1e6000", True),
        ('duration("P999999999D") * 1e30', None),
    ],
)
def test_huge_exponents_are_harmless(text: str, expected: bool | None) -> None:
    assert compile_expression(text).evaluate({}) is expected


@pytest.mark.parametrize(
    ("held", "problem"),
    [
        (object(), "knows no object"),
        (print, "knows no builtin_function_or_method"),
        ({1, 2}, "knows no set"),
        (b"bytes", "knows no bytes"),
        (1 + 2j, "knows no complex"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        (Decimal("NaN"), "finite"),
        (Decimal("1." + "1" * 40), "34 digits"),
        (10**34 + 1, "34 digits"),
        ({1: "a"}, "key of type int"),
        ([1, [object()]], "knows no object"),
    ],
)
def test_other_values_are_refused(held: object, problem: str) -> None:
    with pytest.raises(FeelValueError) as caught:
        compile_expression("x = 1").evaluate({"x": held})
    assert problem in caught.value.problem
    assert caught.value.name.startswith("x")


def test_an_integer_beyond_all_decimals_is_refused_without_converting_it() -> None:
    with pytest.raises(FeelValueError) as caught:
        compile_expression("x = 1").evaluate({"x": 1 << 10_000_000})
    assert "too large" in caught.value.problem


def test_the_refusal_names_the_place_inside_the_value() -> None:
    with pytest.raises(FeelValueError) as caught:
        compile_expression("x = 1").evaluate({"x": {"rows": [1, object()]}})
    assert caught.value.name == "x.rows[2]"


def test_values_that_are_not_read_are_not_touched() -> None:
    context = {"x": {"a": 1, "b": object()}, "y": object()}
    assert compile_expression("x.a").evaluate(context) == 1


def test_a_list_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(FeelBudgetError) as caught:
        compile_expression("count(x)").evaluate({"x": endless})
    assert caught.value.resource is Resource.DEPTH


@pytest.mark.parametrize(
    "name", ["__class__", "__dict__", "year.real", "strip", "__init__.__globals__"]
)
@pytest.mark.parametrize("held", ["text", 1, 1.5, True, date(2026, 1, 5), [1], {"a": 1}])
def test_no_attribute_of_an_object_is_reachable(name: str, held: object) -> None:
    found = compile_expression(f"x.{name}").evaluate({"x": held})
    assert found in (None, (None,))


class Stage(StrEnum):
    PROD = "PROD"


class Sly(str):
    """Text that would run its own code when converted or compared."""

    __slots__ = ()

    def __str__(self) -> str:
        raise AssertionError("was run")

    def __eq__(self, other: object) -> bool:
        raise AssertionError("was run")

    def __hash__(self) -> int:
        raise AssertionError("was run")


def test_members_of_text_enums_are_text() -> None:
    assert type(compile_expression("x").evaluate({"x": Stage.PROD})) is str


def test_descendants_of_text_do_not_run_their_code() -> None:
    assert compile_expression('x = "a"').evaluate({"x": Sly("a")}) is True


def test_floats_are_taken_by_their_shortest_text() -> None:
    assert compile_expression("x + y").evaluate({"x": 0.1, "y": 0.2}) == Decimal("0.3")


def test_results_do_not_share_lists_with_the_context() -> None:
    given = {"x": {"rows": [1]}}
    found = compile_expression("x").evaluate(given)
    given["x"]["rows"].append(2)
    assert found == {"rows": (Decimal(1),)}


def test_first_reason_of_a_fault_is_kept_beside_any_number_of_others() -> None:
    budget = Budget()
    for number in range(30):
        budget.null(f"harmless {number}")

    budget.null("missing", fault=Fault.MISSING)

    assert budget.nulls[-1].problem == "missing"
    assert budget.nulls_beyond == 10

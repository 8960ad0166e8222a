"""Why a value became null: the budget keeps what happened, and where."""

from __future__ import annotations

import pytest

from pilothouse.feel import Budget, Fault, compile_expression

CONTEXT = {"rows": [{"x": 1}, {}], "metrics": {"auc": None}, "nothing": None, "tier": "low"}


def reasons(text: str) -> list[tuple[Fault, str, int]]:
    budget = Budget()
    compile_expression(text).evaluate(CONTEXT, budget=budget)
    return [(null.fault, null.problem, null.column) for null in budget.nulls]


@pytest.mark.parametrize(
    ("text", "fault", "problem", "column"),
    [
        ("1 = other", Fault.MISSING, "there is no variable 'other'", 5),
        ("other.auc", Fault.MISSING, "there is no variable 'other'", 1),
        ("1 = metrics.psi.test", Fault.VALUE, "metrics has no entry 'psi'", 5),
        ("rows[z = 1]", Fault.VALUE, "there is no variable 'z'", 6),
        ('2 * (1 + "a")', Fault.VALUE, "number + string has no value", 6),
        ("1 / 0", Fault.VALUE, "number / number has no value: the divisor is 0", 1),
        ('"a" < 1', Fault.VALUE, "string < number has no value", 1),
        ('1 = "1"', Fault.VALUE, "number = string has no value", 1),
        ("tier in (1, 2)", Fault.VALUE, "string = number has no value", 1),
        ("tier between 1 and 2", Fault.VALUE, "string >= number has no value", 1),
        ("-tier", Fault.VALUE, "- string has no value", 1),
        ("rows[3]", Fault.VALUE, "there is no item 3 in a list of 2", 1),
        ("rows[tier]", Fault.VALUE, "a filter by string has no value", 1),
        ("tier.length", Fault.VALUE, "string has no member 'length'", 1),
        ("for x in nothing return x", Fault.VALUE, "a loop over null has no value", 10),
        (
            "[3..1]",
            Fault.VALUE,
            "the range from number to number has no value: its start is beyond its end",
            1,
        ),
        ("(< nothing)", Fault.VALUE, "the range < null has no value", 2),
        (
            "{a: 1, a: 2} = null",
            Fault.VALUE,
            "the context has no value: it has the key 'a' more than once",
            1,
        ),
    ],
)
def test_a_null_has_its_reason_and_its_place(
    text: str, fault: Fault, problem: str, column: int
) -> None:
    assert (fault, problem, column) in reasons(text)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "nothing",
        "metrics.auc",
        "nothing = null",
        "true and nothing",
        "if nothing then 1 else 2",
        "tier in [1, 2]",
        "is defined(other.x)",
    ],
)
def test_a_null_that_was_given_or_asked_for_has_no_reason(text: str) -> None:
    assert reasons(text) == []


def test_a_loop_keeps_the_first_reasons_and_counts_the_others() -> None:
    budget = Budget()
    compile_expression("for i in 1..100 return i / 0").evaluate({}, budget=budget)
    assert (len(budget.nulls), budget.nulls_beyond) == (20, 80)


def test_a_reason_says_which_decision_was_being_evaluated() -> None:
    budget = Budget()
    budget.where = "Rate, rule 3"
    compile_expression("1 +\n 1 / 0").evaluate({}, budget=budget)
    null = budget.nulls[0]
    assert (null.where, null.line, null.column) == ("Rate, rule 3", 2, 2)


def test_a_reason_that_stands_in_no_text_has_no_place() -> None:
    budget = Budget()
    budget.null("nothing came")
    assert (budget.nulls[0].text, budget.nulls[0].line, budget.nulls[0].column) == ("", 0, 0)

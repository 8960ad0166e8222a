"""Test cases of decisions: what passes, what fails and why, and the rules that fired."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import Decisions, Problem, read_decisions
from pilothouse.dmn.cases import (
    Case,
    CaseResult,
    Expected,
    Kind,
    Verdict,
    read_cases,
    rejected,
    run_case,
    run_cases,
)
from pilothouse.dmn.cases.comparing import difference, shown
from pilothouse.feel import Budget, compile_expression

if TYPE_CHECKING:
    from pilothouse.feel import Value
    from tests.unit.dmn.conftest import Definitions, TableOf

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
RULES = [(">= 0.8", '"PASS"'), ("< 0.8", '"FAIL"')]


def feel(text: str) -> Value:
    return compile_expression(text).evaluate({}, budget=Budget(now=NOW))


def expression(definitions: Definitions, text: str) -> Decisions:
    return read_decisions(
        definitions(
            f"<decision id='d'><literalExpression><text>{text}</text></literalExpression></decision>"
        )
    )


def only(decisions: Decisions, cases: str, *, file: str = "cases.csv") -> CaseResult:
    (result,) = run_cases(decisions, read_cases(cases.encode(), file=file), now=NOW)
    return result


def test_a_case_passes_when_the_value_comes(table_of: TableOf) -> None:
    result = only(table_of(RULES), "name,decision,auc,expected\ngood,Gate,0.91,PASS")
    assert (result.verdict, result.reason) == (Verdict.PASSED, "as expected")


def test_a_failed_case_says_what_was_expected_and_what_came(table_of: TableOf) -> None:
    result = only(table_of(RULES), "name,decision,auc,expected\nbad,Gate,0.7,PASS")
    assert result.verdict is Verdict.FAILED
    assert (result.expected, result.got) == ('"PASS"', '"FAIL"')
    assert result.reason == 'expected "PASS", got "FAIL"'
    assert [rule.rule for rule in result.fired] == ["r2"]


def test_a_case_may_ask_for_the_rules_alone(table_of: TableOf) -> None:
    result = only(table_of(RULES), "name,decision,auc,rules\ngood,Gate,0.91,r1")
    assert result.verdict is Verdict.PASSED


def test_a_rule_that_did_not_fire_fails_the_case(table_of: TableOf) -> None:
    result = only(table_of(RULES), "name,decision,auc,expected,rules\ngood,Gate,0.91,PASS,r1; r2")
    assert result.verdict is Verdict.FAILED
    assert result.reason == "the rules r2 did not fire; these did: r1"


def test_the_reason_of_a_null_is_told(table_of: TableOf) -> None:
    result = only(table_of(RULES[:1]), "name,decision,auc,expected\nlow,Gate,0.1,PASS")
    assert result.reason.startswith('expected "PASS", got null (')
    assert result.nulls


def test_an_expected_null_is_met_by_null_alone(table_of: TableOf) -> None:
    cases = read_cases(
        b"name,decision,auc,expected\nnone,Gate,0.1,null\nsome,Gate,0.9,null", file="c.csv"
    )
    results = run_cases(table_of(RULES[:1]), cases, now=NOW)
    assert [r.verdict for r in results] == [Verdict.PASSED, Verdict.FAILED]


def test_a_decision_that_is_not_there_fails_by_its_code(table_of: TableOf) -> None:
    result = only(table_of(RULES), "name,decision,auc,expected\ngood,Gat,0.91,PASS")
    assert result.verdict is Verdict.FAILED
    assert result.reason.startswith("decision-not-found: ")


def test_work_without_end_fails_by_its_code(definitions: Definitions) -> None:
    endless = expression(definitions, "count(for a in 1..9999, b in 1..9999 return a)")
    result = only(endless, "name,decision,expected\nlong,d,1")
    assert result.verdict is Verdict.FAILED
    assert result.reason.startswith("feel-budget: ")


def test_each_case_has_a_budget_of_its_own(definitions: Definitions) -> None:
    counting = expression(definitions, "count(for a in 1..2000 return a)")
    cases = read_cases(b"name,decision,expected\na,d,2000\nb,d,2000", file="c.csv")
    results = run_cases(counting, cases, now=NOW, steps=10_000)
    assert [r.verdict for r in results] == [Verdict.PASSED, Verdict.PASSED]


def test_a_case_brings_its_own_now(definitions: Definitions) -> None:
    year = expression(definitions, "now().year")
    cases = read_cases(
        b"name,decision,now,expected\nthen,d,1999-12-31T00:00:00Z,1999\nrun,d,,2026", file="c.csv"
    )
    results = run_cases(year, cases, now=NOW)
    assert [r.verdict for r in results] == [Verdict.PASSED, Verdict.PASSED]


def problem(*, by_design: bool) -> Problem:
    return Problem(element="decision d", line=3, problem="p", cure="c", by_design=by_design)


def asking(*, rejection: bool) -> Case:
    expected = Expected(value=None, rejection=rejection)
    return Case(name="c", kind=Kind.DECISION, target="d", inputs={}, expected=expected)


@pytest.mark.parametrize(
    ("problems", "rejection", "verdict"),
    [
        ((True,), False, Verdict.REFUSED),
        ((True,), True, Verdict.REFUSED),
        ((True, False), False, Verdict.FAILED),
        ((True, False), True, Verdict.PASSED),
        ((False,), False, Verdict.FAILED),
        ((False,), True, Verdict.PASSED),
        ((), False, Verdict.FAILED),
    ],
)
def test_a_refused_file_is_judged_by_its_reasons(
    problems: tuple[bool, ...], rejection: bool, verdict: Verdict
) -> None:
    found = tuple(problem(by_design=b) for b in problems)
    assert rejected(asking(rejection=rejection), found).verdict is verdict


def test_whatever_happens_in_a_case_is_its_result() -> None:
    broken = Decisions.__new__(Decisions)
    result = run_case(broken, asking(rejection=True), now=NOW)
    assert result.verdict is Verdict.FAILED
    assert result.reason.startswith("unexpected AttributeError: ")


def test_a_result_is_plain_for_programs(table_of: TableOf) -> None:
    plain = only(table_of(RULES), "name,decision,auc,expected\ngood,Gate,0.91,PASS").plain()
    fired = plain.pop("fired")
    assert plain == {
        "name": "good",
        "decision": "Gate",
        "line": 2,
        "verdict": "passed",
        "reason": "as expected",
        "expected": '"PASS"',
        "got": '"PASS"',
        "nulls": [],
    }
    assert isinstance(fired, list)
    assert len(fired) == 1


@pytest.mark.parametrize(
    ("expected", "given"),
    [
        ("1.0", "1"),
        ("[1, [2, null]]", "[1.00, [2, null]]"),
        ("{a: 1, b: {c: true}}", "{b: {c: true}, a: 1}"),
        ('@"2020-01-01T12:00:00Z"', '@"2020-01-01T13:00:00+01:00"'),
        ('@"12:00:00Z"', '@"13:00:00+01:00"'),
        ('@"P1D"', '@"PT24H"'),
        ('@"P1Y"', '@"P12M"'),
        ("null", "null"),
        ("[1..5)", "[1..5)"),
    ],
)
def test_equal_values_do_not_differ(expected: str, given: str) -> None:
    said = difference(feel(expected), feel(given), tolerance=Decimal(0), budget=Budget())
    assert said == ""


@pytest.mark.parametrize(
    ("expected", "given", "said"),
    [
        ("1", "1.000000001", "expected 1, got 1.000000001"),
        ("1", '"1"', 'expected 1, got "1"'),
        ("1", "[1]", "expected 1, got [1]"),
        ("true", "1", "expected true, got 1"),
        ("null", "false", "expected null, got false"),
        ("false", "null", "expected false, got null"),
        ("[1, 2]", "[2, 1]", "at [1]: expected 1, got 2"),
        ("[1, 2]", "[1]", "expected 2 items [1, 2], got 1: [1]"),
        ("{a: [{b: 1}]}", "{a: [{b: 2}]}", "at a[1].b: expected 1, got 2"),
        ("{a: 1, b: 2}", "{a: 1}", "the entries b are not there: got {a: 1}"),
        ("{a: 1}", "{a: 1, b: 2}", "the entries b were not expected: got {a: 1, b: 2}"),
        ("[1..5]", "[1..5)", "expected [1..5], got [1..5)"),
        ('"2020-01-01"', '@"2020-01-01"', 'expected "2020-01-01", got 2020-01-01'),
    ],
)
def test_a_difference_names_its_place(expected: str, given: str, said: str) -> None:
    found = difference(feel(expected), feel(given), tolerance=Decimal(0), budget=Budget())
    assert found == said


def test_a_moment_with_a_zone_is_not_one_without() -> None:
    zoned, local = feel('@"2020-01-01T12:00:00Z"'), feel('@"2020-01-01T12:00:00"')
    assert difference(zoned, local, tolerance=Decimal(0), budget=Budget())


def test_numbers_may_be_apart_by_the_tolerance_and_no_more() -> None:
    tolerance = Decimal("0.01")
    near = difference(Decimal("0.33"), Decimal("0.34"), tolerance=tolerance, budget=Budget())
    far = difference(Decimal("0.33"), Decimal("0.3401"), tolerance=tolerance, budget=Budget())
    assert (near, far) == ("", "expected 0.33, got 0.3401")


def test_numbers_are_compared_in_all_their_digits() -> None:
    big = Decimal("1234567890123456789012345678901234")
    assert difference(big, big + 1, tolerance=Decimal(0), budget=Budget())


def test_a_long_value_is_shown_with_its_length() -> None:
    assert shown("x" * 1000).endswith("… (1002 characters)")


def test_what_cannot_be_written_is_still_named() -> None:
    assert shown("x" * 200_000) == "a value that cannot be written (feel-budget)"
    assert shown(feel("function(a) a"))

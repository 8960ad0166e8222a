"""What the analysis of a decision table finds, and that what it finds is so."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.dmn import read_decisions
from pilothouse.dmn.analysis import Finding, Severity, analysed
from pilothouse.dmn.analysis.columns import columns_of
from pilothouse.dmn.analysis.gaps import gap_findings
from pilothouse.dmn.analysis.steps import Steps
from pilothouse.feel import Budget, compile_expression

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.dmn import Decisions
    from pilothouse.dmn.tables import DecisionTable
    from pilothouse.feel import Value
    from tests.unit.dmn.conftest import Definitions, Table, TableOf

AGE_TIER = ("age", "tier")


def _of(findings: Sequence[Finding], severity: Severity) -> list[str]:
    return [finding.message for finding in findings if finding.severity is severity]


def _table(decisions: Decisions) -> DecisionTable:
    logic = decisions.find("d").logic
    assert logic is not None
    return logic  # type: ignore[return-value]  # the only logic of the file is a table


def _example(finding: Finding) -> dict[str, Value]:
    value = compile_expression(finding.example).evaluate({})
    assert isinstance(value, dict)
    return value


def test_rules_that_match_together_break_unique(table_of: TableOf) -> None:
    decisions = table_of(
        [("[18..30]", '"high"', "1"), ("<= 21", '"high", "low"', "2"), ("> 30", "-", "3")],
        inputs=AGE_TIER,
    )
    found = [f for f in analysed(decisions) if f.severity is Severity.ERROR]
    assert [f.rules for f in found] == [(1, 2)]
    assert (found[0].element, found[0].line) == ("rule r2", 1)
    assert (
        'rules 1 (r1) and 2 (r2) both match age in [18..21] and tier = "high"' in found[0].message
    )
    assert _example(found[0]) == {"age": Decimal(18), "tier": "high"}


def test_a_table_without_overlap_and_gap_has_no_findings(table_of: TableOf) -> None:
    rules = [("< 18", "1"), ("[18..65)", "2"), (">= 65", "3")]
    assert analysed(table_of(rules, inputs=("age",))) == ()


def test_a_gap_is_told_with_an_example(table_of: TableOf) -> None:
    decisions = table_of(
        [("< 18", "-", "1"), (">= 18", '"low"', "2")],
        inputs=AGE_TIER,
    )
    found = analysed(decisions)
    assert _of(found, Severity.WARNING) == [
        'no rule matches age >= 18 and not(tier in ("low")); the result is null there'
    ]
    assert _example(found[0]) == {"age": Decimal(18), "tier": "other"}


def test_a_gap_between_whole_numbers_is_said_to_be_one(table_of: TableOf) -> None:
    found = analysed(table_of([("<= 20", "1"), (">= 21", "2")], inputs=("age",)))
    assert _of(found, Severity.WARNING) == [
        "no rule matches age in (20..21); the result is null there; no whole number of age lies there"
    ]
    assert _example(found[0]) == {"age": Decimal("20.5")}


def test_days_have_nothing_between_them(table_of: TableOf) -> None:
    rules = [('<= date("2026-02-28")', "1"), ('>= date("2026-03-01")', "2")]
    assert analysed(table_of(rules, inputs=("day",))) == ()


def test_a_gap_in_days_is_told_by_days(table_of: TableOf) -> None:
    rules = [('< date("2026-02-28")', "1"), ('>= date("2026-03-02")', "2")]
    found = analysed(table_of(rules, inputs=("day",)))
    assert 'day in [date("2026-02-28")..date("2026-03-02"))' in found[0].message
    assert found[0].example == '{day: date("2026-02-28")}'


@pytest.mark.parametrize(
    ("first", "second", "gap", "example"),
    [
        (
            '< time("08:00:00")',
            '> time("08:00:00")',
            'x = time("08:00:00")',
            '{x: time("08:00:00")}',
        ),
        (
            '<= duration("P1D")',
            '> duration("P2D")',
            'x in (duration("P1D")..duration("P2D")]',
            '{x: duration("P2D")}',
        ),
        (
            '< duration("P1Y")',
            '> duration("P14M")',
            'x in [duration("P1Y")..duration("P1Y2M")]',
            '{x: duration("P1Y")}',
        ),
        (
            '< date and time("2026-01-01T00:00:00Z")',
            '>= date and time("2026-01-02T00:00:00Z")',
            'x in [date and time("2026-01-01T00:00:00Z")..date and time("2026-01-02T00:00:00Z"))',
            '{x: date and time("2026-01-01T00:00:00Z")}',
        ),
        ('< "m"', '>= "n"', 'x in ["m".."n")', '{x: "m"}'),
        ("< -3", ">= -1", "x in [-3..-1)", "{x: -3}"),
        ('not("a", "b")', '"a"', 'x = "b"', '{x: "b"}'),
    ],
)
def test_gaps_are_found_on_every_line(
    table_of: TableOf, first: str, second: str, gap: str, example: str
) -> None:
    found = analysed(table_of([(first, "1"), (second, "2")], inputs=("x",)))
    assert _of(found, Severity.WARNING) == [f"no rule matches {gap}; the result is null there"]
    assert found[0].example == example


def test_a_default_makes_a_gap_a_note(table_of: TableOf) -> None:
    found = analysed(table_of([("< 18", "1")], inputs=("age",), default="0"))
    assert [(f.severity, f.message) for f in found] == [
        (Severity.NOTE, "no rule matches age >= 18; the default holds there")
    ]


@pytest.mark.parametrize(("kind", "cells"), [("boolean", ("true", "false")), ("string", None)])
def test_listed_and_boolean_inputs_have_no_other_values(
    table_of: TableOf, kind: str, cells: tuple[str, ...] | None
) -> None:
    values = "" if cells else '"low", "high"'
    rules = [(cell, "1") for cell in cells or ('"low"', '"high"')]
    decisions = table_of(rules, inputs=("x",), input_type=kind, input_values=values)
    assert analysed(decisions) == ()


def test_agreeing_rules_of_any_may_match_together(table_of: TableOf) -> None:
    rules = [("< 5", '"a"'), ("-", '"a"')]
    found = analysed(table_of(rules, attributes="hitPolicy='ANY'"))
    assert found == ()


def test_disagreeing_rules_of_any_are_an_error(table_of: TableOf) -> None:
    rules = [("< 5", '"a"'), ("> 3", '"b"'), ("-", "auc")]
    found = analysed(table_of(rules, attributes="hitPolicy='ANY'"))
    assert [f.rules for f in found if f.severity is Severity.ERROR] == [(1, 2)]
    assert [f.rules for f in found if f.severity is Severity.NOTE] == [(1, 3), (2, 3)]


def test_a_rule_behind_others_never_counts(table_of: TableOf) -> None:
    decisions = table_of(
        [("< 5", "1"), (">= 5", "2"), ("[1..9]", "3"), ("null", "4")],
        attributes="hitPolicy='FIRST'",
    )
    found = [f for f in analysed(decisions) if f.severity is Severity.WARNING]
    assert [f.rules for f in found] == [(1, 2, 3)]
    assert "rule 3 (r3) never counts" in found[0].message


def test_a_rule_of_lower_priority_is_covered_by_one_of_higher(table_of: TableOf) -> None:
    decisions = table_of(
        [("< 5", '"b"'), ("< 9", '"a"'), (">= 9", '"b"')],
        attributes="hitPolicy='PRIORITY'",
        output_values='"a", "b"',
    )
    warnings = [f for f in analysed(decisions) if f.severity is Severity.WARNING]
    assert [f.rules for f in warnings] == [(1, 2)]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("[5..1]", "is passed by no value"),
        ('"high"', "compares with a string, and its values are of type number"),
        ("> 200", "is passed by none of its possible values"),
        ("? > 5 and ? < 4", "is passed by no value"),
    ],
)
def test_a_condition_that_nothing_passes_is_told(table_of: TableOf, cell: str, why: str) -> None:
    decisions = table_of(
        [(cell, "1"), ("-", "2")],
        attributes="hitPolicy='FIRST'",
        input_type="number",
        input_values="[0..150]",
    )
    warnings = _of(analysed(decisions), Severity.WARNING)
    assert len(warnings) == 1
    assert warnings[0].startswith("rule 1 (r1) can never match")
    assert why in warnings[0]


def test_a_rule_for_null_can_match(table_of: TableOf) -> None:
    rules = [("null", "1"), ("< 5", "2"), (">= 5", "3")]
    assert analysed(table_of(rules)) == ()


def test_a_rule_that_stands_there_twice_is_told(table_of: TableOf) -> None:
    rules = [("[1..5]", "1"), (">= 1, <= 0", "2"), ("? >= 1 and ? <= 5", "1")]
    found = analysed(table_of(rules, attributes="hitPolicy='COLLECT'"))
    assert _of(found, Severity.WARNING) == ["rule 3 (r3) asks and says the same as rule 1 (r1)"]


def test_an_input_that_no_rule_asks_about_is_told(table_of: TableOf) -> None:
    found = analysed(table_of([("-", "< 5", "1"), ("-", ">= 5", "2")], inputs=("tier", "age")))
    assert _of(found, Severity.WARNING) == ["no rule asks about the input tier"]


def test_conditions_that_must_be_run_are_told_and_hide_no_sure_gap(table_of: TableOf) -> None:
    decisions = table_of([("> limit", "< 3", "1"), ("< 5", "< 3", "2")], inputs=("age", "n"))
    found = analysed(decisions)
    assert _of(found, Severity.WARNING) == ["no rule matches n >= 3; the result is null there"]
    notes = _of(found, Severity.NOTE)
    assert len(notes) == 1
    assert "must be run to be known (> limit)" in notes[0]


def test_inputs_with_the_same_expression_are_one(table_of: TableOf) -> None:
    rules = [(">= 18", "< 65", "1"), ("< 18", "-", "2"), ("-", ">= 65", "3")]
    assert analysed(table_of(rules, inputs=("age", "age"))) == ()


def test_inputs_that_depend_on_each_other_are_told(table_of: TableOf) -> None:
    rules = [("< 5", "< 5", "1")]
    notes = _of(analysed(table_of(rules, inputs=("a", "a + b"))), Severity.NOTE)
    assert notes == [
        "the inputs a and a + b both depend on a; overlaps and gaps that speak of both may not be possible"
    ]


def test_a_search_that_is_given_up_says_so(table_of: TableOf) -> None:
    rules = [(f"< {n}", f"> {n}", "1") for n in range(20)]
    table = _table(table_of(rules, inputs=("a", "b")))
    found = list(gap_findings(table, columns_of(table), Steps(1)))
    assert [(f.severity, f.message) for f in found] == [
        (
            Severity.NOTE,
            "the search for gaps was given up: the table is too intricate for it",
        )
    ]


def test_more_overlaps_than_are_told_are_counted(table_of: TableOf) -> None:
    found = analysed(table_of([("-", str(n)) for n in range(20)]))
    errors = _of(found, Severity.ERROR)
    assert len(errors) == 31
    assert errors[-1].startswith("160 more pairs of rules match together")


def test_tables_inside_other_expressions_are_analysed_too(
    definitions: Definitions, table: Table
) -> None:
    inner = re.sub("</?decision[ >][^<]*", "", table([("< 5", "1")]))
    entry = f"<contextEntry><variable name='x'/>{inner}</contextEntry>"
    file = definitions(f"<decision id='c' name='C'><context>{entry}</context></decision>")
    found = analysed(read_decisions(file))
    assert [f.element for f in found] == ["decision table of c"]


ENDS = st.integers(0, 4).map(str)
CELLS = st.one_of(
    st.just("-"),
    ENDS,
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), ENDS).map("".join),
    st.tuples(st.sampled_from("[("), ENDS, st.just(".."), ENDS, st.sampled_from("])")).map("".join),
    st.tuples(ENDS, ENDS).map(", ".join),
    st.tuples(ENDS, ENDS).map(lambda ends: f"not({', '.join(ends)})"),
)
TIERS = st.sampled_from(["-", '"a"', '"b"', '"a", "b"', 'not("a")', "null", 'not("a", "b")'])
RULES = st.lists(st.tuples(CELLS, TIERS, CELLS), min_size=1, max_size=6)
HALVES = [Decimal(half) / 2 for half in range(-1, 10)]
POINTS: list[dict[str, Value]] = [
    {"n": n, "tier": tier, "m": m} for n in HALVES for tier in ("a", "b", "c") for m in HALVES
]
POINTS_AND_NULLS: list[dict[str, Value]] = [
    {"n": n, "tier": tier, "m": m}
    for n in (*HALVES, None)
    for tier in ("a", "b", "c", None)
    for m in (*HALVES, None)
]
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def _matching(table: DecisionTable, point: dict[str, Value]) -> list[int]:
    budget = Budget(steps=100_000)
    return [
        rule.index
        for rule in table.rules
        if all(
            test.passes(clause.expression.run(point, budget), {}, budget=budget)
            for clause, test in zip(table.inputs, rule.tests, strict=True)
        )
    ]


def _anywhere(finding: Finding) -> dict[str, Value]:
    return {"n": Decimal(0), "tier": "a", "m": Decimal(0), **_example(finding)}


@SETTINGS
@given(rules=RULES)
def test_overlaps_are_those_of_all_points(table_of: TableOf, rules: list[tuple[str, ...]]) -> None:
    table = _table(table_of([(*cells, "1") for cells in rules], inputs=("n", "tier", "m")))
    found = {f.rules: f for f in analysed(table) if f.severity is Severity.ERROR}
    seen = {pair for point in POINTS for pair in combinations(_matching(table, point), 2)}
    assert seen <= found.keys()
    for pair, finding in found.items():
        assert set(pair) <= set(_matching(table, _anywhere(finding)))


@SETTINGS
@given(rules=RULES)
def test_gaps_are_those_of_all_points(table_of: TableOf, rules: list[tuple[str, ...]]) -> None:
    table = _table(table_of([(*cells, "1") for cells in rules], inputs=("n", "tier", "m")))
    gaps = [f for f in analysed(table) if f.message.startswith("no rule matches")]
    assert bool(gaps) == any(not _matching(table, point) for point in POINTS)
    for gap in gaps:
        assert _matching(table, _anywhere(gap)) == []


@SETTINGS
@given(rules=RULES)
def test_rules_that_never_count_win_at_no_point(
    table_of: TableOf, rules: list[tuple[str, ...]]
) -> None:
    said = [(*cells, str(n)) for n, cells in enumerate(rules)]
    table = _table(table_of(said, inputs=("n", "tier", "m"), attributes="hitPolicy='FIRST'"))
    found = (_matching(table, point) for point in POINTS_AND_NULLS)
    winners = {matching[0] for matching in found if matching}
    never = {
        max(f.rules)
        for f in analysed(table)
        if "never counts" in f.message or "can never match" in f.message
    }
    assert never == {rule.index for rule in table.rules} - winners

"""Decision tables: hit policies, aggregation, what fired, what conflicts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DmnConflictError, DmnRejectedError, DmnValueError, read_decisions
from pilothouse.dmn.analysis import Severity, analysed
from pilothouse.domain.errors import NotFoundError, RefusedError
from pilothouse.domain.plain import canonical
from pilothouse.feel import Budget, FeelBudgetError, FeelValueError
from pilothouse.feel.budget import Fault

if TYPE_CHECKING:
    from tests.unit.dmn.conftest import Definitions, Table, TableOf

GRADES = [(">= 0.9", '"PASS"'), ("[0.8..0.9)", '"INCONCLUSIVE"'), ("< 0.8", '"FAIL"')]
OVERLAPPING = [("> 1", '"a"'), ("> 2", '"b"'), ("> 3", '"a"')]
COUNTED = [("> 1", "10"), ("> 2", "5"), ("> 3", "7")]


@pytest.mark.parametrize(
    ("auc", "verdict"), [(0.95, "PASS"), (0.9, "PASS"), (0.85, "INCONCLUSIVE"), (0.1, "FAIL")]
)
def test_unique_takes_the_only_rule(table_of: TableOf, auc: float, verdict: str) -> None:
    assert table_of(GRADES).evaluate("d", {"auc": auc}).value == verdict


def test_a_decision_is_found_by_its_name_too(table_of: TableOf) -> None:
    assert table_of(GRADES).evaluate("Gate", {"auc": 1}).value == "PASS"


def test_no_rule_gives_null_and_says_so(table_of: TableOf) -> None:
    outcome = table_of(GRADES).evaluate("d", {"auc": None})
    assert (outcome.value, outcome.fired) == (None, ())
    assert [null.fault for null in outcome.nulls] == [Fault.NO_RULE]


def test_the_fired_rule_is_kept_with_inputs_outputs_and_annotation(table_of: TableOf) -> None:
    fired = table_of(GRADES).evaluate("d", {"auc": 0.95}).fired[0]
    assert (fired.decision, fired.rule, fired.index, fired.annotation) == ("d", "r1", 1, "note 1")
    assert fired.inputs == {"auc": Decimal("0.95")}
    assert fired.outputs == {"verdict": "PASS"}


def test_the_outcome_has_a_plain_form(table_of: TableOf) -> None:
    plain = table_of(GRADES).evaluate("d", {"auc": 0.95}).plain()
    fired = {
        "annotation": "note 1",
        "decision": "d",
        "index": 1,
        "inputs": {"auc": 0.95},
        "outputs": {"verdict": "PASS"},
        "rule": "r1",
    }
    assert (plain["value"], plain["fired"], plain["earlier"]) == ("PASS", [fired], [])
    assert canonical(plain)


def test_two_rules_of_unique_give_null_with_a_reason_that_names_them(table_of: TableOf) -> None:
    outcome = table_of(OVERLAPPING).evaluate("d", {"auc": 3})
    assert (outcome.value, outcome.fired) == (None, ())
    assert [null.fault for null in outcome.nulls] == [Fault.CONFLICT]
    assert "r1, r2" in outcome.nulls[0].problem


def test_a_conflict_is_an_error_for_who_demands_a_value(table_of: TableOf) -> None:
    outcome = table_of(OVERLAPPING).evaluate("d", {"auc": 3})
    with pytest.raises(DmnConflictError) as caught:
        outcome.demanded()
    assert caught.value.code == "dmn-conflict"
    assert isinstance(caught.value, RefusedError)


def test_any_takes_rules_that_agree(table_of: TableOf) -> None:
    decisions = table_of([("> 1", '"a"'), ("> 2", '"a"')], attributes="hitPolicy='ANY'")
    outcome = decisions.evaluate("d", {"auc": 3})
    assert (outcome.value, [f.rule for f in outcome.fired]) == ("a", ["r1", "r2"])


def test_rules_of_any_that_differ_give_null_with_a_reason(table_of: TableOf) -> None:
    outcome = table_of(OVERLAPPING, attributes="hitPolicy='ANY'").evaluate("d", {"auc": 9})
    assert outcome.value is None
    assert [null.fault for null in outcome.nulls] == [Fault.CONFLICT]
    assert "r1, r2, r3" in outcome.nulls[0].problem


@pytest.mark.parametrize(
    ("policy", "value", "fired"),
    [
        ("FIRST", "a", ["r1"]),
        ("PRIORITY", "b", ["r2"]),
        ("RULE ORDER", ("a", "b", "a"), ["r1", "r2", "r3"]),
        ("OUTPUT ORDER", ("b", "a", "a"), ["r2", "r1", "r3"]),
        ("COLLECT", ("a", "b", "a"), ["r1", "r2", "r3"]),
    ],
)
def test_policies_join_matching_rules(
    table_of: TableOf, policy: str, value: object, fired: list[str]
) -> None:
    decisions = table_of(OVERLAPPING, attributes=f"hitPolicy='{policy}'", output_values='"b", "a"')
    outcome = decisions.evaluate("d", {"auc": 9})
    assert outcome.value == value
    assert [f.rule for f in outcome.fired] == fired


@pytest.mark.parametrize(
    ("aggregation", "value"), [("SUM", 22), ("MIN", 5), ("MAX", 10), ("COUNT", 3)]
)
def test_collect_aggregates(table_of: TableOf, aggregation: str, value: int) -> None:
    attributes = f"hitPolicy='COLLECT' aggregation='{aggregation}'"
    outcome = table_of(COUNTED, attributes=attributes).evaluate("d", {"auc": 9})
    assert (outcome.value, len(outcome.fired)) == (Decimal(value), 3)


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ("hitPolicy='COLLECT' aggregation='SUM'", None),
        ("hitPolicy='COLLECT' aggregation='MIN'", None),
        ("hitPolicy='COLLECT' aggregation='COUNT'", Decimal(0)),
        ("hitPolicy='COLLECT'", None),
        ("hitPolicy='RULE ORDER'", None),
    ],
)
def test_several_hits_of_none(table_of: TableOf, attributes: str, value: Decimal | None) -> None:
    assert table_of(COUNTED, attributes=attributes).evaluate("d", {"auc": 0}).value == value


@pytest.mark.parametrize("policy", ["UNIQUE", "FIRST", "COLLECT", "RULE ORDER"])
def test_the_default_holds_where_no_rule_matches(table_of: TableOf, policy: str) -> None:
    decisions = table_of(COUNTED, attributes=f"hitPolicy='{policy}'", default="auc - 1")
    outcome = decisions.evaluate("d", {"auc": 0})
    assert (outcome.value, outcome.fired, outcome.nulls) == (Decimal(-1), (), ())


def test_several_outputs_make_a_context(table_of: TableOf) -> None:
    decisions = table_of(
        [("> 0.8", "low", '"PASS"', "auc * 2"), ("-", "-", '"FAIL"', "null")],
        inputs=("auc", "tier"),
        outputs=("verdict", "score"),
        attributes="hitPolicy='FIRST'",
    )
    outcome = decisions.evaluate("d", {"auc": 0.9, "tier": "low", "low": "low"})
    assert outcome.value == {"verdict": "PASS", "score": Decimal("1.8")}


def test_priorities_go_from_the_first_output_to_the_last(table_of: TableOf) -> None:
    decisions = table_of(
        [("-", '"b"', '"b"'), ("-", '"a"', '"b"'), ("-", '"a"', '"a"')],
        outputs=("x", "y"),
        attributes="hitPolicy='PRIORITY'",
        output_values='"a", "b"',
    )
    assert decisions.evaluate("d", {"auc": 1}).fired[0].rule == "r3"


def test_a_missing_input_is_null_with_a_reason(table_of: TableOf) -> None:
    decisions = table_of(GRADES)
    outcome = decisions.evaluate("d", {"acu": 0.9})
    assert decisions.needed("d") == {"auc"}
    assert outcome.value is None
    assert Fault.MISSING in {null.fault for null in outcome.nulls}
    with pytest.raises(DmnValueError, match="auc"):
        outcome.demanded()


def test_an_output_outside_its_values_is_null_with_a_reason(table_of: TableOf) -> None:
    decisions = table_of([("-", "other")], output_values='"a", "b"')
    assert decisions.evaluate("d", {"auc": 1, "other": "a"}).value == "a"
    outcome = decisions.evaluate("d", {"auc": 1, "other": "c"})
    assert (outcome.value, [null.fault for null in outcome.nulls]) == (None, [Fault.TYPE])
    assert "output 'verdict'" in outcome.nulls[0].problem


def test_an_output_that_its_values_forbid_is_null_and_found_by_analysis(table_of: TableOf) -> None:
    decisions = table_of([("-", '"c"')], output_values='"a", "b"')

    outcome = decisions.evaluate("d", {"auc": 1})
    (finding,) = (f for f in analysed(decisions) if f.severity is Severity.ERROR)

    assert (outcome.value, outcome.nulls[0].fault) == (None, Fault.TYPE)
    assert finding.rules == (1,)
    assert "none of the allowed values" in finding.message


def test_allowed_values_that_take_long_to_tell_stop_no_reading(table_of: TableOf) -> None:
    decisions = table_of([("-", '"c"')], output_values="for i in 1..99999999 return i")

    with pytest.raises(FeelBudgetError):
        decisions.evaluate("d", {"auc": 1})


def test_an_input_outside_its_values_gives_null_with_a_reason(table_of: TableOf) -> None:
    decisions = table_of([("-", '"a"')], input_values='"low", "high"')
    assert decisions.evaluate("d", {"auc": "low"}).value == "a"
    outcome = decisions.evaluate("d", {"auc": "medium"})
    assert (outcome.value, [null.fault for null in outcome.nulls]) == (None, [Fault.TYPE])
    assert "input 'auc'" in outcome.nulls[0].problem


def test_an_input_of_another_type_is_null_with_a_reason(table_of: TableOf) -> None:
    decisions = table_of([("> 1", '"a"'), ("null", '"b"')], input_type="number")
    outcome = decisions.evaluate("d", {"auc": "many"})
    assert (outcome.value, outcome.nulls[0].fault) == ("b", Fault.TYPE)


def test_a_list_of_one_item_is_that_item_for_a_typed_input(table_of: TableOf) -> None:
    decisions = table_of([("> 1", '"a"')], input_type="number")
    assert decisions.evaluate("d", {"auc": [5]}).value == "a"


@pytest.mark.parametrize(
    ("cell", "value", "other"),
    [
        ("? > limit and ? < 10", 7, 3),
        ("limit", 5, 6),
        ("< limit, > 2 * limit", 11, 7),
        ('["x", "y"]', "y", "z"),
        ("not(limit, 6)", 7, 6),
        ('not("x")', "y", "x"),
        ("null", None, 0),
        ("not(null)", 0, None),
        ("-5", -5, 5),
        ("[-2..2]", -2, 3),
        ('< date("2026-03-01")', "@2026-02-28", "@2026-03-01"),
        ('starts with(?, "a")', "ab", "ba"),
        ("count(?) = 2", [1, 2], [1]),
        ("list contains(?, 1)", [1, 2], [2]),
    ],
)
def test_cells_may_be_any_unary_test(
    table_of: TableOf, cell: str, value: object, other: object
) -> None:
    decisions = table_of([(cell, "true")], inputs=("x",), inside="")
    given = [
        date.fromisoformat(v[1:]) if isinstance(v, str) and v[0] == "@" else v
        for v in (value, other)
    ]
    answers = [decisions.evaluate("d", {"x": v, "limit": 5}).value for v in given]
    assert answers == [True, None]


def test_inputs_with_one_label_are_kept_apart(definitions: Definitions, table: Table) -> None:
    text = table([("1", "2", "true")], inputs=("a", "b")).replace("<input>", "<input label='n'>")
    fired = read_decisions(definitions(text)).evaluate("d", {"a": 1, "b": 2}).fired[0]
    assert fired.inputs == {"n (a)": Decimal(1), "n (b)": Decimal(2)}


def test_priorities_may_stand_in_the_type_of_the_decision(
    definitions: Definitions, table: Table
) -> None:
    text = table(
        [("-", '"b"'), ("-", '"a"')],
        attributes="hitPolicy='PRIORITY'",
        inside="<variable name='Gate' typeRef='grade'/>",
    )
    kind = (
        "<itemDefinition name='grade'><typeRef>string</typeRef>"
        '<allowedValues><text>"a", "b"</text></allowedValues></itemDefinition>'
    )
    decisions = read_decisions(definitions(kind, text))
    assert decisions.evaluate("d", {"auc": 1}).value == "a"


def test_priorities_may_stand_in_the_parts_of_the_type(
    definitions: Definitions, table: Table
) -> None:
    text = table(
        [("-", '"a"', '"b"'), ("-", '"a"', '"a"')],
        outputs=("x", "y"),
        attributes="hitPolicy='OUTPUT ORDER' typeRef='pair'",
    )
    part = '<typeRef>string</typeRef><allowedValues><text>"a", "b"</text></allowedValues>'
    kind = (
        "<itemDefinition name='pair'>"
        f"<itemComponent name='x'>{part}</itemComponent>"
        f"<itemComponent name='y'>{part}</itemComponent></itemDefinition>"
    )
    outcome = read_decisions(definitions(kind, text)).evaluate("d", {"auc": 1})
    assert [f.rule for f in outcome.fired] == ["r2", "r1"]


def test_a_priority_that_is_nowhere_is_refused(table_of: TableOf) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        table_of([("-", '"a"')], attributes="hitPolicy='PRIORITY'")
    assert "PRIORITY needs output values" in caught.value.problems[0].problem


def test_output_order_ranks_by_all_outputs(table_of: TableOf) -> None:
    decisions = table_of(
        [("-", '"b"', '"b"'), ("-", '"a"', '"b"'), ("-", '"a"', '"a"')],
        outputs=("x", "y"),
        attributes="hitPolicy='OUTPUT ORDER'",
        output_values='"a", "b"',
    )
    assert [f.rule for f in decisions.evaluate("d", {"auc": 1}).fired] == ["r3", "r2", "r1"]


def test_an_unknown_decision_is_not_found(table_of: TableOf) -> None:
    with pytest.raises(NotFoundError) as caught:
        table_of(GRADES).evaluate("other", {})
    assert caught.value.code == "decision-not-found"
    assert caught.value.fields["known"] == ("d",)


def test_objects_are_refused_as_inputs(table_of: TableOf) -> None:
    with pytest.raises(FeelValueError):
        table_of(GRADES).evaluate("d", {"auc": object()})


def test_a_table_runs_inside_one_budget(table_of: TableOf) -> None:
    decisions = table_of([(f"? * ? = {n}", "1") for n in range(200)])
    with pytest.raises(FeelBudgetError):
        decisions.evaluate("d", {"auc": -1}, budget=Budget(steps=150))


def test_a_loop_without_end_in_a_cell_is_stopped(table_of: TableOf) -> None:
    decisions = table_of([("count(for i in 1..1000000000 return i) > ?", "1")])
    with pytest.raises(FeelBudgetError):
        decisions.evaluate("d", {"auc": 1})

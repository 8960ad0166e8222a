"""Decision tables: hit policies, aggregation, what fired, what conflicts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DmnConflictError, DmnValueError
from pilothouse.domain.errors import NotFoundError, RefusedError
from pilothouse.domain.plain import canonical
from pilothouse.feel import Budget, FeelBudgetError, FeelValueError

if TYPE_CHECKING:
    from tests.unit.dmn.conftest import TableOf

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


def test_no_rule_gives_null(table_of: TableOf) -> None:
    outcome = table_of(GRADES).evaluate("d", {"auc": None})
    assert (outcome.value, outcome.fired) == (None, ())


def test_the_fired_rule_is_kept_with_inputs_outputs_and_annotation(table_of: TableOf) -> None:
    fired = table_of(GRADES).evaluate("d", {"auc": 0.95}).fired[0]
    assert (fired.decision, fired.rule, fired.index, fired.annotation) == ("d", "r1", 1, "note 1")
    assert fired.inputs == {"auc": Decimal("0.95")}
    assert fired.outputs == {"verdict": "PASS"}


def test_the_outcome_has_a_plain_form(table_of: TableOf) -> None:
    plain = table_of(GRADES).evaluate("d", {"auc": 0.95}).plain()
    assert canonical(plain) == (
        b'{"earlier":[],"fired":[{"annotation":"note 1","decision":"d","index":1,'
        b'"inputs":{"auc":0.95},"outputs":{"verdict":"PASS"},"rule":"r1"}],"value":"PASS"}'
    )


def test_unique_refuses_two_rules_and_names_them(table_of: TableOf) -> None:
    with pytest.raises(DmnConflictError) as caught:
        table_of(OVERLAPPING).evaluate("d", {"auc": 3})
    assert (caught.value.policy, caught.value.rules) == ("UNIQUE", ("r1", "r2"))
    assert caught.value.code == "dmn-conflict"
    assert isinstance(caught.value, RefusedError)


def test_any_takes_rules_that_agree(table_of: TableOf) -> None:
    decisions = table_of([("> 1", '"a"'), ("> 2", '"a"')], attributes="hitPolicy='ANY'")
    outcome = decisions.evaluate("d", {"auc": 3})
    assert (outcome.value, [f.rule for f in outcome.fired]) == ("a", ["r1", "r2"])


def test_any_refuses_rules_that_differ(table_of: TableOf) -> None:
    with pytest.raises(DmnConflictError) as caught:
        table_of(OVERLAPPING, attributes="hitPolicy='ANY'").evaluate("d", {"auc": 9})
    assert (caught.value.policy, caught.value.rules) == ("ANY", ("r1", "r2", "r3"))


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


@pytest.mark.parametrize(("aggregation", "value"), [("SUM", None), ("COUNT", Decimal(0))])
def test_collect_of_nothing(table_of: TableOf, aggregation: str, value: Decimal | None) -> None:
    attributes = f"hitPolicy='COLLECT' aggregation='{aggregation}'"
    assert table_of(COUNTED, attributes=attributes).evaluate("d", {"auc": 0}).value == value


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


def test_a_missing_input_is_refused_by_name(table_of: TableOf) -> None:
    decisions = table_of(GRADES)
    assert decisions.needed("d") == {"auc"}
    with pytest.raises(DmnValueError) as caught:
        decisions.evaluate("d", {"acu": 0.9})
    assert caught.value.clause == "input 'auc'"
    assert caught.value.code == "dmn-value"


def test_an_output_outside_its_values_is_refused(table_of: TableOf) -> None:
    decisions = table_of([("-", "other")], output_values='"a", "b"')
    assert decisions.evaluate("d", {"auc": 1, "other": "a"}).value == "a"
    with pytest.raises(DmnValueError) as caught:
        decisions.evaluate("d", {"auc": 1, "other": "c"})
    assert caught.value.clause == "output 'verdict'"


def test_an_unknown_decision_is_not_found(table_of: TableOf) -> None:
    with pytest.raises(NotFoundError) as caught:
        table_of(GRADES).evaluate("other", {})
    assert caught.value.code == "decision-not-found"
    assert caught.value.fields["known"] == ("d",)


def test_objects_are_refused_as_inputs(table_of: TableOf) -> None:
    with pytest.raises(FeelValueError):
        table_of(GRADES).evaluate("d", {"auc": object()})


def test_a_table_runs_inside_one_budget(table_of: TableOf) -> None:
    decisions = table_of([(f"{n}", "1") for n in range(200)])
    with pytest.raises(FeelBudgetError):
        decisions.evaluate("d", {"auc": -1}, budget=Budget(steps=150))


def test_a_loop_without_end_in_a_cell_is_stopped(table_of: TableOf) -> None:
    decisions = table_of([("count(for i in 1..1000000000 return i) > ?", "1")])
    with pytest.raises(FeelBudgetError):
        decisions.evaluate("d", {"auc": 1})

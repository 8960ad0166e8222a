"""Business knowledge models and decision services: functions that decisions call, or that are called themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DecisionNotFoundError, DmnRejectedError, read_decisions, read_leniently
from pilothouse.feel import FeelBudgetError
from pilothouse.feel.budget import Fault

if TYPE_CHECKING:
    from tests.unit.dmn.conftest import Definitions


def literal(written: str) -> str:
    return f"<literalExpression><text>{written}</text></literalExpression>"


def model(name: str, body: str, *, parameters: str = "", needs: str = "", kind: str = "") -> str:
    variable = f"<variable name='{name}'{f' typeRef={kind!r}' if kind else ''}/>"
    return (
        f"<businessKnowledgeModel id='{name}' name='{name}'>{variable}"
        f"<encapsulatedLogic>{parameters}{body}</encapsulatedLogic>{knows(needs)}</businessKnowledgeModel>"
    )


def parameter(name: str, kind: str = "") -> str:
    return f"<formalParameter name='{name}'{f' typeRef={kind!r}' if kind else ''}/>"


def knows(*names: str) -> str:
    return "".join(
        f"<knowledgeRequirement><requiredKnowledge href='#{n}'/></knowledgeRequirement>"
        for n in names
        if n
    )


def requires(*decisions: str, inputs: str = "") -> str:
    needed = [f"<requiredDecision href='#{d}'/>" for d in decisions]
    needed += [f"<requiredInput href='#{i}'/>" for i in inputs.split()]
    return "".join(f"<informationRequirement>{n}</informationRequirement>" for n in needed)


def decision(name: str, written: str, needs: str = "", kind: str = "") -> str:
    variable = f"<variable name='{name}' typeRef='{kind}'/>" if kind else ""
    return f"<decision id='{name}' name='{name}'>{variable}{needs}{literal(written)}</decision>"


PAYMENT = model(
    "PMT",
    literal("p * r / 12 / (1 - (1 + r / 12) ** -n)"),
    parameters=parameter("p", "number") + parameter("r", "number") + parameter("n", "number"),
)


def test_a_decision_calls_the_functions_that_it_requires(definitions: Definitions) -> None:
    file = definitions(PAYMENT, decision("d", "decimal(PMT(100000, 0.06, 360), 2)", knows("PMT")))
    assert read_decisions(file).evaluate("d", {}).value == Decimal("599.55")


def test_a_function_that_is_not_required_is_not_known(definitions: Definitions) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(definitions(PAYMENT, decision("d", "PMT(1, 2, 3)")))
    assert "PMT" in caught.value.problems[0].problem


def test_a_call_of_an_unknown_function_is_null_where_the_file_is_read_leniently(
    definitions: Definitions,
) -> None:
    file = definitions(PAYMENT, decision("d", 'if PMT(1, 2, 3) = null then "none" else "some"'))
    decisions = read_leniently(file)
    outcome = decisions.evaluate("d", {})
    assert [p.runs for p in decisions.problems] == [True]
    assert outcome.value == "none"
    assert "there is no variable 'PMT'" in [null.problem for null in outcome.nulls]


def test_a_function_sees_its_parameters_and_nothing_of_the_decision(
    definitions: Definitions,
) -> None:
    file = definitions(
        model("f", literal("a = null and x = 1"), parameters=parameter("x")),
        "<inputData id='a' name='a'/>",
        decision("d", "f(1)", knows("f") + requires(inputs="a")),
    )
    assert read_decisions(file).evaluate("d", {"a": 5}).value is True


def test_functions_call_the_functions_that_they_require(definitions: Definitions) -> None:
    file = definitions(
        model("outer", literal("inner(x) + 1"), parameters=parameter("x"), needs="inner"),
        model("inner", literal("x * 2"), parameters=parameter("x")),
        decision("d", "outer(5)", knows("outer")),
    )
    assert read_decisions(file).evaluate("d", {}).value == Decimal(11)


def test_a_function_may_call_itself(definitions: Definitions) -> None:
    body = literal("if n = 0 then 1 else n * fact(n - 1)")
    file = definitions(
        model("fact", body, parameters=parameter("n")), decision("d", "fact(6)", knows("fact"))
    )
    assert read_decisions(file).evaluate("d", {}).value == Decimal(720)


def test_a_function_that_calls_itself_without_end_is_stopped(definitions: Definitions) -> None:
    file = definitions(model("f", literal("f()")), decision("d", "f()", knows("f")))
    with pytest.raises(FeelBudgetError):
        read_decisions(file).evaluate("d", {})


def test_functions_that_require_each_other_are_refused(definitions: Definitions) -> None:
    file = definitions(
        model("f", literal("g()"), needs="g"),
        model("g", literal("f()"), needs="f"),
        decision("d", "1"),
    )
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(file)
    assert {p.element for p in caught.value.problems} == {
        "businessKnowledgeModel f",
        "businessKnowledgeModel g",
    }


def test_the_result_of_a_function_is_held_to_its_type(definitions: Definitions) -> None:
    file = definitions(
        model("f", literal("[1]"), kind="number"),
        model("g", literal("1"), kind="string"),
        decision("d", "[f(), g()]", knows("f", "g")),
    )
    assert read_decisions(file).evaluate("d", {}).value == (Decimal(1), None)


TABLE = """<decisionTable><input><inputExpression><text>score</text></inputExpression></input><output name="o"/>
  <rule id="low"><inputEntry><text>&lt; 5</text></inputEntry><outputEntry><text>"low"</text></outputEntry></rule>
  <rule id="high"><inputEntry><text>&gt;= 5</text></inputEntry><outputEntry><text>"high"</text></outputEntry></rule>
  </decisionTable>"""


def test_rules_that_fire_in_a_function_are_kept_under_its_name(definitions: Definitions) -> None:
    file = definitions(
        model("grade", TABLE, parameters=parameter("score")),
        decision("first", "grade(1)", knows("grade")),
        decision("d", 'first + "/" + grade(7)', knows("grade") + requires("first")),
    )
    outcome = read_decisions(file).evaluate("d", {})
    assert outcome.value == "low/high"
    assert [(r.decision, r.rule) for r in outcome.fired] == [("grade", "high")]
    assert [(r.decision, r.rule) for r in outcome.earlier] == [("grade", "low")]


def test_a_table_as_a_function_may_leave_its_parameters_to_its_inputs(
    definitions: Definitions,
) -> None:
    file = definitions(model("grade", TABLE), decision("d", "grade(score: 9)", knows("grade")))
    assert read_decisions(file).evaluate("d", {}).value == "high"


def test_a_function_is_called_from_outside(definitions: Definitions) -> None:
    decisions = read_decisions(definitions(PAYMENT))
    outcome = decisions.evaluate_function("PMT", {"n": 12, "p": 1200, "r": 0.12})
    assert isinstance(outcome.value, Decimal)
    assert outcome.value.quantize(Decimal("0.01")) == Decimal("106.62")


def test_a_missing_argument_is_null_with_its_reason(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(PAYMENT)).evaluate_function("PMT", {"n": 12})
    assert outcome.value is None
    assert outcome.nulls[0].fault is Fault.MISSING


def test_an_unknown_function_is_not_found(definitions: Definitions) -> None:
    decisions = read_decisions(definitions(PAYMENT))
    with pytest.raises(DecisionNotFoundError) as caught:
        decisions.evaluate_function("other", {})
    assert caught.value.known == ("PMT",)


@pytest.mark.parametrize(
    "logic", ["", "<encapsulatedLogic><formalParameter name='x'/></encapsulatedLogic>"]
)
def test_a_function_without_logic_gives_null_with_its_reason(
    definitions: Definitions, logic: str
) -> None:
    file = definitions(
        f"<businessKnowledgeModel id='f' name='f'>{logic}</businessKnowledgeModel>",
        decision("d", "f(1)", knows("f")),
    )
    outcome = read_decisions(file).evaluate("d", {})
    assert outcome.value is None
    assert outcome.nulls[0].problem == "the business knowledge model 'f' has no logic"


def test_what_needs_a_broken_function_is_broken(definitions: Definitions) -> None:
    java = "<businessKnowledgeModel id='f' name='f'><encapsulatedLogic kind='Java'><context/></encapsulatedLogic></businessKnowledgeModel>"
    file = definitions(java, decision("d", "f(1)", knows("f")), decision("e", "1"))
    decisions = read_leniently(file)
    assert decisions.evaluate("e", {}).value == Decimal(1)
    with pytest.raises(DmnRejectedError) as caught:
        decisions.evaluate("d", {})
    assert all(p.by_design for p in caught.value.problems)


def service(
    name: str, outputs: str, *, decisions: str = "", inputs: str = "", kind: str = ""
) -> str:
    variable = f"<variable name='{name}' typeRef='{kind}'/>" if kind else ""
    parts = [f"<outputDecision href='#{o}'/>" for o in outputs.split()]
    parts += [f"<inputDecision href='#{d}'/>" for d in decisions.split()]
    parts += [f"<inputData href='#{i}'/>" for i in inputs.split()]
    return (
        f"<decisionService id='{name}' name='{name}'>{variable}{''.join(parts)}</decisionService>"
    )


SERVICE = (
    "<inputData id='age' name='age'><variable name='age' typeRef='number'/></inputData>"
    + decision("base", "age * 10", requires(inputs="age"))
    + decision("factor", "2", kind="number")
    + decision("premium", "base * factor", requires("base", "factor"))
    + service("quote", "premium", decisions="factor", inputs="age")
    + service("both", "base premium", inputs="age")
)


def test_a_service_takes_input_data_before_input_decisions(definitions: Definitions) -> None:
    file = definitions(SERVICE, decision("d", "quote(3, 4)", knows("quote")))
    assert read_decisions(file).evaluate("d", {}).value == Decimal(120)


def test_a_service_takes_named_arguments(definitions: Definitions) -> None:
    file = definitions(SERVICE, decision("d", "quote(factor: 5, age: 1)", knows("quote")))
    assert read_decisions(file).evaluate("d", {}).value == Decimal(50)


def test_a_service_with_several_outputs_gives_a_context(definitions: Definitions) -> None:
    file = definitions(SERVICE, decision("d", "both(1).premium", knows("both")))
    decisions = read_decisions(file)
    assert decisions.evaluate("d", {}).value == Decimal(20)
    assert decisions.evaluate_service("both", {"age": 2}).value == {
        "base": Decimal(20),
        "premium": Decimal(40),
    }


def test_a_service_does_not_touch_the_values_around_its_call(definitions: Definitions) -> None:
    needs = knows("quote") + requires("factor", inputs="age")
    file = definitions(SERVICE, decision("d", "[quote(1, 7), factor, age]", needs))
    assert read_decisions(file).evaluate("d", {"age": 5}).value == (70, 2, 5)


@pytest.mark.parametrize("call", ["quote()", "quote(1)", 'quote("x", 1)', "quote(year: 1)"])
def test_a_call_of_a_service_that_does_not_fit_has_no_value(
    definitions: Definitions, call: str
) -> None:
    outcome = read_decisions(definitions(SERVICE, decision("d", call, knows("quote")))).evaluate(
        "d", {}
    )
    assert outcome.value is None
    assert outcome.nulls


def test_a_service_is_called_from_outside(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(SERVICE)).evaluate_service(
        "quote", {"age": 3, "factor": 1}
    )
    assert outcome.value == Decimal(30)


def test_a_missing_input_of_a_service_is_null_with_its_reason(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(SERVICE)).evaluate_service("quote", {"age": 3})
    assert outcome.value is None
    assert outcome.nulls[0].problem == "the input 'factor' is not given"


def test_the_result_of_a_service_is_held_to_its_type(definitions: Definitions) -> None:
    file = definitions(decision("one", "1"), service("s", "one", kind="string"))
    outcome = read_decisions(file).evaluate_service("s", {})
    assert outcome.value is None
    assert outcome.nulls[0].fault is Fault.TYPE


def test_a_service_that_needs_itself_is_refused(definitions: Definitions) -> None:
    file = definitions(decision("d", "s()", knows("s")), service("s", "d"))
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(file)
    assert {p.element for p in caught.value.problems} == {"decision d", "decisionService s"}


def test_a_service_may_be_called_by_a_decision_that_is_its_parameter(
    definitions: Definitions,
) -> None:
    file = definitions(
        decision("a", "s(1)", knows("s")),
        decision("b", "a + 1", requires("a")),
        service("s", "b", decisions="a"),
    )
    assert read_decisions(file).evaluate("b", {}).value == Decimal(3)

"""Files: what is read, and what is refused with element, line and cure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DmnRejectedError, DmnValueError, read_decisions, read_leniently
from pilothouse.feel.budget import Fault

if TYPE_CHECKING:
    from tests.unit.dmn.conftest import Definitions, Table, TableOf

PREMIUM = """
  <inputData id="i1" name="Age"><variable name="Age" typeRef="number"/></inputData>
  <decision id="d1" name="Risk"><variable name="Risk" typeRef="tRisk"/>
    <informationRequirement><requiredInput href="#i1"/></informationRequirement>
    <literalExpression><text>if Age &lt; 25 then "high" else "low"</text></literalExpression>
  </decision>
  <decision id="d2" name="Base Premium">
    <informationRequirement><requiredInput href="#i1"/></informationRequirement>
    <literalExpression><text>Age * 10</text></literalExpression>
  </decision>
  <decision id="d3" name="Premium">
    <informationRequirement><requiredDecision href="#d1"/></informationRequirement>
    <informationRequirement><requiredDecision href="#d2"/></informationRequirement>
    <decisionTable>
      <input label="Risk"><inputExpression typeRef="string"><text>Risk</text></inputExpression></input>
      <output typeRef="number"><defaultOutputEntry><text>0</text></defaultOutputEntry></output>
      <rule id="high"><inputEntry><text>"high"</text></inputEntry>
        <outputEntry><text>Base Premium * 2</text></outputEntry></rule>
      <rule id="low"><description>as it is</description><inputEntry><text>"low"</text></inputEntry>
        <outputEntry><text>Base Premium</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <itemDefinition name="tRisk"><typeRef>string</typeRef>
    <allowedValues><text>"high", "low"</text></allowedValues></itemDefinition>
"""


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_files_of_all_versions_are_read(definitions: Definitions, namespace: str) -> None:
    decisions = read_decisions(definitions(PREMIUM, namespace=namespace))
    assert decisions.evaluate("d3", {"Age": 20}).value == Decimal(400)


def test_required_decisions_are_taken_first(definitions: Definitions) -> None:
    decisions = read_decisions(definitions(PREMIUM))
    outcome = decisions.evaluate("Premium", {"Age": 30})
    assert outcome.value == Decimal(300)
    assert outcome.fired[0].annotation == "as it is"
    assert decisions.needed("Premium") == {"Age"}


def test_rules_of_required_tables_are_kept_apart(definitions: Definitions, table: Table) -> None:
    above = """<decision id='top'><informationRequirement><requiredDecision href='#d'/></informationRequirement>
      <literalExpression><text>Gate = "PASS"</text></literalExpression></decision>"""
    decisions = read_decisions(definitions(above, table([("> 0.8", '"PASS"')])))
    outcome = decisions.evaluate("top", {"auc": 0.9})
    assert (outcome.value, outcome.fired) == (True, ())
    assert [f.decision for f in outcome.earlier] == ["d"]


def test_an_input_of_another_type_is_null_with_its_reason(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(PREMIUM)).evaluate("d1", {"Age": "twenty"})
    assert outcome.value == "low"
    assert (outcome.nulls[0].fault, outcome.nulls[0].problem) == (
        Fault.TYPE,
        'the string "twenty" is not of the type number',
    )


def test_whoever_demands_fitting_inputs_is_told_of_others(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(PREMIUM)).evaluate("d1", {"Age": "twenty"})
    with pytest.raises(DmnValueError) as caught:
        outcome.demanded()
    assert "not of the type number" in caught.value.problem


def test_a_missing_input_is_null_with_its_reason(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(PREMIUM)).evaluate("d2", {})
    assert outcome.value is None
    assert outcome.nulls[0].fault is Fault.MISSING
    assert outcome.nulls[0].problem == "the input 'Age' is not given"
    assert (outcome.nulls[0].where, outcome.nulls[0].text) == ("Base Premium", "")


def test_a_result_that_is_not_allowed_is_null_with_its_reason(definitions: Definitions) -> None:
    other = PREMIUM.replace('"low"</text></literal', '"medium"</text></literal')
    outcome = read_decisions(definitions(other)).evaluate("d1", {"Age": 30})
    assert outcome.value is None
    assert outcome.nulls[0].where == "Risk"
    assert "allowed values of the type tRisk" in outcome.nulls[0].problem


def test_an_outcome_without_trouble_is_what_was_demanded(definitions: Definitions) -> None:
    outcome = read_decisions(definitions(PREMIUM)).evaluate("d3", {"Age": 20})
    assert outcome.demanded() is outcome


def test_a_default_output_is_said_when_no_rule_matches(definitions: Definitions) -> None:
    wide = PREMIUM.replace('typeRef="tRisk"', "").replace(
        '"low"</text></literal', '"?"</text></literal'
    )
    assert read_decisions(definitions(wide)).evaluate("d3", {"Age": 30}).value == Decimal(0)


def test_comments_and_other_languages_inside_are_read_over(definitions: Definitions) -> None:
    file = definitions(
        """<decision id="d" xmlns:camunda="http://camunda.org/schema/1.0/dmn" camunda:versionTag="3">
             <extensionElements><camunda:note/></extensionElements>
             <literalExpression><text>1 <!-- plus --> + 1</text></literalExpression></decision>
           <x:diagram xmlns:x="urn:other"/>"""
    )
    assert read_decisions(file).evaluate("d", {}).value == Decimal(2)


@pytest.mark.parametrize(
    ("part", "element", "problem"),
    [
        ("", "definitions f", "no decision"),
        ("<import name='other'/>", "import other", "imports of type ''"),
        ("<import name='other' namespace='urn:o' importType='https://www.omg.org/spec/DMN/20191111/MODEL/'/>", "import other", "no file of that namespace"),
        ("<decisionService id='s'/>", "decisionService s", "no output decision"),
        ("<decision id='d'><invocation/></decision>", "invocation in decision d", "no expressions"),
        ("<decision id='d'><list/><list/></decision>", "decision d", "2 expressions"),
        ("<decision id='d'><box/></decision>", "box in decision d", "not supported"),
        ("<decision><literalExpression><text>1</text></literalExpression></decision>", "decision in definitions f", "neither id nor name"),
        ("<decision id='d'><literalExpression/></decision>", "literalExpression in decision d", "no text"),
        ("<decision id='d'><literalExpression><text>1 +</text></literalExpression></decision>", "literalExpression in decision d", "line 1, column 4"),
        ("<decision id='d'><literalExpression expressionLanguage='juel'><text>1</text></literalExpression></decision>", "literalExpression in decision d", "'juel'"),
        ("<decision id='d'><variable name='d' typeRef='tNone'/><literalExpression><text>1</text></literalExpression></decision>", "variable d", "'tNone'"),
        ("<decision id='d'><informationRequirement><requiredDecision href='#x'/></informationRequirement><literalExpression><text>1</text></literalExpression></decision>", "requiredDecision in informationRequirement in decision d", "not in this file"),
        ("<itemDefinition name='t'><typeRef>t</typeRef></itemDefinition>", "itemDefinition t", "contains itself"),
        ("<inputData id='a' name='x'/><inputData id='a' name='y'/>", "inputData a", "used twice"),
        ("<inputData id='a' name='x'/><inputData id='b' name='x'/>", "inputData b", "name 'x'"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused(
    definitions: Definitions, part: str, element: str, problem: str
) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(definitions(part))
    found = [p for p in caught.value.problems if p.element == element and problem in p.problem]
    assert found, caught.value.problems
    assert found[0].cure
    assert found[0].line == 1


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"attributes": "hitPolicy='MOST'"}, "no hit policy 'MOST'"),
        ({"attributes": "hitPolicy='COLLECT' aggregation='MEAN'"}, "no aggregation 'MEAN'"),
        ({"attributes": "aggregation='SUM'"}, "only COLLECT"),
        ({"attributes": "hitPolicy='PRIORITY'"}, "needs output values"),
        ({"outputs": ("a", "a")}, "different names"),
        ({"outputs": ()}, "no output"),
        ({"inputs": ("auc", "psi", "tier")}, "2 input entries"),
        ({"inputs": ("auc", "psi")}, "0 output entries"),
        ({"inputs": ("auc >",)}, "line 1, column 6"),
        ({"output_values": '"PASS'}, "closing quote"),
    ],
)
def test_tables_that_cannot_run_are_refused(
    table_of: TableOf, options: dict[str, object], problem: str
) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        table_of([("> 0.8", '"MAYBE"')], **options)
    assert any(problem in p.problem for p in caught.value.problems), caught.value.problems


def test_all_problems_of_a_table_are_listed_at_once(table_of: TableOf) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        table_of([(">", "1"), ("1", ""), ("?(", "for")])
    assert len(caught.value.problems) == 4
    assert caught.value.code == "dmn-rejected"


def test_problems_name_the_line_of_the_file(definitions: Definitions) -> None:
    broken = PREMIUM.replace("Base Premium * 2", "Base Premium *")
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(definitions(broken))
    assert [(p.line, p.element) for p in caught.value.problems] == [
        (18, "outputEntry in rule high")
    ]


def test_decisions_that_require_each_other_are_refused(definitions: Definitions) -> None:
    circle = "".join(
        f"""<decision id='{a}'><informationRequirement><requiredDecision href='#{b}'/></informationRequirement>
          <literalExpression><text>1</text></literalExpression></decision>"""
        for a, b in ("ab", "bc", "ca")
    )
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(definitions(circle))
    assert {p.element for p in caught.value.problems} == {"decision a", "decision b", "decision c"}
    assert all(caught.value.problems[0].problem.count(name) for name in "abc")


def test_a_long_chain_of_decisions_is_taken_without_recursion(definitions: Definitions) -> None:
    chain = "".join(
        f"""<decision id='d{n}'><informationRequirement><requiredDecision href='#d{n - 1}'/></informationRequirement>
          <literalExpression><text>d{n - 1} + 1</text></literalExpression></decision>"""
        for n in range(1, 1_050)
    )
    first = "<decision id='d0'><literalExpression><text>0</text></literalExpression></decision>"
    decisions = read_decisions(definitions(first, chain))
    assert decisions.evaluate("d1049", {}).value == Decimal(1049)


def test_a_decision_without_logic_is_null_with_its_reason(definitions: Definitions) -> None:
    outcome = read_decisions(definitions("<decision id='d' name='Later'/>")).evaluate("d", {})
    assert outcome.value is None
    assert outcome.nulls[0].problem == "the decision 'Later' has no logic"


def test_a_decision_sees_only_what_it_requires(definitions: Definitions) -> None:
    file = definitions(
        PREMIUM,
        """<decision id="blind"><literalExpression><text>Base Premium</text></literalExpression></decision>""",
    )
    outcome = read_decisions(file).evaluate("blind", {"Base Premium": 1, "Age": 20})
    assert outcome.value is None
    assert outcome.nulls[0].fault is Fault.MISSING


def test_variables_that_no_element_provides_come_from_the_caller(definitions: Definitions) -> None:
    file = definitions(
        """<decision id="d"><literalExpression><text>rows[auc > limit]</text></literalExpression></decision>"""
    )
    decisions = read_decisions(file)
    outcome = decisions.evaluate("d", {"rows": [{"auc": 1}, {"auc": 3}], "limit": 2})
    assert outcome.value == ({"auc": Decimal(3)},)
    assert decisions.needed("d") == {"rows"}


def test_elements_are_found_by_the_namespace_of_their_own_file() -> None:
    file = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" namespace="urn:own">
      <inputData id="i" name="x"/>
      <decision id="d"><informationRequirement><requiredInput href="urn:own#i"/></informationRequirement>
        <literalExpression><text>x + 1</text></literalExpression></decision></definitions>"""
    assert read_decisions(file).evaluate("d", {"x": 1}).value == Decimal(2)


def test_lenient_reading_keeps_what_has_no_problems(definitions: Definitions) -> None:
    file = definitions(
        PREMIUM,
        """<decision id="broken"><literalExpression><text>1 +</text></literalExpression></decision>
           <decision id="above"><informationRequirement><requiredDecision href="#broken"/></informationRequirement>
             <literalExpression><text>broken</text></literalExpression></decision>""",
    )
    decisions = read_leniently(file)
    assert decisions.evaluate("d3", {"Age": 20}).value == Decimal(400)
    with pytest.raises(DmnRejectedError) as caught:
        decisions.evaluate("above", {})
    assert [p.element for p in caught.value.problems] == ["literalExpression in decision broken"]
    assert decisions.problems == caught.value.problems


ENTRY = """<contextEntry><variable name="a"/><literalExpression><text>1</text></literalExpression></contextEntry>"""


@pytest.mark.parametrize(
    "logic",
    [
        "<literalExpression><text/></literalExpression>",
        f"<context>{ENTRY}{ENTRY}</context>",
    ],
)
def test_lenient_reading_gives_null_where_the_standard_does(
    definitions: Definitions, logic: str
) -> None:
    decisions = read_leniently(definitions(f"<decision id='d'>{logic}</decision>"))
    assert [p.runs for p in decisions.problems] == [True]
    assert decisions.evaluate("d", {}).value is None


def test_final_decisions_are_those_that_no_other_requires(definitions: Definitions) -> None:
    assert [d.id for d in read_decisions(definitions(PREMIUM)).final] == ["d3"]


def test_the_first_of_each_fault_is_kept_among_many_reasons(definitions: Definitions) -> None:
    file = definitions(
        """<decision id="many"><literalExpression><text>for i in 1..50 return 1 / 0</text></literalExpression></decision>
           <inputData id="late" name="late"/>
           <decision id="d"><variable name="d" typeRef="string"/>
             <informationRequirement><requiredDecision href="#many"/></informationRequirement>
             <literalExpression><text>count(many)</text></literalExpression></decision>"""
    )
    outcome = read_decisions(file).evaluate("d", {})
    assert (len(outcome.nulls), outcome.nulls_beyond) == (21, 30)
    with pytest.raises(DmnValueError) as caught:
        outcome.demanded()
    assert caught.value.problem == "the number 50 is not of the type string"

"""Files: what is read, and what is refused with element, line and cure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DmnRejectedError, DmnValueError, read_decisions

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


def test_declared_inputs_are_checked_by_their_type(definitions: Definitions) -> None:
    with pytest.raises(DmnValueError) as caught:
        read_decisions(definitions(PREMIUM)).evaluate("d3", {"Age": "twenty"})
    assert caught.value.problem == "must be a number, and is a string"


def test_results_are_checked_by_their_type(definitions: Definitions) -> None:
    other = PREMIUM.replace('"low"</text></literal', '"medium"</text></literal')
    with pytest.raises(DmnValueError) as caught:
        read_decisions(definitions(other)).evaluate("d3", {"Age": 30})
    assert "allowed values" in caught.value.problem


def test_contexts_and_lists_are_checked_inside(definitions: Definitions) -> None:
    file = definitions(
        """<itemDefinition name="tRows" isCollection="true">
             <itemComponent name="auc"><typeRef>number</typeRef></itemComponent></itemDefinition>
           <inputData id="i" name="rows"><variable name="rows" typeRef="tRows"/></inputData>
           <decision id="d"><informationRequirement><requiredInput href="#i"/></informationRequirement>
             <literalExpression><text>max(rows.auc)</text></literalExpression></decision>"""
    )
    assert read_decisions(file).evaluate("d", {"rows": [{"auc": 1}, {"auc": 3}]}).value == 3
    with pytest.raises(DmnValueError) as caught:
        read_decisions(file).evaluate("d", {"rows": [{"auc": "high"}]})
    assert "entry 'auc'" in caught.value.problem


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
        ("<businessKnowledgeModel id='b'/>", "businessKnowledgeModel b", "not supported"),
        ("<import name='other'/>", "import other", "not supported"),
        ("<decisionService id='s'/>", "decisionService s", "not supported"),
        ("<decision id='d'><invocation/></decision>", "invocation in decision d", "not supported"),
        ("<decision id='d'/>", "decision d", "no decision table and no literal expression"),
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
        ({"output_values": '"PASS", "FAIL"'}, "none of the allowed values"),
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
        table_of([(">", "1"), ("1", ""), ("?(", "for"), ("-", "for i in 1..1e9 return i")])
    assert len(caught.value.problems) == 5
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


def test_a_long_chain_of_decisions_is_taken_without_recursion(definitions: Definitions) -> None:
    chain = "".join(
        f"""<decision id='d{n}'><informationRequirement><requiredDecision href='#d{n - 1}'/></informationRequirement>
          <literalExpression><text>d{n - 1} + 1</text></literalExpression></decision>"""
        for n in range(1, 1_050)
    )
    first = "<decision id='d0'><literalExpression><text>0</text></literalExpression></decision>"
    decisions = read_decisions(definitions(first, chain))
    assert decisions.evaluate("d1049", {}).value == Decimal(1049)

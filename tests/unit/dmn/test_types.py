"""Item definitions: what values may be, and what they are converted to."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from pilothouse.dmn import DmnRejectedError, Outcome, read_decisions, read_leniently

if TYPE_CHECKING:
    from tests.unit.dmn.conftest import Definitions

DMN_15 = "https://www.omg.org/spec/DMN/20230324/MODEL/"
TYPES = """
  <itemDefinition name="tRow"><itemComponent name="auc"><typeRef>number</typeRef></itemComponent>
    <itemComponent name="tier"><typeRef>tTier</typeRef></itemComponent></itemDefinition>
  <itemDefinition name="tRows" isCollection="true"><typeRef>tRow</typeRef></itemDefinition>
  <itemDefinition name="tTier"><typeRef>string</typeRef>
    <allowedValues><text>"low", "high"</text></allowedValues></itemDefinition>
  <itemDefinition name="tTiers" isCollection="true"><typeRef>string</typeRef>
    <allowedValues><text>"low", "high"</text></allowedValues></itemDefinition>
  <itemDefinition name="tPair" isCollection="true"><typeRef>number</typeRef>
    <typeConstraint><text>count(?) = 2</text></typeConstraint></itemDefinition>
  <itemDefinition name="tTest"><functionItem outputTypeRef="boolean">
    <parameters name="x" typeRef="number"/></functionItem></itemDefinition>
"""


def echoed(definitions: Definitions, kind: str, value: object) -> Outcome:
    """Take a decision that gives its one input, which has the type."""
    file = definitions(
        TYPES,
        f"""<inputData id='i' name='x'><variable name='x' typeRef='{kind}'/></inputData>
        <decision id='d'><informationRequirement><requiredInput href='#i'/></informationRequirement>
        <literalExpression><text>x</text></literalExpression></decision>""",
        namespace=DMN_15,
    )
    return read_decisions(file).evaluate("d", {"x": value})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("tTier", "low"),
        ("tRow", {"auc": Decimal(1), "tier": "high"}),
        ("tRow", {"auc": Decimal(1), "tier": None, "more": True}),
        ("tRows", ({"auc": Decimal(1), "tier": "low"},)),
        ("tTiers", ("low", "high", "low")),
        ("tTiers", ()),
        ("tPair", (Decimal(1), Decimal(2))),
        ("Any", ("anything", Decimal(1))),
        ("feel:string", "text"),
        ("list", ("a", Decimal(1))),
        ("integer", Decimal(1)),
    ],
)
def test_values_of_the_type_are_let_through(
    definitions: Definitions, kind: str, value: object
) -> None:
    assert echoed(definitions, kind, value).value == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("tTier", "medium"),
        ("tTier", 1),
        ("tRow", {"auc": "1", "tier": "low"}),
        ("tRow", {"auc": 1, "tier": "medium"}),
        ("tRow", {"auc": 1}),
        ("tRows", [{"auc": 1, "tier": "low"}, 2]),
        ("tTiers", ["low", "medium"]),
        ("tPair", [1, 2, 3]),
    ],
)
def test_values_of_no_such_type_are_null_with_a_reason(
    definitions: Definitions, kind: str, value: object
) -> None:
    outcome = echoed(definitions, kind, value)
    assert outcome.value is None
    assert kind in outcome.nulls[0].problem


def test_a_single_value_becomes_a_list_of_it(definitions: Definitions) -> None:
    assert echoed(definitions, "tTiers", "low").value == ("low",)


def test_a_list_of_one_becomes_its_item(definitions: Definitions) -> None:
    assert echoed(definitions, "tTier", ["low"]).value == "low"


def test_a_function_that_does_not_say_what_it_gives_is_held_to_it(
    definitions: Definitions,
) -> None:
    file = definitions(
        TYPES,
        """<businessKnowledgeModel id='m' name='both'><encapsulatedLogic><formalParameter name='test' typeRef='tTest'/>
        <literalExpression><text>[test(1), test(2)]</text></literalExpression></encapsulatedLogic></businessKnowledgeModel>
        <decision id='d'><knowledgeRequirement><requiredKnowledge href='#m'/></knowledgeRequirement>
        <literalExpression><text>both(function(x) if x = 1 then true else "no")</text></literalExpression></decision>""",
        namespace=DMN_15,
    )
    outcome = read_decisions(file).evaluate("d", {})
    assert outcome.value == (True, None)
    assert outcome.nulls[0].problem == 'the string "no" is not of the type boolean'


def test_a_component_may_have_a_number_in_its_name(definitions: Definitions) -> None:
    file = definitions(
        """<itemDefinition name="tLines"><itemComponent name="line 2"><typeRef>string</typeRef></itemComponent>
        </itemDefinition>""",
        """<inputData id='i' name='x'><variable name='x' typeRef='tLines'/></inputData>
        <decision id='d'><informationRequirement><requiredInput href='#i'/></informationRequirement>
        <literalExpression><text>x.line 2</text></literalExpression></decision>""",
        namespace=DMN_15,
    )
    assert read_decisions(file).evaluate("d", {"x": {"line 2": "b"}}).value == "b"


def test_types_are_known_to_expressions(definitions: Definitions) -> None:
    text = "[{auc: 1, tier: &quot;low&quot;} instance of tRow, 1 instance of tRow, 1 instance of tTest]"
    file = definitions(
        TYPES,
        f"<decision id='d'><literalExpression><text>{text}</text></literalExpression></decision>",
    )
    assert read_decisions(file).evaluate("d", {}).value == (True, False, False)


def item(name: str, *parts: str, reference: str = "") -> str:
    inner = f"<typeRef>{reference}</typeRef>" if reference else "".join(parts)
    return f"<itemDefinition name='{name}'>{inner}</itemDefinition>"


@pytest.mark.parametrize(
    ("types", "element", "problem"),
    [
        (item("a", reference="b") + item("b", reference="a"), "itemDefinition a", "the type contains itself: a → b → a"),
        (item("a", "<itemComponent name='x'><typeRef>a</typeRef></itemComponent>"), "itemDefinition a", "the type contains itself: a → a"),
        (item("a", reference="string") * 2, "itemDefinition a", "the type 'a' is defined twice"),
        (item("a", reference="nothing"), "typeRef in itemDefinition a", "the type 'nothing' is not known"),
        (item("a", "<typeRef>string</typeRef><allowedValues><text>\"a</text></allowedValues>"), "allowedValues in itemDefinition a", "closing quote"),
        (item("a", "<itemComponent name='x'/><itemComponent name=' x'/>"), "itemDefinition a", "different names"),
        (item("a", "<other/>"), "other in itemDefinition a", "not supported"),
        ("".join(item(f"t{n}", reference=f"t{n + 1}") for n in range(100)) + item("t100", reference="string"), "itemDefinition t41", "more than 40 types"),
        (item("t0", reference="string") + "".join(item(f"t{n}", reference=f"t{n - 1}") for n in range(1, 60)), "itemDefinition t40", "more than 40 types"),
    ],
)  # fmt: skip
def test_types_that_mean_nothing_are_refused(
    definitions: Definitions, types: str, element: str, problem: str
) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(definitions(types))
    found = [p for p in caught.value.problems if p.element == element and problem in p.problem]
    assert found, caught.value.problems


def test_only_what_uses_a_broken_type_is_broken(definitions: Definitions) -> None:
    literal = "<literalExpression><text>1</text></literalExpression>"
    file = definitions(
        item("a", reference="nothing"),
        f"<decision id='d'><variable name='d' typeRef='a'/>{literal}</decision><decision id='e'>{literal}</decision>",
    )
    decisions = read_leniently(file)
    assert decisions.evaluate("e", {}).value == Decimal(1)
    with pytest.raises(DmnRejectedError) as caught:
        decisions.evaluate("d", {})
    assert caught.value.problems[0].problem == "its type 'a' cannot be used as it is defined"


def test_wide_types_are_read_in_time_that_grows_with_the_file(definitions: Definitions) -> None:
    levels = [item("t0", reference="string")]
    for n in range(1, 19):
        parts = "".join(
            f"<itemComponent name='c{c}'><typeRef>t{n - 1}</typeRef></itemComponent>"
            for c in range(50)
        )
        levels.append(item(f"t{n}", parts))
    file = definitions(*levels)
    assert read_decisions(file).decisions == {}

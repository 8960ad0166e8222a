"""Files that import others."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pilothouse.dmn import DmnRejectedError, imports_of, namespace_of, read_decisions

DMN = "https://www.omg.org/spec/DMN/20230324/MODEL/"


def file(namespace: str, *parts: str, imports: dict[str, str] | None = None) -> bytes:
    imported = "".join(
        f"<import name='{name}' namespace='{other}' importType='{DMN}'/>"
        for name, other in (imports or {}).items()
    )
    return f"<definitions xmlns='{DMN}' namespace='{namespace}' name='{namespace}'>{imported}{''.join(parts)}</definitions>".encode()


def literal(written: str) -> str:
    return f"<literalExpression><text>{written}</text></literalExpression>"


def needs(kind: str, href: str) -> str:
    outer = "knowledgeRequirement" if kind == "requiredKnowledge" else "informationRequirement"
    return f"<{outer}><{kind} href='{href}'/></{outer}>"


BASE = file(
    "urn:base",
    "<inputData id='i' name='Person name'><variable name='Person name' typeRef='string'/></inputData>",
    f"<decision id='d' name='Greeting'>{needs('requiredInput', '#i')}{literal('&quot;Hello, &quot; + Person name')}</decision>",
    f"""<businessKnowledgeModel id='b' name='twice-as-much'><encapsulatedLogic><formalParameter name='x'/>
        {literal("x * 2")}</encapsulatedLogic></businessKnowledgeModel>""",
    """<itemDefinition name='tTier'><typeRef>string</typeRef>
        <allowedValues><text>"low", "high"</text></allowedValues></itemDefinition>""",
)
MIDDLE = file(
    "urn:middle",
    f"<decision id='d' name='Shout'>{needs('requiredDecision', 'urn:base#d')}{literal('upper case(base.Greeting)')}</decision>",
    imports={"base": "urn:base"},
)


def top(*parts: str, imports: dict[str, str] | None = None) -> bytes:
    return file("urn:top", *parts, imports={"The Base": "urn:base", **(imports or {})})


def decision(written: str, *requirements: str) -> str:
    return f"<decision id='d' name='d'>{''.join(requirements)}{literal(written)}</decision>"


FILES = {"urn:base": BASE, "urn:middle": MIDDLE}


def test_elements_of_an_import_are_read_under_its_name() -> None:
    xml = top(
        decision("The Base.Greeting + &quot;!&quot;", needs("requiredDecision", "urn:base#d"))
    )
    decisions = read_decisions(xml, imports=FILES)
    outcome = decisions.evaluate("d", {}, imported={"urn:base": {"Person name": "Ada"}})
    assert outcome.value == "Hello, Ada!"


@pytest.mark.parametrize(
    "inputs",
    [
        {"The Base.Person name": "Ada"},
        {"The Base": {"Person name": "Ada"}},
        {"Person name": "Ada"},
    ],
)
def test_inputs_of_an_import_are_found_in_the_variables(inputs: dict[str, object]) -> None:
    xml = top(decision("The Base.Greeting", needs("requiredDecision", "urn:base#d")))
    decisions = read_decisions(xml, imports=FILES)
    assert decisions.needed("d") == {"The Base.Person name"}
    assert decisions.evaluate("d", inputs).value == "Hello, Ada"


def test_an_input_of_the_own_file_is_not_taken_for_one_of_an_import() -> None:
    xml = top(
        "<inputData id='i' name='Person name'/>",
        decision("The Base.Greeting", needs("requiredDecision", "urn:base#d")),
    )
    outcome = read_decisions(xml, imports=FILES).evaluate("d", {"Person name": "Ada"})
    assert outcome.value is None
    assert outcome.nulls[0].problem == "the input 'Person name' is not given"


def test_functions_of_an_import_are_called_under_its_name() -> None:
    xml = top(decision("The Base.twice-as-much(21)", needs("requiredKnowledge", "urn:base#b")))
    assert read_decisions(xml, imports=FILES).evaluate("d", {}).value == Decimal(42)


def test_imports_of_imports_are_read_too() -> None:
    both = decision(
        "Mid.Shout + &quot; &quot; + The Base.Greeting",
        needs("requiredDecision", "urn:middle#d"),
        needs("requiredDecision", "urn:base#d"),
    )
    decisions = read_decisions(top(both, imports={"Mid": "urn:middle"}), imports=FILES)
    outcome = decisions.evaluate("d", {}, imported={"urn:base": {"Person name": "Ada"}})
    assert outcome.value == "HELLO, ADA Hello, Ada"


def test_an_import_without_a_name_gives_its_names_as_they_are() -> None:
    xml = file(
        "urn:top",
        decision("Greeting", needs("requiredDecision", "urn:base#d")),
        imports={"": "urn:base"},
    )
    outcome = read_decisions(xml, imports=FILES).evaluate("d", {"Person name": "Ada"})
    assert outcome.value == "Hello, Ada"


def test_types_of_an_import_are_named_after_it() -> None:
    typed = "<decision id='d' name='d'><variable name='d' typeRef='The Base.tTier'/>{}</decision>"
    xml = top(typed.format(literal("&quot;middle&quot;")))
    outcome = read_decisions(xml, imports=FILES).evaluate("d", {})
    assert outcome.value is None
    assert "allowed values of the type tTier" in outcome.nulls[0].problem


def test_types_of_an_import_are_found_by_prefix_in_old_files() -> None:
    old = "http://www.omg.org/spec/DMN/20151101/dmn.xsd"
    xml = f"""<definitions xmlns='{old}' xmlns:b='urn:base' namespace='urn:top'>
      <import namespace='urn:base' importType='{old}' name='b'/>
      <decision id='d' name='d'><variable name='d' typeRef='b:tTier'/>{literal("&quot;low&quot;")}</decision></definitions>"""
    assert read_decisions(xml.encode(), imports=FILES).evaluate("d", {}).value == "low"


def test_the_imports_of_a_file_are_listed() -> None:
    assert imports_of(top(imports={"Mid": "urn:middle"})) == ("urn:base", "urn:middle")
    assert namespace_of(MIDDLE) == "urn:middle"


def problems(xml: bytes, files: dict[str, bytes]) -> list[tuple[str, str]]:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(xml, imports=files)
    return [(p.element, p.problem) for p in caught.value.problems]


def test_a_missing_import_is_named() -> None:
    found = problems(top(decision("1")), {})
    assert found == [
        ("import The Base", "it imports 'urn:base', and no file of that namespace is given")
    ]


def test_files_that_import_each_other_are_refused() -> None:
    files = {
        "urn:a": file("urn:a", decision("1"), imports={"b": "urn:b"}),
        "urn:b": file("urn:b", decision("1"), imports={"a": "urn:a"}),
    }
    found = problems(files["urn:a"], files)
    assert found == [
        ("imported file urn:b: import a", "the file imports itself: urn:a → urn:b → urn:a")
    ]


def test_problems_of_an_imported_file_say_so() -> None:
    broken = file("urn:base", decision("1 +"))
    found = problems(top(decision("1")), {"urn:base": broken})
    assert found[0][0] == "imported file urn:base: literalExpression in decision d"


def test_an_import_that_is_no_decision_file_is_refused() -> None:
    found = problems(top(decision("1")), {"urn:base": b"<a/>"})
    assert "cannot be read" in found[0][1]


@pytest.mark.parametrize(
    ("kind", "by_design"),
    [("http://www.dmg.org/PMML-4_4", True), ("http://www.w3.org/2001/XMLSchema", False)],
)
def test_other_sorts_of_imports_are_refused(kind: str, by_design: bool) -> None:
    xml = top(decision("1")).replace(DMN.encode() + b"'/>", kind.encode() + b"'/>")
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(xml, imports=FILES)
    assert [p.by_design for p in caught.value.problems] == [by_design]


def test_a_requirement_of_the_wrong_kind_is_refused() -> None:
    xml = top(decision("1", needs("requiredInput", "urn:base#d")))
    assert "it requires 'urn:base#d'" in problems(xml, FILES)[0][1]


def test_a_chain_of_imports_without_end_is_refused() -> None:
    files = {
        f"urn:{n}": file(f"urn:{n}", decision("1"), imports={"next": f"urn:{n + 1}"})
        for n in range(30)
    }
    assert any("in a row" in problem for _, problem in problems(files["urn:0"], files))


def test_a_library_of_functions_needs_no_decision() -> None:
    function = f"<businessKnowledgeModel id='b' name='b'><encapsulatedLogic>{literal('1')}</encapsulatedLogic></businessKnowledgeModel>"
    decisions = read_decisions(file("urn:library", function))
    assert (list(decisions.decisions), list(decisions.functions)) == ([], ["b"])

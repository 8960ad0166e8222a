"""Drawings that somebody has spoilt: each is read or refused, with reasons, and nothing else happens."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pilothouse.bpmn.definition import Definition
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.read import read
from pilothouse.lifecycle.expressions import FeelExpressions

EXAMPLES = Path(__file__).parents[3] / "docs" / "how-to" / "examples"
DRAWINGS = {
    "camunda7-approval": (EXAMPLES / "camunda7-approval.bpmn").read_bytes(),
    "two-approvals": (EXAMPLES / "two-approvals.bpmn").read_bytes(),
    "promote-online": (
        files("pilothouse.lifecycle") / "definitions" / "promote-online.bpmn"
    ).read_bytes(),
}
WORDS = st.sampled_from(
    [
        *("", "=", "=null", "${", "${a.b()}", "${x > 1}", "R/P0D", "* * * * *", "R3/PT5M@Nowhere"),
        *("begin", "approve", "deploy", "{}", "\u2028", "true", "false", "9" * 400, "external"),
    ]
)


def spoilt(xml: bytes, where: int, word: str, how: int) -> bytes:
    """Change, take out or double one thing of a drawing."""
    root = etree.fromstring(xml)
    elements = [e for e in root.iter(etree.Element) if e.getparent() not in (None, root)]
    element = elements[where % len(elements)]
    parent = element.getparent()
    assert parent is not None
    names = sorted(str(name) for name in element.attrib)
    match how % 5:
        case 0 if names:
            element.set(names[where % len(names)], word)
        case 1 if names:
            del element.attrib[names[where % len(names)]]
        case 2:
            parent.remove(element)
        case 3:
            parent.append(etree.fromstring(etree.tostring(element)))
        case _:
            element.text = word
    return etree.tostring(root)


@pytest.mark.parametrize("name", DRAWINGS)
@given(
    spoilings=st.lists(
        st.tuples(st.integers(0, 10_000), WORDS, st.integers(0, 4)), min_size=1, max_size=4
    )
)
def test_a_spoilt_drawing_is_read_or_refused_with_reasons(
    name: str, spoilings: list[tuple[int, str, int]]
) -> None:
    xml = DRAWINGS[name]
    for where, word, how in spoilings:
        xml = spoilt(xml, where, word, how)
    try:
        got: Definition | DefinitionRejectedError = read(xml, expressions=FeelExpressions())
    except DefinitionRejectedError as error:
        got = error
    reasons = got.problems if isinstance(got, DefinitionRejectedError) else ()
    assert isinstance(got, Definition) or reasons
    assert all(reason.problem and reason.cure for reason in reasons)


HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn"><process id="p" isExecutable="true">'
)
PARAMETER = (
    f"<camunda:inputOutput><camunda:inputParameter name='a'>{'${a}' * 60_000}"
    "</camunda:inputParameter></camunda:inputOutput>"
)


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        (
            "".join(f'<userTask id="u{n}"/>' for n in range(1001)),
            "the file has 1,001 events, tasks, gateways and sub-processes, more than 1,000",
        ),
        (
            "".join(f'<sequenceFlow id="f{n}"/>' for n in range(10_000)),
            "the file has 10,001 XML elements, more than 10,000",
        ),
        (
            "".join(
                f'<userTask id="u{n}" camunda:assignee="${{{"a-" * 900}1}}"/>' for n in range(200)
            ),
            "its expressions have more than 200,000 characters in all",
        ),
        (
            f"<serviceTask id='t'><extensionElements>{PARAMETER}</extensionElements></serviceTask>",
            "its expressions have more than 200,000 characters in all",
        ),
    ],
)
def test_a_drawing_that_would_take_minutes_to_read_is_refused_at_once(
    inside: str, problem: str
) -> None:
    xml = f"{HEAD}{inside}</process></definitions>".encode()

    with pytest.raises(DefinitionRejectedError) as refusal:
        read(xml, expressions=FeelExpressions())

    assert [found.problem for found in refusal.value.problems] == [problem]

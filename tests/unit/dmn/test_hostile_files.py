"""Files that attack the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.dmn import Decisions, DmnRejectedError, Outcome, read_decisions
from pilothouse.feel import FeelBudgetError

if TYPE_CHECKING:
    from pathlib import Path

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
BODY = "<definitions xmlns='https://www.omg.org/spec/DMN/20191111/MODEL/'><decision id='d'><literalExpression><text>{}</text></literalExpression></decision></definitions>"
LAUGHS = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))


def problem_of(xml: bytes) -> str:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(xml)
    return caught.value.problems[0].problem


@pytest.mark.parametrize(
    "prolog",
    [
        f"<!DOCTYPE d [<!ENTITY l0 'ha'>{LAUGHS}]>",
        "<!DOCTYPE d SYSTEM 'http://127.0.0.1:9/evil.dtd'>",
        "<!DOCTYPE d>",
        "<?xml version='1.0'?><!DOCTYPE d [<!ENTITY x 'y'>]>",
    ],
)
def test_a_document_type_is_refused(prolog: str) -> None:
    assert "DOCTYPE" in problem_of((prolog + BODY.format("&l9;")).encode())


def test_no_file_of_the_machine_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('"found"')
    xml = f"<!DOCTYPE d [<!ENTITY x SYSTEM '{secret.as_uri()}'>]>" + BODY.format("&x;")
    assert "DOCTYPE" in problem_of(xml.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_document_type_cannot_hide_in_an_encoding(encoding: str) -> None:
    xml = "<?xml version='1.0' encoding='" + encoding + "'?><!DOCTYPE d [<!ENTITY x 'y'>]>"
    assert "encoding" in problem_of((xml + BODY.format("&x;")).encode(encoding))


def test_a_document_type_cannot_hide_in_utf_7() -> None:
    xml = b"<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE d+AD4-"
    assert "encoding" in problem_of(xml + BODY.format("1").encode())


def test_inclusion_is_not_done() -> None:
    xml = BODY.format(
        "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='/etc/hostname' parse='text'/>"
    )
    assert "no text" in problem_of(xml.encode())


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (b"", "not well-formed"),
        (b"not xml", "not well-formed"),
        (b"<definitions", "not well-formed"),
        (b"<a/>", "no DMN"),
        (f"<decision xmlns='{DMN}'/>".encode(), "no DMN"),
        (b"x" * 1_000_001, "1000001 bytes"),
        (b"<a>" * 10_000, "not well-formed"),
        (b"\x00\x01\x02", "encoding"),
        (BODY.format("1").encode()[:-5], "not well-formed"),
    ],
)  # fmt: skip
def test_what_is_no_dmn_is_refused(xml: bytes, problem: str) -> None:
    assert problem in problem_of(xml)


def test_problems_without_end_are_cut_off() -> None:
    xml = f"<definitions xmlns='{DMN}'>{'<import/>' * 50_000}</definitions>"
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(xml.encode())
    assert len(caught.value.problems) == 101
    assert "more" in caught.value.problems[-1].problem


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda t: BODY.format(t).encode(errors="replace"))
)
def test_random_files_are_read_or_refused(xml: bytes) -> None:
    try:
        found: object = read_decisions(xml)
    except DmnRejectedError as error:
        found = error
    assert isinstance(found, (Decisions, DmnRejectedError))


def literal(text: str) -> str:
    return f"<literalExpression><text>{text}</text></literalExpression>"


def decision(name: str, text: str, *requires: str, knows: str = "") -> str:
    needs = "".join(
        f"<informationRequirement><requiredDecision href='#{r}'/></informationRequirement>"
        for r in requires
    )
    if knows:
        needs += (
            f"<knowledgeRequirement><requiredKnowledge href='#{knows}'/></knowledgeRequirement>"
        )
    return f"<decision id='{name}'>{needs}{literal(text)}</decision>"


def function(name: str, text: str, knows: str = "") -> str:
    needs = f"<knowledgeRequirement><requiredKnowledge href='#{knows}'/></knowledgeRequirement>"
    return f"""<businessKnowledgeModel id='{name}' name='{name}'><encapsulatedLogic>{literal(text)}
      </encapsulatedLogic>{needs if knows else ""}</businessKnowledgeModel>"""


def model(*parts: str) -> bytes:
    return f"<definitions xmlns='{DMN}'>{''.join(parts)}</definitions>".encode()


FORKS = [function(f"f{n}", f"f{n - 1}() + f{n - 1}()", f"f{n - 1}") for n in range(1, 40)]
DOUBLES = [decision(f"d{n}", f"[d{n - 1}, d{n - 1}]", f"d{n - 1}") for n in range(1, 60)]
TEXTS = [decision(f"d{n}", f"d{n - 1} + d{n - 1}", f"d{n - 1}") for n in range(1, 60)]


@pytest.mark.parametrize(
    "parts",
    [
        [function("f0", "1"), *FORKS, decision("d", "f39()", knows="f39")],
        [decision("d0", "[1]"), *DOUBLES, decision("d", "count(flatten(d59))", "d59")],
        [decision("d0", "[1]"), *DOUBLES, decision("d", "d59 = d59", "d59")],
        [decision("d0", '"aaaaaaaaaa"'), *TEXTS, decision("d", "string length(d59)", "d59")],
        [function("f", "f()"), decision("d", "f()", knows="f")],
        [function("f", "for i in 1..1000000 return f()"), decision("d", "f()", knows="f")],
    ],
    ids=["calls", "lists", "comparisons", "texts", "recursion", "loops of recursion"],
)  # fmt: skip
def test_work_that_doubles_at_each_level_is_stopped(parts: list[str]) -> None:
    with pytest.raises(FeelBudgetError):
        read_decisions(model(*parts)).evaluate("d", {})


def entries(count: int) -> str:
    each = (
        f"<contextEntry><variable name='e{n}'/>{literal('1')}</contextEntry>" for n in range(count)
    )
    return f"<decision id='d'><context>{''.join(each)}</context></decision>"


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ([entries(8_000)], "more than 1000 variables are in its scope"),
        ([*(decision(f"e{n}", "1") for n in range(1_500)), decision("d", "1", *(f"e{n}" for n in range(1_500)))], "more than 1000 variables are in its scope"),
        ([decision("e0", "1"), *(decision(f"e{n}", "1", f"e{n - 1}") for n in range(1, 1_000)), *(f"<decisionService id='s{n}'><outputDecision href='#e999'/></decisionService>" for n in range(1_000))], "take too many decisions together"),
        (["<decision id='d'>" + "<context><contextEntry>" * 60 + "</contextEntry></context>" * 60 + "</decision>"], "more than 30 expressions"),
    ],
    ids=["entries", "requirements", "services", "nesting"],
)  # fmt: skip
def test_files_that_would_take_long_to_read_are_refused(parts: list[str], problem: str) -> None:
    with pytest.raises(DmnRejectedError) as caught:
        read_decisions(model(*parts))
    assert any(problem in p.problem for p in caught.value.problems)


TEXT = st.sampled_from(
    [
        "1",
        "x",
        "i + 1",
        "item",
        "f(1)",
        "[1, 2]",
        "partial",
        "null",
        '"a"',
        "x[1]",
        "{a: 1}.a",
        "1 +",
    ]
)
NAME = st.sampled_from(["x", "f", "i", "a-b", ""])


def boxes(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Write boxes of every kind around others, well formed or not quite."""

    def parts(*names: str) -> st.SearchStrategy[str]:
        return st.tuples(*(inner.map(f"<{n}>{{}}</{n}>".format) for n in names)).map("".join)

    named = st.tuples(NAME, inner).map(
        lambda t: f"<contextEntry><variable name='{t[0]}'/>{t[1]}</contextEntry>"
    )
    return st.one_of(
        st.lists(inner, max_size=3).map(lambda i: f"<list>{''.join(i)}</list>"),
        st.lists(named | parts("contextEntry"), max_size=3).map(
            lambda e: f"<context>{''.join(e)}</context>"
        ),
        parts("if", "then", "else").map("<conditional>{}</conditional>".format),
        parts("in", "match").map("<filter>{}</filter>".format),
        parts("in", "return").map("<for iteratorVariable='i'>{}</for>".format),
        parts("in", "satisfies").map("<some iteratorVariable='i'>{}</some>".format),
        inner.map("<functionDefinition><formalParameter name='i'/>{}</functionDefinition>".format),
        st.tuples(inner, inner).map(
            lambda t: (
                f"<invocation>{t[0]}<binding><parameter name='i'/>{t[1]}</binding></invocation>"
            )
        ),
        st.tuples(inner, inner).map(
            lambda t: (
                f"<relation><column name='a'/><column name='b'/><row>{t[0]}{t[1]}</row></relation>"
            )
        ),
    )


@given(st.recursive(TEXT.map(literal), boxes, max_leaves=12))
def test_random_boxes_are_taken_or_refused(box: str) -> None:
    try:
        decisions = read_decisions(model(f"<decision id='d'>{box}</decision>"))
        found: object = decisions.evaluate("d", {"x": [1, "a", None]})
    except (DmnRejectedError, FeelBudgetError) as error:
        found = error
    assert isinstance(found, (Outcome, DmnRejectedError, FeelBudgetError))

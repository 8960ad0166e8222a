"""Files of test cases: what is read, and what is refused with line and cure."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.dmn.cases import (
    TOLERANCE,
    Case,
    CaseFileError,
    Expected,
    Kind,
    is_kit,
    read_cases,
    read_kit,
)
from pilothouse.feel import compile_expression

if TYPE_CHECKING:
    from pilothouse.feel import Value

XSI = "http://www.w3.org/2001/XMLSchema-instance"
KIT = (
    "<testCases xmlns='http://www.omg.org/spec/DMN/20160719/testcase' xmlns:xsi='" + XSI + "'>"
    "<modelName>m.dmn</modelName>{}</testCases>"
)
EXPECTS = "<expected><value xsi:type='xsd:string'>x</value></expected>"


def feel(text: str) -> Value:
    return compile_expression(text).evaluate({})


def refusal(data: bytes | str, file: str) -> CaseFileError:
    with pytest.raises(CaseFileError) as caught:
        read_cases(data if isinstance(data, bytes) else data.encode(), file=file)
    assert caught.value.file == file
    assert caught.value.cure
    return caught.value


def of_json(*cases: object) -> tuple[Case, ...]:
    return read_cases(json.dumps(cases).encode(), file="c.json")


def of_csv(*rows: str) -> tuple[Case, ...]:
    return read_cases("\n".join(rows).encode(), file="c.csv")


def of_kit(node: str) -> Value:
    """Read a value as it stands inside an input node."""
    test = f"<testCase id='t'><inputNode name='i'>{node}</inputNode><resultNode name='d'>{EXPECTS}</resultNode></testCase>"
    return read_cases(KIT.format(test).encode(), file="c.xml")[0].inputs["i"]


def simple(type_name: str, text: str) -> Value:
    return of_kit(f"<value xsi:type='xsd:{type_name}'>{text}</value>")


# JSON


def test_a_json_case_is_read_whole() -> None:
    text = """[
      {"name": "a", "decision": "Gate", "inputs": {"auc": 0.10, "who": {"tags": ["x", null, true]}}, "expected": "PASS",
       "rules": ["r1"], "tolerance": 0.5, "imported": {"urn:x": {"n": 1}}},

      {"name": "b", "service": "S", "expected": null}, {"name": "c", "function": "F", "inputs": {}, "rules": ["r2"]}
    ]"""
    first, second, third = read_cases(text.encode(), file="c.json")
    assert first == Case(
        name="a",
        kind=Kind.DECISION,
        target="Gate",
        inputs={"auc": Decimal("0.10"), "who": {"tags": ("x", None, True)}},
        imported={"urn:x": {"n": Decimal(1)}},
        expected=Expected(value="PASS", tolerance=Decimal("0.5")),
        rules=("r1",),
        line=2,
    )
    assert (second.kind, second.target, second.line) == (Kind.SERVICE, "S", 5)
    assert (third.kind, third.expected, third.rules) == (Kind.FUNCTION, None, ("r2",))


def test_numbers_of_json_keep_their_digits() -> None:
    text = '[{"name":"a","decision":"d","inputs":{"x":0.1234567890123456789012345678901234},"expected":1}]'
    (case,) = read_cases(text.encode(), file="c.json")
    assert case.inputs["x"] == Decimal("0.1234567890123456789012345678901234")


def test_json_gives_dates_by_feel() -> None:
    inputs = {"on": {"feel": 'date("2024-01-31")'}, "not": {"feel": "1", "more": 2}}
    (case,) = of_json({"name": "a", "decision": "d", "inputs": inputs, "expected": None})
    assert case.inputs["on"] == feel('date("2024-01-31")')
    assert case.inputs["not"] == {"feel": "1", "more": Decimal(2)}


def test_text_of_json_stays_text() -> None:
    (case,) = of_json({"name": "a", "decision": "d", "inputs": {"x": "1"}, "expected": "true"})
    assert (case.inputs["x"], case.expected) == ("1", Expected(value="true"))


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 1, "no list"),
        ('{"name": "a"}', 1, "no list"),
        ("[\n{\n]", 3, "not JSON"),
        ('[\n{"name": "a"', 2, "not JSON"),
        ("[1", 1, "a case is no object"),
        ("[1 2]", 1, "a case is no object"),
        ('[{"name":"a","decision":"d","expected":1},\n]', 2, "last comma"),
        ('[{"name":"a","decision":"d","expected":1}]\n[]', 2, "follows the list"),
        ("[]", 0, "no case"),
        ("[\n\n3]", 3, "no object"),
        ('[{"name":"a","decision":"d","expect":1}]', 1, "no field 'expect'"),
        ('[{"name":"a","decision":"d"}]', 1, "expects nothing"),
        ('[{"decision":"d","expected":1}]', 1, "'name' is no text"),
        ('[{"name":" ","decision":"d","expected":1}]', 1, "'name' is no text"),
        ('[{"name":"a","expected":1}]', 1, "names 0 of"),
        ('[{"name":"a","decision":"d","service":"s","expected":1}]', 1, "names 2 of"),
        ('[{"name":"a","decision":"d","inputs":[],"expected":1}]', 1, "'inputs' is no object"),
        ('[{"name":"a","decision":"d","imported":1,"expected":1}]', 1, "'imported' is no object"),
        ('[{"name":"a","function":"f","imported":{"urn:x":{}},"expected":1}]', 1, "no imported inputs"),
        ('[{"name":"a","decision":"d","rules":[],"expected":1}]', 1, "lists no rule"),
        ('[{"name":"a","decision":"d","rules":null}]', 1, "lists no rule"),
        ('[{"name":"a","decision":"d","rules":[1]}]', 1, "no text"),
        ('[{"name":"a","decision":"d","expected":1,"tolerance":-1}]', 1, "'tolerance'"),
        ('[{"name":"a","decision":"d","expected":1,"tolerance":"1"}]', 1, "'tolerance'"),
        ('[{"name":"a","decision":"d","expected":1,"now":"2024-01-31"}]', 1, "'now'"),
        ('[{"name":"a","decision":"d","expected":1,"now":"soon"}]', 1, "'now'"),
        ('[{"name":"a","name":"b","decision":"d","expected":1}]', 1, "twice"),
        ('[{"name":"a","decision":"d","expected":NaN}]', 1, "NaN"),
        ('[{"name":"a","decision":"d","expected":{"feel":"1 +"}}]', 1, "gives no value"),
        ('[{"name":"a","decision":"d","expected":{"feel":"x + 1"}}]', 1, "reads variables (x)"),
        ('[{"name":"a","decision":"d","expected":1e99999}]', 1, "expected"),
        ('[{"name":"a","decision":"d","expected":' + "[" * 300 + "]" * 300 + "}]", 1, "too big"),
        ("[" * 500_000, 1, "too deeply"),
    ],
)  # fmt: skip
def test_what_is_no_json_case_is_refused(text: str, line: int, problem: str) -> None:
    error = refusal(text, "c.json")
    assert problem in error.problem
    assert error.line == line


def test_expressions_of_a_file_share_one_budget() -> None:
    costly = {"feel": "count(for a in 1..100, b in 1..1000 return a)"}
    cases = [{"name": str(i), "decision": "d", "expected": costly} for i in range(50)]
    assert "gives no value" in refusal(json.dumps(cases), "c.json").problem


# tables


def test_a_table_is_read_row_by_row() -> None:
    first, second = of_csv(
        "name,decision,auc,tier,applicant.age,applicant.name,input.name,expected,tolerance,rules",
        'one,Gate,0.80,high,30,"Doe, J.",x,PASS,,r1; r2',
        "",
        'two,Gate,,"""0.80""",,,,"[1, 2]",0.01,',
    )
    assert first == Case(
        name="one",
        kind=Kind.DECISION,
        target="Gate",
        inputs={
            "auc": Decimal("0.80"),
            "tier": "high",
            "applicant": {"age": Decimal(30), "name": "Doe, J."},
            "name": "x",
        },
        expected=Expected(value="PASS"),
        rules=("r1", "r2"),
        line=2,
    )
    assert second.inputs == {"tier": "0.80"}
    assert second.expected == Expected(value=(Decimal(1), Decimal(2)), tolerance=Decimal("0.01"))
    assert second.line == 4


def test_a_cell_over_several_lines_keeps_the_count() -> None:
    first, second = of_csv("name,decision,x,expected", 'a,d,"1\n2",1', "b,d,3,1")
    assert (first.inputs["x"], first.line, second.line) == ("1\n2", 2, 4)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("-1.5e3", "-1.5e3"),
        (".5", ".5"),
        ("true", "true"),
        ("null", "null"),
        ('"""true"""', '"true"'),
        ('"""a\\u0041"""', '"aA"'),
        ('"@""2024-01-31"""', '@"2024-01-31"'),
        ('"date(""2024-01-31"")"', 'date("2024-01-31")'),
        ('"date and time (""2024-01-31T00:00:00Z"")"', 'date and time("2024-01-31T00:00:00Z")'),
        ('"duration(""P1D"")"', 'duration("P1D")'),
        ('"{a: 1, b: [2]}"', "{a: 1, b: [2]}"),
        ("[1..5]", "[1..5]"),
        ("high", '"high"'),
        ("  a b  ", '"a b"'),
        ("2024-01-31", '"2024-01-31"'),
        ("1-2", '"1-2"'),
        ("+1", '"+1"'),
        ("TRUE", '"TRUE"'),
        ("a@b.example", '"a@b.example"'),
        ("dated", '"dated"'),
    ],
)  # fmt: skip
def test_a_cell_is_a_literal_or_text(cell: str, value: str) -> None:
    (case,) = of_csv("name,decision,x,expected", f"a,d,{cell},1")
    assert case.inputs["x"] == feel(value)


def test_several_outputs_are_one_context() -> None:
    (case,) = of_csv("name,decision,expected.verdict,expected.score,expected.note", "a,d,PASS,1,")
    assert case.expected == Expected(value={"verdict": "PASS", "score": Decimal(1)})


def test_the_mark_of_a_spreadsheet_is_no_part_of_a_name() -> None:
    (case,) = read_cases("\ufeffname,decision,expected\r\na,d,1\r\n".encode(), file="c.csv")
    assert case.name == "a"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("", 0, "empty"),
        ("name,decision,expected", 0, "no case"),
        ("name;decision;expected\na;d;1", 1, "no column 'name'"),
        ("name,expected\na,1", 1, "no column 'decision'"),
        ("name,decision,x\na,d,1", 1, "no column says"),
        ("name,decision,expected,expected.a\na,d,1,1", 1, "both"),
        ("name,decision,expected,x,x\na,d,1,1,1", 1, "'x' stands twice"),
        ("name,decision,expected,x,x.y\na,d,1,1,1", 1, "leads into 'x'"),
        ("name,decision,expected,x,input.x.y\na,d,1,1,1", 1, "leads into 'x'"),
        ("name,decision,expected,x.\na,d,1,1", 1, "empty part"),
        ("name,decision,expected,\na,d,1,1", 1, "no name"),
        ("name,decision,expected\n\na,d", 3, "2 cells"),
        ("name,decision,expected\na,d,1,2", 2, "4 cells"),
        ("name,decision,expected\n,d,1", 2, "'name' is empty"),
        ("name,decision,expected\na,d,", 2, "expects nothing"),
        ("name,decision,expected\na,d,[1", 2, "gives no value"),
        ('name,decision,expected\na,d,"""x"', 2, "gives no value"),
        ("name,decision,expected\na,d,[x]", 2, "reads variables (x)"),
        ("name,decision,expected,tolerance\na,d,1,-1", 2, "below 0"),
        ("name,decision,expected,tolerance\na,d,1,x", 2, "no number"),
        ("name,decision,expected,now\na,d,1,noon", 2, "'now'"),
        ('name,decision,expected\na,d,"1" 2', 2, "no table"),
        ('name,decision,expected\na,d,"' + "x" * 200_000 + '"', 2, "no table"),
        ("name,decision,expected\na,d,1e7000", 2, "beyond"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_cases_is_refused(text: str, line: int, problem: str) -> None:
    error = refusal(text, "c.csv")
    assert problem in error.problem
    assert error.line == line


# the kit's XML


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("string", " a\n b ", '" a\\n b "'),
        ("string", "", '""'),
        ("decimal", " 1.50 ", "1.50"),
        ("decimal", "+1.", "1"),
        ("integer", "-7", "-7"),
        ("double", "1.5E3", "1500"),
        ("boolean", "true", "true"),
        ("boolean", "0", "false"),
        ("date", "2024-01-31", 'date("2024-01-31")'),
        ("date", "-99999-01-31", 'date("-99999-01-31")'),
        ("time", "10:00:00.123456789Z", 'time("10:00:00.123456789Z")'),
        (
            "dateTime",
            "2024-01-31T10:00:00@Europe/Paris",
            'date and time("2024-01-31T10:00:00@Europe/Paris")',
        ),
        ("dateTime", "99999-01-31T10:00:00+02:00", 'date and time("99999-01-31T10:00:00+02:00")'),
        ("duration", "-P1Y2M", 'duration("-P1Y2M")'),
        ("duration", "PT0.000000001S", 'duration("PT0.000000001S")'),
        ("dayTimeDuration", "P1D", 'duration("P1D")'),
        ("yearMonthDuration", "P1Y", 'duration("P1Y")'),
    ],
)
def test_a_value_of_the_kit_has_its_type(type_name: str, text: str, value: str) -> None:
    assert simple(type_name, text) == feel(value)
    assert simple(type_name, text) is not None


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ("<value>1</value>", '"1"'),
        ("<value xsi:nil='true'/>", "null"),
        ("", "null"),
        ("<list/>", "[]"),
        ("<list xsi:nil='1'/>", "null"),
        ("<list><item><value>a</value></item><item xsi:nil='true'/><item/></list>", '["a", null, null]'),
        ("<list><item><list><item><value>a</value></item></list></item></list>", '[["a"]]'),
        ("<component name='a'><value>1</value></component><component name='b'/>", '{a: "1", b: null}'),
        ("<component name='a'><component name='b c'><list/></component></component>", "{a: {b c: []}}"),
        ("<component name=''><value>1</value></component>", '{"": "1"}'),
        ("<!-- x --><value>1</value><extensionElements/>", '"1"'),
    ],
)  # fmt: skip
def test_values_of_the_kit_are_nested(node: str, value: str) -> None:
    assert of_kit(node) == feel(value)


def test_a_test_gives_a_case_for_each_result() -> None:
    xml = KIT.format(
        "<testCase id='1'><description/><inputNode name='i' namespace='urn:x'><value>a</value></inputNode>"
        f"<resultNode name='d1' type='decision'>{EXPECTS}</resultNode><resultNode name='d2' errorResult='true'/></testCase>"
        f"<testCase id='2' type='decisionService' invocableName='S'><resultNode name='o'>{EXPECTS}</resultNode></testCase>"
        f"<testCase id='3' type='bkm' invocableName='F'><resultNode name='F'>{EXPECTS}</resultNode></testCase>"
    )
    kit = read_kit(xml.encode(), file="c.xml")
    assert kit.model == "m.dmn"
    assert [(c.test, c.result) for c in kit.cases] == [
        *(("1", "d1"), ("1", "d2")),
        *(("2", "o"), ("3", "F")),
    ]
    first, second, third, fourth = read_cases(xml.encode(), file="c.xml")
    assert (first.kind, first.target, first.inputs) == (Kind.DECISION, "d1", {})
    assert first.imported == {"urn:x": {"i": "a"}}
    assert first.expected == Expected(value="x", tolerance=TOLERANCE)
    assert second.expected == Expected(value=None, tolerance=TOLERANCE, rejection=True)
    assert (third.kind, third.target, third.output) == (Kind.SERVICE, "S", "o")
    assert (fourth.kind, fourth.target, fourth.output) == (Kind.FUNCTION, "F", "")


def test_one_bad_case_does_not_hide_the_others() -> None:
    xml = KIT.format(
        "<testCase id='1'><resultNode name='d'><expected><value xsi:type='xsd:decimal'>x</value></expected></resultNode>"
        f"<resultNode name='e'>{EXPECTS}</resultNode></testCase>"
    )
    bad, good = read_kit(xml.encode(), file="c.xml").cases
    assert isinstance(bad.case, CaseFileError)
    assert isinstance(good.case, Case)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("<testCase id='1'/>", "asks for no result"),
        ("<testCase id='1'><resultNode name='d'/></testCase>", "expects nothing"),
        ("<testCase id='1' type='x'><resultNode name='d' errorResult='true'/></testCase>", "no type 'x'"),
        ("<testCase id='1' type='bkm'><inputNode name='a' namespace='urn:x'/><resultNode errorResult='true'/></testCase>", "no imported inputs"),
        ("<testCase id='1'><inputNode/><resultNode errorResult='true'/></testCase>", "has no name"),
    ],
)  # fmt: skip
def test_what_is_no_test_is_refused(body: str, problem: str) -> None:
    assert problem in refusal(KIT.format(body), "c.xml").problem


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ("<value xsi:type='xsd:date'>31.1.2024</value>", "has no value"),
        ("<value xsi:type='xsd:boolean'>yes</value>", "no boolean"),
        ("<value xsi:type='xsd:double'>INF</value>", "no number"),
        ("<value xsi:type='xsd:decimal'>1e7000</value>", "beyond"),
        ("<value xsi:type='xsd:hexBinary'>00</value>", "'hexBinary'"),
        ("<number>1</number>", "number is no value"),
        ("<value>1</value><value>2</value>", "value is no value"),
        ("<component name='a'/><value>1</value>", "beside components"),
        ("<component name='a'/><component name='a'/>", "used twice"),
    ],
)
def test_what_is_no_value_of_the_kit_is_refused(node: str, problem: str) -> None:
    with pytest.raises(CaseFileError) as caught:
        of_kit(node)
    assert problem in caught.value.problem
    assert caught.value.line == 1


@pytest.mark.parametrize(
    ("xml", "problem"),
    [
        (b"", "not well-formed"),
        (b"<testCases", "not well-formed"),
        (b"<a/>", "its root is 'a'"),
        (b"<!DOCTYPE d [<!ENTITY x 'y'>]><testCases>&x;</testCases>", "DOCTYPE"),
        (b"<testCases>" + b"<a>" * 5_000, "not well-formed"),
    ],
)
def test_hostile_xml_is_refused(xml: bytes, problem: str) -> None:
    assert problem in refusal(xml, "c.xml").problem


def test_other_xml_is_told_from_tests() -> None:
    assert is_kit(KIT.format("").encode(), file="c.xml")
    assert not is_kit(b"<project/>", file="pom.xml")


# all files


def test_a_file_of_an_unknown_kind_is_refused() -> None:
    assert ".yaml" in refusal("", "c.yaml").problem


def test_a_file_too_large_is_refused() -> None:
    assert "1000001 bytes" in refusal(b" " * 1_000_001, "c.json").problem


@pytest.mark.parametrize("file", ["c.json", "c.csv"])
def test_text_in_another_encoding_is_refused(file: str) -> None:
    error = refusal("a\nb\n\xe9".encode("latin-1"), file)
    assert (error.line, error.problem) == (3, "it is not UTF-8")


@given(
    st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    st.sampled_from(["json", "csv", "xml"]),
)
def test_random_files_are_read_or_refused(data: bytes, end: str) -> None:
    try:
        found: object = read_cases(data, file=f"c.{end}")
    except CaseFileError as error:
        found = error
    assert isinstance(found, (tuple, CaseFileError))


ROWS = st.text(alphabet='"@[]{}().,;:-+ \n01ae_dtn', max_size=60)


@given(ROWS)
def test_random_cells_are_read_or_refused(cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    try:
        found: object = read_cases(f"name,decision,expected\na,d,{quoted}".encode(), file="c.csv")
    except CaseFileError as error:
        found = error
    assert isinstance(found, (tuple, CaseFileError))

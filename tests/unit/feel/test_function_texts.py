"""Functions on strings, and conversions to and from them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.feel import Budget, Range, Value, compile_expression
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9)
WORDS = st.text(alphabet='ab" \\{:}\n🐎é', max_size=6)
PLAIN = st.one_of(st.none(), st.booleans(), NUMBERS.map(lambda n: round(n, 6)), WORDS)
NESTED = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple), st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)


def value(text: str) -> Value:
    return compile_expression(text).evaluate({})


def of(name: str, *arguments: Value) -> Value:
    return call(FUNCTIONS[name], arguments, (), Budget())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('upper case("aß")', "ASS"),
        ('lower case("ÀB")', "àb"),
        ('substring("foobar", 3)', "obar"),
        ('substring("foobar", 3, 3)', "oba"),
        ('substring("foobar", 3, 3.8)', "oba"),
        ('substring("foobar", 3, 99)', "obar"),
        ('substring("foobar", -2, 1)', "a"),
        ('substring("foobar", -6, 6)', "foobar"),
        ('substring("🐎ab", 2, 1)', "a"),
        ('substring(start position: 2, string: "abc")', "bc"),
        ('substring before("foobar", "bar")', "foo"),
        ('substring before("foobar", "x")', ""),
        ('substring before("abc", "")', ""),
        ('substring after("foobar", "o")', "obar"),
        ('substring after("foobar", "x")', ""),
        ('substring after("abc", "")', "abc"),
        ('string join(["a", null, "b"], "-")', "a-b"),
        ('string join(["a", "b"])', "ab"),
        ('string join(["a", "b"], null)', "ab"),
        ('string join("a", "X")', "a"),
        ('string join([], "X")', ""),
        ('string join(delimiter: "X", list: ["a", "c"])', "aXc"),
        ("string(1e3)", "1000"),
        ("string(1e-7)", "0.0000001"),
        ("string(1.10)", "1.10"),
        ("string(-0.0)", "0"),
        ('string("a")', "a"),
        ("string(true)", "true"),
        ('string([1, "a", {b: null, c: true}])', '[1, "a", {b: null, c: true}]'),
        ('string({"a b": 1, "c:d": [[]]})', '{a b: 1, "c:d": [[]]}'),
        ('string(["say \\"a\\"", "1\\n2"])', '["say \\"a\\"", "1\\n2"]'),
        ("string([1..3))", "[1..3)"),
        ('string(["a".."b"])', '["a".."b"]'),
        ('string([@"2026-01-05"..@"2026-01-06"])', "[2026-01-05..2026-01-06]"),
        ('string(@"P1DT2H")', "P1DT2H"),
        ('string(from: @"12:00:00@Europe/Paris")', "12:00:00@Europe/Paris"),
    ],
)
def test_gives_a_text(text: str, expected: str) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('number("1,000.5", ",", ".")', "1000.5"),
        ('number("1 000,5", " ", ",")', "1000.5"),
        ('number("1.000.000,01", ".", ",")', "1000000.01"),
        ('number("1000.01", null, ".")', "1000.01"),
        ('number("1,000.00", ",", null)', "1000.00"),
        ('number(from: "1.5", decimal separator: ".", grouping separator: " ")', "1.5"),
        ('number("-.5e3")', "-500"),
        ('string length("横綱")', "2"),
        ('string length("🐎😀")', "2"),
        ('string length(string: "")', "0"),
    ],
)
def test_gives_a_number(text: str, expected: str) -> None:
    assert value(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('contains("foobar", "ob")', True),
        ('contains("foobar", "")', True),
        ('starts with("foobar", "fo")', True),
        ('starts with(string: "foobar", match: "ob")', False),
        ('ends with("foobar", "r")', True),
        ('range("[1..3]") = [1..3]', True),
        ('range(" ] 1 .. 3 [ ") = (1..3)', True),
        ('range(from: "(\\"a\\"..\\"c\\"]") = ("a".."c"]', True),
        (
            'range("[date(\\"1970-01-01\\")..@\\"1970-01-02\\"]") = [@"1970-01-01"..@"1970-01-02"]',
            True,
        ),
    ],
)
def test_gives_a_truth_value(text: str, expected: bool) -> None:
    assert value(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        *('number("1.2.3")', 'number("Infinity")', 'number("1", ".", ".")', 'number("1", ",")'),
        *('number("1,5", ".", ".")', "number(12)", 'number(12, ",", ".")', 'number("+1")'),
        *('number("")', 'number("1 ")', 'number("1e9999")', 'number("1", ":", ".")'),
        *('number("1", ",", 1)', 'number("1.5", null, ",")', 'number(null, ",", ".")'),
        *('number("1.000", ".", null)', 'number("٣")'),
        *('substring("a", 0)', 'substring("a", 1, 0)', 'substring("a", 2)', 'substring("a", -2)'),
        *('substring("a", null)', 'substring("a", 1, null)', 'substring("", 1)'),
        *("string length(1)", 'contains("a", null)', "upper case(null)", 'starts with("a")'),
        *('string join([1, "a"])', "string join(null)", 'string join(["a"], 1)', "string join()"),
        *('range("")', 'range("[3..1]")', 'range("[1..")', "range(1)", 'range("[1..\\"b\\"]")'),
        *('range("[abs(1)..2]")', 'range(">=10")', "range([1..3])"),
    ],
)
def test_is_null_for_a_reason(text: str) -> None:
    budget = Budget()
    assert compile_expression(text).evaluate({}, budget=budget) is None
    assert budget.nulls


@given(number=NUMBERS)
def test_the_text_of_a_number_reads_as_the_number(number: Decimal) -> None:
    rounded = round(number, 9)
    assert of("number", of("string", rounded)) == rounded


@given(nested=NESTED)
def test_the_text_of_a_list_is_the_list_in_feel(nested: Value) -> None:
    text = of("string", (nested,))
    assert isinstance(text, str)
    assert value(text) == (nested,)


@given(start=st.integers(0, 9), length=st.integers(1, 9))
def test_the_text_of_a_range_reads_as_the_range(start: int, length: int) -> None:
    bounds = Range(start=Decimal(start), end=Decimal(start + length), start_included=False)
    assert of("range", of("string", bounds)) == bounds


@given(text=st.text(max_size=8), start=st.integers(-9, 9), length=st.integers(1, 9))
def test_substring_agrees_with_slices(text: str, start: int, length: int) -> None:
    begin = start - 1 if start > 0 else len(text) + start
    there = start != 0 and abs(start) <= len(text)
    expected = text[begin : begin + length] if there else None
    assert of("substring", text, Decimal(start), Decimal(length)) == expected


@given(text=st.text("ab", max_size=6), match=st.text("ab", max_size=2))
def test_parts_around_a_match_make_the_text(text: str, match: str) -> None:
    before, after = of("substring before", text, match), of("substring after", text, match)
    assert isinstance(before, str)
    assert isinstance(after, str)
    assert (before + match + after == text) is (match in text)

"""Text that is not FEEL is refused with its place and what could stand there."""

from __future__ import annotations

import pytest

from pilothouse.domain.errors import InvalidError
from pilothouse.feel import FeelSyntaxError, compile_expression, compile_unary_tests


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("", 1, 1, "an expression"),
        ("1 +", 1, 4, "an expression"),
        ("1 2", 1, 3, "an operator"),
        ("(1", 1, 3, "')'"),
        ("[1, 2", 1, 6, "']'"),
        ("{a = 1}", 1, 4, "':'"),
        ("if a then b", 1, 12, "'else'"),
        ("for x in [1] x", 1, 14, "'return'"),
        ("a.", 1, 3, "a name"),
        ("lenght(3)", 1, 1, "a known function"),
        ('"abc', 1, 1, "a closing quote"),
        ("/* abc", 1, 1, "*/"),
        ("a = #", 1, 5, "an operator"),
        ("a\n  = $b", 2, 5, "an operator"),
        ("x instance of nubmer", 1, 15, "the nearest is number"),
        ("x instance of list<", 1, 20, "a type"),
        ("x instance of list<number", 1, 26, "'>'"),
        ("x instance of context<a: number, a: string>", 1, 34, "not there already"),
        ("x instance of function<number>", 1, 31, "'->'"),
        ('@"soon"', 1, 1, "a date"),
        ("1e99999", 1, 1, "a number below"),
        ("[1..2", 1, 6, "']', ')' or '['"),
        ("function(x, x) x", 1, 13, "not there already"),
        ("function(x: nubmer) x", 1, 13, "the nearest is number"),
        ("function(x x", 1, 13, "')'"),
        ('substring(string: "a", 2)', 1, 24, "named"),
        ("?", 1, 1, "a name"),
        ("a ? b", 1, 3, "an operator"),
        ("is defined(1, 2)", 1, 1, "one argument"),
        ("__import__('os')", 1, 1, "a known function"),
    ],
)
def test_wrong_text_is_refused_at_its_place(
    text: str, line: int, column: int, expected: str
) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert expected in caught.value.expected


def test_the_error_is_an_invalid_input_with_a_stable_code() -> None:
    with pytest.raises(InvalidError) as caught:
        compile_expression("1 +")
    assert caught.value.code == "feel-syntax"
    assert "line 1, column 4" in caught.value.message


@pytest.mark.parametrize("text", ["", "<", "not(1", "1,", "-,1", "> 1 2"])
def test_wrong_unary_tests_are_refused(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile_unary_tests(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "1" + ")" * 500,
        "[" * 500 + "]" * 500,
        "{a:" * 500 + "1" + "}" * 500,
        "1 + (" * 500 + "1" + ")" * 500,
        "-" * 5000 + "x",
        "f(" * 500 + "1" + ")" * 500,
        "x instance of " + "list<" * 500 + "number" + ">" * 500,
        "function() " * 500 + "1",
        "a" + "[1]" * 3000,
        "1 = 1" + " = 1" * 2000,
        "if true then " * 300 + "1" + " else 1" * 300,
        "for a in [1] return " * 400 + "1",
        "]1.." * 2000,
        "1 in (" * 1000 + "1" + ")" * 1000,
        "not(" * 1500 + "true" + ")" * 1500,
        "for " + ",".join(f"a{i} in [1]" for i in range(500)) + " return 1",
        "x" * 10_001,
    ],
)
def test_text_nested_or_long_without_end_is_a_syntax_error(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile_expression(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("(" * 90 + "1" + ")" * 90, 1), ("1" + " + 1" * 2000, 2001)],
)
def test_text_within_the_limits_runs(text: str, expected: int) -> None:
    assert compile_expression(text).evaluate({}) == expected


def test_little_stack_left_is_a_syntax_error_too() -> None:
    def deeper(levels: int) -> None:
        if levels:
            deeper(levels - 1)
        else:
            compile_expression("abs(" * 90 + "1" + ")" * 90)

    with pytest.raises(FeelSyntaxError) as caught:
        deeper(700)
    assert "stack" in caught.value.expected

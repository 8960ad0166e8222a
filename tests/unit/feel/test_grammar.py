"""Texts made by the grammar itself: each compiles, and evaluates to a value or stops with a typed error."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.feel import (
    Budget,
    FeelBudgetError,
    FeelSyntaxError,
    admit,
    compile_expression,
    compile_unary_tests,
)
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.values import KINDS

CONTEXT: dict[str, object] = {
    "x": 3,
    "rows": [{"a": 1, "b c": "t"}, {"a": None}, 5],
    "ctx": {"a": {"b": 2}, "p-q": "z"},
    "word": "abc",
    "pre-tax rate": 0.2,
}
NAMES = ("x", "rows", "ctx", "word", "pre-tax rate", "missing one", "item", "partial")
MEMBERS = ("a", "b c", "p-q", "year", "start included", "nowhere")
TYPES = (
    "number",
    "Any",
    "list<number>",
    "list",
    "date and time",
    "range<string>",
    "context<a: number, b c: string>",
    "function<number, Any> -> list<Any>",
)
LITERALS = st.sampled_from(
    (
        *("0", "1", "2", "-3.5", ".25", "1e3", '""', '"a"', r'"\u00e9\n"', "true", "false", "null"),
        *('@"2026-01-05"', '@"10:30:00"', '@"2026-01-05T10:30:00Z"', '@"P1D"', '@"P1M"'),
        *('date("2026-02-30")', 'duration("P2Y")', "[]", "{}"),
    )
)
SIGNS = st.sampled_from(("+", "-", "*", "/", "**", "=", "!=", "<", "<=", ">", ">=", "and", "or"))
TESTED = st.sampled_from(("< ", "<= ", "> ", ">= ", "= ", "!= ", ""))
OPENING, CLOSING = st.sampled_from("([]"), st.sampled_from(")][")


def _formed(template: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map(lambda found: template.format(*found))


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Give every rule of the grammar over smaller expressions."""
    loops = st.sampled_from(("some", "every"))
    builtin = st.sampled_from(sorted(FUNCTIONS))
    arguments = st.lists(inner, max_size=3).map(", ".join)
    return st.one_of(
        _formed("({} {} {})", inner, SIGNS, inner),
        _formed("-{}", inner),
        _formed("({})", inner),
        _formed("({}{})", TESTED, inner),
        _formed("{}{} .. {}{}", OPENING, inner, inner, CLOSING),
        _formed("({} between {} and {})", inner, inner, inner),
        _formed("({} in ({}{}, {}))", inner, TESTED, inner, inner),
        _formed("({} in {}{})", inner, TESTED, inner),
        _formed("({} instance of {})", inner, st.sampled_from(TYPES)),
        _formed("(if {} then {} else {})", inner, inner, inner),
        _formed("(for v in {}, w in {} return {})", inner, inner, inner),
        _formed("(for v in {}..{} return [v, partial, {}])", inner, inner, inner),
        _formed("({} v in {} satisfies {})", loops, inner, inner),
        _formed("[{}]", arguments),
        _formed("{{a: {}, b c: {}, f: function(n, m) {}, r: f(a, b c)}}", inner, inner, inner),
        _formed("{}.{}", inner, st.sampled_from(MEMBERS)),
        _formed("{}[{}]", inner, inner),
        _formed("{}({})", builtin, arguments),
        _formed("({})({})", inner, arguments),
        _formed("(function(p: {}, q) {})({}, 1)", st.sampled_from(TYPES), inner, inner),
        _formed("sort({}, function(p, q) {})", inner, inner),
        _formed("{} /* why */ {} {}", inner, SIGNS, inner),
    )


EXPRESSIONS = st.recursive(LITERALS | st.sampled_from(NAMES), _larger, max_leaves=12)


def _evaluated(text: str) -> type[object]:
    try:
        expression = compile_expression(text, names=NAMES, members=MEMBERS)
        found = expression.evaluate(CONTEXT, budget=Budget(steps=3_000))
    except (FeelSyntaxError, FeelBudgetError) as error:
        return type(error)
    return type(found)


@given(EXPRESSIONS)
@settings(max_examples=300)
def test_what_the_grammar_makes_gives_a_value_or_a_typed_error(text: str) -> None:
    assert _evaluated(text) in {*KINDS, FeelBudgetError, FeelSyntaxError}


@given(EXPRESSIONS, st.sampled_from(("", "not({})", "< {}", "{}, {}", "? = {}")))
@settings(max_examples=150)
def test_cells_that_the_grammar_makes_pass_or_fail(text: str, form: str) -> None:
    written = form.replace("{}", text) if form else text
    try:
        tests = compile_unary_tests(written, names=NAMES, members=MEMBERS)
        passed: bool | None = tests.matches(3, CONTEXT, budget=Budget(steps=3_000))
    except (FeelSyntaxError, FeelBudgetError):
        passed = None
    assert passed in (True, False, None)


@given(EXPRESSIONS)
@settings(max_examples=150)
def test_values_of_feel_mean_the_same_as_the_values_of_python_that_became_them(text: str) -> None:
    own: dict[str, object] = {k: admit(v, name=k, budget=Budget()) for k, v in CONTEXT.items()}
    assert _result(text, own, trusted=True) == _result(text, CONTEXT, trusted=False)


def _result(text: str, context: dict[str, object], *, trusted: bool) -> str:
    budget = Budget(steps=100_000)
    try:
        expression = compile_expression(text, names=NAMES, members=MEMBERS)
        run = expression.run if trusted else expression.evaluate
        found = run(context, budget=budget)  # type: ignore[arg-type]
    except (FeelSyntaxError, FeelBudgetError) as error:
        return error.code
    return re.sub(" at 0x[0-9a-f]+", "", repr(found))  # functions are shown by their address

"""Simple expressions of Camunda 7, and what they become."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.bpmn.juel import feel_of, feel_of_template
from pilothouse.lifecycle.expressions import FeelExpressions

SEEN = {
    "auc": 0.875,
    "tier": "high",
    "ok": True,
    "nothing": None,
    "scores": [3, 1],
    "model": {"name": "fraud", "metrics": {"auc": 0.5}},
}


def value(text: str) -> object:
    """Rewrite an expression, and evaluate what it has become."""
    return FeelExpressions().compile(feel_of(text))(SEEN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auc", 0.875),
        ("model.metrics.auc", 0.5),
        ("model['name']", "fraud"),
        ("scores[0]", 3),
        ("auc >= 0.8", True),
        ("auc ge 0.8 and tier eq 'high'", True),
        ("auc > 0.8 && tier != 'high'", False),
        ('auc lt 0.5 || tier == "high"', True),
        ("!ok", False),
        ("not ok or ok", True),
        ("!(ok && auc > 1)", True),
        ("nothing == null", True),
        ("nothing != null", False),
        ("(auc > 0.5) == ok", True),
        ("auc > 0.5 == true", True),
        ("ok == auc > 0.5", True),
        ("ok ? 'yes' : 'no'", "yes"),
        ("ok ? auc > 1 ? 1 : 2 : 3", 2),
        ("(ok ? 1 : 2) + 1", 2),
        ("(1 + 2) * scores[0] - 7 % 4", 6),
        ("-scores[1] + 1", 0),
        ("7 div 2 le 3.5", True),
        (r"'it\'s' == tier", False),
        ("tier == '}'", False),
    ],
)
def test_an_expression_keeps_its_meaning(text: str, expected: object) -> None:
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("execution.getVariable('x')", "object of the engine"),
        ("model.getName()", "is a call"),
        ("fn(x)", "is a call"),
        ("fn:size(x)", "goes on with ':'"),
        ("''.getClass().forName('java.lang.Runtime')", "goes on with"),
        ("empty tier", "empty"),
        ("tier + model.name", "adds what may be texts"),
        ("x = 1", "is not understood"),
        ("a == ", "its end where a value should be"),
        ("(a", "where ')' should be"),
        ("a ? b", "where ':' should be"),
        ("scores[i]", "neither a number nor a text"),
        ("model['a b']", "no plain name"),
        ("true.name", "no path"),
        ("", "where a value should be"),
        ("a; b", "is not understood"),
        ("(" * 40 + "a" + ")" * 40, "nested deeper"),
        ("!" * 40 + "a", "nested deeper"),
        ("a" * 3000, "more than 2,000"),
    ],
)
def test_what_is_code_or_nothing_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem.replace("(", r"\(").replace(")", r"\)")):
        feel_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DEV", "DEV"),
        ("", ""),
        ("=1", '="=1"'),
        ("${auc}", "=auc"),
        ("#{auc}", "=auc"),
        ('say "hi"', 'say "hi"'),
        ("costs 5 $", "costs 5 $"),
    ],
)
def test_a_text_becomes_a_text_and_an_expression_feel(text: str, expected: str) -> None:
    assert feel_of_template(text) == expected


def test_a_text_with_expressions_is_put_together_and_null_is_nothing() -> None:
    feel = feel_of_template('Is "${tier}"${nothing}, ${scores[0]}')
    assert FeelExpressions().compile(feel[1:])(SEEN) == 'Is "high", 3'


def test_an_expression_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="has no end"):
        feel_of_template("${tier == '}'")


@given(st.text(max_size=40))
def test_any_text_is_rewritten_or_refused(text: str) -> None:
    with suppress(ValueError):
        feel = feel_of_template(text)
        assert feel == text or feel.startswith("=")

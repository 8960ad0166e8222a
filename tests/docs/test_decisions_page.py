"""The guide on decision tables: its commands run, and what it shows is what they print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilothouse.cli.main import command_line
from pilothouse.dmn import read_decisions
from pilothouse.feel import compile_expression, compile_unary_tests
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.offline import lint_decisions
from pilothouse.wire.runs import FindingSeverity

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
EXAMPLES = GUIDES / "examples"
PAGE = (GUIDES / "decide-with-tables.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line)[1:]
    for line in re.findall(r"^(pilothouse decisions [^\n]*)$", PAGE, flags=re.MULTILINE)
]
NAMES = (*"abcfxy", "list", "variants", "metrics", "library", "range", "total")
DECISION_FILES = [p.read_bytes() for p in sorted(EXAMPLES.glob("*.dmn"))]
DECISION_FILES += [xml for xml in shipped() if b"/DMN/" in xml]


def printed(words: list[str]) -> str:
    done = CliRunner().invoke(command_line("decisions"), words)
    assert done.exit_code == 0, done.output
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


@pytest.fixture(autouse=True)
def in_the_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(EXAMPLES)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_of_the_guide_succeeds(words: list[str]) -> None:
    assert printed(words)


def test_the_reasons_of_the_null_are_those_that_the_guide_shows() -> None:
    words = next(w for w in COMMANDS if '"champion": 0,' in w[-1])

    assert printed(words) == (EXAMPLES / "approval-null.txt").read_text("utf-8")


def rows(section: str) -> list[str]:
    """Give the first code of each row of a section of the page on FEEL, and the others that stand beside it."""
    text = (GUIDES.parent / "reference" / "feel.md").read_text("utf-8")
    _, _, after = text.partition(f"\n## {section}\n")
    lines = [line for line in after.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    column = 2 if section == "Values" else 1
    return [
        c for line in lines[2:] for c in re.findall(r"`([^`]*)`", line.split(" | ")[column - 1])
    ]


@pytest.mark.parametrize("text", [*rows("Values"), *rows("Expressions")])
def test_every_expression_on_the_page_of_feel_is_one(text: str) -> None:
    if text.startswith("/"):
        text = f"1 {text}"  # comments

    assert compile_expression(text, names=NAMES).text == text


@pytest.mark.parametrize("text", rows("Unary tests"))
def test_every_test_on_the_page_of_feel_is_one(text: str) -> None:
    assert compile_unary_tests(text, names=NAMES).text == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1 + 0.2 = 0.3", True),
        ('string length("👍")', 1),
        ('1 = "1"', None),
        ("false and null", False),
        ("true and null", None),
        ("if null then 1 else 2", 2),
        ("5 between 1 and 5", True),
        ("10 in ]1..10[", False),
        ('@"2026-01-31T10:00:00Z" < @"2026-01-31T10:00:01"', True),
        ('@"2026-01-31T10:00:00Z" = @"2026-01-31T10:00:00"', None),
        ("[1, 2, 3][-1]", 3),
        ("count([{a: 1}, {a: 2}].a)", 2),
        ("{a: 1, b: a + 1}.b", 2),
        ("(function(x) function(y) x + y)(1)(2)", 3),
        ("{f: sum}.f([1, 2])", 3),
    ],
)
def test_what_the_page_of_feel_promises_holds(text: str, value: object) -> None:
    assert compile_expression(text).evaluate({}) == value


@pytest.mark.parametrize("xml", DECISION_FILES, ids=lambda xml: read_decisions(xml).name)
def test_tables_that_are_shown_or_shipped_leave_nothing_open(xml: bytes) -> None:
    found = [f for f in lint_decisions(xml) if f.severity is not FindingSeverity.NOTE]

    assert found == []

"""`pilothouse lifecycles simulate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pilothouse.bpmn.drawing import Pen
from pilothouse.cli.main import command_line
from pilothouse.lifecycle.answers import AnswersInvalidError
from pilothouse.lifecycle.expressions import FeelExpressions

if TYPE_CHECKING:
    from pathlib import Path

PEN = Pen(FeelExpressions())
ANSWERED = "answers:\n  a:\n    variables: {n: 1}\n    after: PT5M\n"


def ran(*words: str) -> tuple[int, str]:
    """Run the command, and give its exit code and what it printed."""
    done = CliRunner().invoke(command_line("lifecycles"), ["lifecycles", "simulate", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


@pytest.fixture
def drawing(tmp_path: Path) -> str:
    """Write a life cycle of one task."""
    file = tmp_path / "one.bpmn"
    file.write_bytes(PEN.document(PEN.start + PEN.service("a") + PEN.end, flows="start>a a>end"))
    return str(file)


def answers(folder: Path, text: str, name: str = "answers.yaml") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def test_the_path_is_printed_with_its_times(drawing: str, tmp_path: Path) -> None:
    code, text = ran(drawing, "--answers", answers(tmp_path, ANSWERED))
    assert code == 0
    assert "2026-01-01 00:05:00Z  completed  a" in text
    assert text.splitlines()[-1] == "The run completed at end."


def test_answers_may_be_json_and_the_run_is_printed_for_programs(
    drawing: str, tmp_path: Path
) -> None:
    given = answers(tmp_path, json.dumps({"answers": {"a": {"variables": {"n": 1}}}}), "a.json")
    code, text = ran(drawing, "--answers", given, "--json")
    done = json.loads(text)
    assert (code, done["ending"], done["passed"]) == (0, "completed", ["start", "a", "end"])
    assert done["variables"] == {"n": 1}


def test_a_run_that_nothing_answers_exits_with_1(drawing: str) -> None:
    code, text = ran(drawing)
    assert (code, text.splitlines()[-1]) == (
        *(1, "Nothing answers: a waits for a worker of the topic work."),
    )


def test_an_incident_exits_with_1_and_its_words(drawing: str, tmp_path: Path) -> None:
    code, text = ran(drawing, "--answers", answers(tmp_path, "answers: {a: {failure: disk full}}"))
    assert code == 1
    assert "Incident at a (simulated-failure): disk full" in text


def test_unmet_expectations_exit_with_1_and_are_printed(drawing: str, tmp_path: Path) -> None:
    given = answers(tmp_path, ANSWERED + "expected: {outcome: elsewhere}\n")
    code, text = ran(drawing, "--answers", given)
    assert code == 1
    assert "Not as expected: the outcome is end, not elsewhere." in text


def test_unused_answers_are_printed(drawing: str, tmp_path: Path) -> None:
    _, text = ran(drawing, "--answers", answers(tmp_path, ANSWERED + "  end:\n"))
    assert "Not used: answers.end." in text


@pytest.mark.parametrize("text", ["answers: [", "a: &x 1\nb: *x", "- list"])
def test_a_file_that_is_no_plain_document_is_refused(
    drawing: str, tmp_path: Path, text: str
) -> None:
    with pytest.raises(AnswersInvalidError, match=r"answers\.yaml"):
        ran(drawing, "--answers", answers(tmp_path, text))


def test_all_paths_are_listed(drawing: str) -> None:
    assert ran(drawing, "--all-paths") == (0, "1. start -> a -> end\n")
    code, text = ran(drawing, "--all-paths", "--json")
    assert (code, json.loads(text)["complete"]) == (0, True)

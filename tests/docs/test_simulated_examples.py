"""The life cycles that the guides show run as the guides say."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pilothouse.bpmn.history import HistoryEvent
from pilothouse.cli.main import command_line
from pilothouse.lifecycle.answers import read_script
from pilothouse.lifecycle.simulation import Simulated, decisions_given, life_cycle, simulate
from pilothouse.scoring.documents import read_document

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
EXAMPLES = GUIDES / "examples"
XML = re.compile(r"```xml\n(.*?)```", re.DOTALL)
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
COMMANDS = re.findall(
    r"^pilothouse (lifecycles simulate [^\n]*)$",
    (GUIDES / "test-a-life-cycle.md").read_text("utf-8"),
    flags=re.MULTILINE,
)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_guide_succeeds_without_a_server(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)

    done = CliRunner().invoke(command_line("lifecycles"), shlex.split(line))

    assert done.exit_code == 0, done.output


def test_the_answers_of_the_guide_take_the_drawing_to_its_end() -> None:
    script = read_script(read_document((EXAMPLES / "two-approvals.yaml").read_bytes()))
    table = (EXAMPLES / "house-thresholds.dmn").read_bytes()
    drawing = life_cycle((EXAMPLES / "two-approvals.bpmn").read_bytes())
    done = simulate(drawing, script, decisions=decisions_given({"house-thresholds": table}))
    assert (done.as_wanted, done.outcome, done.unused) == (True, "done", ())


def test_the_test_of_the_guide_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (GUIDES / "test-a-life-cycle.md").read_text("utf-8")
    (shown,) = PYTHON.findall(text)
    room: dict[str, object] = {}
    monkeypatch.chdir(EXAMPLES)
    exec(shown, room)  # noqa: S102 our own page
    test = room["test_refused_by_one_is_refused"]
    assert callable(test)
    test()


def test_the_example_of_a_quorum_reminds_escalates_and_counts_its_votes() -> None:
    script = read_script(read_document((EXAMPLES / "quorum.yaml").read_bytes()))
    done = simulate(life_cycle((EXAMPLES / "quorum.bpmn").read_bytes()), script)

    happened = Counter(passage.event for passage in done.path)
    assert (done.as_wanted, done.outcome, done.unused) == (True, "done", ())
    assert happened[HistoryEvent.TASK_VOTED] == 3
    assert happened[HistoryEvent.TASK_REMINDED] == 4
    assert happened[HistoryEvent.ESCALATION_CAUGHT] == 1


def test_the_guide_to_approvals_shows_the_example_of_a_quorum() -> None:
    guide = (GUIDES / "approve-and-separate-duties.md").read_text("utf-8")
    shown = [b for b in XML.findall(guide) if "quorum" in b]
    example = (EXAMPLES / "quorum.bpmn").read_text("utf-8")
    lines = [line.strip() for line in shown[0].splitlines()]
    assert len(shown) == 1
    assert all(line in example for line in lines)


def imported(decision: str) -> Simulated:
    """Run the file of Camunda 7 to its end."""
    drawing = life_cycle((EXAMPLES / "camunda7-approval.bpmn").read_bytes())
    script = read_script(
        {
            "variables": {"snapshot": "fraud@7", "service": "cc-fraud"},
            "answers": {"approve": {"variables": {"decision": decision}}},
            "topics": {"deploy": {}, "notify": {}},
        }
    )
    return simulate(drawing, script)


@pytest.mark.parametrize(("decision", "outcome"), [("approve", "done"), ("reject", "refused")])
def test_the_file_of_camunda_7_runs(decision: str, outcome: str) -> None:
    assert imported(decision).outcome == outcome

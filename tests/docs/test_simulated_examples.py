"""The life cycles that the guides show run as the guides say."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from pilothouse.lifecycle.answers import read_script
from pilothouse.lifecycle.simulation import Simulated, decisions_given, life_cycle, simulate
from pilothouse.scoring.documents import read_document

GUIDES = Path(__file__).parents[2] / "docs" / "how-to"
EXAMPLES = GUIDES / "examples"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)


def test_the_answers_of_the_guide_take_the_drawing_to_its_end() -> None:
    script = read_script(read_document((EXAMPLES / "two-approvals.yaml").read_bytes()))
    table = (files("pilothouse.lifecycle") / "definitions" / "thresholds.dmn").read_bytes()
    drawing = life_cycle((EXAMPLES / "two-approvals.bpmn").read_bytes())
    done = simulate(drawing, script, decisions=decisions_given({"thresholds": table}))
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

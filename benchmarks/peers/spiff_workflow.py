"""
The peer for life cycles: SpiffWorkflow runs the same row of service tasks, and its state is saved after each of them.

Reads ``{"folder": …, "runs": …, "tasks": …, "synchronous": …, "resumed": …}`` on each line of standard input, and
answers with one line: ``{"steps": …, "seconds": …, "cpu_seconds": …}``. The state is the library's own JSON of the
whole workflow, in one row of a SQLite file in WAL mode. With `resumed`, as a worker of several would have to, each
step begins by reading that row; without, the workflow stays in memory and is only written.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser
from SpiffWorkflow.spiff.serializer.config import SPIFF_CONFIG
from SpiffWorkflow.task import TaskState

if TYPE_CHECKING:
    from collections.abc import Iterator

SPACES = (
    'xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:spiffworkflow="http://spiffworkflow.org/bpmn/schema/1.0/core"'
)
TASK = (
    '<bpmn:serviceTask id="{name}"><bpmn:extensionElements><spiffworkflow:serviceTaskOperator id="nothing" '
    'resultVariable="result"><spiffworkflow:parameters/></spiffworkflow:serviceTaskOperator>'
    "</bpmn:extensionElements></bpmn:serviceTask>"
)


class Nothing(PythonScriptEngine):  # type: ignore[misc]
    """Answers every service call at once."""

    def call_service(self, _: object, **__: object) -> str:
        """Do nothing."""
        return "{}"


class States:
    """The saved states of workflows, one row each."""

    def __init__(self, file: Path, synchronous: str) -> None:
        self._serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(SPIFF_CONFIG))
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute(f"PRAGMA synchronous = {synchronous}")
        self._database.execute("CREATE TABLE states (id INTEGER PRIMARY KEY, state TEXT NOT NULL)")

    def save(self, number: int, workflow: Any) -> None:  # noqa: ANN401 the library has no types
        """Write a workflow's whole state, durably."""
        state = self._serializer.serialize_json(workflow)
        self._database.execute("BEGIN IMMEDIATE")
        self._database.execute("INSERT OR REPLACE INTO states VALUES (?, ?)", (number, state))
        self._database.execute("COMMIT")

    def load(self, number: int) -> Any:  # noqa: ANN401 the library has no types
        """Read a workflow's state."""
        query = "SELECT state FROM states WHERE id = ?"
        (state,) = self._database.execute(query, (number,)).fetchone()
        workflow = self._serializer.deserialize_json(state)
        workflow.script_engine = Nothing()
        return workflow


def main() -> None:
    """Answer until standard input ends."""
    for line in sys.stdin:
        print(json.dumps(_measured(json.loads(line))), flush=True)


def _measured(work: dict[str, Any]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=work["folder"]) as folder:
        states = States(Path(folder) / "states.db", work["synchronous"])
        workflows = list(_started(work))
        for number, workflow in enumerate(workflows):
            states.save(number, workflow)
        begun, cpu = time.perf_counter(), time.process_time()
        steps = sum(
            _run(states, number, workflow, resumed=work["resumed"])
            for number, workflow in enumerate(workflows)
        )
        seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
    if steps != work["runs"] * work["tasks"]:
        raise ArithmeticError(f"{steps} service tasks were done")
    return {"steps": steps, "seconds": seconds, "cpu_seconds": cpu_seconds}


def _started(work: dict[str, Any]) -> Iterator[Any]:
    parser = SpiffBpmnParser()
    parser.add_bpmn_str(_drawing(work["tasks"]))
    spec, inner = parser.get_spec("steps"), parser.get_subprocess_specs("steps")
    for _ in range(work["runs"]):
        workflow = BpmnWorkflow(spec, inner, script_engine=Nothing())
        _pass_events(workflow)
        yield workflow


def _pass_events(workflow: Any) -> None:  # noqa: ANN401 the library has no types
    """Run what is no service task, up to the next one or the end."""
    while not workflow.is_completed():
        task = workflow.get_next_task(state=TaskState.READY)
        if type(task.task_spec).__name__ == "ServiceTask":
            return
        task.run()


def _run(states: States, number: int, workflow: Any, *, resumed: bool) -> int:  # noqa: ANN401
    steps = 0
    while not workflow.is_completed():
        now = states.load(number) if resumed else workflow
        now.get_next_task(state=TaskState.READY).run()
        _pass_events(now)
        states.save(number, now)
        workflow, steps = now, steps + 1
    return steps


def _drawing(tasks: int) -> bytes:
    names = [f"task-{number}" for number in range(tasks)]
    path = ["start", *names, "end"]
    flows = "".join(
        f'<bpmn:sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>'
        for a, b in pairwise(path)
    )
    drawn = "".join(TASK.format(name=name) for name in names)
    events = '<bpmn:startEvent id="start"/><bpmn:endEvent id="end"/>'
    process = f'<bpmn:process id="steps" isExecutable="true">{events}{drawn}{flows}</bpmn:process>'
    return f'<bpmn:definitions {SPACES} id="file" targetNamespace="bench">{process}</bpmn:definitions>'.encode()


if __name__ == "__main__":
    main()

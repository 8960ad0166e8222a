"""The life cycles, watched: each step printed when it is done, until a person is asked or the run has ended."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, TypeVar

from home import DemoError

from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.tasks import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from pilothouse.bpmn.history import HistoryEntry
    from pilothouse.domain.tasks import Task
    from pilothouse.sdk import Client
    from pilothouse.wire.runs import RunView

T = TypeVar("T")
POLL_S = 0.2
NAMED = re.compile(r'<bpmn:(\w+) id="(\w+)" name="([^"]+)"')
STEPS = ("serviceTask", "userTask", "endEvent")
WAITING = (TaskState.OPEN, TaskState.CLAIMED)


class Watch:
    """
    Watches the runs of a snapshot, one for each service.

    Parameters
    ----------
    client
        Whose view it is.
    snapshot
        ``model@number``.
    services
        The services whose runs are waited for.
    console
        Where steps are printed.
    """

    def __init__(
        self, client: Client, *, snapshot: str, services: tuple[str, ...], console: Console
    ) -> None:
        self._client, self._snapshot, self._console = client, snapshot, console
        self._width = max(len(s) for s in services)
        self._services = services
        self._seen: dict[str, int] = {}
        self._names: dict[str, dict[str, str]] = {}

    def until_asked(self, *, within_s: float) -> list[Task]:
        """Print steps until each run waits for a person, and give the tasks."""

        def asked(runs: list[RunView]) -> list[Task] | None:
            tasks = [task for run in runs for task in run.tasks if task.state in WAITING]
            return tasks if len(tasks) == len(self._services) else None

        return self._until(asked, within_s=within_s, what="the runs ask for an approval")

    def until_ended(self, *, within_s: float) -> list[RunView]:
        """Print steps until each run has ended well, and give the runs."""

        def ended(runs: list[RunView]) -> list[RunView] | None:
            return runs if all(run.state is RunStatus.COMPLETED for run in runs) else None

        return self._until(ended, within_s=within_s, what="the runs end")

    def _until(
        self, found: Callable[[list[RunView]], T | None], *, within_s: float, what: str
    ) -> T:
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            runs = self._runs()
            for run in runs:
                self._print_new(run)
            answer = found(runs) if len(runs) == len(self._services) else None
            if answer is not None:
                return answer
            time.sleep(POLL_S)
        raise DemoError(problem=f"Not within {within_s:g} s: {what}.")

    def _runs(self) -> list[RunView]:
        summaries = list(self._client.runs.list(snapshot=self._snapshot))
        runs = [self._client.runs.get(s.heading.run_id) for s in summaries]
        for run in runs:
            for incident in run.incidents:
                problem = f"{run.heading.service} stands at {incident.element}: {incident.message}"
                raise DemoError(problem=problem)
            if run.state in (RunStatus.FAILED, RunStatus.TERMINATED):
                raise DemoError(problem=f"The run of {run.heading.service} is {run.state.value}.")
        return sorted(runs, key=lambda run: str(run.heading.service))

    def _print_new(self, run: RunView) -> None:
        heading = run.heading
        names = self._named(heading.definition)
        for entry in self._client.runs.history(
            heading.run_id, after=self._seen.get(heading.run_id, 0)
        ):
            self._seen[heading.run_id] = entry.sequence
            line = _line(entry, names)
            if line:
                self._console.print(
                    f"  {entry.at:%H:%M:%S}  {heading.service!s:{self._width}}  {line}"
                )

    def _named(self, definition: str) -> dict[str, str]:
        """Give the names of a life cycle's steps by their ids."""
        if definition not in self._names:
            xml = self._client.lifecycles.get(definition).xml
            self._names[definition] = {i: n for kind, i, n in NAMED.findall(xml) if kind in STEPS}
        return self._names[definition]


def _line(entry: HistoryEntry, names: dict[str, str]) -> str:
    name = names.get(entry.element or "")
    match entry.event:
        case HistoryEvent.COMPLETED if name:
            return f"[green]done[/green]   {name}"
        case HistoryEvent.JOB_FAILED:
            return f"[yellow]again[/yellow]  {name}: {entry.data.get('message', '')}"
        case HistoryEvent.RUN_COMPLETED:
            return "[bold green]ended[/bold green]"
        case _:
            return ""

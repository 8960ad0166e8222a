"""Life cycles, their runs, and the tasks that wait for people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.history import HistoryEntry
from pilothouse.bpmn.pairing import Proposal
from pilothouse.bpmn.state import Incident
from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.lifecycles import Definition
from pilothouse.domain.tasks import Task
from pilothouse.sdk.nouns import Noun
from pilothouse.sdk.transport import part
from pilothouse.wire import operations, requests
from pilothouse.wire.operations import MigrationOutcome, MigrationPage, RunPreview
from pilothouse.wire.runs import Finding, MessageReceipt, RunSummary, RunView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class Lifecycles(Noun):
    """Definitions: BPMN life cycles and DMN decision tables."""

    def upload(self, xml: bytes, *, group: str) -> Definition:
        """Upload a file as the next version of its key."""
        return self._transport.post_xml(Definition, "/lifecycles", xml, group=group)

    def lint(self, xml: bytes, *, group: str = EVERY_GROUP) -> tuple[Finding, ...]:
        """Say what an upload to a group would refuse, and what its decision tables leave open or contradict."""
        path = "/lifecycles/lint"
        return self._transport.post_xml(tuple[Finding, ...], path, xml, group=group)

    def list(self) -> Iterable[Definition]:
        """List definitions."""
        return self._transport.every(Definition, "/lifecycles")

    def get(self, name: str) -> Definition:
        """Show a definition, by ``key@version`` or key."""
        return self._transport.get(Definition, f"/lifecycles/{part(name)}")

    def activate(self, name: str) -> Definition:
        """Let new runs start from this very version; later ones of its key are retired."""
        return self._transport.post(Definition, f"/lifecycles/{part(name)}/activate")

    def retire(self, name: str) -> Definition:
        """Let no new run start from a version."""
        return self._transport.post(Definition, f"/lifecycles/{part(name)}/retire")

    def propose_migration(self, name: str, *, to: str) -> Proposal:
        """Say how the elements of two versions belong together."""
        return self._transport.get(Proposal, f"/lifecycles/{part(name)}/migration", to=to)

    def migrate(self, name: str, wanted: operations.MigrateRuns) -> Iterator[MigrationOutcome]:
        """Carry over the runs of a version, or say what would become of them, page by page; give each run's outcome."""
        path, after = f"/lifecycles/{part(name)}/migrate", wanted.after
        while True:
            page = self._transport.post_once(MigrationPage, path, replace(wanted, after=after))
            yield from page.items
            after = page.next
            if after is None:
                return

    def publish(self, wanted: requests.PublishMessage) -> MessageReceipt:
        """Send a message."""
        return self._transport.post(MessageReceipt, "/messages", wanted)

    def signal(self, wanted: requests.SendSignal) -> tuple[str, ...]:
        """Tell every run that waits for a signal, and start what starts by it; give the runs. It is never sent twice."""
        return self._transport.post_once(tuple[str, ...], "/signals", wanted)

    def evaluate_conditions(self, wanted: requests.EvaluateConditions) -> tuple[str, ...]:
        """Start each life cycle whose conditional start event holds of these variables; give the runs."""
        path = "/lifecycles/evaluate-conditions"
        return self._transport.post(tuple[str, ...], path, wanted)


class Runs(Noun):
    """Runs and their incidents."""

    def start(self, wanted: requests.StartRun) -> RunView:
        """Start a life cycle by hand."""
        return self._transport.post(RunView, "/runs", wanted)

    def get(self, run_id: str) -> RunView:
        """Show where a run stands."""
        return self._transport.get(RunView, f"/runs/{part(run_id)}")

    def list(
        self, *, service: str | None = None, snapshot: str | None = None
    ) -> Iterable[RunSummary]:
        """List runs, newest first."""
        return self._transport.every(RunSummary, "/runs", service=service, snapshot=snapshot)

    def history(self, run_id: str, *, after: int = 0) -> tuple[HistoryEntry, ...]:
        """Give what happened in a run after a sequence number, at most 500 entries."""
        return self._transport.get(
            tuple[HistoryEntry, ...], f"/runs/{part(run_id)}/history", after=after
        )

    def cancel(self, run_id: str, *, reason: str) -> RunView:
        """End a run where it stands."""
        wanted = requests.CancelRun(reason=reason)
        return self._transport.post(RunView, f"/runs/{part(run_id)}/cancel", wanted)

    def suspend(self, run_id: str, wanted: operations.HoldRun) -> RunView:
        """Hold a run where it stands."""
        return self._transport.post(RunView, f"/runs/{part(run_id)}/suspend", wanted)

    def resume(self, run_id: str, wanted: operations.HoldRun) -> RunView:
        """Let a suspended run go on."""
        return self._transport.post(RunView, f"/runs/{part(run_id)}/resume", wanted)

    def edit_variables(self, run_id: str, wanted: operations.EditVariables) -> RunView:
        """Set variables of a run and remove others."""
        return self._transport.post(RunView, f"/runs/{part(run_id)}/variables", wanted)

    def move(self, run_id: str, wanted: operations.MoveTokens) -> RunView:
        """Cancel what stands at some elements, and begin before others."""
        return self._transport.post(RunView, f"/runs/{part(run_id)}/move", wanted)

    def preview_move(self, run_id: str, wanted: operations.MoveTokens) -> RunPreview:
        """Say what a move would do; nothing is changed."""
        return self._transport.post(RunPreview, f"/runs/{part(run_id)}/move/preview", wanted)

    def migrate(self, run_id: str, wanted: operations.MigrateRun) -> RunView:
        """Carry a run over to another version of its life cycle."""
        return self._transport.post(RunView, f"/runs/{part(run_id)}/migrate", wanted)

    def preview_migration(self, run_id: str, wanted: operations.MigrateRun) -> RunPreview:
        """Say what a migration would do to a run; nothing is changed."""
        return self._transport.post(RunPreview, f"/runs/{part(run_id)}/migrate/preview", wanted)

    def incidents(self) -> tuple[Incident, ...]:
        """List what waits for help."""
        return self._transport.get(tuple[Incident, ...], "/incidents")

    def retry(self, incident_id: str, wanted: requests.RetryIncident) -> RunView:
        """Try again what an incident holds up."""
        return self._transport.post(RunView, f"/incidents/{part(incident_id)}/retry", wanted)


class Tasks(Noun):
    """Tasks."""

    def list(self, *, mine: bool = False, waiting: bool = False) -> Iterable[Task]:
        """List tasks."""
        return self._transport.every(Task, "/tasks", mine=mine, waiting=waiting)

    def get(self, task_id: str) -> Task:
        """Show a task."""
        return self._transport.get(Task, f"/tasks/{part(task_id)}")

    def claim(self, task_id: str) -> Task:
        """Take a task."""
        return self._transport.post(Task, f"/tasks/{part(task_id)}/claim")

    def release(self, task_id: str) -> Task:
        """Give a task back."""
        return self._transport.post(Task, f"/tasks/{part(task_id)}/release")

    def complete(self, task_id: str, answers: Mapping[str, object]) -> Task:
        """Answer a task."""
        wanted = requests.CompleteTask(answers=answers)
        return self._transport.post(Task, f"/tasks/{part(task_id)}/complete", wanted)

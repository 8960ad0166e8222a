"""One plug-in of each kind: a format, a connector, a task type, a source of secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, ClassVar, NoReturn

from pilothouse.domain.errors import NotSupportedError
from pilothouse.domain.runtimes import Ability, Capabilities
from pilothouse.domain.secrets import SecretMissingError, parse_reference
from pilothouse.lifecycle.tasks.catalogue import Kind, Parameter
from pilothouse.lifecycle.tasks.contract import Done, Outcome, TaskContext, TaskType
from pilothouse.scoring.formats.contract import Loaded, unfit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pilothouse.connectors.settings import ConnectorSettings
    from pilothouse.domain.access import Principal
    from pilothouse.domain.desired import Desired, Observed
    from pilothouse.domain.ids import JobId
    from pilothouse.domain.jobs import JobOrder, JobReport
    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.lifecycle.tasks.contract import Facilities
    from pilothouse.ports.connectors import Connector
    from pilothouse.scoring.formats.contract import Columns


class ScorecardFormat:
    """Points per column in a JSON file: ``{"base": 600, "points": {"open_lines": -3.5}}``."""

    roles: ClassVar[frozenset[str]] = frozenset({"model"})
    optional_roles: ClassVar[frozenset[str]] = frozenset()
    options: ClassVar[frozenset[str]] = frozenset()
    entry_points: ClassVar[frozenset[str]] = frozenset()
    runs_source: ClassVar[bool] = False

    def inspect(self, folder: Path, manifest: Manifest) -> None:
        """Refuse what can be refused without loading anything."""
        card = json.loads((folder / manifest.files["model"]).read_text("utf-8"))
        if set(card) != {"base", "points"}:
            raise unfit(manifest, "files.model", "a scorecard has 'base' and 'points'")

    def load(self, folder: Path, manifest: Manifest, policy: ModelPolicy) -> Loaded:
        """Load the model; called in a process of its own, in the model's environment."""
        del policy  # nothing in a scorecard needs to be granted
        card = json.loads((folder / manifest.files["model"]).read_text("utf-8"))
        (output,) = (c.name for c in manifest.outputs.columns)

        def score(columns: Columns, rows: int) -> dict[str, Sequence[object]]:
            totals = [float(card["base"])] * rows
            for name, points in card["points"].items():
                totals = [
                    t + points * float(v or 0) for t, v in zip(totals, columns[name], strict=True)
                ]
            return {output: totals}

        return Loaded(score=score)


class PaperConnector:
    """A runtime where people do the work: it can do nothing by itself, and says so."""

    REASON = "people do this by hand"

    def capabilities(self, runtime: Runtime) -> Capabilities:
        """Declare for every ability why it is missing."""
        return Capabilities(abilities=frozenset(), inabilities=dict.fromkeys(Ability, self.REASON))

    def ensure(self, runtime: Runtime, desired: Desired) -> None:
        """Take a desired state."""
        self._refuse()

    def observe(self, runtime: Runtime) -> Observed:
        """Say what is held."""
        self._refuse()

    def withdraw(self, runtime: Runtime) -> None:
        """Stop what runs; nothing does, which is no error."""

    def run_job(self, runtime: Runtime, order: JobOrder) -> None:
        """Start a job."""
        self._refuse()

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        """Say how a job stands."""
        self._refuse()

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        """Stop a job; none is known, which is no error."""

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        """Forget a job; none is known, which is no error."""

    def logs(
        self, runtime: Runtime, *, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        """Give the last lines of a log."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise NotSupportedError(f"This runtime cannot do it: {self.REASON}. Use another runtime.")


def build_connector(settings: ConnectorSettings) -> Connector:
    """Build the connector from what the control plane tells it."""
    del settings  # a connector that reaches something takes secrets, clock and folders from here
    return PaperConnector()


def build_open_ticket(facilities: Facilities) -> TaskType:
    """Build a task type that writes a ticket into the audit, once however often it is called."""

    def handle(context: TaskContext) -> Outcome:
        ticket = f"{context.heading.run_id}: {context.needed('title')}"

        def act(who: Principal) -> str:
            with facilities.open_work(who) as work:
                group, run = context.heading.group, context.heading.run_id
                work.audit.record(
                    "open-ticket", noun="run", subject=run, group=group, detail={"ticket": ticket}
                )
                return work.commit(ticket)  # the answer is kept in the same transaction

        return Done(variables={"ticket": context.once("ticket", str, act)})

    return TaskType(
        topic="open-ticket",
        parameters={"title": Parameter(kind=Kind.TEXT, description="One line.")},
        handle=handle,
    )


class KeyringSecrets:
    """``keyring:NAME``: secrets of a store of the house."""

    KEPT: ClassVar[dict[str, str]] = {}

    def resolve(self, reference: str) -> str:
        """Read a secret now; it is never kept."""
        name = parse_reference(reference).name
        if name not in self.KEPT:
            raise SecretMissingError(reference=reference, problem="the keyring has no such entry")
        return self.KEPT[name]

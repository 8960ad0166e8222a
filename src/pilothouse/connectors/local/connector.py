"""The local connector: entries and jobs as processes of this host, driven by command line and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.connectors.local.entries import NO_ADDRESS, SCORING, Entries, Patience
from pilothouse.connectors.local.errors import LogLinesError
from pilothouse.connectors.local.files import last_lines
from pilothouse.connectors.local.homes import Homes
from pilothouse.connectors.local.jobs import LocalJobs
from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.domain.runtimes import Ability, Capabilities, RuntimeUnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.connectors.settings import ConnectorSettings
    from pilothouse.domain.desired import Desired, Observed
    from pilothouse.domain.ids import JobId
    from pilothouse.domain.jobs import JobOrder, JobReport
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.ports.connectors import Connector

MAXIMUM_LINES = 10_000


class LocalConnector:
    """
    Drives scoring processes of this host.

    Each runs in a session of its own and outlives the control plane; a later control plane finds it again by
    the lock that it holds and by its start time, so there are never two for one home, and no process is
    signalled that is not provably the one meant.

    Parameters
    ----------
    settings
        What the control plane tells its connectors.
    patience
        How long to wait for entries.
    command
        How a scoring process is started.
    """

    def __init__(
        self,
        settings: ConnectorSettings,
        *,
        patience: Patience = Patience(),  # noqa: B008 frozen
        command: tuple[str, ...] = SCORING,
    ) -> None:
        self._homes = Homes(settings.home)
        self._entries = Entries(settings, homes=self._homes, patience=patience, command=command)
        self._jobs = LocalJobs(settings, homes=self._homes, command=command)

    def capabilities(self, runtime: Runtime) -> Capabilities:
        """Say what the runtime can do: everything, but nothing online without an address."""
        inabilities = {} if runtime.address else {Ability.ONLINE: NO_ADDRESS}
        return Capabilities(
            abilities=frozenset(Ability) - inabilities.keys(),
            inabilities=inabilities,
            formats=frozenset(installed(PluginKind.FORMAT)),
        )

    def ensure(self, runtime: Runtime, desired: Desired) -> None:
        """Hand the document to the entry, which is started or found again first."""
        self._entries.started(runtime).put_desired(desired)

    def observe(self, runtime: Runtime) -> Observed:
        """Ask the entry what it holds."""
        control = self._entries.running(runtime)
        if control is None:
            raise RuntimeUnreachableError(runtime=runtime.name, problem="its entry does not run")
        return control.observed()

    def withdraw(self, runtime: Runtime) -> None:
        """Drain and end the entry, in the last resort by SIGKILL; its models end with it."""
        self._entries.stop(runtime)

    def run_job(self, runtime: Runtime, order: JobOrder) -> None:
        """Start a job unless it runs or has ended already."""
        self._jobs.run(runtime, order)

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        """Say how a job stands; one whose process died is started again, at most three times in all."""
        return self._jobs.poll(runtime, job_id)

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        """Ask a job to stop; `poll` tells when it has, and kills it when it takes more than 30 s."""
        self._jobs.cancel(runtime, job_id)

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        """Remove the folder of an ended job."""
        self._jobs.clear(runtime, job_id)

    def logs(
        self, runtime: Runtime, *, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        """Give the last lines of the entry's log, or of a job's."""
        if not 1 <= lines <= MAXIMUM_LINES:
            raise LogLinesError(lines=lines)
        if job_id is not None:
            return self._jobs.logs(runtime, job_id, lines=lines)
        return last_lines(self._homes.entry(runtime.id).log, lines=lines)


def build(settings: ConnectorSettings) -> Connector:
    """Build the connector; the entry point ``local`` of the group ``pilothouse.connectors``."""
    return LocalConnector(settings)

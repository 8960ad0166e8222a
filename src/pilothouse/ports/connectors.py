"""The contract of every connector: how the control plane drives a runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.domain.desired import Desired, Observed
    from pilothouse.domain.ids import JobId
    from pilothouse.domain.jobs import JobOrder, JobReport
    from pilothouse.domain.runtimes import Capabilities, Runtime


class Connector(Protocol):
    """
    Drives runtimes of one kind. Every call may be repeated, may be cut off and may come late.

    A call that cannot reach the runtime raises `RuntimeUnreachableError`; one that the runtime cannot do
    raises `NotSupportedError` with the reason that `capabilities` declares.
    """

    def capabilities(self, runtime: Runtime) -> Capabilities:
        """Say what the runtime can do, and for what it cannot, why."""
        ...

    def ensure(self, runtime: Runtime, desired: Desired) -> None:
        """
        Make the runtime converge to `desired`; start or re-adopt its entry when needed.

        Returns once the entry has taken the document durably, not when all is loaded: `observe` tells that.
        A document with a lower generation than the entry holds is ignored by the entry.
        """
        ...

    def observe(self, runtime: Runtime) -> Observed:
        """Ask the entry what it holds."""
        ...

    def withdraw(self, runtime: Runtime) -> None:
        """Drain and stop the runtime's entry; its jobs go on. Withdrawing what does not run is no error."""
        ...

    def run_job(self, runtime: Runtime, order: JobOrder) -> None:
        """Start a job unless it runs or has ended already (the job's id is the key); return at once."""
        ...

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        """
        Say how a job stands.

        Raises
        ------
        JobUnknownError
            When the runtime holds nothing of this job: order it again.
        """
        ...

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        """Stop a job and leave no output; cancelling an ended or unknown job is no error."""
        ...

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        """Remove all that the runtime still holds of an ended job (its published output stays)."""
        ...

    def logs(
        self, runtime: Runtime, *, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        """Give the last lines (1 to 10,000) of the entry's log, or of a job's."""
        ...


class Connectors(Protocol):
    """The installed connectors by name."""

    def of(self, runtime: Runtime) -> Connector:
        """
        Give the connector that drives a runtime.

        Raises
        ------
        PluginMissingError
            When none of that name is installed.
        """
        ...

    def check(self, name: str) -> None:
        """Make sure that a connector of that name is installed, or raise `PluginMissingError`."""
        ...

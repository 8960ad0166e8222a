"""Runtimes in memory that keep the connector's contract, and fail on order."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilothouse.domain.desired import (
    SCHEMA,
    LogState,
    Observed,
    ObservedDeployment,
    ObservedLog,
    ObservedState,
)
from pilothouse.domain.jobs import JobProgress, JobReport, JobResult, JobState, JobUnknownError
from pilothouse.domain.plugins import PluginKind, PluginMissingError
from pilothouse.domain.runtimes import Ability, Capabilities, RuntimeUnreachableError
from pilothouse.testing.clock import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.domain.desired import Desired
    from pilothouse.domain.ids import JobId, RuntimeId
    from pilothouse.domain.jobs import JobOrder
    from pilothouse.domain.runtimes import Runtime

EVERYTHING = Capabilities(abilities=frozenset(Ability), formats=frozenset({"sklearn"}))


@dataclass
class FakeConnector:
    """
    Drives runtimes in memory.

    Attributes
    ----------
    held
        What each entry holds; one that is not here is not started.
    jobs
        The report of each job that a runtime knows; it changes only by `finish`, `cancel` and `clear`.
    down
        Names of runtimes that do not answer.
    lost
        Names of calls whose answer is lost once: the call takes effect and raises.
    broken
        Snapshots that fail to load, with the reason.
    lingering
        Deployments that an entry still drains although they are not desired any more.
    log
        How the prediction log of every entry stands.
    """

    held: dict[RuntimeId, Desired] = field(default_factory=dict)
    jobs: dict[JobId, JobReport] = field(default_factory=dict)
    starts: list[JobId] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    lingering: list[ObservedDeployment] = field(default_factory=list)
    can: dict[str, Capabilities] = field(default_factory=dict)
    ensured: list[int] = field(default_factory=list)
    log: ObservedLog = ObservedLog(state=LogState.OFF)  # noqa: RUF009 frozen

    def of(self, runtime: Runtime) -> FakeConnector:
        self.check(runtime.connector)
        return self

    def check(self, name: str) -> None:
        if name != "fake":
            raise PluginMissingError(kind=PluginKind.CONNECTOR, name=name, known=("fake",))

    def capabilities(self, runtime: Runtime) -> Capabilities:
        return self.can.get(runtime.name, EVERYTHING)

    def ensure(self, runtime: Runtime, desired: Desired) -> None:
        self._reach(runtime)
        held = self.held.get(runtime.id)
        if held is None or held.generation < desired.generation:
            self.held[runtime.id] = desired
        self.ensured.append(desired.generation)
        self._lose(runtime, "ensure")

    def observe(self, runtime: Runtime) -> Observed:
        self._reach(runtime)
        held = self.held.get(runtime.id)
        if held is None:
            raise RuntimeUnreachableError(runtime=runtime.name, problem="it was never started")
        return Observed(
            schema=SCHEMA,
            runtime_id=runtime.id,
            generation=held.generation,
            process="1",
            started_at=START,
            address=f"http://{runtime.address}",
            log=self.log,
            deployments=(
                *(
                    ObservedDeployment(
                        id=d.id,
                        generation=d.generation,
                        digest=d.digest,
                        state=ObservedState.FAILED
                        if d.snapshot in self.broken
                        else ObservedState.RUNNING,
                        reason=self.broken.get(d.snapshot, ""),
                        isolation="process",
                    )
                    for d in held.deployments
                ),
                *self.lingering,
            ),
            routes={r.service: r.generation for r in held.routes},
        )

    def withdraw(self, runtime: Runtime) -> None:
        self._reach(runtime)
        self.held.pop(runtime.id, None)

    def run_job(self, runtime: Runtime, order: JobOrder) -> None:
        self._reach(runtime)
        if order.job_id not in self.jobs:
            self.starts.append(order.job_id)
            self.jobs[order.job_id] = JobReport(job_id=order.job_id, state=JobState.RUNNING)
        self._lose(runtime, "run_job")

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        self._reach(runtime)
        if job_id not in self.jobs:
            raise JobUnknownError(job=job_id, runtime=runtime.name)
        return self.jobs[job_id]

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        self._reach(runtime)
        known = self.jobs.get(job_id)
        if known is not None and not known.state.ended:
            self.jobs[job_id] = replace(known, state=JobState.CANCELLED)

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        self._reach(runtime)
        self.jobs.pop(job_id, None)

    def logs(
        self, runtime: Runtime, *, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        self._reach(runtime)
        return [f"{runtime.name} {job_id or 'entry'}"][-lines:]

    def finish(self, job_id: JobId, *, rows: int = 10) -> None:
        """Let a job end well."""
        self.jobs[job_id] = JobReport(
            job_id=job_id,
            state=JobState.COMPLETE,
            result=JobResult.SUCCESS,
            progress=JobProgress(rows_read=rows, rows_scored=rows),
            output="out",
        )

    def _reach(self, runtime: Runtime) -> None:
        if runtime.name in self.down:
            raise RuntimeUnreachableError(runtime=runtime.name, problem="it is down")

    def _lose(self, runtime: Runtime, call: str) -> None:
        if call in self.lost:
            self.lost.remove(call)
            raise RuntimeUnreachableError(runtime=runtime.name, problem="the answer was lost")

"""Jobs on this host: each a process of its own, started again when it dies, at most three times."""

from __future__ import annotations

import logging
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.connectors.local.entries import SCORING
from pilothouse.connectors.local.environment import passed_on
from pilothouse.connectors.local.files import (
    is_locked,
    last_lines,
    locked,
    make_folder,
    read_document,
    rotate,
    write_document,
    write_whole,
)
from pilothouse.connectors.local.homes import Homes, JobHome, JobProcess, JobSettings, JobStarts
from pilothouse.connectors.local.processes import (
    Offspring,
    ProcessIdentity,
    identity_of,
    send,
    wait_gone,
)
from pilothouse.domain.jobs import (
    JobOrder,
    JobProgress,
    JobReport,
    JobResult,
    JobState,
    JobStillRunsError,
    JobUnknownError,
)
from pilothouse.domain.locations import STAGING

if TYPE_CHECKING:
    from pilothouse.connectors.settings import ConnectorSettings
    from pilothouse.domain.ids import JobId
    from pilothouse.domain.runtimes import Runtime

log = logging.getLogger(__name__)

MAXIMUM_STARTS = 3
CANCEL_PATIENCE_S = 30.0
ENDING_PATIENCE_S = 10.0
DIED_CODE = "job-process-died"


class LocalJobs:
    """
    The jobs of this host.

    Parameters
    ----------
    settings
        What the control plane tells its connectors.
    homes
        Where files are kept.
    command
        How a scoring process is started; its arguments follow.
    """

    def __init__(
        self, settings: ConnectorSettings, *, homes: Homes, command: tuple[str, ...] = SCORING
    ) -> None:
        self._settings, self._homes, self._command = settings, homes, command
        self._offspring = Offspring()

    def run(self, runtime: Runtime, order: JobOrder) -> None:
        """Start a job unless it runs or has ended."""
        home = self._homes.job(runtime.id, order.job_id)
        make_folder(home.folder.parent)
        with locked(self._homes.starting(runtime.id, order.job_id)):
            make_folder(home.folder)
            if not home.order.exists():
                write_document(home.settings, self._job_settings(runtime, home))
                write_document(home.order, order)
            self._keep_running(home)

    def poll(self, runtime: Runtime, job_id: JobId) -> JobReport:
        """Say how a job stands, and start it again when its process died."""
        home = self._known(runtime, job_id)
        with locked(self._homes.starting(runtime.id, job_id)):
            self._force_cancelled(home)
            self._keep_running(home)
            report = read_document(JobReport, home.report)
        return report or JobReport(job_id=job_id, state=JobState.WAITING)

    def cancel(self, runtime: Runtime, job_id: JobId) -> None:
        """Ask a job to stop; its process removes what it has not published and reports the end."""
        home = self._homes.job(runtime.id, job_id)
        if not home.order.exists():
            return
        with locked(self._homes.starting(runtime.id, job_id)):
            if _ended(home):
                return
            if not home.cancel.exists():
                write_whole(home.cancel, b"")
            process = _running(home)
            if process is not None:
                send(process, signal.SIGTERM)
            self._keep_running(home)

    def clear(self, runtime: Runtime, job_id: JobId) -> None:
        """
        Remove the job's folder.

        Raises
        ------
        JobStillRunsError
            When it has not ended.
        """
        home = self._homes.job(runtime.id, job_id)
        if not home.folder.is_dir():
            return
        lock = self._homes.starting(runtime.id, job_id)
        with locked(lock):
            if home.order.exists() and not _ended(home):
                raise JobStillRunsError(job=job_id, runtime=runtime.name)
            self._see_off(home)
            if home.folder.is_dir():
                # The order goes first: without it the job is unknown, whatever a crash leaves of the rest.
                home.order.unlink(missing_ok=True)
                shutil.rmtree(home.folder)

    def logs(self, runtime: Runtime, job_id: JobId, *, lines: int) -> list[str]:
        """Give the last lines of a job's log."""
        return last_lines(self._known(runtime, job_id).log, lines=lines)

    def _known(self, runtime: Runtime, job_id: JobId) -> JobHome:
        home = self._homes.job(runtime.id, job_id)
        if not home.order.exists():
            raise JobUnknownError(job=job_id, runtime=runtime.name)
        return home

    def _keep_running(self, home: JobHome) -> None:
        """Start the job's process unless it runs or the job has ended; give up after the third start."""
        self._offspring.reap()
        if _ended(home) or is_locked(home.lock) or self._is_starting(home):
            return
        starts = read_document(JobStarts, home.starts) or JobStarts(count=0, pid=0, start_time=0)
        if starts.count >= MAXIMUM_STARTS:
            self._give_up(home, starts)
            return
        # Written before the start: a crash in between costs one start of three and never begins a fourth.
        write_document(home.starts, JobStarts(count=starts.count + 1, pid=0, start_time=0))
        rotate(home.log)
        order = read_document(JobOrder, home.order)
        if order is not None and order.load is not None:
            write_whole(home.token, self._settings.scoring_token.encode())
        pid = self._offspring.start(
            [*self._command, "job", "--home", str(home.folder)],
            environment=passed_on(self._settings.environment, granted=self._settings.granted),
            output=home.log,
        )
        identity = identity_of(pid)
        if identity is not None:
            write_document(
                home.starts,
                JobStarts(count=starts.count + 1, pid=pid, start_time=identity.start_time),
            )

    def _see_off(self, home: JobHome) -> None:
        """Wait for the end of a process that has made its last report; kill it when it hangs."""
        process = _running(home)
        if process is None or wait_gone(process, timeout_s=ENDING_PATIENCE_S):
            return
        send(process, signal.SIGKILL)
        wait_gone(process, timeout_s=ENDING_PATIENCE_S)

    def _is_starting(self, home: JobHome) -> bool:
        """Whether the process that was started last lives, though it may not hold its lock yet."""
        starts = read_document(JobStarts, home.starts)
        if starts is None:
            return False
        identity = identity_of(starts.pid) if starts.pid else None
        return identity is not None and identity.start_time == starts.start_time

    def _force_cancelled(self, home: JobHome) -> None:
        """Kill a process that was asked to stop and has not for too long."""
        process = _running(home)
        if process is None or not home.cancel.exists():
            return
        asked = home.cancel.stat().st_mtime
        if self._settings.clock.now().timestamp() - asked > CANCEL_PATIENCE_S:
            send(process, signal.SIGKILL)

    def _give_up(self, home: JobHome, starts: JobStarts) -> None:
        order = read_document(JobOrder, home.order)
        if order is None:
            return
        _remove_unfinished(order)
        report = read_document(JobReport, home.report)
        words = " | ".join(last_lines(home.log, lines=3)) or "it logged nothing"
        write_document(
            home.report,
            JobReport(
                job_id=order.job_id,
                state=JobState.FAILED,
                progress=report.progress if report else JobProgress(),
                result=JobResult.FAILURE,
                error_code=DIED_CODE,
                error=(
                    f"The job's process died {starts.count} times ({words[:600]}). Look at its log, give it "
                    "more memory or smaller blocks, and order the job again."
                ),
            ),
        )

    def _job_settings(self, runtime: Runtime, home: JobHome) -> JobSettings:
        return JobSettings(
            artifacts=self._settings.artifacts,
            packages=str(self._homes.packages),
            environments=str(self._homes.environments),
            scratch=str(home.folder / "scratch"),
            policy=self._settings.policy_of(runtime.group),
        )


def _remove_unfinished(order: JobOrder) -> None:
    """Remove what the dead processes of a job left of its output; what cannot be removed is said in the log."""
    if order.target is None:
        return
    waiting = Path(order.target.root) / STAGING
    if waiting.is_symlink():
        log.error("what %s left unfinished stays: %s is a link", order.job_id, waiting)
        return
    for left in waiting.glob(f"{order.job_id}-*"):
        try:
            shutil.rmtree(left)
        except OSError:
            log.exception("what %s left unfinished stays", order.job_id)


def _ended(home: JobHome) -> bool:
    report = read_document(JobReport, home.report)
    return report is not None and report.state.ended


def _running(home: JobHome) -> ProcessIdentity | None:
    """Give the process that holds the job's lock, or None."""
    process = read_document(JobProcess, home.process)
    if process is None or not is_locked(home.lock):
        return None
    identity = identity_of(process.pid)
    return identity if identity and identity.start_time == process.started else None

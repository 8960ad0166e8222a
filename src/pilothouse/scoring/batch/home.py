"""The home folder of one job: its order and settings come in, its state and report go out."""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.jobs import JobOrder, JobReport
from pilothouse.domain.plain import DocumentError, canonical, from_plain
from pilothouse.domain.policies import ModelPolicy
from pilothouse.scoring.batch.disk import replace_file
from pilothouse.scoring.batch.errors import JobBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
JOB_ID = re.compile(r"[A-Za-z0-9_]{1,80}\Z")
MAXIMUM_BLOCK_ROWS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """
    What a runtime tells its job process, in ``job.json``.

    Attributes
    ----------
    artifacts
        The address of the artefact store, ``file:///…``.
    packages, environments, scratch
        Folders that hold fetched snapshots, built environments, and what a model's process may write.
    policy
        What the control plane grants to the group's models.
    """

    artifacts: str
    packages: str
    environments: str
    scratch: str
    policy: ModelPolicy = ModelPolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProcess:
    """
    Which process runs a job, in ``process.json``.

    Attributes
    ----------
    pid, started
        The process id, and its start in clock ticks since boot (field 22 of ``/proc/PID/stat``); together they
        name a process although ids are used again.
    attempt
        Which process of the job this is, from 1.
    """

    pid: int
    started: int
    attempt: int


class JobHome:
    """
    The files of one job on its runtime.

    Parameters
    ----------
    folder
        The home; it exists.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "job.log"

    @contextmanager
    def held(self) -> Iterator[None]:
        """
        Hold the job, which one process at a time can.

        Raises
        ------
        JobBusyError
            When another process holds it.
        """
        with (self.folder / "job.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                raise JobBusyError(home=str(self.folder)) from problem
            yield

    def order(self) -> JobOrder:
        """
        Read the order.

        Raises
        ------
        DocumentError
            When it does not have the form of an order.
        """
        order = self._read(JobOrder, "order.json")
        if not JOB_ID.match(order.job_id):  # it becomes part of paths
            raise DocumentError(path="order.json.job_id", problem="not a job's id")
        if not 1 <= order.block_rows <= MAXIMUM_BLOCK_ROWS:
            raise DocumentError(
                path="order.json.block_rows", problem=f"not within 1 to {MAXIMUM_BLOCK_ROWS}"
            )
        return order

    def settings(self) -> JobSettings:
        """Read the settings, as `order` does."""
        return self._read(JobSettings, "job.json")

    def take_token(self) -> str:
        """Read the token that a load test asks with, and leave none behind; empty where there is none."""
        path = self.folder / "token"
        if not path.exists():
            return ""
        token = path.read_text("utf-8").strip()
        path.unlink()
        return token

    def process(self) -> JobProcess | None:
        """Give the last process that ran the job, or None."""
        if not (self.folder / "process.json").exists():
            return None
        return self._read(JobProcess, "process.json")

    def enter(self) -> JobProcess:
        """Say that this process runs the job now; call it while the job is held."""
        before = self.process()
        process = JobProcess(
            pid=os.getpid(),
            started=started_ticks(os.getpid()),
            attempt=1 if before is None else before.attempt + 1,
        )
        replace_file(self.folder / "process.json", canonical(process), durable=True)
        return process

    def report(self) -> JobReport | None:
        """Give the last report, or None."""
        if not (self.folder / "report.json").exists():
            return None
        return self._read(JobReport, "report.json")

    def write_report(self, report: JobReport) -> None:
        """Replace the report; the last one of a job survives a loss of power."""
        content = canonical(report)
        replace_file(self.folder / "report.json", content, durable=report.state.ended)

    @property
    def cancelled(self) -> bool:
        """Whether somebody laid the file ``cancel`` here."""
        return (self.folder / "cancel").exists()

    def _read(self, kind: type[T], name: str) -> T:
        try:
            document = json.loads((self.folder / name).read_bytes())
        except ValueError as problem:
            raise DocumentError(path=name, problem=f"not JSON ({problem})") from problem
        return from_plain(kind, document, path=name)


def started_ticks(pid: int) -> int:
    """Give when a process started, in clock ticks since boot (proc(5), field 22 of ``stat``)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2]
    return int(after_name.split()[19])

"""Where the local connector and its processes keep their files."""

# The codec reads these annotations while the program runs, so their imports are real.
# ruff: noqa: TC001, TC003
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pilothouse.connectors.settings import PredictionLog
from pilothouse.domain.ids import JobId, RuntimeId, StageName
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.snapshots import check_path

SETTINGS_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryProcess:
    """What an entry writes of itself (``process.json``) once its control socket answers."""

    pid: int
    start_time: int
    boot_id: str
    socket: str
    address: str
    started_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProcess:
    """What a job's process writes of itself (``process.json``); `started` is in clock ticks since boot."""

    pid: int
    started: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """
    What an entry is started with (``entry.json``).

    Attributes
    ----------
    host, port
        Where it answers consuming applications.
    grpc_port
        Where it answers by gRPC; None for not at all.
    access_log
        Whether it writes a line about each request.
    artifacts
        URL of the artefact store.
    packages, environments, scratch
        Folders, absolute: verified snapshots and built environments, which all of this host share, and scratch
        of its own.
    policy
        What the models of the runtime's group are granted.
    log
        Where the prediction log is written; None for none.
    """

    schema: int
    runtime_id: RuntimeId
    stage: StageName
    host: str
    port: int
    artifacts: str
    packages: str
    environments: str
    scratch: str
    policy: ModelPolicy
    grpc_port: int | None = None
    access_log: bool = False
    log: PredictionLog | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSettings:
    """What a job is started with beside its order (``job.json``); the fields are those of `EntrySettings`."""

    artifacts: str
    packages: str
    environments: str
    scratch: str
    policy: ModelPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStarts:
    """How often a job's process was started, and the last one (``starts.json``); its id is 0 until it is known."""

    count: int
    pid: int
    start_time: int


@dataclass(frozen=True, slots=True)
class EntryHome:
    """The folder of one entry."""

    folder: Path

    @property
    def settings(self) -> Path:
        """Settings, written by the connector."""
        return self.folder / "entry.json"

    @property
    def secret(self) -> Path:
        """The secret that opens the control socket, mode 0600."""
        return self.folder / "secret"

    @property
    def process(self) -> Path:
        """The running process, written by itself."""
        return self.folder / "process.json"

    @property
    def lock(self) -> Path:
        """The lock that the running process holds."""
        return self.folder / "entry.lock"

    @property
    def starting(self) -> Path:
        """The lock of whoever starts or stops the entry."""
        return self.folder / "starting.lock"

    @property
    def log(self) -> Path:
        """What the entry prints."""
        return self.folder / "entry.log"


@dataclass(frozen=True, slots=True)
class JobHome:
    """The folder of one job."""

    folder: Path

    @property
    def order(self) -> Path:
        """The order, written by the connector."""
        return self.folder / "order.json"

    @property
    def settings(self) -> Path:
        """Settings, written by the connector."""
        return self.folder / "job.json"

    @property
    def token(self) -> Path:
        """The token that a load test asks with, mode 0600; its process takes it away when it starts."""
        return self.folder / "token"

    @property
    def starts(self) -> Path:
        """How often the process was started, written by the connector."""
        return self.folder / "starts.json"

    @property
    def cancel(self) -> Path:
        """Its presence asks the job to stop."""
        return self.folder / "cancel"

    @property
    def process(self) -> Path:
        """The running process, written by itself."""
        return self.folder / "process.json"

    @property
    def lock(self) -> Path:
        """The lock that the running process holds."""
        return self.folder / "job.lock"

    @property
    def report(self) -> Path:
        """How the job stands, written by its process."""
        return self.folder / "report.json"

    @property
    def log(self) -> Path:
        """What the job prints."""
        return self.folder / "job.log"


@dataclass(frozen=True, slots=True)
class Homes:
    """The folders of all runtimes on this host."""

    home: Path

    def entry(self, runtime_id: RuntimeId) -> EntryHome:
        """Give the folder of a runtime's entry."""
        return EntryHome(self._runtime(runtime_id) / "entry")

    def job(self, runtime_id: RuntimeId, job_id: JobId) -> JobHome:
        """Give the folder of a job."""
        return JobHome(self._runtime(runtime_id) / "jobs" / _one_name(job_id))

    def starting(self, runtime_id: RuntimeId, job_id: JobId) -> Path:
        """
        Give the lock of whoever starts or clears a job.

        It lies outside the folder that clearing removes; a runtime's jobs share 256 of them, so that there are not
        more with every job.
        """
        slot = hashlib.sha256(job_id.encode()).hexdigest()[:2]
        return self._runtime(runtime_id) / "jobs" / f".starting-{slot}.lock"

    @property
    def packages(self) -> Path:
        """Verified snapshots, shared by all processes of this host."""
        return self.home / "packages"

    @property
    def environments(self) -> Path:
        """Built environments, shared by all processes of this host."""
        return self.home / "environments"

    def _runtime(self, runtime_id: RuntimeId) -> Path:
        return self.home / "runtimes" / _one_name(runtime_id)


def _one_name(name: str) -> str:
    return check_path(name.replace("/", "\\"))

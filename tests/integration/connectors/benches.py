"""Benches for the local connector: over processes without models, and over real ones."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.connectors.local.connector import LocalConnector
from pilothouse.connectors.local.entries import SCORING, Patience
from pilothouse.connectors.settings import ConnectorSettings
from pilothouse.domain.desired import (
    SCHEMA,
    Desired,
    DesiredDeployment,
    DesiredRoute,
    DesiredVariant,
)
from pilothouse.domain.ids import (
    DeploymentId,
    GroupName,
    JobId,
    RuntimeId,
    ServiceTag,
    StageName,
)
from pilothouse.domain.jobs import FileSource, FileTarget, JobKind, JobOrder, TableFormat
from pilothouse.domain.policies import ModelPolicy
from pilothouse.domain.runtimes import Mode, Runtime, RuntimeHealth
from pilothouse.security.secrets import Secrets
from pilothouse.testing.clock import CountingIds, SetClock
from pilothouse.testing.connectors import SeenProcess, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.ports.connectors import Connector

STAND_IN = (sys.executable, "-I", str(Path(__file__).with_name("stand_in.py")))
SECRET = "the-database-password"


class StandInBench:
    """The local connector over processes without models."""

    command: tuple[str, ...] = STAND_IN
    policy = ModelPolicy()
    digest = 64 * "0"

    def __init__(self, home: Path) -> None:
        self.artifacts = (home / "artifacts").as_uri()
        self.home = home
        self.clock = SetClock(datetime.fromtimestamp(home.stat().st_mtime, UTC))
        self.ids = CountingIds()
        self.secrets: Sequence[str] = [SECRET]
        self.runtime = Runtime(
            id=RuntimeId(self.ids.new("rtm")),
            group=GroupName("credit"),
            name="prod-local",
            connector="local",
            stage=StageName("PROD"),
            modes=(Mode.BATCH, Mode.ONLINE),
            services=(),
            address="127.0.0.1:8701",
            options={},
            health=RuntimeHealth.UNKNOWN,
            health_reason="",
            created_at=self.clock.now(),
        )
        batch = replace(
            self.runtime, id=RuntimeId(self.ids.new("rtm")), name="batch-local", address=None
        )
        self.limited: Sequence[Runtime] = [batch]
        self.connector: Connector = self.reopened()

    def reopened(self) -> Connector:
        settings = ConnectorSettings(
            home=self.home,
            artifacts=self.artifacts,
            clock=self.clock,
            ids=self.ids,
            secrets=Secrets(environment={}),
            policy_of=lambda _: self.policy,
            environment={**os.environ, "PILOTHOUSE_DATABASE": f"postgresql://{SECRET}@host/db"},
        )
        patience = Patience(start_s=20, drain_s=1, terminate_s=1)
        return LocalConnector(settings, patience=patience, command=self.command)

    def desired(self, runtime: Runtime, *, generation: int) -> Desired:
        service, deployment = ServiceTag("heloc"), DeploymentId("dep_01KE70EHG0E008000000000000")
        return Desired(
            schema=SCHEMA,
            runtime_id=runtime.id,
            stage=runtime.stage,
            generation=generation,
            deployments=(
                DesiredDeployment(
                    id=deployment,
                    generation=1,
                    service=service,
                    snapshot="heloc-gbm@1",
                    number=1,
                    digest=self.digest,
                ),
            ),
            routes=(
                DesiredRoute(
                    service=service,
                    generation=1,
                    variants=(DesiredVariant(deployment_id=deployment, weight=1.0),),
                ),
            ),
            tokens=(),
        )

    def job(self, path: str) -> JobOrder:
        return JobOrder(
            schema=SCHEMA,
            job_id=JobId(self.ids.new("job")),
            kind=JobKind.METRICS,
            service=ServiceTag("heloc"),
            stage=self.runtime.stage,
            snapshot="heloc-gbm@1",
            digest=self.digest,
            source=FileSource(root="/nowhere", path=path, format=TableFormat.JSONL),
            target=None,
        )

    def quick_job(self) -> JobOrder:
        return self.job("quick")

    def endless_job(self) -> JobOrder:
        return self.job("endless")

    @property
    def entry(self) -> Path:
        return self.home / "runtimes" / self.runtime.id / "entry"

    def job_home(self, job_id: JobId) -> Path:
        return self.home / "runtimes" / self.runtime.id / "jobs" / job_id

    def kill_entry(self) -> None:
        pid = json.loads((self.entry / "process.json").read_text())["pid"]
        handle = os.pidfd_open(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PIDFD, handle, os.WEXITED | os.WNOWAIT)
        os.close(handle)

    def starts(self, job_id: JobId) -> int:
        attempt: int = json.loads((self.job_home(job_id) / "process.json").read_text())["attempt"]
        return attempt

    def pids(self) -> list[int]:
        """Find every process that was told of this home, dead ones apart."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    argv = (folder / "cmdline").read_bytes()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if str(self.home).encode() in argv:
                    found.append(int(folder.name))
        return found

    def commands(self, name: str) -> list[SeenProcess]:
        """Give the scoring processes of a kind, once those that lost the race for a lock have gone."""

        def found() -> list[SeenProcess]:
            return [process for process in self.processes() if name in process.argv]

        return until(found, lambda processes: len(processes) == 1)

    def processes(self) -> Sequence[SeenProcess]:
        return [
            SeenProcess(
                argv=Path(f"/proc/{pid}/cmdline").read_text().split("\0"),
                environment=dict(
                    line.split("=", 1)
                    for line in Path(f"/proc/{pid}/environ").read_text().split("\0")
                    if line
                ),
            )
            for pid in self.pids()
        ]

    def close(self) -> None:
        (self.entry / "deaf").unlink(missing_ok=True)
        for pid in self.pids():
            with suppress(ProcessLookupError):  # models end with their entry
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 10
        while self.pids() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.pids() == []


class ScoringBench(StandInBench):
    """The local connector over the real scoring processes, with a snapshot of a slow model in Python."""

    command = SCORING
    policy = ModelPolicy(python_source=True)

    def __init__(self, home: Path, *, shelf: Path, digest: str) -> None:
        (home / "environments").symlink_to(shelf / "environments")
        super().__init__(home)
        self.artifacts, self.digest = (shelf / "artifacts").as_uri(), digest
        self.runtime = replace(self.runtime, address=f"127.0.0.1:{_free_port()}")
        self.connector = self.reopened()
        record = json.dumps({"age": 40, "income": 10.0}) + "\n"
        (home / "quick").write_text(record)
        (home / "endless").write_text(record * 100_000)

    def job(self, path: str) -> JobOrder:
        return replace(
            super().job(path),
            kind=JobKind.SCORE,
            source=FileSource(root=str(self.home), path=path, format=TableFormat.JSONL),
            target=FileTarget(
                root=str(self.home), path=f"out/{self.ids.new('out')}", format=TableFormat.JSONL
            ),
            block_rows=1,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

"""A whole Pilothouse for tests: the server as a process of its own that can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.access import Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.locations import LocationAccess, Place
from pilothouse.domain.runtimes import Mode
from pilothouse.sdk import ApiUnreachableError, Client
from pilothouse.sdk.errors import ApiError
from pilothouse.wire import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
START_S = 60.0
STAGES = ("DEV", "SIT", "UAT", "PROD")
ROWS = 60


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def eventually(ask: Callable[[], T | None], *, within_s: float = 120.0, what: str) -> T:
    """Ask until there is an answer, however often the server is away meanwhile."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        with contextlib.suppress(ApiUnreachableError):
            found = ask()
            if found is not None:
                return found
        time.sleep(0.2)
    raise AssertionError(f"not within {within_s:g} s: {what}")


class Plant:
    """A home folder with a server process, four local runtimes and two services."""

    def __init__(self, folder: Path, *, environment: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.port = free_port()
        self._environment = environment or {}
        self._server: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self.starts += 1
        log = (self.folder / "server.log").open("ab")
        environment = {
            **os.environ,
            "PILOTHOUSE_HOME": str(self.home),
            "PILOTHOUSE_PORT": str(self.port),
            "PILOTHOUSE_POLL_S": "0.1",
            **self._environment,
        }
        self._server = subprocess.Popen(
            [sys.executable, "-m", "pilothouse", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        eventually(self._answers, within_s=START_S, what="the server answers")

    def _answers(self) -> bool | None:
        if self._server is not None and self._server.poll() is not None:
            raise AssertionError((self.folder / "server.log").read_text("utf-8")[-4000:])
        with Client(url=self.url, token=None, timeout_s=5.0) as client:
            client.health()
        return True

    def kill(self) -> None:
        """Kill the server with SIGKILL."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    def stop(self) -> int:
        """Ask the server to stop, and give its exit code."""
        assert self._server is not None
        self._server.send_signal(signal.SIGTERM)
        return self._server.wait(timeout=60)

    @property
    def url(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None) -> Client:
        """Connect, as the first administrator if no other token is given."""
        admin = (self.home / "admin.token").read_text("utf-8").strip()
        return Client(url=self.url, token=token or admin)

    def processes(self) -> dict[int, str]:
        """Give the processes, by id, whose command line names this home; the server itself names none."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    if str(self.home) in words:
                        found[int(entry.name)] = words
        return found

    def scoring(self, kind: str) -> dict[int, str]:
        """Give the scoring processes of a kind: ``serve`` or ``job``."""
        marker = f"pilothouse.scoring {kind}"
        return {pid: words for pid, words in self.processes().items() if marker in words}

    def end(self) -> None:
        """Kill whatever is left of this plant."""
        self.kill()
        for _ in range(50):
            left = self.processes()
            if not left:
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        raise AssertionError(f"these do not end: {left}")

    def furnish(self) -> None:
        """Register runtimes, locations, data, services, and let Python source in."""
        data, results = self.folder / "data", self.folder / "results"
        data.mkdir()
        results.mkdir()
        (data / "truth.csv").write_text(truth(ROWS), "utf-8")
        with self.client() as client:
            client.groups.set_policy("default", requests.SetPolicy(python_source=True))
            for stage in STAGES:
                client.runtimes.register(
                    requests.RegisterRuntime(
                        name=f"local-{stage.lower()}",
                        group="default",
                        stage=stage,
                        address=f"127.0.0.1:{free_port()}",
                    )
                )
            for name, folder, access in (
                ("data", data, LocationAccess.READ),
                ("results", results, LocationAccess.READ_WRITE),
            ):
                client.locations.register(
                    requests.RegisterLocation(
                        name=name, group="default", uri=folder.as_uri(), access=access
                    )
                )
            client.datasets.register(
                requests.RegisterDataset(
                    name="truth@1",
                    group="default",
                    place=Place(location="data", path="truth.csv"),
                    format=TableFormat.CSV,
                    role=DatasetRole.TEST,
                    label="eligible",
                )
            )
            client.models.register(requests.RegisterModel(name="tiny-python", group="default"))
            for tag, mode, lifecycle in (
                ("online", Mode.ONLINE, "promote-online"),
                ("batch", Mode.BATCH, "batch-only"),
            ):
                client.services.define(
                    requests.DefineService(
                        tag=tag,
                        group="default",
                        mode=mode,
                        lifecycle=lifecycle,
                        test_dataset="truth@1",
                    )
                )

    def validator(self) -> str:
        """Enter somebody who may approve, and give a token."""
        with self.client() as client:
            client.people.create(requests.CreatePerson(name="vera"))
            client.people.grant("vera", requests.GiveRole(group="default", role=Role.VALIDATOR))
            wanted = requests.IssueToken(name="vera", group="default", person="vera")
            return client.tokens.issue(wanted).text

    def scoring_token(self) -> str:
        """Issue a scoring token for both services."""
        with self.client() as client:
            wanted = requests.IssueScoringToken(
                name="app", group="default", services=("online", "batch")
            )
            return client.tokens.issue_scoring(wanted).text


def truth(rows: int) -> str:
    """Give labelled data that the tiny Python model gets right, for enough rows to judge."""
    lines = ["age,income,eligible"]
    for number in range(rows * 4):
        age, income = 16 + number % 80, 400.0 * (number % 100)
        score = min(1.0, age * 0.005 + income * 0.000008)
        lines.append(f"{age},{income},{int(score >= 0.5)}")
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def running_plant(folder: Path, *, environment: dict[str, str] | None = None) -> Iterator[Plant]:
    """Start a furnished plant, and leave no process of it behind."""
    plant = Plant(folder, environment=environment)
    try:
        plant.start()
        plant.furnish()
        yield plant
    finally:
        plant.end()


def approve_all(plant: Plant, token: str) -> None:
    """Approve every task that waits."""
    with plant.client(token) as client, contextlib.suppress(ApiError):
        for task in client.tasks.list(mine=True, waiting=True):
            client.tasks.complete(task.id, {"decision": "approve", "comment": "seen"})

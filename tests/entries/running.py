"""Entries that tests run: in a thread with steered scorers, or as the real process."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import uvloop

from pilothouse.domain.desired import Desired, Observed
from pilothouse.domain.plain import canonical, from_plain
from pilothouse.scoring.serve import Running
from pilothouse.scoring.state import EntrySettings, Home
from tests.entries.documents import RUNTIME, STAGE, TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pilothouse.scoring.models import OpenScorer

SECRET = "a-secret-of-the-control-plane"
ROW = {
    "amount": ("FP64", 21.5),
    "age": ("INT64", 44),
    "abroad": ("BOOL", False),
    "segment": ("BYTES", "retail"),
    "at": ("BYTES", "2026-01-05T12:00:00Z"),
}


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 any JSON
        return json.loads(self.body)


def settings_of(folder: Path, **others: Any) -> EntrySettings:  # noqa: ANN401 any setting
    plain = EntrySettings(
        schema=1,
        runtime_id=RUNTIME,
        stage=STAGE,
        host="127.0.0.1",
        port=0,
        artifacts=(folder / "artifacts").as_uri(),
        packages=str(folder / "packages"),
        environments=str(folder / "environments"),
        scratch=str(folder / "scratch"),
    )
    return replace(plain, **others)


def make_home(folder: Path, settings: EntrySettings) -> Path:
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    (home / "entry.json").write_bytes(canonical(settings))
    (home / "secret").write_text(SECRET + "\n")
    (home / "secret").chmod(0o600)
    return home


def body(rows: int = 1, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    """Give a good request of some equal rows; `changes` are (datatype, value) by column, None leaves one out."""
    columns = {**ROW, **changes}
    tensors = [
        {"name": name, "datatype": pair[0], "shape": [rows], "data": [pair[1]] * rows}
        for name, pair in columns.items()
        if pair is not None
    ]
    return {"inputs": tensors}


def until(condition: Callable[[], bool], *, timeout_s: float = 20.0) -> None:
    """Wait until something that happens elsewhere has happened."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not happen")
        time.sleep(0.005)


class EntryClient:
    """Talks to an entry as consuming applications and the control plane do."""

    def __init__(self, home: Path) -> None:
        record = json.loads((home / "process.json").read_bytes())
        self.home, self.pid = home, record["pid"]
        self.address, self.socket = record["address"], record["socket"]
        self.host, _, port = self.address.removeprefix("http://").rpartition(":")
        self.port = int(port)

    def ask(
        self,
        method: str,
        path: str,
        *,
        json_body: object = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = TOKEN,
    ) -> Reply:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        sent = {} if token is None else {"authorization": f"Bearer {token}"}
        try:
            content = None if json_body is None else json.dumps(json_body).encode()
            connection.request(method, path, body=content, headers={**sent, **(headers or {})})
            answer = connection.getresponse()
            found = {k.lower(): v for k, v in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def infer(self, request: object, *, path: str = "", **others: Any) -> Reply:  # noqa: ANN401
        return self.ask("POST", f"/v2/models/cc-fraud{path}/infer", json_body=request, **others)

    def control(
        self, method: str, path: str, content: bytes | None = None, *, secret: str = SECRET
    ) -> Reply:
        connection = http.client.HTTPConnection("entry", timeout=30)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(30)
        connection.sock.connect(self.socket)
        try:
            connection.request(
                method, path, body=content, headers={"authorization": f"Bearer {secret}"}
            )
            answer = connection.getresponse()
            return Reply(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def put(self, desired: Desired) -> Reply:
        return self.control("PUT", "/desired", canonical(desired))

    def observed(self) -> Observed:
        return from_plain(Observed, self.control("GET", "/observed").json)

    def effective(self, service: str = "cc-fraud") -> int | None:
        return self.observed().routes.get(service)  # type: ignore[call-overload, no-any-return]

    def take(self, desired: Desired) -> None:
        """Hand a desired state over and wait until its routes are in effect."""
        assert self.put(desired).status == 200
        wanted = {r.service: r.generation for r in desired.routes}
        until(lambda: dict(self.observed().routes) == wanted)

    def metric(self, name: str, **labels: str) -> float:
        """Give the sum of a metric's samples that have these labels."""
        total = 0.0
        for line in self.ask("GET", "/metrics", token=None).body.decode().splitlines():
            found = all(f'{k}="{v}"' in line for k, v in labels.items())
            if line.partition("{")[0].partition(" ")[0] == name and found:
                total += float(line.rpartition(" ")[2])
        return total

    def raw(self, sent: bytes, *, half_close: bool = False) -> bytes:
        """Send bytes, and give all that comes back until the entry closes the connection."""
        with socket.create_connection((self.host, self.port), timeout=20) as connection:
            connection.sendall(sent)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@contextmanager
def threaded_entry(
    folder: Path,
    open_scorer: OpenScorer,
    **settings: Any,  # noqa: ANN401 any setting
) -> Iterator[tuple[EntryClient, Running]]:
    """Run an entry in a thread of this process."""
    serving = _Serving(Home(make_home(folder, settings_of(folder, **settings))), open_scorer)
    serving.start()
    serving.started.wait(20)
    assert serving.problem is None, serving.problem
    try:
        yield EntryClient(serving.home.folder), serving.running
    finally:
        serving.loop.call_soon_threadsafe(serving.running.entry.drain)
        serving.join(30)
        assert not serving.is_alive()
        assert serving.problem is None, serving.problem


class _Serving(threading.Thread):
    """An entry's event loop in a thread."""

    def __init__(self, home: Home, open_scorer: OpenScorer) -> None:
        super().__init__(name="entry")
        self.home, self._open_scorer = home, open_scorer
        self.started = threading.Event()
        self.problem: BaseException | None = None
        self.running: Running
        self.loop: asyncio.AbstractEventLoop

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as problem:  # noqa: BLE001 the test's own thread raises it
            self.problem = problem
        finally:
            self.started.set()

    async def _serve(self) -> None:
        self.running = Running(self.home, self.home.settings(), open_scorer=self._open_scorer)
        self.loop = asyncio.get_running_loop()
        await self.running.start()
        self.started.set()
        await self.running.until_ended()


SERVE = ("pilothouse.scoring", "serve", "--home")
SERVE_STEERED = ("tests.entries.steered",)


@contextmanager
def entry_process(
    home: Path, program: tuple[str, ...] = SERVE
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a real process on a home until the block ends."""
    with (home / "entry.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", *program, str(home)], stderr=log)
    try:
        until(lambda: served_by(home, process.pid) or process.poll() is not None)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def served_by(home: Path, pid: int) -> bool:
    """Say whether the process of that id serves from a home."""
    record = home / "process.json"
    return record.exists() and json.loads(record.read_bytes())["pid"] == pid

"""The demo's own Pilothouse: a home folder in the checkout, its server, and a clean end of everything that was started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from pilothouse.domain.errors import PilothouseError
from pilothouse.sdk import ApiUnreachableError, Client

MARKER = "made-by-the-pilothouse-demo"
START_S = 60.0
STOP_S = 30.0
LAST_WORDS = 3000


class DemoError(PilothouseError):
    """The demo cannot go on."""

    code = "demo-failed"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(problem)


def free_ports(count: int) -> list[int]:
    """Find ports of this host that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


class DemoHome:
    """
    A folder with a Pilothouse's home, the model, the data, the results and the tokens of the demo.

    Parameters
    ----------
    folder
        Where it is made; an old one goes if it carries the demo's marker, and nothing else is ever removed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.home = self.folder / "home"
        self.results = self.folder / "results"
        self.log = self.folder / "server.log"
        self._server: subprocess.Popen[bytes] | None = None

    def renew(self) -> None:
        """Remove what an earlier demo left, and make the folder anew."""
        if self.folder.exists():
            self._refuse_foreign()
            self._refuse_running()
            self.end_processes()
            shutil.rmtree(self.folder)
        self.results.mkdir(parents=True)
        (self.folder / MARKER).touch()

    def _refuse_foreign(self) -> None:
        if not (self.folder / MARKER).is_file():
            problem = f"{self.folder} is not of an earlier demo, so it stays. Move it away, and try again."
            raise DemoError(problem=problem)

    def _refuse_running(self) -> None:
        url = self._told()
        if url is not None and _answers(url):
            problem = (
                f"A Pilothouse runs over {self.home} ({url}). Stop it with Ctrl-C, and try again."
            )
            raise DemoError(problem=problem)

    def _told(self) -> str | None:
        """Give the address that the home's server wrote down."""
        told = self.home / "server.json"
        return str(json.loads(told.read_text("utf-8"))["url"]) if told.is_file() else None

    def environment(self) -> dict[str, str]:
        """Give the environment of commands over this home, without the caller's own settings of Pilothouse."""
        others = {n: v for n, v in os.environ.items() if not n.startswith("PILOTHOUSE_")}
        return {**others, "PILOTHOUSE_HOME": str(self.home), "PILOTHOUSE_POLL_S": "0.2"}

    def command(self, *words: str) -> list[str]:
        """Give the command line of a `pilothouse` command."""
        return [sys.executable, "-m", "pilothouse", *words]

    def start(self) -> str:
        """Start the server on a free port, wait until it answers, and give its address."""
        with self.log.open("ab") as log:
            self._server = subprocess.Popen(  # noqa: S603  our own command
                self.command("up", "--port", "0", "--stop-runtimes"),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self._server.poll() is not None:
                raise DemoError(problem=f"The server ended at once:\n{self.last_words()}")
            url = self._told()
            if url is not None and _answers(url):
                return url
            time.sleep(0.1)
        raise DemoError(
            problem=f"The server does not answer after {START_S:g} s:\n{self.last_words()}"
        )

    def admin_token(self) -> str:
        """Give the first administrator's token, which the server wrote for the home's owner alone."""
        return (self.home / "admin.token").read_text("utf-8").strip()

    def last_words(self) -> str:
        """Give the end of the server's log."""
        if not self.log.is_file():
            return "(it logged nothing)"
        return self.log.read_text("utf-8", errors="replace")[-LAST_WORDS:]

    def end(self) -> None:
        """End the scoring processes of an earlier demo, once nothing starts them again."""
        if not (self.folder / MARKER).is_file():
            raise DemoError(problem=f"There is no demo in {self.folder}. `make demo` makes one.")
        self._refuse_running()
        self.end_processes()

    def stop(self) -> None:
        """
        Stop the server and the scoring processes; what they should run stays ordered for the next start.

        Raises
        ------
        DemoError
            When something had to be killed.
        """
        forced = self._stop_server() + self.end_processes()
        if forced:
            raise DemoError(problem=f"These had to be killed: {', '.join(forced)}.")

    def _stop_server(self) -> list[str]:
        if self._server is None:
            return []
        self._server.send_signal(signal.SIGTERM)
        try:
            self._server.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
            return [f"server ({self._server.pid})"]
        finally:
            self._server = None
        return []

    def end_processes(self) -> list[str]:
        """End every scoring process of this home; give those that did not end when asked."""
        for pid in self.processes():
            _signal(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_S
        while time.monotonic() < end:
            if not self.processes():
                return []
            time.sleep(0.1)
        left = self.processes()
        for pid in left:
            _signal(pid, signal.SIGKILL)
        return [f"{words} ({pid})" for pid, words in left.items()]

    def processes(self) -> dict[int, str]:
        """Give the living processes, by id, that were started on this home: their command lines name it."""
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                words = _words(entry)
                if any(str(self.home) in word for word in words):
                    found[int(entry.name)] = " ".join(words)
        return found


def _answers(url: str) -> bool:
    try:
        with Client(url=url, token=None, timeout_s=5.0) as client:
            client.health()
    except ApiUnreachableError:
        return False
    return True


def _words(process: Path) -> list[str]:
    """Give a process's command line; none when it has ended meanwhile."""
    try:
        return (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return []


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended by itself
        os.kill(pid, number)

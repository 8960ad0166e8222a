"""The home folder of an entry: what it was started with, what it holds, who it is."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.desired import Desired
from pilothouse.domain.errors import InvalidError, RefusedError
from pilothouse.domain.ids import RuntimeId, StageName  # noqa: TC001 the codec reads the annotations
from pilothouse.domain.plain import DocumentError, canonical, from_plain, rfc3339
from pilothouse.domain.policies import ModelPolicy
from pilothouse.scoring.deployments import HostingLimits
from pilothouse.scoring.http.messages import HttpLimits
from pilothouse.scoring.log.settings import LogSettings  # noqa: TC001 so does it here

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")
LONGEST_SOCKET_PATH = 100  # sockaddr_un holds 108 bytes (unix(7)); some are kept back
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
START_TIME_FIELD = (
    19  # of /proc/PID/stat after the command's closing parenthesis (proc(5), field 22)
)


class HomeHeldError(RefusedError):
    """Another process serves from this home."""

    code = "home-held"

    def __init__(self, *, home: str) -> None:
        self.home = home
        super().__init__(
            f"Another process serves from {home}; there may be one. See its process.json, and stop it first."
        )


class HomeInvalidError(InvalidError):
    """A file in the home cannot be used."""

    code = "home-invalid"

    def __init__(self, *, file: str, problem: str) -> None:
        self.file, self.problem = file, problem
        super().__init__(f"{file}: {problem}. Whoever starts the entry must write it anew.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntrySettings:
    """
    What an entry is started with (``entry.json``).

    Attributes
    ----------
    host, port
        Where it answers consuming applications; port 0 takes a free one.
    grpc_port
        Where it answers by gRPC, on the same host; None for not at all.
    artifacts
        URL of the artefact store.
    packages, environments, scratch
        Folders, absolute: verified snapshots and built environments, which several processes share, and
        scratch of its own.
    policy
        What the control plane grants to the models of this runtime's group.
    http, hosting
        Limits for clients, and how deployments are kept.
    access_log
        Whether a line about each request is written to ``access.log``.
    request_timeout_s
        The longest that one request may take.
    notice_s
        How long the entry, when it ends, says that it is not ready before it stops to accept connections;
        as long as whoever spreads the load needs to notice.
    drain_timeout_s
        How long requests under way may take when the entry ends.
    log
        The prediction log; None for none.
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
    policy: ModelPolicy = ModelPolicy()
    grpc_port: int | None = None
    access_log: bool = False
    http: HttpLimits = HttpLimits()  # noqa: RUF009 frozen
    hosting: HostingLimits = HostingLimits()  # noqa: RUF009 frozen
    request_timeout_s: float = 30.0
    notice_s: float = 0.0
    drain_timeout_s: float = 30.0
    log: LogSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """
    Which process serves (``process.json``), written once it can be asked.

    `start_time` in clock ticks since boot and `boot_id` tell this process from a later one with its id.
    """

    pid: int
    start_time: int
    boot_id: str
    started_at: str
    socket: str
    address: str


class Home:
    """
    The folder of one entry.

    Parameters
    ----------
    folder
        It exists, and holds at least ``entry.json`` and ``secret``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock: int | None = None
        self._short: Path | None = None

    def hold(self) -> None:
        """
        Hold the home until this process ends.

        Raises
        ------
        HomeHeldError
            When another process does.
        """
        lock = os.open(self.folder / "entry.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise HomeHeldError(home=str(self.folder)) from None
        self._lock = lock

    def settings(self) -> EntrySettings:
        """
        Read ``entry.json``.

        Raises
        ------
        HomeInvalidError
            When it is missing or wrong.
        """
        return self._read(EntrySettings, "entry.json")

    def secret(self) -> str:
        """
        Read the secret that opens the control socket.

        Raises
        ------
        HomeInvalidError
            When it is missing, too short, or readable by others.
        """
        path = self.folder / "secret"
        try:
            secret, mode = path.read_text("ascii").strip(), path.stat().st_mode
        except (OSError, ValueError) as problem:
            raise HomeInvalidError(file=str(path), problem=str(problem)) from None
        if mode & 0o077:
            raise HomeInvalidError(file=str(path), problem="others may read it; its mode is 0600")
        if len(secret) < 16:
            raise HomeInvalidError(file=str(path), problem="it has fewer than 16 characters")
        return secret

    def desired(self) -> Desired | None:
        """
        Read what the entry held last, None where it never held anything.

        Raises
        ------
        HomeInvalidError
            When the file is not whole; it is only ever replaced whole, so somebody has altered it.
        """
        if not (self.folder / "desired.json").exists():
            return None
        return self._read(Desired, "desired.json")

    def keep_desired(self, desired: Desired) -> None:
        """Keep what the entry holds; it is safe on the disk when this returns."""
        self._write("desired.json", canonical(desired))

    def keep_process(self, *, address: str, socket: Path, started_at: datetime) -> None:
        """Write who serves."""
        stat = Path("/proc/self/stat").read_text("utf-8", "replace")
        record = ProcessRecord(
            pid=os.getpid(),
            start_time=int(stat[stat.rindex(")") + 2 :].split()[START_TIME_FIELD]),
            boot_id=BOOT_ID.read_text("ascii").strip(),
            started_at=rfc3339(started_at),
            socket=str(socket),
            address=address,
        )
        self._write("process.json", canonical(record))

    def socket(self) -> Path:
        """Give the control socket's path, in a short private folder where the home's own is too long."""
        path = self.folder / "control.sock"
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            self._short = Path(tempfile.mkdtemp(prefix="pilothouse-"))
            return self._short / "control.sock"
        path.unlink(missing_ok=True)  # the lock is held, so nobody listens on it
        return path

    def leave(self) -> None:
        """Take away what only a running process has."""
        (self.folder / "process.json").unlink(missing_ok=True)
        (self.folder / "control.sock").unlink(missing_ok=True)
        if self._short is not None:
            shutil.rmtree(self._short, ignore_errors=True)

    def _read(self, kind: type[T], name: str) -> T:
        path = self.folder / name
        try:
            return from_plain(kind, json.loads(path.read_bytes()))
        except (OSError, ValueError, DocumentError) as problem:
            raise HomeInvalidError(file=str(path), problem=str(problem)) from None

    def _write(self, name: str, content: bytes) -> None:
        beside = self.folder / f".{name}.new"
        with beside.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

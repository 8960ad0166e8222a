"""Entries on this host: started, found again, asked, drained."""

from __future__ import annotations

import signal
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.connectors.local.control import ControlSocket
from pilothouse.connectors.local.environment import passed_on
from pilothouse.connectors.local.errors import AddressInvalidError, EntryRefusedError
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
from pilothouse.connectors.local.homes import (
    SETTINGS_SCHEMA,
    EntryHome,
    EntryProcess,
    EntrySettings,
    Homes,
)
from pilothouse.connectors.local.processes import (
    Offspring,
    ProcessIdentity,
    identity_of,
    is_alive,
    send,
    wait_gone,
)
from pilothouse.domain.errors import NotSupportedError
from pilothouse.domain.runtimes import ACCESS_LOG, RuntimeUnreachableError

if TYPE_CHECKING:
    from pilothouse.connectors.settings import ConnectorSettings
    from pilothouse.domain.runtimes import Runtime

SCORING = (sys.executable, "-m", "pilothouse.scoring")
SECRET_BYTES = 32
NO_ADDRESS = "it was registered without an address, so it holds batch jobs only"
POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an entry may take: to answer after its start, to drain by itself, to end after SIGTERM."""

    start_s: float = 30.0
    drain_s: float = 65.0
    terminate_s: float = 5.0


class Entries:
    """
    The entries of this host, at most one process for each home, whoever starts it.

    Parameters
    ----------
    settings
        What the control plane tells its connectors.
    homes
        Where files are kept.
    patience
        How long to wait.
    command
        How a scoring process is started; its arguments follow.
    """

    def __init__(
        self,
        settings: ConnectorSettings,
        *,
        homes: Homes,
        patience: Patience,
        command: tuple[str, ...] = SCORING,
    ) -> None:
        self._settings, self._homes = settings, homes
        self._patience, self._command = patience, command
        self._offspring = Offspring()

    def running(self, runtime: Runtime) -> ControlSocket | None:
        """Give the control socket of the runtime's living entry, or None."""
        self._offspring.reap()
        home = self._homes.entry(runtime.id)
        process = read_document(EntryProcess, home.process)
        if process is None or not is_locked(home.lock) or not is_alive(_identity(process)):
            return None
        return ControlSocket(
            runtime=runtime.name, socket=process.socket, secret=home.secret.read_text()
        )

    def started(self, runtime: Runtime) -> ControlSocket:
        """
        Give the control socket of the entry, which is started if it does not run.

        An entry that runs with other settings than it should have is stopped first.

        Raises
        ------
        RuntimeUnreachableError
            When it ends at once or does not answer in time, with the last words of its log.
        NotSupportedError
            When the runtime has no address.
        """
        home = self._homes.entry(runtime.id)
        settings = self._entry_settings(runtime)
        make_folder(home.folder)
        with locked(home.starting):
            changed = write_document(home.settings, settings)
            if changed:
                self._stop(runtime, home)
            return self.running(runtime) or self._start(runtime, home)

    def stop(self, runtime: Runtime) -> None:
        """Drain the entry and end it; nothing of it runs when this returns."""
        home = self._homes.entry(runtime.id)
        if home.folder.is_dir():
            with locked(home.starting):
                self._stop(runtime, home)

    def _start(self, runtime: Runtime, home: EntryHome) -> ControlSocket:
        if not home.secret.exists():
            write_whole(home.secret, self._settings.ids.entropy(SECRET_BYTES).hex().encode())
        rotate(home.log)
        pid = self._offspring.start(
            [*self._command, "serve", "--home", str(home.folder)],
            environment=passed_on(self._settings.environment, granted=self._settings.granted),
            output=home.log,
        )
        deadline = time.monotonic() + self._patience.start_s
        while time.monotonic() < deadline:
            self._offspring.reap()
            control = self.running(runtime)
            if control is not None:
                return control
            if identity_of(pid) is None and not is_locked(home.lock):
                raise self._failed(runtime, home, "its entry ended while starting")
            time.sleep(POLL_S)
        raise self._failed(
            runtime, home, f"its entry gave no answer within {self._patience.start_s:g} s"
        )

    def _stop(self, runtime: Runtime, home: EntryHome) -> None:
        if not is_locked(home.lock):
            return
        identity = self._holder(runtime, home)
        if identity is None:
            return
        gone = self._drained(runtime, identity)
        if not gone and send(identity, signal.SIGTERM):
            gone = wait_gone(identity, timeout_s=self._patience.terminate_s)
        if not gone and send(identity, signal.SIGKILL):
            wait_gone(identity, timeout_s=self._patience.terminate_s)
        self._offspring.reap()
        if is_alive(identity):
            raise RuntimeUnreachableError(
                runtime=runtime.name, problem=f"its entry, process {identity.pid}, does not end"
            )

    def _drained(self, runtime: Runtime, identity: ProcessIdentity) -> bool:
        """Ask the entry to drain and end; give whether it has."""
        try:
            control = self.running(runtime)
            if control is not None:
                control.drain()
        except (RuntimeUnreachableError, EntryRefusedError):
            return False  # it cannot be asked; the signals that follow need no answer
        return wait_gone(identity, timeout_s=self._patience.drain_s)

    def _holder(self, runtime: Runtime, home: EntryHome) -> ProcessIdentity | None:
        """Give the process that holds the entry's lock, None once nobody does; it may have just been started."""
        deadline = time.monotonic() + self._patience.start_s
        while time.monotonic() < deadline:
            if not is_locked(home.lock):
                return None
            process = read_document(EntryProcess, home.process)
            if process is not None and is_alive(_identity(process)):
                return _identity(process)
            time.sleep(POLL_S)
        raise self._failed(runtime, home, "its entry runs and does not say which process it is")

    def _entry_settings(self, runtime: Runtime) -> EntrySettings:
        host, port = _listening(runtime)
        scratch = self._homes.entry(runtime.id).folder / "scratch"
        return EntrySettings(
            schema=SETTINGS_SCHEMA,
            runtime_id=runtime.id,
            stage=runtime.stage,
            host=host,
            port=port,
            artifacts=self._settings.artifacts,
            packages=str(self._homes.packages),
            environments=str(self._homes.environments),
            scratch=str(scratch),
            policy=self._settings.policy_of(runtime.group),
            grpc_port=runtime.grpc_port,
            access_log=runtime.options.get(ACCESS_LOG) is True,
            log=self._settings.prediction_log,
        )

    def _failed(self, runtime: Runtime, home: EntryHome, problem: str) -> RuntimeUnreachableError:
        words = " | ".join(last_lines(home.log, lines=3)) or "it logged nothing"
        return RuntimeUnreachableError(runtime=runtime.name, problem=f"{problem} ({words[:600]})")


def _identity(process: EntryProcess) -> ProcessIdentity:
    return ProcessIdentity(pid=process.pid, start_time=process.start_time, boot_id=process.boot_id)


def _listening(runtime: Runtime) -> tuple[str, int]:
    if runtime.address is None:
        raise NotSupportedError(f"Runtime {runtime.name} hosts nothing online: {NO_ADDRESS}.")
    host, _, port = runtime.address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise AddressInvalidError(runtime=runtime.name, address=runtime.address)
    return host.removeprefix("[").removesuffix("]"), int(port)

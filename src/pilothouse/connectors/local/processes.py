"""
Processes of this host that outlive the one that started them, and are known again afterwards.

A process id alone proves nothing: ids are used again, and a restart of the host starts them over. A process
is the one of a record only if the host has not restarted since, and the process with that id started at that very clock
tick (proc(5), ``/proc/[pid]/stat`` field 22).
"""

from __future__ import annotations

import os
import select
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STATE, _START_TIME = 0, 19  # of the fields after the command's closing parenthesis
_DEAD = ("Z", "X", "x")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """
    One process, told apart from every other that had or will have its id.

    Attributes
    ----------
    pid
        Its id.
    start_time
        When it started, in clock ticks since the host's boot.
    boot_id
        Which boot of the host that was.
    """

    pid: int
    start_time: int
    boot_id: str


def identity_of(pid: int) -> ProcessIdentity | None:
    """Give the identity of the living process with this id, or None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(")") + 2 :].split()
    if fields[_STATE] in _DEAD:
        return None
    return ProcessIdentity(
        pid=pid, start_time=int(fields[_START_TIME]), boot_id=BOOT_ID.read_text().strip()
    )


def is_alive(identity: ProcessIdentity) -> bool:
    """Whether this very process runs."""
    return identity_of(identity.pid) == identity


def send(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Send a signal to this very process and to no other; give whether it was there."""
    return _with_handle(identity, number=number, timeout_s=None)


def wait_gone(identity: ProcessIdentity, *, timeout_s: float) -> bool:
    """Wait until this very process has ended, at most `timeout_s` seconds; give whether it has."""
    return not _with_handle(identity, number=None, timeout_s=timeout_s)


def _with_handle(
    identity: ProcessIdentity, *, number: signal.Signals | None, timeout_s: float | None
) -> bool:
    """Signal the process, wait for its end; give whether it was there, and still is after a wait."""
    try:
        handle = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return False
    try:
        # The handle stays with one process whatever becomes of the id, so what is checked now stays true.
        if not is_alive(identity):
            return False
        if number is not None:
            signal.pidfd_send_signal(handle, number)
        if timeout_s is not None:
            return not select.select([handle], [], [], timeout_s)[0]
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


class Offspring:
    """
    Starts processes in sessions of their own, so that they live on when this one ends.

    `reap` takes the ended ones from the system's table; it is safe in any thread.
    """

    def __init__(self) -> None:
        self._pids: set[int] = set()
        self._lock = threading.Lock()

    def start(self, argv: Sequence[str], *, environment: Mapping[str, str], output: Path) -> int:
        """
        Start a process and give its id.

        Parameters
        ----------
        argv
            The program's absolute path and its arguments.
        environment
            All of its variables.
        output
            The file that what it prints is appended to.
        """
        self.reap()
        appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with self._lock:
            pid = os.posix_spawn(
                argv[0],
                list(argv),
                dict(environment),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, str(output), appending, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                    *_closing(),
                ],
                setsid=True,
            )
            self._pids.add(pid)
        return pid

    def reap(self) -> None:
        """Take note of every child that has ended."""
        with self._lock:
            for pid in list(self._pids):
                ended, _ = os.waitpid(pid, os.WNOHANG)
                if ended:
                    self._pids.discard(pid)


def _closing() -> list[tuple[int, int]]:
    """
    Close what this process itself inherited, so that no child holds a pipe or socket of somebody else open.

    What Python opens is never inherited (PEP 446). One that another thread closes meanwhile is no error.
    """
    inherited = []
    for entry in os.listdir("/proc/self/fd"):  # noqa: PTH208 names alone, no paths
        try:
            if int(entry) > 2 and os.get_inheritable(int(entry)):
                inherited.append((os.POSIX_SPAWN_CLOSE, int(entry)))
        except OSError:
            continue  # closed since the listing, so nothing is left to close
    return inherited

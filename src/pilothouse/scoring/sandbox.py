"""
The sandbox: a bubblewrap command line around a model's process, where this machine can run one.

Inside there are the system's libraries, the model's environment and the folders that it must read, all
read-only; a private ``/tmp`` of bounded size; no network, no other process, no capability.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.scoring.environments import Environment

PROBE_TIMEOUT_S = 30
TEMPORARY_BYTES = 256 * 2**20
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/alternatives",
)
UNSHARED = (
    "--unshare-user-try",
    "--unshare-pid",
    "--unshare-net",
    "--unshare-ipc",
    "--unshare-uts",
    "--unshare-cgroup-try",
)


class IsolationLevel(StrEnum):
    """What stands between a model and the host."""

    SANDBOX = "process+bubblewrap"
    PROCESS = "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A way to start a model's process."""

    level: IsolationLevel
    prefix: tuple[str, ...] = ()

    def command(
        self, argv: Sequence[str], *, reads: Sequence[Path], writes: Sequence[Path] = ()
    ) -> list[str]:
        """Give the command line that runs `argv` so that it sees the folders `reads` and `writes` and no others."""
        match self.level:
            case IsolationLevel.PROCESS:
                return list(argv)
            case IsolationLevel.SANDBOX:
                written = [part for path in writes for part in ("--bind", str(path), str(path))]
                return [*self.prefix, *_bound(reads), *written, "--", *argv]


PLAIN = Sandbox(level=IsolationLevel.PROCESS)


def find_sandbox(environment: Environment) -> Sandbox:
    """Give the strongest isolation in which this environment's Python runs on this machine."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return PLAIN
    sandbox = Sandbox(level=IsolationLevel.SANDBOX, prefix=(bwrap, *_walls()))
    return sandbox if _works(sandbox, environment) else PLAIN


def interpreter_folders(environment: Environment) -> list[Path]:
    """Give what an environment's Python reads: the environment itself and the Python that it was made from."""
    folder = environment.python.parent.parent
    return [folder, environment.python.resolve().parent.parent]


@functools.cache
def _works(sandbox: Sandbox, environment: Environment) -> bool:
    argv = [str(environment.python), "-I", "-c", "import ctypes, json, resource, select"]
    command = sandbox.command(argv, reads=interpreter_folders(environment))
    try:
        done = subprocess.run(  # noqa: S603  our own command line
            command, check=False, capture_output=True, timeout=PROBE_TIMEOUT_S, env={}
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _walls() -> tuple[str, ...]:
    walls = [*UNSHARED, "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    for folder in (*SYSTEM_FOLDERS, *SYSTEM_FILES):
        path = Path(folder)
        if path.is_symlink():
            walls += ["--symlink", str(path.readlink()), folder]
        elif path.exists():
            walls += ["--ro-bind", folder, folder]
    walls += ["--proc", "/proc", "--dev", "/dev", "--size", str(TEMPORARY_BYTES), "--tmpfs", "/tmp"]  # noqa: S108  its own
    return (*walls, "--chdir", "/")


def _bound(reads: Sequence[Path]) -> list[str]:
    binds = []
    for path in dict.fromkeys(reads):
        if not any(path.is_relative_to(folder) for folder in SYSTEM_FOLDERS):
            binds += ["--ro-bind", str(path), str(path)]
    return binds

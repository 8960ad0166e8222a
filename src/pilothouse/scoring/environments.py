"""Environments: requirements locked with hashes, and virtual environments built once per lock."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uv

from pilothouse.scoring.locks import locked_names, requirement_names
from pilothouse.scoring.model_errors import (
    EnvironmentFailedError,
    LockFailedError,
    PythonMissingError,
)
from pilothouse.scoring.once import build_once

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNNING_PYTHON = ".".join(platform.python_version_tuple()[:2])
PASSED_ON = frozenset(
    {
        "PATH",
        "HOME",
        "XDG_CACHE_HOME",
        "UV_CACHE_DIR",
        "UV_CONFIG_FILE",
        "UV_DEFAULT_INDEX",
        "UV_EXTRA_INDEX_URL",
        "UV_FIND_LINKS",
        "UV_HTTP_TIMEOUT",
        "UV_INDEX",
        "UV_INDEX_STRATEGY",
        "UV_INDEX_URL",
        "UV_LINK_MODE",
        "UV_NATIVE_TLS",
        "UV_OFFLINE",
        "UV_SYSTEM_CERTS",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "ALL_PROXY",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "all_proxy",
        "https_proxy",
        "http_proxy",
        "no_proxy",
    }
)
"""Where packages are cached and how an index is reached: all that an installer learns of its caller's settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment: its interpreter, and the SHA-256 of the lock that it was built from."""

    python: Path
    digest: str


class Environments:
    """
    The virtual environments of this machine, one per (lock, Python version).

    Safe for several threads and processes with one folder. Only wheels are installed: building a source
    package would run its author's code with the builder's rights.

    Parameters
    ----------
    folder
        Where environments are kept.
    timeout_s
        How long locking or building may take.
    """

    def __init__(self, folder: Path, *, timeout_s: float = 900.0) -> None:
        self._folder, self._timeout_s = folder, timeout_s

    def lock(self, requirements: Sequence[str], *, python: str = RUNNING_PYTHON) -> str:
        """
        Resolve requirements to exact versions with hashes, in pip's format.

        Parameters
        ----------
        requirements
            Named packages with versions, extras and markers (PEP 508); none gives an empty lock.
        python
            The Python version to resolve for, ``3.11``.

        Raises
        ------
        RequirementRefusedError
            When one is an option, an address, a path or not readable.
        LockFailedError
            When they cannot be resolved; with the resolver's last words.
        """
        if not requirement_names(requirements):
            return ""
        order = ["pip", "compile", "-", "--generate-hashes", "--python-version", python]
        order += ["--no-emit-index-url", "--no-annotate", "--no-header", "--only-binary", ":all:"]
        done = self._uv([*order, "--quiet"], text="\n".join(requirements) + "\n")
        if done.returncode != 0:
            raise LockFailedError(log=done.stderr)
        locked_names(done.stdout)
        return done.stdout

    def ensure(self, lock: str, *, python: str = RUNNING_PYTHON) -> Environment:
        """
        Give the environment of a lock, building it first where it is not there yet.

        Raises
        ------
        LockInvalidError
            When the lock holds anything but exact versions with hashes.
        PythonMissingError
            When this machine has no such Python.
        EnvironmentFailedError
            When it cannot be built; with the installer's last words.
        """
        locked_names(lock)
        digest = hashlib.sha256(lock.encode()).hexdigest()
        folder = build_once(
            self._folder.resolve() / f"{digest}-{python}",
            build=lambda partial, held: self._build(partial, lock, python=python, held=held),
            # The Python that it was made from may have been removed since.
            whole=lambda there: (there / "bin" / "python").exists(),
        )
        return Environment(python=folder / "bin" / "python", digest=digest)

    def _build(self, partial: Path, lock: str, *, python: str, held: int) -> None:
        made = self._uv(
            [
                "venv",
                "--allow-existing",
                "--relocatable",
                "--python",
                self._interpreter(python),
                str(partial),
            ],
            held=held,
        )
        self._expect(made, lock)
        if not locked_names(lock):
            return
        file = partial / "requirements.lock"
        file.write_text(lock, "utf-8")
        # Bytecode now: the environment is read-only for models, so each start would compile everything again.
        order = ["pip", "sync", "--require-hashes", "--compile-bytecode", "--only-binary", ":all:"]
        order += ["--python", str(partial)]
        self._expect(self._uv([*order, str(file)], held=held), lock)

    def _expect(self, done: subprocess.CompletedProcess[str], lock: str) -> None:
        if done.returncode != 0:
            digest = hashlib.sha256(lock.encode()).hexdigest()
            raise EnvironmentFailedError(digest=digest, log=done.stderr)

    def _interpreter(self, python: str) -> str:
        if python == RUNNING_PYTHON:
            return sys.executable
        found = self._uv(["python", "find", "--system", python])
        if found.returncode != 0:
            raise PythonMissingError(python=python)
        return found.stdout.strip()

    def _uv(
        self, order: Sequence[str], *, text: str = "", held: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run uv; a time-out is a failure with its own words."""
        command = [uv.find_uv_bin(), "--no-progress", "--no-python-downloads", *order]
        try:
            return subprocess.run(  # noqa: S603  arguments are ours; requirements go by stdin
                command,
                input=text,
                text=True,
                capture_output=True,
                check=False,
                timeout=self._timeout_s,
                env=installer_environ(),
                cwd="/",  # not a project's folder, whose settings uv would read
                pass_fds=() if held is None else (held,),
            )
        except subprocess.TimeoutExpired:
            words = f"it did not finish within {self._timeout_s:g} s"
            return subprocess.CompletedProcess(command, 124, stdout="", stderr=words)


def installer_environ() -> dict[str, str]:
    """
    Give the environment variables that an installer gets: cache, index, certificates and proxy, no secret of ours.

    The index that pip is told of stands in where uv is told of none.
    """
    kept = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    if not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(kept) and "PIP_INDEX_URL" in os.environ:
        kept["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    if "SSL_CERT_FILE" not in kept and "REQUESTS_CA_BUNDLE" in kept:
        kept["SSL_CERT_FILE"] = kept["REQUESTS_CA_BUNDLE"]
    return kept

"""Secrets of the environment, of files, and of plug-ins."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.domain.secrets import (
    SecretExposedError,
    SecretMissingError,
    SecretReferenceError,
    parse_reference,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.ports.secrets import SecretSource

MAXIMUM_BYTES = 64 * 1024


class EnvironmentSecrets:
    """``env:NAME``: a variable of this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def resolve(self, reference: str) -> str:
        """Give the variable's value; it must be set and not empty."""
        value = self._environment.get(parse_reference(reference).name)
        if not value:
            raise SecretMissingError(
                reference=reference, problem="the environment variable is not set or is empty"
            )
        return value


class FileSecrets:
    """``file:/path``: a file that only this process's user can read."""

    def resolve(self, reference: str) -> str:
        """Give the file's text without its last line end."""
        path = Path(parse_reference(reference).name)
        if not path.is_absolute():
            raise SecretMissingError(reference=reference, problem="the path is not absolute")
        try:
            with os.fdopen(_opened(path), "rb") as file:
                _check_private(os.fstat(file.fileno()), reference=reference)
                content = file.read(MAXIMUM_BYTES + 1)
        except OSError as problem:
            raise SecretMissingError(
                reference=reference, problem=problem.strerror or "it cannot be opened"
            ) from problem
        return _text(content, reference=reference)


class Secrets:
    """
    Every scheme in one: the built-in sources, and plug-ins where a reference asks for one.

    Parameters
    ----------
    environment
        What ``env:`` reads; `os.environ` in a real process.
    """

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        self._sources: dict[str, SecretSource] = {
            "env": EnvironmentSecrets(environment),
            "file": FileSecrets(),
        }

    def resolve(self, reference: str) -> str:
        """
        Read the secret that a reference names.

        Raises
        ------
        SecretReferenceError
            When the text is no reference, or no source answers for its scheme.
        SecretMissingError
            When there is no such secret, or it is empty.
        SecretExposedError
            When others could read the file that holds it.

        Examples
        --------
        >>> Secrets(environment={"SMTP_PASSWORD": "s3cret"}).resolve("env:SMTP_PASSWORD")
        's3cret'
        """
        return self._source(parse_reference(reference).scheme).resolve(reference)

    def _source(self, scheme: str) -> SecretSource:
        if scheme not in self._sources:
            point = installed(PluginKind.SECRET_SOURCE).get(scheme)
            if point is None:
                raise SecretReferenceError(scheme=scheme)
            self._sources[scheme] = cast("SecretSource", point.load()())
        return self._sources[scheme]


def _opened(path: Path) -> int:
    # A named pipe would hold the caller until somebody writes to it.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _check_private(facts: os.stat_result, *, reference: str) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise SecretExposedError(reference=reference, problem="it is not a regular file")
    if facts.st_uid not in (0, os.geteuid()):
        raise SecretExposedError(
            reference=reference, problem=f"its file belongs to user {facts.st_uid}"
        )
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o077:
        raise SecretExposedError(
            reference=reference, problem=f"its file has mode {mode:04o}, open to others"
        )


def _text(content: bytes, *, reference: str) -> str:
    if len(content) > MAXIMUM_BYTES:
        raise SecretMissingError(
            reference=reference, problem=f"the file is larger than {MAXIMUM_BYTES} bytes"
        )
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise SecretMissingError(
            reference=reference, problem="the file is not UTF-8 text"
        ) from None
    if not text:
        raise SecretMissingError(reference=reference, problem="the file is empty")
    return text

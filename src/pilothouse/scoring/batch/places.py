"""Paths below a location's root, resolved on this machine, never outside it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from pilothouse.domain.locations import STAGING, LocationRefusedError
from pilothouse.domain.snapshots import PathInvalidError, check_path


def open_source(root: str, path: str) -> BinaryIO:
    """
    Open an input file for reading.

    Raises
    ------
    LocationRefusedError
        When the path leaves the root, by itself or by a link, or names no plain file.
    """
    base, below = _root(root), _below(root, path)
    real = _resolved(base, below, root=root, path=path)
    try:
        # Not blocking, so that a named pipe is refused and not waited for.
        descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        raise _refused(root, path, f"it cannot be opened ({problem.strerror})") from problem
    opened = Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 the file that was opened
    if not opened.is_relative_to(base) or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _refused(root, path, "it is no plain file below the root")
    return os.fdopen(descriptor, "rb")


def target_folder(root: str, path: str) -> tuple[Path, Path]:
    """
    Give the real root and the output folder below it, whose parents are made where missing.

    Raises
    ------
    LocationRefusedError
        When the path leaves the root, by itself or by a link, or a parent is no folder.
    """
    base, below = _root(root), _below(root, path)
    if below.parts[0] == STAGING:
        raise _refused(root, path, "that folder is for output that is not finished")
    parent = _resolved(base, below.parent, root=root, path=path)
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _refused(root, path, f"its parent cannot be made ({problem.strerror})") from problem
    return base, parent / below.name


def _root(root: str) -> Path:
    try:
        base = Path(root).resolve(strict=True)
    except OSError as problem:
        raise _refused(root, "", f"the root cannot be entered ({problem.strerror})") from problem
    if not base.is_dir():
        raise _refused(root, "", "the root is no folder")
    return base


def _below(root: str, path: str) -> Path:
    try:
        return Path(check_path(path))
    except PathInvalidError as problem:
        raise _refused(root, path, "it is not a plain relative path") from problem


def _resolved(base: Path, below: Path, *, root: str, path: str) -> Path:
    try:
        real = (base / below).resolve()
    except (OSError, RuntimeError) as problem:  # a loop of links
        raise _refused(root, path, "its links lead in a circle") from problem
    if not real.is_relative_to(base):
        raise _refused(root, path, "a link on the way leads outside the root")
    return real


def _refused(root: str, path: str, problem: str) -> LocationRefusedError:
    return LocationRefusedError(location=root, path=path, problem=problem)

"""Secrets that an installation makes for itself and keeps in files of its own user alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700


def keep_text(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole and durably, over one that is there."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    opened = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(opened, "w", encoding="utf-8") as out:
        out.write(text + "\n")
        out.flush()
        os.fsync(out.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """
    Give the secret that a file keeps, or make one and keep it.

    Two processes that start at the same moment get the same: the file is linked into place once.
    """
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        keep_text(fresh, make())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its secret is the one that counts
        finally:
            fresh.unlink()
    return path.read_text(encoding="utf-8").strip()

"""Folders that are built once and whole, whichever of several processes comes first and whenever one is killed."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def only_one(lock: Path) -> Iterator[int]:
    """
    Hold a lock file for the length of a block, against every thread and process of this machine.

    Gives the file's descriptor: a child that inherits it holds the lock on when this process is killed
    (flock(2)), so nobody else starts while it still writes.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield held.fileno()


def build_once(
    target: Path, *, build: Callable[[Path, int], None], whole: Callable[[Path], bool]
) -> Path:
    """
    Give a folder, building it first where it is not there whole.

    Parameters
    ----------
    target
        The folder; beside it stand ``<name>.lock`` and, while it is built, ``<name>.partial``.
    build
        Fills the partial folder, which is then renamed; also given the lock's descriptor.
    whole
        Says whether a folder that is there can be used; one that cannot is built anew.
    """
    lock = target.with_name(target.name + ".lock")
    partial = target.with_name(target.name + ".partial")
    with only_one(lock) as held:
        if target.exists():
            if whole(target):
                return target
            shutil.rmtree(target)
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir()
        try:
            build(partial, held)
            partial.rename(target)
        finally:
            if partial.exists():
                shutil.rmtree(partial)
    return target

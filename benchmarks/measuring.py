"""What the operating system knows: cores, processor time and memory of process trees, the machine (Linux)."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MEBIBYTE = 2**20
# Fields of /proc/PID/stat, counted from the state after the command's closing parenthesis (proc(5)).
PARENT, ALL_TIMES, RESIDENT_PAGES = 1, slice(11, 15), 21
LIBRARIES = (
    "pilothouse",
    "fastapi",
    "httptools",
    "msgspec",
    "numpy",
    "pandas",
    "psycopg",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "skops",
    "sqlalchemy",
    "uvicorn",
    "uvloop",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores:
    """Where servers run and where their clients do; one and the same core where there is only one."""

    server: int
    client: int


def pinned_cores() -> Cores:
    """Choose from the cores that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(server=usable[0], client=usable[-1])


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep this thread on one core; processes that are started meanwhile stay there for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """
    What a process and its descendants use.

    Attributes
    ----------
    cpu_s
        Processor time so far, with that of descendants that ended and were waited for.
    rss_mib
        Resident memory now; pages that several of them share count for each.
    """

    cpu_s: float
    rss_mib: float


def tree_use(root: int) -> Use:
    """Look at a process and all its descendants."""
    stats = _tree(root).values()
    ticks = sum(int(time) for stat in stats for time in stat[ALL_TIMES])
    pages = sum(int(stat[RESIDENT_PAGES]) for stat in stats)
    return Use(cpu_s=ticks * TICK_S, rss_mib=pages * PAGE_BYTES / MEBIBYTE)


def _tree(root: int) -> dict[int, list[str]]:
    every = _stats()
    found, fresh = {}, {root} & set(every)
    while fresh:
        found.update({pid: every[pid] for pid in fresh})
        fresh = {pid for pid, stat in every.items() if int(stat[PARENT]) in fresh}
    return found


def _stats() -> dict[int, list[str]]:
    stats = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text("utf-8")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
            stats[int(entry.name)] = text.rpartition(")")[2].split()
    return stats


def percentile(sorted_values: list[float], share: float) -> float:
    """
    Give the nearest-rank percentile of values in ascending order.

    Examples
    --------
    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    rank = max(1, -(-len(sorted_values) * share // 1))
    return sorted_values[int(rank) - 1]


def machine(scratch: Path) -> dict[str, object]:
    """Describe the machine without naming it; the file system is the one that is written to."""
    lines = (PROC / "cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * PAGE_BYTES
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": memory // MEBIBYTE,
        "system": f"{platform.system()} {platform.release()}",
        "file_system": _file_system(scratch),
        "load_average_before": [round(load, 2) for load in os.getloadavg()],
    }


def _file_system(folder: Path) -> str:
    """Give the type of the file system that holds a folder: that of the longest mount point above it."""
    mounts = [line.split()[1:3] for line in (PROC / "mounts").read_text("utf-8").splitlines()]
    held = [m for m in mounts if folder.resolve().is_relative_to(m[0])]
    return max(held, key=lambda m: len(m[0]))[1]


def versions() -> dict[str, str]:
    """Give the versions of Python and of the libraries that matter here."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), **found}


def commit(folder: Path) -> dict[str, object]:
    """Say which commit was measured, and whether anything was changed since."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return {"commit": git("rev-parse", "HEAD"), "changed_since": bool(git("status", "--porcelain"))}

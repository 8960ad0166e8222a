"""What the writer says of itself, in a file that the entry reads."""

# The codec reads these annotations while the program runs, so their imports are real.
# ruff: noqa: TC003
from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.plain import canonical, from_plain

FILE = "writer.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterStatus:
    """
    How a writer stands.

    Attributes
    ----------
    pid
        Its process.
    at_us
        When it said so, in microseconds since 1970.
    problem
        What stops it, empty while nothing does.
    failures
        How often something stopped it since it began.
    rows
        Rows that it has put into each table since it began.
    sampled_out
        Rows that were left out of the tables on purpose.
    windows, torn, set_aside
        Windows put, segments with a last record that was never whole, and segments that could not be read.
    lag_bytes, lag_s
        What waits, and how old the oldest of it is.
    """

    pid: int
    at_us: int
    problem: str = ""
    failures: int = 0
    rows: Mapping[str, int] = field(default_factory=dict)
    sampled_out: int = 0
    windows: int = 0
    torn: int = 0
    set_aside: int = 0
    lag_bytes: int = 0
    lag_s: float = 0.0


def keep(folder: Path, status: WriterStatus) -> None:
    """Write it at once and whole; it need not survive a power cut."""
    partial = folder / f"{FILE}.{os.getpid()}"
    partial.write_bytes(canonical(status))
    partial.rename(folder / FILE)


def read(folder: Path) -> WriterStatus | None:
    """Read it; None where there is none, or none that can be read."""
    try:
        return from_plain(WriterStatus, json.loads((folder / FILE).read_bytes()))
    except (OSError, ValueError, PilothouseError):
        return None

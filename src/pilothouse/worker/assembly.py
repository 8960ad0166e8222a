"""The worker of a control plane: all its loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.founding import SYSTEM
from pilothouse.worker.driving import driving_loops
from pilothouse.worker.lifecycles import lifecycle_loops, start_loops
from pilothouse.worker.loop import Worker

if TYPE_CHECKING:
    from pilothouse.bootstrap import ControlPlane

EXECUTORS = 2
"""Threads that work on life-cycle jobs; a handler that takes long holds up one of them."""


def build_worker(plane: ControlPlane) -> Worker:
    """Give the worker; nothing runs before it is started."""
    executors = [plane.new_executor(str(number)) for number in range(EXECUTORS)]
    loops = lifecycle_loops(
        executors=executors,
        messages=plane.messages,
        external_jobs=plane.external_jobs,
        who=SYSTEM,
        poll_s=plane.settings.poll_s,
    )
    starts = start_loops(
        starting=plane.starting, timed_starts=plane.timed_starts, poll_s=plane.settings.poll_s
    )
    return Worker((*starts, *loops, *driving_loops(plane, SYSTEM)), clock=plane.clock)

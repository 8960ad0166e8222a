"""
A worker process that is there to be killed: ``python -m tests.integration.lifecycle.killed_worker URL OWNER EFFECTS``.

Its task type appends the idempotency key of each delivery to a file, which is the effect. It works until it is killed,
as the product's own worker does: a database that is away for a while is waited for.
"""

from __future__ import annotations

import os
import sys
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from pilothouse.application.calls import Calls
from pilothouse.application.founding import SYSTEM
from pilothouse.lifecycle.executor import Executor
from pilothouse.lifecycle.library import Library
from pilothouse.lifecycle.moving import Moving
from pilothouse.lifecycle.tasks.contract import Done, TaskType
from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.persistence.engine import Database
from pilothouse.worker.loop import Loop, Worker

if TYPE_CHECKING:
    from pilothouse.lifecycle.tasks.contract import Facilities, TaskContext
    from pilothouse.lifecycle.tasks.registry import TaskTypes

TOPIC, LEASE_S, PAUSE_S = "probe", 0.5, 0.005


class Recording:
    """The task type of every topic: it writes down the key that it was called with."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def of(self, topic: str) -> TaskType:
        """Give the task type."""
        return TaskType(topic=topic, parameters={}, handle=self._handle)

    def _handle(self, context: TaskContext) -> Done:
        os.write(self._file, f"{context.job.id}\n".encode())
        return Done()


def main(url: str, owner: str, effects: str) -> None:
    """Work until the process is killed."""
    clock = SystemClock()
    database = Database.connect(url, subscribers={}, clock=clock, ids=SystemIds())
    known = SimpleNamespace(
        open_work=database.open_work,
        clock=clock,
        calls=Calls(open_work=database.open_work),
        results_location="results",
    )
    executor = Executor(
        facilities=cast("Facilities", known),
        task_types=cast("TaskTypes", Recording(effects)),
        moving=Moving(library=Library(), own_topics=frozenset({TOPIC})),
        who=SYSTEM,
        owner=owner,
        lease_s=LEASE_S,
    )
    jobs = Loop(name="jobs", run_once=executor.run_once, next_due=executor.next_due, poll_s=PAUSE_S)
    Worker((jobs,), clock=clock).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What moves life cycles, on a database of its own, with a task type that does nothing and a clock that can be moved."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from sqlalchemy import event, text
from sqlalchemy.engine import Engine

from pilothouse.application.calls import Calls
from pilothouse.application.founding import FIRST_GROUP, SYSTEM, Founding
from pilothouse.lifecycle.definitions import Definitions, definition_named
from pilothouse.lifecycle.executor import Executor
from pilothouse.lifecycle.library import Library
from pilothouse.lifecycle.moving import Moving
from pilothouse.lifecycle.subjects import Subject, planned
from pilothouse.lifecycle.tasks.contract import Done, TaskType
from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.persistence.addresses import DatabaseOptions, engine_for
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import migrate
from pilothouse.security.tokens import Mint
from tests.integration.lifecycle.drawings import drawing, service

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.lifecycle.tasks.contract import Facilities, TaskContext
    from pilothouse.lifecycle.tasks.registry import TaskTypes

NOTHING, TASKS = "do-nothing", 10
STEPS, TIMERS, LOOP = "bench-steps", "bench-timers", "bench-loop"
TOGETHER = 200
"""Runs that are begun in one unit of work; how fast runs begin is not measured."""


@dataclass
class MovedClock:
    """The machine's clock, moved on by hand."""

    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Give the present moment, and what it was moved by."""
        return SystemClock().now() + self.ahead


class NothingTypes:
    """A task type for every topic, which does nothing."""

    def of(self, topic: str) -> TaskType:
        """Give the task type of a topic."""
        return TaskType(topic=topic, parameters={}, handle=self._handle)

    def _handle(self, _: TaskContext) -> Done:
        return Done()


@dataclass
class Counts:
    """Statements and commits of this process since the plane was made, on whatever database."""

    statements: int = 0
    commits: int = 0


@dataclass
class LifecyclePlane:
    """Everything that moves runs, over a database."""

    url: str
    clock: MovedClock = field(default_factory=MovedClock)
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        ids = SystemIds()
        migrate(self.url)
        self.database = Database.connect(self.url, subscribers={}, clock=self.clock, ids=ids)
        self.open_work = self.database.open_work
        Founding(open_work=self.open_work, mint=Mint(ids=ids)).found(keep_token=lambda _: None)
        self.moving = Moving(library=Library(), own_topics=frozenset({NOTHING}))
        self._looking = engine_for(self.url, DatabaseOptions())
        event.listen(Engine, "before_cursor_execute", self._count_statement)
        event.listen(Engine, "commit", self._count_commit)

    def _count_statement(self, *_: object) -> None:
        self.counts.statements += 1

    def _count_commit(self, *_: object) -> None:
        self.counts.commits += 1

    def close(self) -> None:
        """Close the database."""
        event.remove(Engine, "before_cursor_execute", self._count_statement)
        event.remove(Engine, "commit", self._count_commit)
        self._looking.dispose()
        self.database.dispose()

    def upload(self) -> None:
        """Upload the three drawings."""
        definitions = Definitions(open_work=self.open_work, topics={NOTHING: None})
        for xml in (row_of_tasks(), timer_and_task(), loop()):
            definitions.upload(SYSTEM, group=FIRST_GROUP, xml=xml)

    def start(self, key: str, runs: int) -> list[str]:
        """Begin runs of a drawing, many in one unit of work, and give their ids."""
        started: list[str] = []
        while len(started) < runs:
            with self.open_work(SYSTEM) as work:
                definition = definition_named(work, key)
                for _ in range(min(TOGETHER, runs - len(started))):
                    heading, begin = planned(work, definition, Subject(), actor=SYSTEM.person_id)
                    self.moving.begin(work, heading, begin)
                    started.append(heading.run_id)
                work.commit(None)
        return started

    def executor(self, owner: str) -> Executor:
        """Give a worker."""
        known = SimpleNamespace(
            open_work=self.open_work,
            clock=self.clock,
            calls=Calls(open_work=self.open_work),
            results_location="results",
        )
        return Executor(
            facilities=cast("Facilities", known),
            task_types=cast("TaskTypes", NothingTypes()),
            moving=self.moving,
            who=SYSTEM,
            owner=owner,
        )

    def work(self, executor: Executor) -> tuple[float, float]:
        """Work until nothing is due; give the seconds that passed and those of the processor."""
        begun, cpu = time.perf_counter(), time.process_time()
        while executor.run_once():
            pass
        return time.perf_counter() - begun, time.process_time() - cpu

    def active(self) -> int:
        """Count the runs that have not ended."""
        with self._looking.connect() as connection:
            query = text("SELECT count(*) FROM runs WHERE state = 'active'")
            return int(connection.execute(query).scalar_one())

    def completed(self, runs: list[str]) -> int:
        """Count the completed tasks in the histories of runs."""
        with self.open_work.reading(SYSTEM) as work:
            lines = (line for run_id in runs for line in work.runs.history(run_id))
            return sum(line.event.value == "completed" for line in lines)


def row_of_tasks() -> bytes:
    """Draw ten service tasks in a row."""
    names = [f"task-{number}" for number in range(TASKS)]
    drawn = "".join(service(name, NOTHING) for name in names)
    flows = " ".join(f"{a}>{b}" for a, b in pairwise(["start", *names, "end"]))
    return drawing(f'<startEvent id="start"/>{drawn}<endEvent id="end"/>', flows, key=STEPS)


def timer_and_task() -> bytes:
    """Draw a wait of an hour and a service task after it."""
    timer = (
        '<intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT1H</timeDuration>'
        "</timerEventDefinition></intermediateCatchEvent>"
    )
    body = f'<startEvent id="start"/>{timer}{service("task", NOTHING)}<endEvent id="end"/>'
    return drawing(body, "start>wait wait>task task>end", key=TIMERS)


def loop() -> bytes:
    """Draw a service task that leads back to itself for ever."""
    body = f'<startEvent id="start"/><exclusiveGateway id="again"/>{service("task", NOTHING)}'
    return drawing(body, "start>again again>task task>again", key=LOOP)

"""Workers that are killed over and over, and a database that crashes, while many runs share their transactions."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from pilothouse.application.founding import FIRST_GROUP, SYSTEM, Founding
from pilothouse.lifecycle.definitions import Definitions
from pilothouse.lifecycle.library import Library
from pilothouse.lifecycle.moving import Moving
from pilothouse.lifecycle.runs import Runs
from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.persistence.addresses import DatabaseOptions, engine_for
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import migrate
from pilothouse.security.tokens import Mint
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import drawing, service
from tests.integration.lifecycle.killed_worker import TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.databases import PostgresqlServer

RUNS, TASKS, WORKERS, KILLS, SEED = 200, 10, 2, 40, 20260105
PATIENCE_S = 120.0
"""How long nothing may happen; a worker takes seconds to start on a machine that is busy."""
LEFT_OVER = (
    "scopes", "variables", "run_tokens", "run_jobs", "subscriptions", "run_tasks", "incidents",
)  # fmt: skip


class Plant:
    """A database with runs under way, and workers that come and go."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.effects = url, folder / "effects"
        self.looking = engine_for(url, DatabaseOptions())
        self.born = 0
        self.workers = [self._worker() for _ in range(WORKERS)]

    def _worker(self) -> subprocess.Popen[bytes]:
        self.born += 1
        command = [sys.executable, "-m", "tests.integration.lifecycle.killed_worker"]
        return subprocess.Popen([*command, self.url, f"w{self.born}", str(self.effects)])

    def kill(self, number: int, *, again: bool) -> None:
        self.workers[number].kill()
        self.workers[number].wait()
        if again:
            self.workers[number] = self._worker()

    def count(self, query: str) -> int:
        with self.looking.connect() as connection:
            return int(connection.execute(text(query)).scalar_one())

    def close(self) -> None:
        for number in range(WORKERS):
            self.kill(number, again=False)
        self.looking.dispose()


def begun(url: str) -> None:
    """Found a company and begin the runs."""
    ids, clock = SystemIds(), SystemClock()
    database = Database.connect(url, subscribers={}, clock=clock, ids=ids)
    Founding(open_work=database.open_work, mint=Mint(ids=ids)).found(keep_token=lambda _: None)
    names = [f"task-{number}" for number in range(TASKS)]
    body = (
        f'<startEvent id="start"/>{"".join(service(n, TOPIC) for n in names)}<endEvent id="end"/>'
    )
    flows = " ".join(f"{a}>{b}" for a, b in pairwise(["start", *names, "end"]))
    definitions = Definitions(open_work=database.open_work, topics={TOPIC: None})
    definitions.upload(SYSTEM, group=FIRST_GROUP, xml=drawing(body, flows))
    moving = Moving(library=Library(), own_topics=frozenset({TOPIC}))
    runs = Runs(open_work=database.open_work, moving=moving)
    for _ in range(RUNS):
        runs.start(SYSTEM, StartRun(definition="small"))
    database.dispose()


def killed_until_done(plant: Plant, *, half_way: Callable[[], None] = lambda: None) -> int:
    """Kill a worker whenever the effects have become more, a moment later; give how many were killed."""
    dice, killed, seen, deadline = random.Random(SEED), 0, 0, time.monotonic() + PATIENCE_S  # noqa: S311
    while plant.count("SELECT count(*) FROM runs WHERE state = 'active'"):
        assert time.monotonic() < deadline, "the runs stand still"
        time.sleep(dice.uniform(0.0, 0.02))
        size = plant.effects.stat().st_size if plant.effects.exists() else 0
        if size > seen:
            seen, deadline = size, time.monotonic() + PATIENCE_S
            if killed == KILLS:
                continue
            plant.kill(dice.randrange(WORKERS), again=True)
            killed += 1
            if killed == KILLS // 2:
                half_way()
    return killed


def check(plant: Plant, *, killed: int) -> None:
    """Every run has ended, every effect has happened under one key, and nothing is left over."""
    keys = Counter(plant.effects.read_text("ascii").split())
    completed = "SELECT count(*) FROM run_history WHERE event = 'completed'"
    left = {table: plant.count(f"SELECT count(*) FROM {table}") for table in LEFT_OVER}  # noqa: S608
    assert plant.count("SELECT count(*) FROM runs WHERE state = 'completed'") == RUNS
    assert plant.count(completed) == len(keys) == RUNS * TASKS
    assert left == dict.fromkeys(LEFT_OVER, 0)
    assert killed == KILLS, "the runs ended before the last kill"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_runs_end_and_each_effect_has_one_key_however_often_workers_are_killed(
    database_url: str, tmp_path: Path
) -> None:
    begun(database_url)
    plant = Plant(database_url, tmp_path)
    try:
        check(plant, killed=killed_until_done(plant))
    finally:
        plant.close()


@pytest.mark.slow
@pytest.mark.postgresql
@pytest.mark.timeout(900)
def test_runs_end_and_each_effect_has_one_key_though_the_database_crashes_as_well(
    mortal_postgresql: PostgresqlServer, tmp_path: Path
) -> None:
    server, crashes = mortal_postgresql, []

    def crash() -> None:
        server.crash()
        server.start_again()
        crashes.append("one")

    url = server.url(server.create())
    migrate(url)
    begun(url)
    plant = Plant(url, tmp_path)
    try:
        check(plant, killed=killed_until_done(plant, half_way=crash))

        log = (server.folder / "log").read_text("utf-8")
        assert crashes == ["one"]
        assert "database system was not properly shut down; automatic recovery" in log
    finally:
        plant.close()

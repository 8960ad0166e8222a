"""A control plane that is killed again and again: the run ends, and each of its effects has happened once."""

from __future__ import annotations

import itertools
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from tests.integration.lifecycle.house import VERA, Killed, MortalWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.lifecycle.house import House

STAGES = ("DEV", "SIT", "UAT", "PROD")
LEASE_OVER = timedelta(seconds=61)
EFFECTS = {
    "runs": 1,
    "deployments": 4,
    "jobs": 4,
    "started jobs": 4,
    "evaluations": 4,
    "approvals": 1,
    "notifications": 1,
    "routes": 2,
    "route generations": 2,
}


def effects(house: House) -> dict[str, int]:
    """Count everything that a run does to the world."""
    with house.database.open_work.reading(SYSTEM) as work:
        routes = work.routes.all()
        return {
            "runs": len(work.headings.all()),
            "deployments": len(work.deployments.all()),
            "jobs": len(work.jobs.all()),
            "started jobs": len(house.connector.orders),
            "evaluations": len(work.evaluations.all()),
            "approvals": len(work.audit.page(action="complete", noun="task").items),
            "notifications": len(work.audit.page(action="notify", noun="run").items),
            "routes": len(routes),
            "route generations": sum(r.generation for r in routes),
        }


def lived(house: House, lives: Iterator[tuple[int, bool]]) -> int:
    """Let one short-lived control plane follow another until the run has ended; give how many were killed."""
    killed = 0
    for number in range(500):
        life = MortalWork(house.database.open_work)
        life.die_at, life.die_after_commit = next(lives)
        try:
            house.turn(house.built(life, owner=f"worker-{number}"), first=number % 3)
        except Killed:
            killed += 1
            house.clock.advance(LEASE_OVER)
        for task in house.plane.tasks.page(SYSTEM, waiting=True).items:
            house.plane.tasks.complete(VERA, task_id=task.id, answers={"decision": "approve"})
        runs = house.plane.runs.page(SYSTEM).items
        if runs and runs[0].ended_at is not None:
            return killed
    raise AssertionError(f"still at it: {house.runs_shown()}")


def at_each_commit(*, after: bool) -> Iterator[tuple[int, bool]]:
    """Die at the first commit, then at the second, and so on, and around again."""
    for number in itertools.cycle(range(1, 21)):
        yield number, after


def at_random(seed: int) -> Iterator[tuple[int, bool]]:
    chance = random.Random(seed)  # noqa: S311 - no secret hangs on it
    while True:
        yield chance.randint(1, 20), chance.random() < 0.5


@pytest.mark.parametrize(
    "lives",
    [
        pytest.param(at_each_commit(after=True), id="after each commit"),
        pytest.param(at_each_commit(after=False), id="before each commit"),
        *(pytest.param(at_random(seed), id=f"at random {seed}") for seed in range(4)),
    ],
)
def test_a_run_ends_and_its_effects_happen_once_however_often_the_process_dies(
    house: House, lives: Iterator[tuple[int, bool]]
) -> None:
    house.add_runtimes(*STAGES)
    house.tag()

    killed = lived(house, lives)

    assert killed >= 10
    assert house.run().outcome == "promoted"
    assert effects(house) == EFFECTS

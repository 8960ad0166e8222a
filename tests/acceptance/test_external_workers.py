"""Workers of a company's own against a whole Pilothouse, killed again and again: every job is done once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import Role
from pilothouse.wire import requests
from tests.acceptance.plant import Plant, eventually, running_plant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.sdk import Client

EXAMPLES = Path(__file__).parents[2] / "docs" / "how-to" / "examples"
SLOW = Path(__file__).with_name("slow_worker.py")
RUNS, STEPS, KILLS = 30, 2, 12


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A plant whose group gives one topic away, with a machine that works on it."""
    with running_plant(tmp_path_factory.mktemp("plant")) as running:
        with running.client() as client:
            wanted = requests.SetPolicy(external_topics=("credit-check",))
            client.groups.set_policy("default", wanted)
            drawn = (EXAMPLES / "with-own-steps.bpmn").read_bytes()
            client.lifecycles.upload(drawn, group="default")
            client.people.create(requests.CreatePerson(name="bot", machine=True))
            client.people.grant("bot", requests.GiveRole(group="default", role=Role.WORKER))
        yield running


class Workers:
    """Worker processes that share a folder."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.folder, self._log = folder, folder / "worker.log"
        with plant.client() as client:
            wanted = requests.IssueToken(name="bot", group="default", person="bot")
            token = client.tokens.issue(wanted).text
        self._environment = os.environ | {
            "PILOTHOUSE_URL": plant.url,
            "PILOTHOUSE_TOKEN": token,
            "RECEIPTS": str(folder / "receipts"),
        }

    def start(self, *command: Path) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *map(str, command)],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")[-4000:]


@pytest.fixture
def workers(plant: Plant, tmp_path: Path) -> Workers:
    return Workers(plant, tmp_path)


def start(client: Client, amount: float) -> str:
    wanted = requests.StartRun(definition="with-own-steps", variables={"amount": amount})
    return client.runs.start(wanted).heading.run_id


def outcomes(client: Client, runs: list[str]) -> Counter[str | None]:
    return Counter(client.runs.get(run).outcome for run in runs)


def all_ended(client: Client, runs: list[str]) -> bool | None:
    return None if outcomes(client, runs)[None] else True


def test_the_guide_s_worker_does_its_steps_and_ends_in_order_when_it_is_asked_to(
    plant: Plant, workers: Workers
) -> None:
    worker = workers.start(EXAMPLES / "credit_worker.py")
    with plant.client() as client:
        runs = [start(client, 100.0), start(client, 20_000.0)]
        eventually(lambda: all_ended(client, runs), what="both runs end")
        assert outcomes(client, runs) == {"done": 1, "refused": 1}

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=30) == 0, workers.log


@pytest.mark.timeout(300)
def test_workers_and_servers_that_are_killed_leave_nothing_undone_or_done_twice(
    plant: Plant, workers: Workers
) -> None:
    chance = random.Random(7)  # noqa: S311 moments, not secrets
    with plant.client() as client:
        runs = [start(client, 100.0) for _ in range(RUNS)]
        for number in range(KILLS):
            worker = workers.start(SLOW, workers.folder)
            time.sleep(chance.uniform(0.5, 1.6))  # it is killed wherever it is then
            if number % 4 == 3:
                plant.kill()
                plant.start()
            worker.kill()
            worker.wait()
        worker = workers.start(SLOW, workers.folder)
        runs.append(start(client, 100.0))  # nobody else does it, so the worker listens by its end
        eventually(lambda: all_ended(client, runs), what="every run ends")
        worker.terminate()
        ended = worker.wait(timeout=30)
        completed = Counter(
            (entry.run_id, entry.element)
            for run in runs
            for entry in client.runs.history(run)
            if entry.event.value == "completed"
        )
        assert outcomes(client, runs) == {"done": len(runs)}
        assert client.runs.incidents() == ()

    assert ended == 0, workers.log
    assert set(completed.values()) == {1}
    effects = {path.stem for path in workers.folder.glob("*.effect")}
    tries = Counter((workers.folder / "tries").read_text().split())
    assert len(effects) == len(runs) * STEPS
    assert set(tries) == effects
    assert [job for job, count in tries.items() if count > 1], "no worker was killed at its work"

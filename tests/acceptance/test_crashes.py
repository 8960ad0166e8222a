"""Kill -9, at random points, many times: the runs finish, each effect is there once, nothing is orphaned."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.jobs import JobState
from pilothouse.sdk import ApiUnreachableError, Client, ScoringClient
from pilothouse.sdk.errors import ApiError
from pilothouse.sdk.scoring import EntryRefusedError, EntryUnreachableError
from pilothouse.wire.requests import TakeSnapshot

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.schemas import Scalar
from tests.acceptance.plant import Plant, approve_all, eventually, running_plant
from tests.models.build import python_model

KILLS = int(os.environ.get("PILOTHOUSE_TEST_KILLS", "14"))
SEED = int(os.environ.get("PILOTHOUSE_TEST_SEED", "20260105"))


def killed(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


class Killer:
    """Kills the server, a scoring process, or both, at random moments, and starts the server again."""

    def __init__(self, plant: Plant, *, kills: int, seed: int) -> None:
        self._plant, self._kills = plant, kills
        self._dice = random.Random(seed)  # noqa: S311  moments, not secrets
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        while sum(self.done.values()) < self._kills:
            time.sleep(self._dice.uniform(0.05, 1.5))
            victim = self._dice.choice(("server", "scoring", "both"))
            if victim != "server":
                self._kill_scoring()
            if victim != "scoring":
                self._plant.kill()
                self._plant.start()
            self.done[victim] += 1

    def _kill_scoring(self) -> None:
        processes = list(self._plant.scoring("serve")) + list(self._plant.scoring("job"))
        if processes:
            killed(self._dice.choice(processes))


def finished(plant: Plant, token: str, runs: int) -> bool | None:
    approve_all(plant, token)
    with plant.client() as client:
        summaries = list(client.runs.list())
        assert not client.runs.incidents(), client.runs.incidents()
    done = len(summaries) == runs and all(s.state.value == "completed" for s in summaries)
    return True if done else None


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_random_points_every_run_finishes_and_every_effect_is_there_once(
    tmp_path: Path,
) -> None:
    model = python_model(tmp_path / "model")
    with running_plant(tmp_path) as plant:
        token = plant.validator()
        with plant.client() as client:
            client.snapshots.take(model, group="default", services=("online", "batch"))
        killer = Killer(plant, kills=KILLS, seed=SEED)
        thread = threading.Thread(target=killer.run)
        thread.start()
        while thread.is_alive():
            with contextlib.suppress(ApiUnreachableError, ApiError):
                approve_all(plant, token)
            time.sleep(0.2)
        eventually(lambda: finished(plant, token, 2), within_s=300.0, what="both runs complete")
        with plant.client() as client:
            assert_steps_happened_once(client)
            assert_effects_are_there_once(client, tmp_path / "results")
            assert_production_answers(plant, client)
        assert sum(killer.done.values()) == KILLS
        assert_nothing_is_orphaned(plant)


def assert_steps_happened_once(client: Client) -> None:
    for run in client.runs.list():
        assert run.outcome == "promoted"
        entries = client.runs.history(run.heading.run_id)
        completed = Counter(e.element for e in entries if e.event.value == "completed")
        assert set(completed.values()) == {1}, completed
        assert [e.sequence for e in entries] == list(range(1, len(entries) + 1))


def assert_effects_are_there_once(client: Client, results: Path) -> None:
    (snapshot,) = client.snapshots.list()
    assert snapshot.number == 1
    deployments = [d for d in client.deployments.list() if d.state is not DeploymentState.WITHDRAWN]
    placed = Counter((d.service, d.stage, d.mode) for d in deployments)
    assert set(placed.values()) == {1}, placed
    assert len(placed) == 8
    ordered = [a for a in client.audit.list(noun="deployment") if a.action == "order"]
    assert len(ordered) == 8
    ended = [j for j in client.jobs.list() if j.kind.value != "snapshot"]
    jobs = [j for j in ended if j.state is JobState.COMPLETE]
    assert Counter(j.kind.value for j in jobs) == {"score": 2, "metrics": 2, "load-test": 1}
    # A job that was killed at each of its starts has failed, and the step's retry ordered the next one.
    lost = [(j.state, j.error_code, j.error) for j in ended if j not in jobs]
    assert {(state, code) for state, code, _ in lost} <= {(JobState.FAILED, "job-process-died")}, (
        lost
    )
    verdicts = Counter((e.service, e.kind, e.stage) for e in client.evaluations.list())
    assert set(verdicts.values()) == {1}, verdicts
    for job in jobs:
        if job.output is not None:
            manifest = json.loads((results / job.output / "_manifest.json").read_text("utf-8"))
            assert manifest["job_id"] == job.id
    published = list((results / "lifecycles").iterdir())
    assert len(published) == 2
    assert not list((results).glob(".pilothouse-staging/*"))


def assert_production_answers(plant: Plant, client: Client) -> None:
    (endpoint,) = client.services.endpoints("online", "PROD")
    scoring = ScoringClient(token=plant.scoring_token())

    def ask() -> float | None:
        with contextlib.suppress(EntryUnreachableError, EntryRefusedError):
            answer = scoring.score(endpoint.url, {"age": [40], "income": [10_000.0]})
            score = answer.columns["score"][0]
            assert isinstance(score, float)
            return score
        return None

    assert eventually(ask, what="PROD answers with the new token") == pytest.approx(0.28)
    scoring.close()


def assert_nothing_is_orphaned(plant: Plant) -> None:
    """Only UAT and PROD serve online: one entry each, and nothing of the jobs is left."""
    serving = [words.strip().rpartition(" ")[2] for words in plant.scoring("serve").values()]
    assert len(serving) == len(set(serving)) == 2
    assert not plant.scoring("job")
    for pid in plant.scoring("serve"):
        killed(pid)

    def gone() -> bool | None:
        return None if [w for w in plant.processes().values() if "scoring.child" in w] else True

    plant.kill()
    for pid in plant.scoring("serve"):
        killed(pid)
    eventually(gone, within_s=20.0, what="the models ended with their entries")


RECORD: dict[str, list[Scalar]] = {"age": [40], "income": [10_000.0]}
DATATYPES = {"age": "INT64", "income": "FP64"}


class Load:
    """Asks one record over and over, and counts what it gets."""

    def __init__(self, url: str, token: str) -> None:
        self.answers: Counter[str] = Counter()
        self._url, self._scoring = url, ScoringClient(token=token)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._scoring.close()

    def answers_again(self, what: str) -> None:
        before = self.answers["0.28"]
        eventually(lambda: True if self.answers["0.28"] > before + 20 else None, what=what)

    def _run(self) -> None:
        while not self._stop.is_set():
            got = self._ask()
            self.answers[got] += 1
            if got != "0.28":
                time.sleep(0.02)

    def _ask(self) -> str:
        try:
            answer = self._scoring.score(self._url, RECORD, datatypes=DATATYPES)
        except EntryUnreachableError:
            return "unreachable"
        except EntryRefusedError as refused:
            return f"refused {refused.status}"
        return str(answer.columns["score"][0])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_entry_killed_under_load_comes_back_and_answers_the_same(tmp_path: Path) -> None:
    model = python_model(tmp_path / "model")
    with running_plant(tmp_path) as plant:
        token = plant.validator()
        with plant.client() as client:
            client.snapshots.take(model, group="default", services=("online",))
        eventually(lambda: finished(plant, token, 1), within_s=200.0, what="the run completes")
        with plant.client() as client:
            (endpoint,) = client.services.endpoints("online", "PROD")
        load = Load(endpoint.url, plant.scoring_token())
        load.start()
        load.answers_again("the first answers")
        for _ in range(3):
            (entry,) = (p for p, w in plant.scoring("serve").items() if prod(plant, w))
            assert killed(entry)
            load.answers_again("PROD answers after its entry was killed")
        plant.kill()
        load.answers_again("PROD answers without a control plane")
        load.stop()
        wrong = {a for a in load.answers if a not in ("0.28", "unreachable", "refused 401")}
        assert not wrong, load.answers


def prod(plant: Plant, words: str) -> bool:
    with plant.client() as client:
        return str(client.runtimes.get("local-prod").id) in words


def test_order_that_is_cut_off_and_repeated_takes_one_snapshot(tmp_path: Path) -> None:
    model = python_model(tmp_path / "model")
    with running_plant(tmp_path) as plant, plant.client() as client:
        first = client.snapshots.take(model, group="default")
        again = client.snapshots.take(model, group="default")
        assert (first.name, first.digest) == (again.name, again.digest)
        wanted = TakeSnapshot(model="tiny-python", files=first.content.files)
        assert client.models.get(wanted.model).last_number == 1

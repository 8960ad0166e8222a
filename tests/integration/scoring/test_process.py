"""The real process with a real model: start, kill, restart, drain."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.artifacts.store import open_store
from pilothouse.domain.desired import Desired, ObservedState
from pilothouse.domain.policies import ModelPolicy
from pilothouse.scoring.environments import Environments
from tests.entries.documents import deployment, desired, route, variant
from tests.entries.running import (
    EntryClient,
    entry_process,
    make_home,
    settings_of,
    until,
)
from tests.models.build import PYTHON_SOURCE, python_model
from tests.models.packages import checked, store_snapshot

if TYPE_CHECKING:
    from pilothouse.scoring.state import EntrySettings

HALVED = PYTHON_SOURCE.replace("min(1.0, ", "0.5 * min(1.0, ")


@dataclass(frozen=True)
class Snapshots:
    """Two snapshots of one model in a store, and the golden records of the first."""

    settings: EntrySettings
    digests: tuple[str, str]
    golden: list[dict[str, dict[str, float]]]


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Snapshots:
    folder = tmp_path_factory.mktemp("entry")
    settings = replace(settings_of(folder), policy=ModelPolicy(python_source=True))
    store = open_store(settings.artifacts)
    environments = Environments(Path(settings.environments))
    digests, golden = [], []
    for number, source in enumerate((PYTHON_SOURCE, HALVED), start=1):
        model = python_model(folder / f"model-{number}", source=source)
        report = checked(model, environments=environments, scratch=folder / f"check-{number}")
        digests.append(store_snapshot(model, report, store))
        golden.append([json.loads(line) for line in report.golden.splitlines()])
    return Snapshots(settings, (digests[0], digests[1]), golden[0])


@pytest.fixture
def home(snapshots: Snapshots, tmp_path: Path) -> Path:
    scratch = str(tmp_path / "scratch")
    return make_home(tmp_path, replace(snapshots.settings, scratch=scratch))


def one(snapshots: Snapshots, number: int, *, generation: int) -> Desired:
    held = deployment(number, model="tiny", digest=snapshots.digests[number - 1])
    return desired(
        generation,
        deployments=[held],
        routes=[route(generation, variant(number, model="tiny"))],
    )


def request_of(record: dict[str, float]) -> dict[str, object]:
    return {
        "inputs": [
            {"name": "age", "shape": [1], "datatype": "INT64", "data": [record["age"]]},
            {"name": "income", "shape": [1], "datatype": "FP64", "data": [record["income"]]},
        ]
    }


ROW = request_of({"age": 34, "income": 21000.5})


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue  # it ended meanwhile
        if int(text[text.rindex(")") + 2 :].split()[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_real_model_answers_its_golden_records(snapshots: Snapshots, home: Path) -> None:
    with entry_process(home):
        client = EntryClient(home)
        client.take(one(snapshots, 1, generation=1))
        for record in snapshots.golden:
            reply = client.infer(request_of(record["input"]))
            assert reply.status == 200, reply.body
            answer = {o["name"]: o["data"][0] for o in reply.json["outputs"]}
            assert answer == record["output"]
            assert reply.json["parameters"]["digest"] == snapshots.digests[0]
        (held,) = client.observed().deployments
        assert held.state is ObservedState.RUNNING
        assert held.isolation.startswith("process")
        assert held.requests == len(snapshots.golden)


def test_a_killed_entry_starts_again_from_its_disk_alone(snapshots: Snapshots, home: Path) -> None:
    with entry_process(home) as first:
        client = EntryClient(home)
        client.take(one(snapshots, 2, generation=4))
        before, answer = client.observed(), client.infer(ROW).json["outputs"]
        models = children_of(first.pid)
        first.kill()
        first.wait(20)
        until(lambda: all(gone(pid) for pid in models))
    hidden = Path(snapshots.settings.artifacts.removeprefix("file://"))
    aside = hidden.rename(hidden.with_name("artifacts-away"))  # the store is gone too
    try:
        with entry_process(home):
            client = EntryClient(home)
            until(lambda: client.effective() == 4)

            after = client.observed()

            assert client.infer(ROW).json["outputs"] == answer
            assert after.generation == before.generation
            assert after.process != before.process
            assert [d.digest for d in after.deployments] == [d.digest for d in before.deployments]
    finally:
        shutil.rmtree(hidden)  # an empty store was made in its place
        aside.rename(hidden)


def test_a_second_process_for_one_home_leaves_at_once(snapshots: Snapshots, home: Path) -> None:
    with entry_process(home) as first:
        client = EntryClient(home)
        command = [sys.executable, "-m", "pilothouse.scoring", "serve", "--home", str(home)]

        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

        assert second.returncode == 3
        assert str(home) in second.stderr
        assert "Another process serves" in second.stderr
        assert client.ask("GET", "/v2/health/live").status == 200
        assert json.loads((home / "process.json").read_bytes())["pid"] == first.pid


def test_a_home_without_settings_is_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pilothouse.scoring", "serve", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4
    assert "entry.json" in done.stderr


def test_a_killed_model_is_started_again(snapshots: Snapshots, home: Path) -> None:
    with entry_process(home) as process:
        client = EntryClient(home)
        client.take(one(snapshots, 1, generation=1))
        assert client.infer(ROW).status == 200
        for pid in children_of(process.pid):
            os.kill(pid, signal.SIGKILL)

        # The model may answer once more before the signal reaches it.
        statuses = [client.infer(ROW).status]
        while client.metric("pilothouse_model_restarts_total") == 0 or statuses[-1] != 200:
            statuses.append(client.infer(ROW).status)

        assert set(statuses) == {200, 503}
        assert client.metric("pilothouse_model_restarts_total") == 1


@pytest.mark.parametrize("by_signal", [True, False])
def test_a_drained_entry_leaves_nothing_behind(
    by_signal: bool, snapshots: Snapshots, home: Path
) -> None:
    with entry_process(home) as process:
        client = EntryClient(home)
        client.take(one(snapshots, 1, generation=1))
        models = children_of(process.pid)
        assert models

        if by_signal:
            process.terminate()
        else:
            assert client.control("POST", "/drain").status == 202

        assert process.wait(30) == 0
    assert all(gone(pid) for pid in models)
    assert not (home / "process.json").exists()
    assert not (home / "control.sock").exists()
    assert not list((home.parent / "scratch" / "models").iterdir())


def test_a_snapshot_that_is_not_in_the_store_fails_with_its_reason(
    snapshots: Snapshots, home: Path
) -> None:
    with entry_process(home):
        client = EntryClient(home)
        missing = deployment(9, model="tiny", digest="e" * 64)
        client.put(desired(1, deployments=[missing], routes=[route(1, variant(9, model="tiny"))]))
        until(lambda: client.observed().deployments[0].state is ObservedState.FAILED)
        assert "e" * 64 in client.observed().deployments[0].reason
        assert client.infer(ROW).status == 503


def test_the_control_socket_is_private(snapshots: Snapshots, home: Path) -> None:
    with entry_process(home):
        record = json.loads((home / "process.json").read_bytes())
        assert Path(record["socket"]).stat().st_mode & 0o777 == 0o600
        stat = Path(f"/proc/{record['pid']}/stat").read_text()
        assert record["start_time"] == int(stat[stat.rindex(")") + 2 :].split()[19])
        assert record["boot_id"] == Path("/proc/sys/kernel/random/boot_id").read_text().strip()

"""A store with tiny snapshots, and homes of jobs that score with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.artifacts.store import open_store
from pilothouse.domain.ids import JobId, ServiceTag, StageName
from pilothouse.domain.jobs import (
    FileSource,
    FileTarget,
    JobKind,
    JobOrder,
    JobReport,
    TableFormat,
)
from pilothouse.domain.plain import canonical
from pilothouse.domain.policies import ModelPolicy
from pilothouse.scoring.batch.home import JobHome, JobSettings
from tests.models.build import TRAINABLE_SOURCE, python_model, sklearn_model
from tests.models.packages import checked, store_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pilothouse.scoring.environments import Environments

# Answers as the plain model does, but takes its time, dies or hangs when told to by an age.
TEMPERAMENTAL = '''\
"""A model that does what an age tells it."""

import os
import time


def score(rows, model):
    if any(row["age"] == 98 for row in rows):
        os._exit(3)
    if any(row["age"] == 97 for row in rows):
        time.sleep(600)
    if any(row["age"] == 96 for row in rows):
        raise ValueError("ninety-six is beyond me")
    if any(row["age"] == 99 for row in rows):
        time.sleep(0.02)
    return [{"score": row["age"] / 100, "eligible": int(row["age"] >= 50)} for row in rows]
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder of artefacts and the digests of the snapshots in it."""

    url: str
    environments: Path
    digests: dict[str, str]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, environments: Environments) -> Store:
    """Give a store that holds the snapshots ``plain``, ``temperamental`` and ``sklearn``."""
    base = tmp_path_factory.mktemp("store")
    url = f"file://{base / 'artifacts'}"
    opened = open_store(url)
    folders = {
        "plain": python_model(base / "plain"),
        "temperamental": python_model(base / "temperamental", source=TEMPERAMENTAL),
        "sklearn": sklearn_model(base / "sklearn"),
        "trainable": python_model(
            base / "trainable", name="tiny-trainable", source=TRAINABLE_SOURCE
        ),
    }
    digests = {}
    for name, folder in folders.items():
        report = checked(folder, environments=environments, scratch=base / f"{name}-scratch")
        digests[name] = store_snapshot(folder, report, opened)
    return Store(url=url, environments=environments._folder, digests=digests)


class JobBench:
    """One job's home and location."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.store, self.root = store, folder / "root"
        self.home = JobHome(folder / "home")
        self.root.mkdir()
        self.home.folder.mkdir()
        self._folder = folder

    def order(self, content: bytes, form: TableFormat, **changes: Any) -> JobOrder:  # noqa: ANN401
        """Lay out the home of a job; `model` names another snapshot of the store."""
        name = changes.pop("model", "plain")
        (self.root / "in").write_bytes(content)
        order = JobOrder(
            schema=1,
            job_id=JobId("job_1"),
            kind=JobKind.SCORE,
            service=ServiceTag("service"),
            stage=StageName("DEV"),
            snapshot=f"tiny-{name}@1",
            digest=self.store.digests[name],
            source=FileSource(root=str(self.root), path="in", format=form),
            target=FileTarget(root=str(self.root), path="out", format=TableFormat.JSONL),
        )
        order = replace(order, **changes)
        settings = JobSettings(
            artifacts=self.store.url,
            packages=str(self._folder / "packages"),
            environments=str(self.store.environments),
            scratch=str(self._folder / "scratch"),
            policy=ModelPolicy(python_source=True),
        )
        (self.home.folder / "order.json").write_bytes(canonical(order))
        (self.home.folder / "job.json").write_bytes(canonical(settings))
        return order

    def start(self) -> subprocess.Popen[bytes]:
        """Start the job's process."""
        return subprocess.Popen(
            [sys.executable, "-m", "pilothouse.scoring.batch", "--home", str(self.home.folder)],
            cwd="/",
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )

    def run(self) -> int:
        """Run the job's process to its end, and give its exit code."""
        with self.start() as process:
            return process.wait(120)

    @property
    def report(self) -> JobReport:
        """What the job reports."""
        found = self.home.report()
        assert found is not None, self.home.log.read_text("utf-8")
        return found

    def lines(self, name: str) -> list[dict[str, Any]]:
        """Give the records of a published file of JSON lines."""
        text = (self.root / "out" / name).read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    @property
    def left(self) -> list[str]:
        """What lies in the location."""
        return sorted(str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file())


@pytest.fixture
def make_bench(tmp_path: Path, store: Store) -> Callable[[str], JobBench]:
    """Give a maker of job benches."""

    def make(name: str) -> JobBench:
        (tmp_path / name).mkdir()
        return JobBench(tmp_path / name, store)

    return make


@pytest.fixture
def bench(make_bench: Callable[[str], JobBench]) -> JobBench:
    """Give one job bench."""
    return make_bench("job")

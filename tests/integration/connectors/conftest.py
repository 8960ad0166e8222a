"""Benches, one for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.artifacts.store import open_store
from pilothouse.scoring.environments import Environments
from tests.integration.connectors.benches import ScoringBench, StandInBench
from tests.models.build import python_model
from tests.models.packages import checked, store_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW = """
import time


def score(rows, model):
    time.sleep(0.02)
    return [{"score": 0.5, "eligible": 1} for _ in rows]
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandInBench]:
    bench = StandInBench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture(scope="session")
def slow_snapshot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a store and built environments, and the digest of a snapshot in the store."""
    shelf = tmp_path_factory.mktemp("shelf")
    folder = python_model(shelf / "model", name="slow", source=SLOW)
    environments = Environments(shelf / "environments")
    report = checked(folder, environments=environments, scratch=shelf / "scratch")
    return shelf, store_snapshot(folder, report, open_store((shelf / "artifacts").as_uri()))


@pytest.fixture
def scoring(tmp_path: Path, slow_snapshot: tuple[Path, str]) -> Iterator[ScoringBench]:
    shelf, digest = slow_snapshot
    bench = ScoringBench(tmp_path, shelf=shelf, digest=digest)
    yield bench
    bench.close()

"""A house for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.lifecycle.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path) -> Iterator[House]:
    house = House(sqlite_url, tmp_path / "scratch")
    yield house
    house.database.dispose()


@pytest.fixture
def any_house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """On SQLite and on PostgreSQL."""
    house = House(database_url, tmp_path / "scratch")
    yield house
    house.database.dispose()

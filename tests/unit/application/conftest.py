"""A company for every test of the use cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.application.company import Company, open_company

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def company(sqlite_url: str, tmp_path: Path) -> Iterator[Company]:
    """A founded company with the group `risk`, its model, service and a runtime in each stage."""
    opened = open_company(sqlite_url, tmp_path)
    yield opened
    opened.database.dispose()

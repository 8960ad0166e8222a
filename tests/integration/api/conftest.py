"""A served API for every test; each test has names of its own in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.api.serving import Served, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An API that the tests of one module share."""
    home = tmp_path_factory.mktemp("api") / "home"
    with serving(
        home, body_limit_bytes=4096, body_timeout_s=0.5, artifact_limit_bytes=100_000
    ) as s:
        yield s


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """The administrator's client."""
    with served.client() as opened:
        yield opened

"""What tests that run models may ask for."""

from __future__ import annotations

import pytest

from pilothouse.scoring.environments import Environments


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Give one home of environments for the whole run, so that each is built once."""
    return Environments(tmp_path_factory.mktemp("environments"))

"""The local connector keeps the contract: over processes without models, and over real ones."""

from __future__ import annotations

import pytest

from pilothouse.testing.connectors import Bench, ConnectorContract


class TestStandIns(ConnectorContract):
    """Quick, and every fault can be made."""

    @pytest.fixture
    def bench(self, stand_in: Bench) -> Bench:
        return stand_in


class TestScoringProcesses(ConnectorContract):
    """The real entry and the real batch runner, with a real snapshot."""

    @pytest.fixture
    def bench(self, scoring: Bench) -> Bench:
        return scoring

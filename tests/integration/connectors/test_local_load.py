"""Load tests by the local connector, against a real entry with a real snapshot."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.connectors.local.connector import LocalConnector
from pilothouse.connectors.settings import ConnectorSettings
from pilothouse.domain.desired import Desired, DesiredToken, ObservedState
from pilothouse.domain.endpoints import rest_url
from pilothouse.domain.ids import JobId, ServiceTag
from pilothouse.domain.jobs import JobKind, JobOrder, JobState, LoadPlan
from pilothouse.security.secrets import Secrets
from pilothouse.testing.connectors import ended, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.connectors.benches import ScoringBench, StandInBench

TOKEN = "phs_the-platforms-own"


def connector(bench: StandInBench) -> LocalConnector:
    """Give a connector that knows the platform's scoring token."""
    settings = ConnectorSettings(
        home=bench.home,
        artifacts=bench.artifacts,
        clock=bench.clock,
        ids=bench.ids,
        secrets=Secrets(environment={}),
        policy_of=lambda _: bench.policy,
        environment=os.environ,
        scoring_token=TOKEN,
    )
    return LocalConnector(settings, command=bench.command)


def order(bench: StandInBench) -> JobOrder:
    service = ServiceTag("heloc")
    plan = LoadPlan(
        url=rest_url(bench.runtime.address or "", service),
        number=1,
        rate_per_s=20.0,
        duration_s=0.5,
        concurrency=4,
    )
    return JobOrder(
        schema=1,
        job_id=JobId(bench.ids.new("job")),
        kind=JobKind.LOAD_TEST,
        service=service,
        stage=bench.runtime.stage,
        snapshot="heloc-gbm@1",
        digest=bench.digest,
        source=None,
        target=None,
        load=plan,
    )


def desired(bench: StandInBench) -> Desired:
    sha256 = hashlib.sha256(TOKEN.encode()).hexdigest()
    token = DesiredToken(id="platform", sha256=sha256, services=(), expires_at=None)
    return replace(bench.desired(bench.runtime, generation=1), tokens=(token,))


def files_with(folder: Path, text: str) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def test_an_entry_is_tried_with_the_snapshots_golden_records(scoring: ScoringBench) -> None:
    tried = scoring.connector = connector(scoring)
    tried.ensure(scoring.runtime, desired(scoring))
    until(
        lambda: tried.observe(scoring.runtime),
        lambda seen: [d.state for d in seen.deployments] == [ObservedState.RUNNING],
    )
    wanted = order(scoring)

    tried.run_job(scoring.runtime, wanted)

    report = ended(scoring, wanted.job_id)
    assert (report.state, report.error) == (JobState.COMPLETE, "")
    assert (report.metrics["requests"], report.metrics["error_share"]) == (10.0, 0.0)
    # The model itself sleeps 20 ms for every request.
    assert (report.metrics["p50_ms"] or 0) >= 20
    assert files_with(scoring.job_home(wanted.job_id), TOKEN) == []


def test_the_token_is_in_a_file_of_its_own_and_in_no_argument(stand_in: StandInBench) -> None:
    tried = stand_in.connector = connector(stand_in)
    wanted = replace(order(stand_in), snapshot="quick@1")

    tried.run_job(stand_in.runtime, wanted)

    home = stand_in.job_home(wanted.job_id)
    [kept] = files_with(home, TOKEN)
    assert (kept.name, kept.stat().st_mode & 0o777) == ("token", 0o600)
    for process in stand_in.processes():
        assert TOKEN not in " ".join(process.argv)
        assert TOKEN not in str(process.environment)

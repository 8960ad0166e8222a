"""The local connector and real scoring processes, with a real snapshot, through faults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import grpc
import httpx
import pytest

from pilothouse.domain.desired import Observed, ObservedState
from pilothouse.domain.jobs import JobState
from pilothouse.domain.runtimes import RuntimeUnreachableError
from pilothouse.testing.connectors import ended, ensured, running, until
from tests.buckets import free_port

if TYPE_CHECKING:
    from tests.integration.connectors.benches import ScoringBench


def loaded(bench: ScoringBench) -> Observed:
    return until(
        lambda: bench.connector.observe(bench.runtime),
        lambda seen: [d.state for d in seen.deployments] == [ObservedState.RUNNING],
    )


def test_a_deployment_runs_at_the_address_of_its_runtime(scoring: ScoringBench) -> None:
    ensured(scoring)

    observed = loaded(scoring)

    assert observed.address == f"http://{scoring.runtime.address}"
    answer = httpx.get(f"{observed.address}/v2/health/ready", trust_env=False)
    assert answer.status_code == 200


def test_a_runtime_with_a_port_for_grpc_answers_there_too(scoring: ScoringBench) -> None:
    port = free_port()
    speaking = replace(scoring.runtime, options={"grpc_port": port})
    scoring.connector.ensure(speaking, scoring.desired(speaking, generation=1))

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")

        assert live(b"", timeout=20) == b"\x08\x01"
    taken = replace(
        scoring.limited[0], address=f"127.0.0.1:{free_port()}", options=speaking.options
    )
    with pytest.raises(RuntimeUnreachableError) as unreachable:
        scoring.connector.ensure(taken, scoring.desired(taken, generation=1))
    assert f"cannot listen on 127.0.0.1:{port}" in unreachable.value.problem


def test_withdrawing_leaves_no_process_of_the_entry_or_its_models(scoring: ScoringBench) -> None:
    ensured(scoring)
    loaded(scoring)
    assert len(scoring.pids()) >= 2

    scoring.connector.withdraw(scoring.runtime)

    assert until(scoring.pids, lambda pids: not pids) == []


def test_a_killed_entry_leaves_no_model_behind(scoring: ScoringBench) -> None:
    ensured(scoring)
    loaded(scoring)

    scoring.kill_entry()

    assert until(scoring.pids, lambda pids: not pids) == []


def test_a_killed_entry_comes_back_with_its_deployments(scoring: ScoringBench) -> None:
    ensured(scoring, generation=3)
    before = loaded(scoring)
    scoring.kill_entry()

    ensured(scoring, generation=3)

    after = loaded(scoring)
    assert after.process != before.process
    assert (after.generation, after.routes) == (before.generation, before.routes)


def test_a_taken_port_is_told(scoring: ScoringBench) -> None:
    ensured(scoring)
    rival = replace(scoring.limited[0], address=scoring.runtime.address)

    with pytest.raises(RuntimeUnreachableError) as unreachable:
        scoring.connector.ensure(rival, scoring.desired(rival, generation=1))

    assert "in use" in unreachable.value.problem


def test_a_cancelled_job_leaves_nothing_in_its_location(scoring: ScoringBench) -> None:
    order = scoring.endless_job()
    scoring.connector.run_job(scoring.runtime, order)
    running(scoring, order.job_id)

    scoring.connector.cancel(scoring.runtime, order.job_id)

    assert ended(scoring, order.job_id).state is JobState.CANCELLED
    assert order.target is not None
    assert not (scoring.home / order.target.path).exists()
    left = [
        path
        for path in scoring.home.rglob("*")
        if path.is_file() and "staging" in str(path.relative_to(scoring.home))
    ]
    assert left == []

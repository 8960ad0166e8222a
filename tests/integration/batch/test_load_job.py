"""Load tests as their real process, against a real server on this host."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.jobs import JobKind, JobResult, JobState, LoadPlan, TableFormat
from tests.integration.batch.conftest import JobBench, Store
from tests.web.answering import Received, Reply, answering

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "phs_of-the-platform"


@pytest.fixture
def bench(tmp_path: Path, store: Store) -> JobBench:
    return JobBench(tmp_path, store)


def ordered(bench: JobBench, url: str, *, token: str = TOKEN, **plan: float) -> None:
    """Lay out the home of a load test of 40 requests in 0.4 s, or as the plan says."""
    whole = {"rate_per_s": 100.0, "duration_s": 0.4, "timeout_s": 5.0, **plan}
    concurrency = int(whole.pop("concurrency", 4))
    load = LoadPlan(url=url, number=7, concurrency=concurrency, **whole)
    bench.order(b"", TableFormat.CSV, kind=JobKind.LOAD_TEST, source=None, target=None, load=load)
    if token:
        (bench.home.folder / "token").write_text(token)


def fine(_: Received) -> Reply:
    return Reply(body={"outputs": []})


def test_every_request_is_sent_once_pinned_and_with_the_token(bench: JobBench) -> None:
    with answering(fine) as server:
        ordered(bench, f"{server.url}/v2/models/cc-fraud")

        assert bench.run() == 0

    assert len(server.received) == 40
    assert {r.path for r in server.received} == {"/v2/models/cc-fraud/versions/7/infer"}
    assert {r.headers["authorization"] for r in server.received} == {f"Bearer {TOKEN}"}
    assert all(tensor["shape"] == [1] for r in server.received for tensor in r.body["inputs"])
    report = bench.report
    assert (report.state, report.result) == (JobState.COMPLETE, JobResult.SUCCESS)
    assert (report.metrics["requests"], report.metrics["error_share"]) == (40.0, 0.0)
    assert (report.metrics["p50_ms"] or 0) <= (report.metrics["p99_ms"] or 0)
    assert (report.progress.rows_read, report.progress.rows_total) == (40, 40)


def test_the_token_is_not_left_behind(bench: JobBench) -> None:
    with answering(fine) as server:
        ordered(bench, server.url)
        bench.run()

    assert not (bench.home.folder / "token").exists()
    kept = [p for p in bench.home.folder.rglob("*") if p.is_file() and p.name != "job.lock"]
    assert [p.name for p in kept if TOKEN.encode() in p.read_bytes()] == []


def test_answers_that_are_no_success_are_errors(bench: JobBench) -> None:
    statuses = [429 if n % 4 == 0 else 200 for n in range(40)]
    lock = threading.Lock()

    def answer(_: Received) -> Reply:
        with lock:
            return Reply(status=statuses.pop())

    with answering(answer) as server:
        ordered(bench, server.url)
        bench.run()

    assert bench.report.metrics["error_share"] == pytest.approx(0.25)
    assert bench.report.result is JobResult.PARTIAL


def test_requests_behind_a_stalled_answer_count_from_when_they_were_due(bench: JobBench) -> None:
    stalled, go_on = threading.Event(), threading.Event()

    def answer(_: Received) -> Reply:
        if not stalled.is_set():
            stalled.set()
            go_on.wait(0.3)
        return Reply(body={})

    with answering(answer) as server:
        ordered(bench, server.url, concurrency=1)
        bench.run()

    # Forty requests 10 ms apart: behind a stall of 300 ms, about thirty of them waited too.
    assert (bench.report.metrics["p50_ms"] or 0) > 20
    assert (bench.report.metrics["max_ms"] or 0) >= 300


def test_an_endpoint_that_is_down_answers_nothing(bench: JobBench) -> None:
    with answering(fine) as server:
        url = server.url
    ordered(bench, url)

    bench.run()

    figures = bench.report.metrics
    assert (figures["unanswered"], figures["error_share"], figures["p99_ms"]) == (40.0, 1.0, None)


def test_an_endpoint_that_hangs_ends_the_test_with_requests_unsent(bench: JobBench) -> None:
    release = threading.Event()

    def hang(_: Received) -> Reply:
        release.wait(30)
        return Reply(body={})

    with answering(hang) as server:
        ordered(bench, server.url, concurrency=2, timeout_s=0.3)
        bench.run()
        release.set()

    figures = bench.report.metrics
    assert (figures["error_share"], (figures["unsent"] or 0) > 0) == (1.0, True)


def test_a_load_test_stops_when_it_is_cancelled(bench: JobBench) -> None:
    with answering(fine) as server:
        ordered(bench, server.url, duration_s=3600.0)
        with bench.start() as process:
            while len(server.received) < 5:
                assert process.poll() is None
            (bench.home.folder / "cancel").touch()
            process.wait(60)

    assert bench.report.state is JobState.CANCELLED


def test_a_load_test_without_a_token_fails(bench: JobBench) -> None:
    ordered(bench, "http://127.0.0.1:9", token="")

    bench.run()

    assert (bench.report.state, bench.report.error_code) == (JobState.FAILED, "load-test-invalid")

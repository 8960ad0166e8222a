"""Jobs that a worker holds: confirmed only while a beat was answered, given up only when nobody hears."""

from __future__ import annotations

import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pilothouse.sdk import Client, HeldJob, JobLostError
from pilothouse.sdk.held_jobs import Holding
from pilothouse.testing.clock import START
from pilothouse.wire.external_jobs import CompleteJob, ExternalJob

if TYPE_CHECKING:
    from collections.abc import Iterator

JOB = ExternalJob(
    id="lcj_1",
    attempt=3,
    topic="credit-check",
    run_id="run_1",
    definition="small@1",
    element="task",
    group="risk",
    service=None,
    snapshot=None,
    digest=None,
    variables={},
    headers={},
    retries_left=1,
    failures=0,
    created_at=START,
    locked_until=START,
)


@pytest.fixture
def away() -> Iterator[Client]:
    """A client of a server that is not there."""
    with socket.socket() as bound:  # bound and not listening: nobody else gets the port meanwhile
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with Client(url=url, token="ph_0000", timeout_s=1.0) as client:
            yield client


def test_a_job_is_confirmed_until_its_lock_ends() -> None:
    held = HeldJob(JOB, until=time.monotonic() + 60)

    held.confirm()
    held.lengthen(until=time.monotonic() - 1)

    with pytest.raises(JobLostError) as caught:
        held.confirm()
    assert (caught.value.job, caught.value.attempt) == ("lcj_1", 3)


def test_a_job_that_the_server_gave_away_is_not_confirmed() -> None:
    held = HeldJob(JOB, until=time.monotonic() + 60)

    held.lose()

    with pytest.raises(JobLostError):
        held.confirm()


def test_a_beat_that_nobody_answers_lengthens_nothing_and_loses_nothing(away: Client) -> None:
    holding = Holding(away.external_jobs, worker="w1", lock_s=60.0)
    [held] = holding.take((JOB,), asked_at=time.monotonic() - 61.0)

    holding.beat()

    assert not held.lost
    with pytest.raises(JobLostError):
        held.confirm()


def test_a_worker_that_stops_gives_a_report_up_that_nobody_hears_and_says_so(
    away: Client, caplog: pytest.LogCaptureFixture
) -> None:
    holding = Holding(away.external_jobs, worker="w1", lock_s=0.1)
    [held] = holding.take((JOB,), asked_at=time.monotonic())
    stopping = threading.Event()
    stopping.set()

    with caplog.at_level(logging.ERROR):
        holding.report(held, CompleteJob(worker="w1", attempt=3), stopping=stopping)

    assert "lcj_1 is not reported and will be tried again" in caplog.text

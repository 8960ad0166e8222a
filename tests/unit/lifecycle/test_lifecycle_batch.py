"""Batches of claimed jobs, and the watch that breaks up the slow ones."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from pilothouse.bpmn.happenings import JobCompleted
from pilothouse.bpmn.state import Job, JobKind, JobStatus
from pilothouse.lifecycle.batch import Batch, Report, Watch

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
PATIENCE_S = 30.0
QUICK_S = 0.001


def job(number: int) -> Job:
    return Job(
        id=f"lcj_{number}",
        run_id=f"run_{number % 2}",
        token_id="tkn_1",
        element="task",
        kind=JobKind.SERVICE,
        topic="probe",
        state=JobStatus.READY,
        due_at=NOON,
        created_at=NOON,
        attempt=1,
    )


def report(of: Job) -> Report:
    return Report(job=of, happening=JobCompleted(job_id=of.id, attempt=of.attempt))


def test_jobs_are_worked_on_in_the_order_of_their_claim() -> None:
    batch = Batch([job(1), job(2)])

    taken = [batch.next(), batch.next(), batch.next()]

    assert taken == [job(1), job(2), None]
    assert (batch.run_ids, batch.current) == (("run_1", "run_0"), None)


def test_what_was_taken_back_is_not_worked_on() -> None:
    batch = Batch([job(1), job(2), job(3)])
    batch.next()

    given_back = batch.waiting()

    assert (given_back, batch.next(), batch.broken_up) == ((job(2), job(3)), None, True)


def test_a_report_is_taken_once() -> None:
    batch = Batch([job(1)])
    batch.note(report(job(1)))

    assert [batch.reports(), batch.reports()] == [(report(job(1)),), ()]


def test_a_quick_batch_is_left_alone() -> None:
    batch, broken = Batch([job(1)]), list[Batch]()

    with Watch(batch=batch, break_up=broken.append, beat=lambda _: True, beat_s=PATIENCE_S):
        batch.next()

    assert (broken, batch.broken_up) == ([], False)


@pytest.mark.parametrize("trouble", ["break-up", "beat"])
def test_the_watch_outlives_what_it_meets(trouble: str) -> None:
    batch, beats, seen = Batch([job(1)]), list[Job](), threading.Event()

    def break_up(_: Batch) -> None:
        if trouble == "break-up":
            raise ZeroDivisionError

    def beat(held: Job) -> bool:
        beats.append(held)
        if len(beats) == 1 and trouble == "beat":
            raise ZeroDivisionError
        seen.set()
        return True

    with Watch(batch=batch, break_up=break_up, beat=beat, beat_s=QUICK_S):
        batch.next()
        assert seen.wait(PATIENCE_S)

    assert {job.id for job in beats} == {"lcj_1"}

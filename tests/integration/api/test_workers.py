"""The SDK's worker against a real server: what its functions say becomes of the jobs, whatever they do."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import Role
from pilothouse.sdk import (
    ApiError,
    BpmnError,
    Client,
    HeldJob,
    JobFailedError,
    JobLaterError,
    JobLostError,
    Pace,
    Worker,
)
from pilothouse.sdk.worker_errors import WorkerInvalidError
from pilothouse.wire.external_jobs import FetchJobs
from pilothouse.wire.requests import SetPolicy, StartRun
from tests.acceptance.plant import eventually
from tests.integration.lifecycle.drawings import one_task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pilothouse.wire.runs import RunView
    from tests.integration.api.serving import Served

    Function = Callable[[HeldJob], Mapping[str, object] | None]

TOPIC = "credit-check"
FAST = Pace(threads=2, lock_s=30.0, wait_s=0.2)


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    with Client(url=served.url, token=served.token) as admin:
        admin.groups.set_policy("default", SetPolicy(external_topics=(TOPIC,)))
        admin.lifecycles.upload(one_task(TOPIC, retries=2), group="default")
    return served.hire("bot", Role.WORKER)


@pytest.fixture
def admin(served: Served, token: str) -> Iterator[Client]:
    """The administrator's client; the runs of a test end with it."""
    with Client(url=served.url, token=served.token) as client:
        yield client
        for run in client.runs.list():
            if run.ended_at is None:
                client.runs.cancel(run.heading.run_id, reason="the test is over")


@pytest.fixture
def client(served: Served, token: str) -> Iterator[Client]:
    with Client(url=served.url, token=token) as opened:
        yield opened


def working(client: Client, function: Function, pace: Pace = FAST) -> Worker:
    return Worker(client, group="default", topics={TOPIC: function}, name="w1", pace=pace)


def started(admin: Client) -> str:
    return admin.runs.start(StartRun(definition="small", variables={"amount": 3})).heading.run_id


def ended(admin: Client, run: str) -> bool:
    return admin.runs.get(run).ended_at is not None


def after(admin: Client, client: Client, function: Function) -> RunView:
    """Start a run, let a worker do its job once, and show the run."""
    run_id = started(admin)
    assert working(client, function).run_once() == 1
    return admin.runs.get(run_id)


def test_what_a_function_gives_goes_to_the_run(admin: Client, client: Client) -> None:
    run = after(admin, client, lambda job: {"doubled": 2 * int(str(job.variables["amount"]))})

    last = admin.runs.history(run.heading.run_id)[-1]
    assert run.state == "completed"
    assert last.data["variables"]["doubled"] == 6  # type: ignore[index]


def test_a_function_that_gives_nothing_is_done_too(admin: Client, client: Client) -> None:
    assert after(admin, client, lambda _: None).state == "completed"


def test_a_function_that_crashes_costs_a_try(admin: Client, client: Client) -> None:
    def crash(_: HeldJob) -> None:
        raise ZeroDivisionError("by nothing")

    [work] = after(admin, client, crash).work

    assert (work.retries_left, work.last_error) == (1, "ZeroDivisionError: by nothing")


@pytest.mark.parametrize("value", [object(), math.nan, {1: 2}], ids=["object", "nan", "key"])
def test_what_has_no_json_costs_a_try(admin: Client, client: Client, value: object) -> None:
    [work] = after(admin, client, lambda _: {"value": value}).work

    assert (work.retries_left, work.failures) == (1, 1)


def test_what_the_server_cannot_keep_costs_a_try_by_its_code(admin: Client, client: Client) -> None:
    [work] = after(admin, client, lambda _: ["not", "variables"]).work  # type: ignore[arg-type,return-value]

    assert (work.retries_left, work.failures) == (1, 1)
    assert "variables" in str(work.last_error)


def test_what_is_larger_than_a_call_may_be_costs_a_try(admin: Client, client: Client) -> None:
    [work] = after(admin, client, lambda _: {"text": "x" * 5000}).work

    assert (work.retries_left, work.failures) == (1, 1)
    assert "4096 bytes" in str(work.last_error)


def test_words_that_no_database_keeps_are_written_out(admin: Client, client: Client) -> None:
    def crash(_: HeldJob) -> None:
        raise ValueError("a\0b\ud800")

    [work] = after(admin, client, crash).work

    assert work.last_error == "ValueError: a\\x00b\\ud800"


def test_a_failure_says_itself_that_no_try_is_left(admin: Client, client: Client) -> None:
    def fail(_: HeldJob) -> None:
        raise JobFailedError("The bureau is closed for good.", failure_code="closed", retries=0)

    [incident] = after(admin, client, fail).incidents

    assert (incident.code, incident.message) == ("closed", "The bureau is closed for good.")


def test_an_error_that_nothing_catches_is_an_incident(admin: Client, client: Client) -> None:
    def throw(_: HeldJob) -> None:
        raise BpmnError(error_code="too-much", message="Above the limit.")

    [incident] = after(admin, client, throw).incidents

    assert (incident.code, incident.message) == ("too-much", "Above the limit.")


def test_what_is_to_come_later_comes_later(admin: Client, client: Client) -> None:
    def later(_: HeldJob) -> None:
        raise JobLaterError(after_s=3600.0)

    [work] = after(admin, client, later).work

    assert (work.retries_left, work.failures) == (2, 0)
    assert working(client, later).run_once() == 0


def test_a_job_whose_run_is_cancelled_meanwhile_is_lost_and_dropped(
    admin: Client, client: Client
) -> None:
    told: list[str] = []

    def slow(job: HeldJob) -> None:
        admin.runs.cancel(job.job.run_id, reason="nobody wants it")
        worker._holding.beat()
        with pytest.raises(JobLostError) as caught:
            job.confirm()
        told.append(caught.value.job)
        job.confirm()

    worker = working(client, slow)
    run_id = started(admin)
    worker.run_once()

    assert len(told) == 1
    assert admin.runs.get(run_id).state == "terminated"


def test_a_result_that_comes_too_late_is_dropped(admin: Client, client: Client) -> None:
    def cancelled(job: HeldJob) -> None:
        admin.runs.cancel(job.job.run_id, reason="nobody wants it")

    assert after(admin, client, cancelled).state == "terminated"


def test_a_worker_that_is_stopped_ends_what_it_has_begun_and_gives_back_the_rest(
    admin: Client, client: Client
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: HeldJob) -> None:
        begun.set()
        assert go_on.wait(20.0)

    worker = working(client, wait, Pace(threads=1, wait_s=0.2))
    first = started(admin)
    running = threading.Thread(target=worker.run)
    running.start()
    assert begun.wait(20.0)
    second = started(admin)

    worker.stop()
    go_on.set()
    running.join(20.0)

    assert not running.is_alive()
    assert [admin.runs.get(run).state for run in (first, second)] == ["completed", "active"]
    wanted = FetchJobs(group="default", topics=(TOPIC,), worker="w2")
    assert [job.run_id for job in client.external_jobs.fetch(wanted)] == [second]


def test_threads_do_jobs_at_the_same_time(admin: Client, client: Client) -> None:
    meeting = threading.Barrier(2)

    def meet(_: HeldJob) -> None:
        meeting.wait(timeout=20.0)

    runs = [started(admin), started(admin)]
    worker = working(client, meet)
    running = threading.Thread(target=worker.run)
    running.start()

    eventually(lambda: True if all(ended(admin, run) for run in runs) else None, what="both ended")
    worker.stop()
    running.join(20.0)

    assert [admin.runs.get(run).incidents for run in runs] == [(), ()]


def test_a_worker_that_the_server_refuses_says_so_and_ends(served: Served, token: str) -> None:
    with Client(url=served.url, token=token) as client:
        worker = Worker(client, group="default", topics={"deploy": lambda _: None}, pace=FAST)

        with pytest.raises(ApiError) as caught:
            worker.run()

    assert caught.value.problem_code == "topic-not-external"


def test_a_worker_without_a_topic_is_none(client: Client) -> None:
    with pytest.raises(WorkerInvalidError):
        Worker(client, group="default", topics={})

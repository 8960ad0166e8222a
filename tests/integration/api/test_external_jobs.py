"""External jobs over HTTP: long polls, refusals with their problems, and repeated reports."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.domain.access import Role
from tests.integration.api.serving import RawCall
from tests.integration.lifecycle.drawings import one_task

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.integration.api.serving import Served

TOPIC = "credit-check"
WANTED = {"group": "default", "topics": [TOPIC], "worker": "w1", "lock_s": 30.0}


@pytest.fixture(scope="module")
def token(served: Served) -> str:
    """The token of a worker, in a group that gives one topic away."""
    with served.client() as client:
        client.post("/groups/default/policy", json={"external_topics": [TOPIC]})
        client.post(
            "/lifecycles",
            content=one_task(TOPIC),
            params={"group": "default"},
            headers={"Content-Type": "application/xml"},
        ).raise_for_status()
    return served.hire("bot", Role.WORKER)


@pytest.fixture
def worker(served: Served, token: str) -> Iterator[httpx.Client]:
    """The worker's client; no job of another test is left behind."""
    with served.client(token) as opened:
        yield opened
        for job in fetched(opened, most=100):
            said = {"worker": "w1", "attempt": job["attempt"]}
            opened.post(f"/external-jobs/{job['id']}/complete", json=said).raise_for_status()


def start(served: Served) -> None:
    with served.client() as client:
        client.post("/runs", json={"definition": "small"}).raise_for_status()


def fetched(client: httpx.Client, **given: object) -> list[dict[str, Any]]:
    answer = client.post("/external-jobs/fetch", json=WANTED | given)
    answer.raise_for_status()
    jobs: list[dict[str, Any]] = answer.json()
    return jobs


def test_a_fetch_that_waits_for_nothing_answers_at_once(worker: httpx.Client) -> None:
    assert fetched(worker) == []


def test_a_fetch_that_waits_gets_a_job_when_it_comes(served: Served, worker: httpx.Client) -> None:
    found: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: found.extend(fetched(worker, wait_s=20.0)))
    waiting.start()

    start(served)
    waiting.join(15.0)

    assert [job["topic"] for job in found] == [TOPIC]
    said = {"worker": "w1", "attempt": found[0]["attempt"]}
    worker.post(f"/external-jobs/{found[0]['id']}/complete", json=said).raise_for_status()


def test_a_worker_that_hung_up_gets_no_job(
    served: Served, worker: httpx.Client, token: str
) -> None:
    body = b'{"group":"default","topics":["credit-check"],"worker":"gone","wait_s":20.0}'
    call = RawCall(
        served,
        "POST",
        "/external-jobs/fetch",
        length=len(body),
        Authorization=f"Bearer {token}",
        Content_Type="application/json",
    )
    call.send(body)
    time.sleep(0.1)  # the call is under way; whether it is makes no difference to the outcome
    call.hang_up()
    time.sleep(0.6)  # a look of the server's, which is when it notices

    start(served)

    [job] = fetched(worker, wait_s=5.0)
    said = {"worker": "w1", "attempt": job["attempt"]}
    assert worker.post(f"/external-jobs/{job['id']}/complete", json=said).status_code == 200


def test_a_report_under_one_key_is_answered_twice_and_taken_once(
    served: Served, worker: httpx.Client
) -> None:
    start(served)
    [job] = fetched(worker)
    path, said = f"/external-jobs/{job['id']}/complete", {"worker": "w1", "attempt": job["attempt"]}

    answers = [
        worker.post(path, json=said, headers={"Idempotency-Key": f"{job['id']}/done"})
        for _ in range(2)
    ]
    late = worker.post(path, json=said)

    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["run_state"] == "completed"
    assert (late.status_code, late.json()["code"]) == (409, "job-not-held")


def test_a_fetch_under_one_key_gives_the_same_jobs_again(
    served: Served, worker: httpx.Client
) -> None:
    start(served)
    key = {"Idempotency-Key": "fetch-1"}

    jobs = [worker.post("/external-jobs/fetch", json=WANTED, headers=key).json() for _ in range(2)]

    assert jobs[0] == jobs[1]
    assert len(jobs[0]) == 1
    said = {"worker": "w1", "attempt": jobs[0][0]["attempt"]}
    worker.post(f"/external-jobs/{jobs[0][0]['id']}/complete", json=said).raise_for_status()


def test_what_has_no_place_among_variables_leaves_the_job_to_its_worker(
    served: Served, worker: httpx.Client
) -> None:
    start(served)
    [job] = fetched(worker)
    path, said = f"/external-jobs/{job['id']}", {"worker": "w1", "attempt": job["attempt"]}

    refused = worker.post(f"{path}/complete", json=said | {"variables": [1]})
    failed = worker.post(f"{path}/fail", json=said | {"message": "no", "retries": 0})

    assert (refused.status_code, refused.json()["code"]) == (422, "document-invalid")
    assert failed.status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"topics": []},
        {"topics": ["t"] * 101},
        {"worker": ""},
        {"worker": "a\nb"},
        {"lock_s": 0.5},
        {"lock_s": 1e9},
        {"most": 0},
        {"most": 101},
        {"wait_s": -1.0},
        {"wait_s": 21.0},
        {"wait_s": "5"},
        {"surprise": 1},
    ],
    ids=str,
)
def test_a_fetch_out_of_bounds_is_refused(worker: httpx.Client, wrong: dict[str, Any]) -> None:
    answer = worker.post("/external-jobs/fetch", json=WANTED | wrong)

    assert (answer.status_code, answer.json()["code"]) == (422, "document-invalid")


def test_a_worker_reads_nothing_else(worker: httpx.Client) -> None:
    assert worker.get("/runs").json()["items"] == []
    assert worker.get("/snapshots").json()["items"] == []
    assert worker.get("/groups").json()["items"] == []
    assert worker.post("/runs", json={"definition": "small"}).status_code in (403, 404)


def test_a_topic_that_is_not_given_away_is_a_conflict_that_says_which_are(
    worker: httpx.Client,
) -> None:
    answer = worker.post("/external-jobs/fetch", json=WANTED | {"topics": ["deploy"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "topic-not-external")
    assert answer.json()["fields"]["allowed"] == [TOPIC]

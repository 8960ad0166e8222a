"""The task type webhook, against a real server on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.state import RunStatus
from pilothouse.wire.requests import RetryIncident
from tests.integration.lifecycle.drawings import asking, one_task
from tests.integration.lifecycle.house import OPAL, Killed, MortalWork
from tests.integration.lifecycle.reaching import catching, given, grant, incident, start
from tests.web.answering import Received, Reply, answering

if TYPE_CHECKING:
    from tests.integration.lifecycle.house import House

BODY = '={event: "ready", run: order}'


def taken(request: Received) -> Reply:
    return Reply(status=202, body={"queued": request.body})


def test_a_webhook_is_posted_once_with_its_secret_and_audited(house: House) -> None:
    house.environment["HOOK"] = "t0ken"
    inputs = {"secret": "env:HOOK", "secret_form": "bearer", "body": BODY}
    with answering(taken) as server:
        grant(house, f"{server.url} private env:HOOK")
        start(house, asking("webhook", {"url": f"{server.url}/hook?a=1", **inputs}), order=7)

        response = given(house)["response"]

        [got] = server.received
    assert response == {"status": 202, "body": {"queued": {"event": "ready", "run": 7}}}
    assert (got.path, got.query, got.headers["authorization"]) == (
        "/hook",
        {"a": "1"},
        "Bearer t0ken",
    )
    [detail] = house.audited("call", "run")
    assert detail["url"] == f"{server.url}/hook"
    assert "t0ken" not in str(detail)


def test_a_host_that_is_not_granted_is_an_incident(house: House) -> None:
    start(house, one_task("webhook", url="https://hooks.example/a"))

    found = incident(house)

    assert (found.code, "hooks.example" in found.message) == ("host-not-granted", True)


def test_an_incident_passes_once_the_host_is_granted(house: House) -> None:
    with answering(taken) as server:
        start(house, one_task("webhook", url=server.url))
        found = incident(house)
        grant(house, f"{server.url} private")

        house.plane.runs.retry(OPAL, incident_id=found.id, wanted=RetryIncident())

        assert house.until_ended().state is RunStatus.COMPLETED


def test_a_secret_that_is_not_granted_is_an_incident(house: House) -> None:
    house.environment["OTHER"] = "secret"
    with answering(taken) as server:
        grant(house, f"{server.url} private env:HOOK")
        start(house, one_task("webhook", url=server.url, secret="env:OTHER"))

        assert incident(house).code == "secret-not-granted"
        assert server.received == []


def test_a_refusal_is_a_business_error_that_a_drawing_may_catch(house: House) -> None:
    with answering(lambda _: Reply(status=409, body={"why": "closed"})) as server:
        grant(house, f"{server.url} private")
        start(house, catching("webhook", "webhook-refused", url=server.url))

        found = given(house)

    assert found["response"] == {"status": 409, "body": {"why": "closed"}}
    assert house.until_ended().outcome == "caught"


def test_a_refused_webhook_is_sent_again_when_it_is_retried(house: House) -> None:
    replies = [Reply(status=400, body="no"), Reply(body="yes")]
    with answering(lambda _: replies.pop(0)) as server:
        grant(house, f"{server.url} private")
        start(house, one_task("webhook", url=server.url))

        house.plane.runs.retry(OPAL, incident_id=incident(house).id, wanted=RetryIncident())

        assert given(house)["response"] == {"status": 200, "body": "yes"}


def test_a_host_that_is_away_costs_no_retry_and_gets_the_same_key(house: House) -> None:
    replies = [Reply(status=503), Reply(status=503), Reply(body="back")]
    with answering(lambda _: replies.pop(0)) as server:
        grant(house, f"{server.url} private")
        start(house, one_task("webhook", url=server.url, retries=1))

        assert given(house)["response"] == {"status": 200, "body": "back"}
        assert len({request.key for request in server.received}) == 1
        assert len(server.received) == 3


@pytest.mark.parametrize("after", [False, True])
def test_a_webhook_whose_worker_is_killed_is_repeated_under_the_same_key(
    house: House, after: bool
) -> None:
    with answering(taken) as server:
        grant(house, f"{server.url} private")
        start(house, one_task("webhook", url=server.url))
        mortal = MortalWork(house.database.open_work)
        dying = house.built(mortal, owner="worker-2")
        # The claim, the check of the lease, and the note of the answer.
        mortal.die_at, mortal.die_after_commit = 3, after
        with pytest.raises(Killed):
            dying.executor.run_once()

        assert house.until_ended().state is RunStatus.COMPLETED

        assert len(server.received) == (1 if after else 2)
        assert len({request.key for request in server.received}) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("secret_form", "digest"), ("body", '="text"'), ("url", "=17")]
)
def test_an_input_that_will_not_do_is_an_incident(house: House, name: str, value: str) -> None:
    start(house, asking("webhook", {"url": "https://a.example", name: value}))

    found = incident(house)

    assert (found.code, name in found.message) == ("task-input-invalid", True)

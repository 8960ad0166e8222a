"""No request is lost while routes change and while the entry ends."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from typing import TYPE_CHECKING

from pilothouse.scoring.http.messages import HttpLimits
from tests.entries.documents import TOKEN, deployment, desired, one, route, variant
from tests.entries.running import EntryClient, body, threaded_entry, until
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from pathlib import Path

BODY = json.dumps(body()).encode()
HEADERS = {"authorization": f"Bearer {TOKEN}"}
CLIENTS = 4


class Load:
    """Asks over and over on one connection, and keeps what came back."""

    def __init__(self, client: EntryClient) -> None:
        self._client, self._stop = client, threading.Event()
        self.found: Counter[tuple[int, str]] = Counter()
        self.problems: list[BaseException] = []
        self._threads = [threading.Thread(target=self._work) for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def asked(self) -> int:
        return sum(self.found.values())

    def _work(self) -> None:
        connection = http.client.HTTPConnection(self._client.host, self._client.port, timeout=30)
        try:
            while not self._stop.is_set():
                connection.request("POST", "/v2/models/cc-fraud/infer", BODY, HEADERS)
                answer = connection.getresponse()
                content = answer.read()
                by = json.loads(content)["outputs"][1]["data"][0] if answer.status == 200 else ""
                assert by in ("", answer.headers["x-snapshot"])
                self.found[answer.status, by] += 1
        except BaseException as problem:  # noqa: BLE001 the test looks at it
            self.problems.append(problem)
        finally:
            connection.close()


def test_changing_routes_under_load_loses_no_request(tmp_path: Path) -> None:
    both = [deployment(1), deployment(2)]
    split = route(2, variant(1, 50), variant(2, 50), shadows=[])
    with threaded_entry(tmp_path, Workshop()) as (client, running):
        client.take(one(1))
        load = Load(client)
        generation = 1
        for _ in range(5):
            for changed in (
                desired(0, deployments=both, routes=[split]),
                desired(0, deployments=both, routes=[route(3, variant(2))]),
                one(2),
                desired(0, deployments=both, routes=[split]),
                one(1),
            ):
                generation += 1
                routes = [route(generation, *r.variants, shadows=r.shadows) for r in changed.routes]
                client.take(desired(generation, deployments=changed.deployments, routes=routes))
                asked = load.asked
                until(lambda: load.asked > asked + 20)  # noqa: B023 called at once
        load.end()

        assert not load.problems
        assert {status for status, _ in load.found} == {200}
        assert {by for _, by in load.found} == {"gbm@1", "gbm@2"}
        for number in (1, 2):
            answered = load.found[200, f"gbm@{number}"]
            assert (
                client.metric(
                    "pilothouse_requests_total", snapshot=f"gbm@{number}", outcome="success"
                )
                == answered
            )
        assert running.counters.total() == load.asked


def test_an_entry_that_ends_answers_what_is_under_way(tmp_path: Path) -> None:
    workshop = Workshop()
    with threaded_entry(tmp_path, workshop, http=HttpLimits(idle_timeout_s=20)) as (client, _):
        client.take(one(1))
        scorer = workshop.last("gbm@1")
        scorer.gate.clear()
        replies = []
        thread = threading.Thread(target=lambda: replies.append(client.infer(body())))
        thread.start()
        assert scorer.entered.acquire(timeout=20)
        idle = http.client.HTTPConnection(client.host, client.port, timeout=20)
        idle.connect()

        assert client.control("POST", "/drain").status == 202

        assert idle.sock.recv(1) == b""  # an idle connection is closed
        idle.close()
        until(lambda: refuses(client))
        assert not replies
        scorer.gate.set()
        thread.join(20)
        assert replies[0].status == 200
        assert replies[0].headers["connection"] == "close"


def refuses(client: EntryClient) -> bool:
    try:
        return client.ask("GET", "/v2/health/ready").status == 503
    except ConnectionError:
        return True

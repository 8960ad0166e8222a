"""Open Inference v2 over REST, against a running entry with steered models."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.domain.ids import ServiceTag
from pilothouse.domain.schemas import OnViolation, Scalar
from pilothouse.scoring.deployments import HostingLimits
from pilothouse.scoring.serve import Running
from tests.entries.documents import (
    OLD_TOKEN,
    OTHER_TOKEN,
    deployment,
    desired,
    one,
    route,
    token,
    variant,
)
from tests.entries.running import EntryClient, body, threaded_entry, until
from tests.entries.scorers import Workshop, inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Served = tuple[EntryClient, Running, Workshop]
SPLIT = desired(
    7,
    deployments=[deployment(1), deployment(2), deployment(3)],
    routes=[route(5, variant(1, 60), variant(2, 40), shadows=[variant(3, 1.0)])],
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    workshop = Workshop()
    quick = HostingLimits(queue=2, retry_first_s=0.05, retry_most_s=0.1)
    with threaded_entry(tmp_path, workshop, hosting=quick) as (client, running):
        client.take(SPLIT)
        until(lambda: {d.state.value for d in client.observed().deployments} == {"running"})
        yield client, running, workshop


def test_an_answer_says_which_snapshot_by_which_route(served: Served) -> None:
    client, _, _ = served
    request = {**body(2), "id": "request-1", "parameters": {"sticky_key": "customer-1"}}

    reply = client.infer(request)

    assert reply.status == 200
    answer = reply.json
    number = answer["model_version"]
    assert answer["model_name"] == "cc-fraud"
    assert answer["id"] == "request-1"
    assert answer["parameters"]["snapshot"] == f"gbm@{number}" == reply.headers["x-snapshot"]
    assert answer["parameters"]["digest"] == f"{int(number):064x}"
    assert answer["parameters"]["route_generation"] == 5
    assert answer["parameters"]["prediction_id"] == reply.headers["x-prediction-id"]
    assert answer["parameters"]["prediction_id"].startswith("prd_")
    assert answer["outputs"] == [
        {"name": "score", "datatype": "FP64", "shape": [2], "data": [43.0, 43.0]},
        {"name": "answered_by", "datatype": "BYTES", "shape": [2], "data": [f"gbm@{number}"] * 2},
    ]


def test_a_sticky_key_meets_one_variant_whether_by_header_or_in_the_message(served: Served) -> None:
    client, _, _ = served
    for n in range(10):
        key = f"Kündin {n}"
        by_message = client.infer({**body(), "parameters": {"sticky_key": key}})
        by_header = client.infer(body(), headers={"x-sticky-key": key.encode().decode("latin-1")})
        assert by_message.headers["x-snapshot"] == by_header.headers["x-snapshot"]


def test_a_version_is_pinned(served: Served) -> None:
    client, _, _ = served
    for pinned in ("2", "gbm@2", "gbm%402"):
        reply = client.infer(body(), path=f"/versions/{pinned}")
        assert (reply.status, reply.headers["x-snapshot"]) == (200, "gbm@2")


def test_outputs_are_chosen_by_name(served: Served) -> None:
    client, _, _ = served
    reply = client.infer({**body(), "outputs": [{"name": "score"}]})
    assert [o["name"] for o in reply.json["outputs"]] == ["score"]

    unknown = client.infer({**body(), "outputs": [{"name": "reason"}]})
    assert (unknown.status, unknown.json["code"]) == (422, "output-unknown")


def test_metadata_come_from_the_schema(served: Served) -> None:
    client, _, _ = served
    found = client.ask("GET", "/v2/models/cc-fraud").json
    types = {t["name"]: (t["datatype"], t["shape"]) for t in found["inputs"]}
    assert found["versions"] == ["1", "2", "3"]
    assert found["platform"] == "pilothouse_steered"
    assert types == {
        "amount": ("FP64", [-1]),
        "age": ("INT64", [-1]),
        "abroad": ("BOOL", [-1]),
        "segment": ("BYTES", [-1]),
        "at": ("BYTES", [-1]),
        "account": ("BYTES", [-1]),
    }
    assert client.ask("GET", "/v2/models/cc-fraud/versions/2").json["versions"] == ["2"]
    assert client.ask("GET", "/v2/models").json == {"models": ["cc-fraud"]}
    assert client.ask("GET", "/v2/models", token=OTHER_TOKEN).json == {"models": []}
    assert client.ask("GET", "/v2").json["name"] == "pilothouse"


def test_health_needs_no_token_and_all_else_does(served: Served) -> None:
    client, _, _ = served
    for path in ("/v2/health/live", "/v2/health/ready", "/metrics"):
        assert client.ask("GET", path, token=None).status == 200
    for path in ("/v2", "/v2/models", "/v2/models/cc-fraud", "/v2/models/cc-fraud/ready"):
        reply = client.ask("GET", path, token=None)
        assert (reply.status, reply.json["code"]) == (401, "token-missing")
        assert reply.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "token-missing"),
        ("pht_wrong", 401, "token-invalid"),
        (OLD_TOKEN, 401, "token-expired"),
        (OTHER_TOKEN, 403, "service-denied"),
    ],
)
def test_scoring_needs_a_good_token(
    token: str | None, status: int, code: str, served: Served
) -> None:
    client, _, workshop = served
    reply = client.infer(body(), token=token)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert not any(s.seen for opened in workshop.opened.values() for s in opened)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount": None}, 422, "columns-differ"),
        ({"extra": ("FP64", 1.0)}, 422, "columns-differ"),
        ({"age": ("FP64", 2.5)}, 422, "datatype-mismatch"),
        ({"age": ("INT64", 2.5)}, 400, "element-invalid"),
        ({"amount": ("FP64", -1.0)}, 422, "rows-rejected"),
        ({"amount": ("FP64", None)}, 422, "rows-rejected"),
        ({"amount": ("INT64", 2**53 + 1)}, 422, "rows-rejected"),
        ({"segment": ("BYTES", "private")}, 422, "rows-rejected"),
        ({"at": ("BYTES", "2026-01-05")}, 422, "rows-rejected"),
        ({"abroad": ("BYTES", "true")}, 422, "datatype-mismatch"),
        ({"age": ("UINT64", 2**64 - 1)}, 422, "rows-rejected"),
        ({"age": ("FP16", 1)}, 400, "datatype-unknown"),
    ],
)
def test_broken_rows_are_typed_errors_and_reach_no_model(
    changes: dict[str, Any], status: int, code: str, served: Served
) -> None:
    client, _, workshop = served

    reply = client.infer(body(**changes))

    assert (reply.status, reply.json["code"]) == (status, code)
    assert not any(s.seen for opened in workshop.opened.values() for s in opened)


@pytest.mark.parametrize(
    "changes",
    [
        {"age": ("INT8", 44)},
        {"age": ("INT64", None)},
        {"amount": ("INT32", 21)},
        {"account": ("BYTES", "a")},
    ],
)
def test_what_the_schema_allows_is_answered(changes: dict[str, Any], served: Served) -> None:
    client, _, workshop = served
    assert client.infer(body(**changes)).status == 200
    seen = [c for opened in workshop.opened.values() for s in opened for c in s.seen]
    assert all(set(columns) == {"amount", "age", "abroad", "segment", "at"} for columns in seen)


def test_violations_are_listed_by_row_and_column_and_counted(served: Served) -> None:
    client, _, _ = served
    request = body(300)
    request["inputs"][0]["data"] = [-1.0] * 300

    reply = client.infer(request)

    document = reply.json
    assert document["violations_total"] == 300
    assert len(document["violations"]) == 100
    assert document["violations"][3]["row"] == 3
    assert document["violations"][3]["column"] == "amount"
    assert document["violations"][3]["code"] == "range"
    assert client.metric("pilothouse_violations_total", column="amount", kind="range") == 300


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v2/models/unknown/infer", 403, "service-denied"),
        ("/v2/models/cc-fraud/versions/9/infer", 404, "version-unknown"),
        ("/v2/models/cc-fraud/versions/gbm@9/infer", 404, "version-unknown"),
        ("/v2/models/cc-fraud/infer/x", 404, "path-unknown"),
        ("/v2/models//infer", 404, "path-unknown"),
        ("/v2/models/infer", 405, "method-not-allowed"),
        ("/v1/models/cc-fraud:predict", 404, "path-unknown"),
    ],
)
def test_unknown_paths_and_versions_are_told(
    path: str, status: int, code: str, served: Served
) -> None:
    client, _, _ = served
    reply = client.ask("POST", path, json_body=body())
    assert (reply.status, reply.json["code"]) == (status, code)


def test_only_a_token_for_all_services_learns_that_one_does_not_exist(served: Served) -> None:
    client, _, _ = served
    client.take(replace(SPLIT, generation=8, tokens=(token("pht_of-all"),)))
    reply = client.ask("GET", "/v2/models/unknown", token="pht_of-all")
    assert (reply.status, reply.json["code"]) == (404, "service-unknown")


def test_methods_types_and_headers_are_checked(served: Served) -> None:
    client, _, _ = served
    infer = "/v2/models/cc-fraud/infer"
    get = client.ask("GET", infer)
    assert (get.status, get.headers["allow"]) == (405, "POST")
    for headers in (
        {"content-type": "text/csv"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-encoding": "gzip"},
        {"content-type": "application/octet-stream"},
    ):
        assert client.infer(body(), headers=headers).status == 415
    for deadline in ("0", "-1", "soon", "1.5", "99999999"):
        reply = client.infer(body(), headers={"x-deadline-ms": deadline})
        assert (reply.status, reply.json["code"]) == (400, "header-invalid")
    assert (
        client.infer(body(), headers={"content-type": "application/json; charset=UTF-8"}).status
        == 200
    )


def test_the_index_lists_what_a_token_may_see(served: Served) -> None:
    client, _, workshop = served
    workshop.failing["lr@3"] = OSError("no such model")
    client.put(
        desired(
            8,
            deployments=[*SPLIT.deployments, deployment(3, model="lr")],
            routes=SPLIT.routes,
            tokens=[token("all"), token("none", ServiceTag("heloc"))],
        )
    )
    until(lambda: {d.state.value for d in client.observed().deployments} == {"running", "failed"})
    path = "/v2/repository/index"

    everything = client.ask("POST", path, token="all")
    ready = client.ask("POST", path, token="all", json_body={"ready": True})

    assert [(m["name"], m["version"], m["state"]) for m in everything.json] == [
        ("cc-fraud", "1", "READY"),
        ("cc-fraud", "2", "READY"),
        ("cc-fraud", "gbm@3", "READY"),
        ("cc-fraud", "lr@3", "UNAVAILABLE"),
    ]
    assert everything.json[3]["reason"] == "failed"
    assert ready.json == everything.json[:3]
    assert client.ask("POST", path, token="none").json == []
    assert client.ask("POST", path, token=None).status == 401
    assert client.ask("POST", path, token="all", json_body={"redy": 1}).status == 400
    assert client.ask("GET", path, token="all").status == 405


def test_a_message_may_repeat_the_paths_model_and_name_no_other(served: Served) -> None:
    client, _, _ = served
    same = {**body(), "model_name": "cc-fraud", "model_version": "1"}
    assert client.infer(same, path="/versions/1").json["model_version"] == "1"
    for other in ({**body(), "model_name": "heloc"}, {**body(), "model_version": "1"}):
        reply = client.infer(other)
        assert (reply.status, reply.json["code"]) == (400, "message-malformed")


def test_dashboards_of_other_servers_find_their_names(served: Served) -> None:
    client, _, _ = served
    client.infer(body(3), path="/versions/1")
    client.infer(body(amount=None), path="/versions/1")

    triton = {"model": "cc-fraud", "version": "1"}
    assert client.metric("nv_inference_request_success", **triton) == 1
    assert client.metric("nv_inference_request_failure", **triton) == 1
    assert client.metric("nv_inference_count", **triton) == 3
    assert client.metric("nv_inference_request_duration_us", **triton) > 0
    mlserver = {"model_name": "cc-fraud", "model_version": "1"}
    assert client.metric("model_infer_request_success_total", **mlserver) == 1


def test_head_gives_the_head_of_get(served: Served) -> None:
    client, _, _ = served
    get, head = client.ask("GET", "/v2/models/cc-fraud"), client.ask("HEAD", "/v2/models/cc-fraud")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_a_full_queue_and_a_passed_deadline_are_told_at_once(served: Served) -> None:
    client, running, workshop = served
    client.take(one(1, generation=8))
    scorer = workshop.last("gbm@1")
    scorer.gate.clear()
    replies: list[int] = []
    waiting = [
        threading.Thread(target=lambda: replies.append(client.infer(body()).status))
        for _ in range(2)
    ]
    for thread in waiting:
        thread.start()
    until(lambda: client.metric("pilothouse_queue_depth", snapshot="gbm@1") == 2)

    full = client.infer(body())

    assert (full.status, full.json["code"]) == (429, "queue-full")
    assert full.headers["retry-after"] == "1"
    scorer.gate.set()
    for thread in waiting:
        thread.join()
    assert replies == [200, 200]
    scorer.gate.clear()
    late = client.infer(body(), headers={"x-deadline-ms": "20"})
    assert (late.status, late.json["code"]) == (504, "deadline-exceeded")
    scorer.gate.set()
    assert running.counters.total() == 4


def test_a_model_that_dies_gives_503_until_it_is_back(served: Served) -> None:
    client, _, workshop = served
    client.take(one(1, generation=8))
    hold = workshop.hold("gbm@1")
    workshop.last("gbm@1").alive = False

    down = client.infer(body())

    assert (down.status, down.json["code"]) == (503, "model-unavailable")
    assert int(down.headers["retry-after"]) >= 1
    assert client.ask("GET", "/v2/models/cc-fraud/ready").status == 503
    hold.set()
    until(lambda: client.infer(body()).status == 200)
    assert client.metric("pilothouse_model_restarts_total") == 1


def test_a_model_that_breaks_its_promise_gives_no_answer(served: Served) -> None:
    client, _, workshop = served
    client.take(one(1, generation=8))
    answers: tuple[dict[str, list[Scalar]], ...] = (
        {"score": [float("nan")], "answered_by": ["x"]},
        {"score": [1.0]},
        {"score": [1.0, 2.0], "answered_by": ["x", "y"]},
        {"score": ["high"], "answered_by": ["x"]},
    )
    for answer in answers:
        workshop.last("gbm@1").answer = answer
        reply = client.infer(body())
        assert (reply.status, reply.json["code"]) == (500, "output-broken")


def test_shadows_see_a_copy_and_never_answer(served: Served) -> None:
    client, running, workshop = served
    shadow = workshop.last("gbm@3")
    shadow.gate.clear()

    replies = [client.infer(body()) for _ in range(5)]

    assert {r.headers["x-snapshot"] for r in replies} <= {"gbm@1", "gbm@2"}
    shadow.gate.set()
    until(
        lambda: (
            sum(
                client.metric("pilothouse_shadow_requests_total", outcome=o)
                for o in ("success", "dropped")
            )
            == 5
        )
    )
    assert (
        client.metric("pilothouse_shadow_requests_total", outcome="dropped") == 3
    )  # its queue holds two
    assert len(shadow.seen) == 2
    assert running.counters.total() == 5


def test_everything_is_counted_under_our_names_and_under_others(served: Served) -> None:
    client, _, _ = served
    client.infer(body(3))
    client.infer(body(amount=("FP64", -1.0)))
    client.infer(body(), token=None)
    client.ask("GET", "/nowhere")

    def requests(outcome: str) -> float:
        return client.metric("pilothouse_requests_total", service="cc-fraud", outcome=outcome)

    assert (requests("success"), requests("rejected")) == (1, 1)
    assert client.metric("pilothouse_requests_total", outcome="denied") == 1
    assert client.metric("pilothouse_rows_total") == 3
    assert client.metric("model_infer_request_success_total", model_name="cc-fraud") == 1
    assert client.metric("model_infer_request_failure_total", model_name="cc-fraud") == 1
    assert client.metric("pilothouse_request_duration_seconds_count", service="cc-fraud") == 2
    assert client.metric("pilothouse_http_refusals_total", code="path-unknown") == 1
    assert client.metric("pilothouse_route_generation", service="cc-fraud") == 5


def test_a_name_made_up_by_a_caller_never_becomes_a_label(served: Served) -> None:
    client, _, _ = served
    client.ask("POST", "/v2/models/made-up/infer", json_body=body())
    assert "made-up" not in client.ask("GET", "/metrics").body.decode()


def test_flags_and_coercions_are_told(tmp_path: Path) -> None:
    for rule, changes, parameter in (
        (OnViolation.FLAG, {"amount": ("FP64", 2e6)}, "flags"),
        (OnViolation.COERCE, {"age": ("BYTES", "44")}, "coerced"),
    ):
        workshop = Workshop(schema=inputs(rule), inline=True)
        with threaded_entry(tmp_path / rule.value, workshop) as (client, _):
            client.take(one(1))
            reply = client.infer(body(**changes))
            assert reply.status == 200
            told = reply.json["parameters"][parameter]
            expected = [{"row": 0, "column": "amount", "code": "range"}]
            assert told == 1 if rule is OnViolation.COERCE else json.loads(told) == expected


def test_a_service_without_a_running_snapshot_is_not_ready(tmp_path: Path) -> None:
    workshop = Workshop()
    gate = workshop.hold("gbm@1")
    with threaded_entry(tmp_path, workshop) as (client, _):
        assert client.ask("GET", "/v2/health/ready", token=None).status == 503
        client.put(one(1))
        assert client.ask("GET", "/v2/health/ready", token=None).status == 503
        reply = client.infer(body())
        assert (reply.status, reply.json["code"]) == (503, "service-not-ready")
        gate.set()
        until(lambda: client.ask("GET", "/v2/health/ready", token=None).status == 200)


def test_the_control_socket_needs_the_secret_and_a_good_document(served: Served) -> None:
    client, _, _ = served
    assert client.control("GET", "/observed", secret="wrong").status == 401
    assert client.control("GET", "/nowhere").status == 404
    assert client.control("POST", "/desired").status == 405
    for content in (b"", b"{", b"{}", b"[" * 100_000, b'{"schema": 9}'):
        reply = client.control("PUT", "/desired", content)
        assert reply.status == 422, content[:20]
    assert client.put(one(9, generation=7)).status == 409
    older = client.put(one(9, generation=6))
    assert (older.status, older.json) == (200, {"generation": 7, "applied": False})
    assert (
        client.put(desired(9, deployments=[deployment(1, service=ServiceTag("x" * 80))])).status
        == 422
    )
    assert client.effective() == 5

"""The prediction log of a real entry: everything that was answered is in the tables, whoever is killed when."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import deltalake

from pilothouse.domain.desired import DesiredLog, LogState
from pilothouse.domain.plain import to_plain
from pilothouse.domain.prediction_logs import LogPolicy
from pilothouse.scoring.log.settings import LogSettings
from pilothouse.scoring.log.spool import SpoolLimits
from tests.entries.documents import SERVICE, deployment, desired, one, route, variant
from tests.entries.running import EntryClient, body, threaded_entry, until
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.entries.running import Reply


def log_in(folder: Path, **others: Any) -> LogSettings:  # noqa: ANN401 any setting
    spool = SpoolLimits(segment_bytes=65536, total_bytes=64 * 65536, rotate_s=0.5)
    return LogSettings(
        **{"tables": str(folder / "tables"), "spool": spool, "write_s": 0.1, **others}
    )


def table(folder: Path, name: str = "predictions") -> list[dict[str, Any]]:
    uri = str(folder / "tables" / "PROD" / name)
    if not deltalake.DeltaTable.is_deltatable(uri):
        return []
    found: list[dict[str, Any]] = deltalake.DeltaTable(uri).to_pyarrow_table().to_pylist()
    return found


def windows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in (folder / "tables" / "PROD" / "windows").rglob("*.json"):
        yield json.loads(path.read_bytes())


def writer_of(client: EntryClient) -> int:
    """Give the process of the writer, once it has said that it is there."""
    status = client.home / "log" / "writer.json"
    until(status.exists, timeout_s=60)
    return int(json.loads(status.read_bytes())["pid"])


def test_answers_are_in_the_table_with_what_they_were_made_of(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True), log=log_in(tmp_path)) as (client, _):
        client.take(
            desired(
                1,
                deployments=[deployment(1), deployment(2)],
                routes=[route(1, variant(1), shadows=[variant(2)])],
            )
        )
        answer = client.infer(
            body(2, account=("BYTES", "4711")), headers={"x-sticky-key": "customer"}
        )
        pinned = client.infer(body(), path="/versions/2")
        rejected = client.infer(body(amount=("FP64", -1.0)))
        assert (answer.status, pinned.status, rejected.status) == (200, 200, 422)
        until(lambda: len(table(tmp_path)) == 5, timeout_s=60)
        assert client.metric("pilothouse_log_rows_total", service="cc-fraud") == 5
        assert client.observed().log.state is LogState.ON
        until(lambda: client.observed().log.written == 5)
    rows = {(r["role"], r["row"]): r for r in table(tmp_path)}
    routed = rows["routed", 1]
    assert routed["prediction_id"] == answer.headers["x-prediction-id"]
    assert (routed["key"], routed["sticky_key"], routed["snapshot"]) == (
        "4711",
        "customer",
        "gbm@1",
    )
    assert (routed["deployment"], routed["route_generation"]) == ("dep_gbm_1", 1)
    assert json.loads(routed["inputs"])["amount"] == 21.5
    assert json.loads(routed["outputs"]) == {"score": 43.0, "answered_by": "gbm@1"}
    shadow = rows["shadow", 0]
    assert (shadow["prediction_id"], shadow["snapshot"]) == (routed["prediction_id"], "gbm@2")
    assert rows["pinned", 0]["prediction_id"] == pinned.headers["x-prediction-id"]
    requests = [
        (r["snapshot"], r["outcome"], r["requests"])
        for w in windows(tmp_path)
        for r in w["requests"]
    ]
    assert sorted(requests) == [
        ("gbm@1", "rejected", 1),
        ("gbm@1", "success", 1),
        ("gbm@2", "success", 1),
    ]


def test_a_service_may_keep_a_share_or_nothing_and_is_counted_all_the_same(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True), log=log_in(tmp_path)) as (client, _):
        wanted = one(1)
        document = {
            **to_plain(wanted),
            "schema": 2,
            "logs": [to_plain(DesiredLog(service=SERVICE, policy=LogPolicy(sampling=0)))],
        }
        assert client.control("PUT", "/desired", json.dumps(document).encode()).status == 200
        until(lambda: client.effective() == 1)
        for _ in range(3):
            assert client.infer(body()).status == 200
        writer_of(client)
    assert table(tmp_path) == []
    assert sum(m["rows"] for w in windows(tmp_path) for m in w["models"]) == 3


def test_a_full_spool_never_stops_scoring_and_every_row_is_accounted_for(tmp_path: Path) -> None:
    small = SpoolLimits(segment_bytes=4096, total_bytes=8192, rotate_s=60, retry_s=0.01)
    settings = log_in(tmp_path, spool=small, tables=str(tmp_path / "file"))
    (tmp_path / "file").write_text("no folder can be here")
    with threaded_entry(tmp_path, Workshop(inline=True), log=settings) as (client, _):
        client.take(one(1))
        for _ in range(100):
            assert client.infer(body()).status == 200
        recorded = client.metric("pilothouse_log_rows_total")
        dropped = client.metric("pilothouse_log_dropped_rows_total", reason="backlog")
        assert recorded + dropped == 100
        assert dropped > 50
        assert client.observed().log.dropped == {"backlog": dropped}
        until(lambda: client.observed().log.state is LogState.STALLED, timeout_s=60)
        assert client.metric("pilothouse_log_writer_failures_total") > 0
        assert client.metric("pilothouse_log_lag_bytes") > 4000

        (tmp_path / "file").unlink()

        until(lambda: client.observed().log.state is LogState.ON, timeout_s=60)
        until(lambda: client.infer(body()).status == 200 and _went_on(client, recorded))
        recorded = client.metric("pilothouse_log_rows_total")
    (tmp_path / "tables").symlink_to(tmp_path / "file")
    assert len(table(tmp_path)) == recorded
    counted = [d["rows"] for w in windows(tmp_path) for d in w["dropped"]]
    assert sum(counted) >= dropped


def _went_on(client: EntryClient, before: float) -> bool:
    return client.metric("pilothouse_log_rows_total") > before


def test_a_killed_writer_is_started_again_and_goes_on(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True), log=log_in(tmp_path)) as (client, _):
        client.take(one(1))
        sent = []
        for number in range(3):
            sent += [client.infer(body()).headers["x-prediction-id"] for _ in range(20)]
            pid = writer_of(client)
            os.kill(pid, signal.SIGKILL)
            sent += [client.infer(body()).headers["x-prediction-id"] for _ in range(20)]
            until(lambda pid=pid: writer_of(client) != pid, timeout_s=60)  # type: ignore[misc]
            assert client.metric("pilothouse_log_writer_starts_total") == number + 2
    assert sorted(r["prediction_id"] for r in table(tmp_path)) == sorted(sent)
    assert sum(m["rows"] for w in windows(tmp_path) for m in w["models"]) == len(sent)


def test_an_entry_without_a_log_says_so(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True)) as (client, _):
        assert client.observed().log.state is LogState.OFF
        assert client.metric("pilothouse_log_state", state="off") == 1
        assert client.metric("pilothouse_log_state", state="on") == 0


def outcome(number: int, **changes: object) -> dict[str, object]:
    plain = {
        "id": f"case-{number}",
        "service": "cc-fraud",
        "value": True,
        "at": "2026-03-01T09:00:00+01:00",
        "key": "4711",
    }
    return {**plain, **changes}


def tell(client: EntryClient, *outcomes: dict[str, object], **others: Any) -> Reply:  # noqa: ANN401
    return client.ask("POST", "/v1/outcomes", json_body={"outcomes": list(outcomes)}, **others)


def test_outcomes_are_taken_once_however_often_they_are_told(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True), log=log_in(tmp_path)) as (client, _):
        client.take(one(1))
        answer = client.infer(body(2)).headers["x-prediction-id"]
        first = outcome(1, key=None, prediction_id=answer, row=1, value="fraud")
        for _ in range(2):
            reply = tell(client, first, outcome(2))
            assert (reply.status, reply.json) == (202, {"accepted": 2})
        until(lambda: len(table(tmp_path, "outcomes")) == 2, timeout_s=60)
        assert client.metric("pilothouse_log_outcomes_total", service="cc-fraud") == 4
    rows = {r["outcome_id"]: r for r in table(tmp_path, "outcomes")}
    assert len(table(tmp_path, "outcomes")) == 2
    assert (rows["case-1"]["prediction_id"], rows["case-1"]["row"]) == (answer, 1)
    assert (rows["case-1"]["value"], rows["case-2"]["value"]) == ('"fraud"', "true")
    assert rows["case-1"]["label_at"].isoformat() == "2026-03-01T08:00:00+00:00"
    assert rows["case-2"]["key"] == "4711"
    assert rows["case-2"]["token"].startswith("tok_")


WRONG: tuple[tuple[dict[str, object], int, str], ...] = (
    ({"key": None}, 422, "outcome-target"),
    ({"prediction_id": "prd_1"}, 422, "outcome-target"),
    ({"at": "2026-03-01T09:00:00"}, 400, "outcomes-malformed"),
    ({"value": 2**63}, 400, "outcomes-malformed"),
    ({"value": None}, 400, "outcomes-malformed"),
    ({"value": [1]}, 400, "outcomes-malformed"),
    ({"id": ""}, 400, "outcomes-malformed"),
    ({"other": 1}, 400, "outcomes-malformed"),
    ({"service": "heloc"}, 403, "service-denied"),
)


def test_of_outcomes_of_which_one_is_wrong_none_is_taken(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True), log=log_in(tmp_path)) as (client, _):
        client.take(one(1))
        for changes, status, code in WRONG:
            reply = tell(client, outcome(1), outcome(2, **changes))
            assert (reply.status, reply.json["code"]) == (status, code)
        assert client.metric("pilothouse_log_outcomes_total") == 0


def test_a_key_waits_until_it_is_known_whether_keys_are_sensitive(tmp_path: Path) -> None:
    workshop = Workshop(inline=True)
    gate = workshop.hold("gbm@1")
    with threaded_entry(tmp_path, workshop, log=log_in(tmp_path)) as (client, _):
        assert client.put(one(1)).status == 200
        try:
            reply = tell(client, outcome(1))
        finally:
            gate.set()
        assert (reply.status, reply.json["code"]) == (503, "outcomes-not-kept")
        until(lambda: tell(client, outcome(1)).status == 202, timeout_s=30)


def test_outcomes_need_a_token_a_method_and_a_log(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(inline=True)) as (client, _):
        client.take(one(1))
        assert tell(client, outcome(1), token=None).status == 401
        assert client.ask("GET", "/v1/outcomes").status == 405
        many = [outcome(n) for n in range(1001)]
        assert tell(client, *many).json["code"] == "outcomes-malformed"
        reply = tell(client, outcome(1))
        assert (reply.status, reply.json["code"]) == (503, "outcomes-not-kept")
        assert reply.headers["retry-after"] == "5"

"""The access log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import grpc
import pytest
from tritonclient.grpc import service_pb2

from pilothouse.scoring.access import trace_of
from tests.entries.documents import TOKEN, one
from tests.entries.running import ROW, body, threaded_entry
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from pathlib import Path

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def test_each_request_has_one_line_of_json_without_a_value_of_its_rows(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop(), access_log=True, grpc_port=0) as (client, running):
        client.take(one(7))
        first = client.infer(body(), headers={"traceparent": GOOD})
        client.infer({**body(), "inputs": []})
        client.ask("GET", "/v2/" + "x" * 1000, token="nobody")
        with grpc.insecure_channel(f"127.0.0.1:{running.grpc_port}") as channel:
            infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            request = service_pb2.ModelInferRequest(model_name="cc-fraud")
            tensor = request.inputs.add(name="amount", datatype="FP64", shape=[1])
            tensor.contents.fp64_contents.append(21.5)
            metadata = (("authorization", f"Bearer {TOKEN}"), ("traceparent", GOOD))
            with pytest.raises(grpc.RpcError):
                infer(request.SerializeToString(), metadata=metadata, timeout=20)
        text = (client.home / "access.log").read_text("utf-8")

    scored, empty, unknown, called = (json.loads(line) for line in text.splitlines())
    assert scored["called"] == "POST /v2/models/cc-fraud/infer"
    assert (scored["protocol"], scored["status"], scored["snapshot"]) == ("http", 200, "gbm@7")
    assert scored["prediction_id"] == first.headers["x-prediction-id"]
    assert (scored["trace_id"], scored["parent_id"]) == (TRACE, PARENT)
    assert scored["bytes_out"] == len(first.body)
    assert (empty["status"], empty["code"], empty["parent_id"]) == (400, "message-malformed", None)
    assert (unknown["status"], len(unknown["called"])) == (404, 300)
    assert (called["protocol"], called["status"]) == ("grpc", "INVALID_ARGUMENT")
    assert (called["code"], called["trace_id"]) == ("columns-differ", TRACE)
    assert len({line["span_id"] for line in (scored, empty, unknown, called)}) == 4
    assert TOKEN not in text
    assert all(str(value) not in text for _, value in ROW.values() if isinstance(value, str))


def test_without_the_option_nothing_is_written(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop()) as (client, _):
        client.take(one(7))
        client.infer(body())
        assert not (client.home / "access.log").exists()


def test_a_traceparent_that_cannot_be_read_begins_a_new_trace() -> None:
    later = trace_of(f"01-{TRACE}-{PARENT}-00-more", entropy=bytes)
    assert (later.trace_id, later.parent_id) == (TRACE, PARENT)
    for header in (
        None,
        "",
        GOOD[:-1],
        GOOD.upper(),
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        GOOD + "x",
    ):
        assert trace_of(header, entropy=lambda size: b"\x01" * size) == ("01" * 16, "01" * 8, None)

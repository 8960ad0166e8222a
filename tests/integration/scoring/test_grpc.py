"""Open Inference v2 over gRPC, by the stock client and by hand, against a running entry with steered models."""

from __future__ import annotations

import math
import struct
import threading
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

from pilothouse.domain.schemas import Column, DataType, Schema
from pilothouse.scoring.deployments import HostingLimits
from pilothouse.scoring.grpc import schema
from pilothouse.scoring.http.messages import HttpLimits
from tests.entries.documents import (
    OLD_TOKEN,
    OTHER_TOKEN,
    TOKEN,
    deployment,
    desired,
    one,
    route,
    variant,
)
from tests.entries.running import ROW, EntryClient, threaded_entry, until
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.scoring.serve import Running

KINDS = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}
FIELDS = {"FP64": "fp64_contents", "INT64": "int64_contents", "BOOL": "bool_contents"}
HEADERS = {"authorization": f"Bearer {TOKEN}"}
BEARER = (("authorization", f"Bearer {TOKEN}"),)
Served = tuple[str, EntryClient, "Running", Workshop]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    workshop = Workshop()
    quick = HostingLimits(queue=2, retry_first_s=0.05, retry_most_s=0.1)
    small = HttpLimits(body_bytes=50_000)
    with threaded_entry(tmp_path, workshop, grpc_port=0, http=small, hosting=quick) as (
        client,
        running,
    ):
        client.take(one(7))
        yield f"127.0.0.1:{running.grpc_port}", client, running, workshop


@pytest.fixture
def stock(served: Served) -> Iterator[triton.InferenceServerClient]:
    client = triton.InferenceServerClient(served[0])
    yield client
    client.close()


def tensors(rows: int = 2) -> list[triton.InferInput]:
    asked = []
    for name, (datatype, value) in ROW.items():
        tensor = triton.InferInput(name, [rows], datatype)
        values: np.ndarray = np.array([value] * rows, dtype=KINDS[datatype])
        tensor.set_data_from_numpy(values)
        asked.append(tensor)
    return asked


def typed(rows: int = 1, **changes: Any) -> Any:  # noqa: ANN401 a message
    request = service_pb2.ModelInferRequest(model_name="cc-fraud")
    for name, (datatype, value) in {**ROW, **changes}.items():
        tensor = request.inputs.add(name=name, datatype=datatype, shape=[rows])
        plain = value.encode() if isinstance(value, str) else value
        getattr(tensor.contents, FIELDS.get(datatype, "bytes_contents")).extend([plain] * rows)
    return request


class Direct:
    """Calls methods with whatever bytes."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.insecure_channel(address)

    def call(
        self,
        method: str,
        request: Any,  # noqa: ANN401 a message or bytes
        *,
        metadata: Any = BEARER,  # noqa: ANN401
        timeout_s: float = 20,
    ) -> bytes:
        raw = request if isinstance(request, bytes) else request.SerializeToString()
        name = method if "/" in method else f"inference.GRPCInferenceService/{method}"
        answer: bytes = self.channel.unary_unary(f"/{name}")(
            raw, metadata=metadata, timeout=timeout_s
        )
        return answer

    def infer(self, request: Any, **others: Any) -> Any:  # noqa: ANN401 messages
        return service_pb2.ModelInferResponse.FromString(self.call("ModelInfer", request, **others))

    def refusal(self, method: str, request: Any, **others: Any) -> tuple[str, str | None]:  # noqa: ANN401
        with pytest.raises(grpc.RpcError) as caught:
            self.call(method, request, **others)
        trailing = dict(caught.value.trailing_metadata() or ())
        return caught.value.code().name, trailing.get("pilothouse-code")


@pytest.fixture
def direct(served: Served) -> Iterator[Direct]:
    found = Direct(served[0])
    yield found
    found.channel.close()


def test_the_stock_client_reads_metadata_and_scores(stock: triton.InferenceServerClient) -> None:
    assert stock.is_server_live()
    assert stock.is_server_ready()
    assert stock.is_model_ready("cc-fraud", headers=HEADERS)
    assert stock.get_server_metadata(headers=HEADERS).name == "pilothouse"
    metadata = stock.get_model_metadata("cc-fraud", headers=HEADERS)
    assert [(t.name, t.datatype, list(t.shape)) for t in metadata.inputs][:2] == [
        ("amount", "FP64", [-1]),
        ("age", "INT64", [-1]),
    ]
    (model,) = stock.get_model_repository_index(headers=HEADERS).models
    assert (model.name, model.version, model.state) == ("cc-fraud", "7", "READY")

    result = stock.infer("cc-fraud", tensors(), request_id="r-1", headers=HEADERS)
    pinned = stock.infer(
        "cc-fraud",
        tensors(),
        model_version="7",
        headers=HEADERS,
        outputs=[triton.InferRequestedOutput("score")],
    )

    assert result.as_numpy("score").tolist() == [43.0, 43.0]
    assert result.as_numpy("answered_by").tolist() == [b"gbm@7", b"gbm@7"]
    answer = result.get_response()
    assert (answer.id, answer.model_name, answer.model_version) == ("r-1", "cc-fraud", "7")
    assert answer.parameters["snapshot"].string_param == "gbm@7"
    assert answer.parameters["route_generation"].int64_param == 1
    assert answer.parameters["prediction_id"].string_param.startswith("prd_")
    assert pinned.as_numpy("answered_by") is None


def test_typed_contents_are_answered_by_typed_contents(direct: Direct) -> None:
    answer = direct.infer(typed(2))
    assert not answer.raw_output_contents
    assert list(answer.outputs[0].contents.fp64_contents) == [43.0, 43.0]
    assert list(answer.outputs[1].contents.bytes_contents) == [b"gbm@7", b"gbm@7"]


def test_a_sticky_key_meets_one_variant_whether_in_the_metadata_or_the_message(
    served: Served, direct: Direct
) -> None:
    served[1].take(
        desired(
            8,
            deployments=[deployment(1), deployment(2)],
            routes=[route(5, variant(1, 0.5), variant(2, 0.5))],
        )
    )
    for n in range(8):
        by_message = typed()
        by_message.parameters["sticky_key"].string_param = f"customer {n}"
        metadata = (*BEARER, ("x-sticky-key", f"customer {n}"))
        versions = {
            direct.infer(by_message).model_version,
            direct.infer(typed(), metadata=metadata).model_version,
            served[1]
            .infer({**_rest(), "parameters": {"sticky_key": f"customer {n}"}})
            .json["model_version"],
        }
        assert len(versions) == 1


def _rest() -> dict[str, Any]:
    return {
        "inputs": [
            {"name": n, "datatype": d, "shape": [1], "data": [v]} for n, (d, v) in ROW.items()
        ]
    }


def test_errors_have_a_status_and_our_code(served: Served, direct: Direct) -> None:
    unknown = typed()
    unknown.model_version = "8"
    wrong = typed(age=("INT64", 44), abroad=("INT64", 1))
    repeated = typed()
    repeated.inputs.append(repeated.inputs[0])
    key = typed()
    key.parameters["sticky_key"].int64_param = 3
    classified = typed()
    classified.outputs.add(name="score").parameters["classification"].int64_param = 3
    for request, expected in (
        (unknown, ("NOT_FOUND", "version-unknown")),
        (wrong, ("INVALID_ARGUMENT", "datatype-mismatch")),
        (repeated, ("INVALID_ARGUMENT", "tensor-repeated")),
        (key, ("INVALID_ARGUMENT", "message-malformed")),
        (classified, ("INVALID_ARGUMENT", "parameter-invalid")),
        (typed(amount=("FP64", math.inf)), ("INVALID_ARGUMENT", "rows-rejected")),
        (typed(amount=("FP64", math.nan)), ("INVALID_ARGUMENT", "rows-rejected")),
        (typed(segment=("BYTES", b"\xff")), ("INVALID_ARGUMENT", "element-invalid")),
        (b"\xff\xff", ("INVALID_ARGUMENT", "message-malformed")),
        (
            service_pb2.ModelInferRequest(model_name="cc-fraud"),
            ("INVALID_ARGUMENT", "message-malformed"),
        ),
    ):
        assert direct.refusal("ModelInfer", request) == expected
    for token, expected in (
        ("", ("UNAUTHENTICATED", "token-missing")),
        ("Bearer nobody", ("UNAUTHENTICATED", "token-invalid")),
        (f"Bearer {OLD_TOKEN}", ("UNAUTHENTICATED", "token-expired")),
        (f"Bearer {OTHER_TOKEN}", ("PERMISSION_DENIED", "service-denied")),
    ):
        metadata = (("authorization", token),)
        assert direct.refusal("ModelInfer", typed(), metadata=metadata) == expected
    assert direct.refusal("ModelStreamInfer", typed())[0] == "UNIMPLEMENTED"
    assert served[1].metric("pilothouse_http_refusals_total", code="message-malformed") == 1
    assert direct.infer(typed()).outputs[0].contents.fp64_contents == [43.0]


def test_typed_contents_must_be_of_the_datatype_and_as_many_as_the_shape(direct: Direct) -> None:
    other, short, half, narrow = typed(), typed(), typed(), typed()
    other.inputs[0].contents.fp32_contents.append(1.0)
    short.inputs[0].shape[0] = 2
    half.inputs[0].datatype = "FP16"
    narrow.inputs[1].datatype = "INT8"
    narrow.inputs[1].contents.Clear()
    narrow.inputs[1].contents.int_contents.append(300)
    for request, code in (
        (other, "message-malformed"),
        (short, "tensor-length"),
        (half, "datatype-unknown"),
        (narrow, "element-invalid"),
    ):
        assert direct.refusal("ModelInfer", request) == ("INVALID_ARGUMENT", code)


def test_raw_contents_are_for_all_tensors_or_none(direct: Direct) -> None:
    few, both = typed(), typed()
    few.raw_input_contents.append(struct.pack("<d", 1.0))
    for _ in both.inputs:
        both.raw_input_contents.append(struct.pack("<d", 1.0))
    for request in (few, both):
        assert direct.refusal("ModelInfer", request) == ("INVALID_ARGUMENT", "message-malformed")


def test_a_null_is_nan_in_a_float_output_and_an_error_in_others(tmp_path: Path) -> None:
    outputs = Schema(
        columns=(
            Column(name="score", type=DataType.NUMBER, nullable=True),
            Column(name="label", type=DataType.STRING, nullable=True),
        )
    )
    workshop = Workshop(outputs=outputs)
    with threaded_entry(tmp_path, workshop, grpc_port=0) as (client, running):
        client.take(one(7))
        direct = Direct(f"127.0.0.1:{running.grpc_port}")
        workshop.last("gbm@7").answer = {"score": [None], "label": ["a"]}
        assert math.isnan(direct.infer(typed()).outputs[0].contents.fp64_contents[0])
        workshop.last("gbm@7").answer = {"score": [0.5], "label": [None]}
        assert direct.refusal("ModelInfer", typed()) == ("INVALID_ARGUMENT", "null-unsendable")
        direct.channel.close()


def test_a_message_larger_than_the_limit_is_refused(direct: Direct) -> None:
    assert direct.refusal("ModelInfer", b"\x00" * 60_000)[0] == "RESOURCE_EXHAUSTED"
    assert direct.infer(typed()).model_name == "cc-fraud"


def test_a_callers_deadline_and_a_full_queue_are_kept(served: Served, direct: Direct) -> None:
    _, client, _, workshop = served
    scorer = workshop.last("gbm@7")
    scorer.gate.clear()
    outcomes: list[tuple[str, str | None]] = []

    def ask() -> None:
        outcomes.append(direct.refusal("ModelInfer", typed(), timeout_s=0.4))

    waiting = [threading.Thread(target=ask) for _ in range(2)]
    for thread in waiting:
        thread.start()
    until(lambda: client.metric("pilothouse_queue_depth", snapshot="gbm@7") == 2)

    assert direct.refusal("ModelInfer", typed()) == ("RESOURCE_EXHAUSTED", "queue-full")
    for thread in waiting:
        thread.join(20)
    assert {status for status, _ in outcomes} == {"DEADLINE_EXCEEDED"}
    scorer.gate.set()
    until(lambda: client.metric("pilothouse_queue_depth", snapshot="gbm@7") == 0)
    counted = client.metric("pilothouse_requests_total", outcome="late")
    assert counted + client.metric("pilothouse_requests_total", outcome="cancelled") == 2


def test_health_tells_kubernetes_and_draining_lets_calls_finish(tmp_path: Path) -> None:
    workshop = Workshop()
    with threaded_entry(tmp_path, workshop, grpc_port=0, notice_s=0.5) as (client, running):
        direct = Direct(f"127.0.0.1:{running.grpc_port}")

        def health(service: str = "") -> int:
            request = schema.message("grpc.health.v1.HealthCheckRequest")(service=service)
            raw = direct.call("grpc.health.v1.Health/Check", request, metadata=())
            return int(schema.HealthResponse.FromString(raw).status)

        assert health() == 2
        client.take(one(7))
        assert health() == health("inference.GRPCInferenceService") == 1
        request = schema.message("grpc.health.v1.HealthCheckRequest")(service="cc-fraud")
        assert direct.refusal("grpc.health.v1.Health/Check", request) == (
            "NOT_FOUND",
            "health-unknown",
        )

        scorer = workshop.last("gbm@7")
        scorer.gate.clear()
        answers: list[Any] = []
        asking = threading.Thread(target=lambda: answers.append(direct.infer(typed())))
        asking.start()
        until(lambda: client.metric("pilothouse_queue_depth", snapshot="gbm@7") == 1)
        assert client.control("POST", "/drain").status == 202
        assert health() == 2
        scorer.gate.set()
        asking.join(20)
        assert answers[0].outputs[0].contents.fp64_contents == [43.0]
        direct.channel.close()


def test_the_stock_client_gets_the_errors_own_words(stock: triton.InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException) as caught:
        stock.infer("cc-fraud", tensors()[1:], headers=HEADERS)
    assert "amount" in caught.value.message()
    assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"


MESSAGES = st.builds(
    lambda name, datatype, shape, floats, raws: service_pb2.ModelInferRequest(
        model_name="cc-fraud",
        inputs=[
            {
                "name": name,
                "datatype": datatype,
                "shape": shape,
                "contents": {"fp64_contents": floats},
            }
        ],
        raw_input_contents=raws,
    ).SerializeToString(),
    st.sampled_from(["amount", "", "x"]),
    st.sampled_from(["FP64", "BYTES", "BOOL", "INT8", "FP16", ""]),
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3), max_size=3),
    st.lists(st.floats(), max_size=3),
    st.lists(st.binary(max_size=24), max_size=2),
)


def test_any_bytes_are_answered_or_refused_in_our_words(served: Served, direct: Direct) -> None:
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=60) | MESSAGES)
    def one_call(raw: bytes) -> None:
        try:
            direct.call("ModelInfer", raw)
        except grpc.RpcError as problem:
            code = dict(problem.trailing_metadata() or ()).get("pilothouse-code")
            assert code not in (None, "unexpected")

    one_call()
    assert direct.infer(typed()).model_name == "cc-fraud"
    assert served[1].infer(_rest()).status == 200

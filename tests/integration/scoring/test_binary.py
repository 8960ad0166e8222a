"""Binary tensors over REST, against a running entry with steered models."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.domain.schemas import Column, DataType, Schema
from pilothouse.scoring.http.messages import HttpLimits
from tests.entries.documents import TOKEN, one
from tests.entries.running import EntryClient, body, threaded_entry
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

INFER = b"/v2/models/cc-fraud/infer"


@pytest.fixture
def entry(tmp_path: Path) -> Iterator[tuple[EntryClient, Workshop]]:
    workshop = Workshop()
    with threaded_entry(tmp_path, workshop, http=HttpLimits(body_bytes=50_000)) as (client, _):
        client.take(one(7))
        yield client, workshop


def posted(
    message: object, blobs: bytes = b"", *headers: bytes, length: int | None = None
) -> bytes:
    head = json.dumps(message).encode()
    lines = [
        b"POST %b HTTP/1.1" % INFER,
        b"Host: a",
        b"Connection: close",
        b"Authorization: Bearer " + TOKEN.encode(),
        b"Content-Type: application/octet-stream",
        b"Content-Length: %d" % (len(head) + len(blobs)),
        b"Inference-Header-Content-Length: %d" % (len(head) if length is None else length),
        *headers,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + head + blobs


def asked(client: EntryClient, sent: bytes) -> tuple[int, Any]:
    head, _, content = client.raw(sent).partition(b"\r\n\r\n")
    return int(head[9:12]), json.loads(content) if b"application/json" in head else (head, content)


def mixed(**amount: Any) -> dict[str, Any]:  # noqa: ANN401 any JSON
    """Give a request of one row whose amount comes in binary and the rest in JSON."""
    message = body()
    message["inputs"][0] = {
        "name": "amount",
        "datatype": "FP64",
        "shape": [1],
        "parameters": {"binary_data_size": 8},
        **amount,
    }
    return message


def test_json_and_binary_tensors_mix_in_and_out(entry: tuple[EntryClient, Workshop]) -> None:
    client, _ = entry
    message = {
        **mixed(),
        "outputs": [
            {"name": "score", "parameters": {"binary_data": True}},
            {"name": "answered_by"},
        ],
    }

    status, (head, content) = asked(client, posted(message, struct.pack("<d", 0.1)))

    assert status == 200
    length = int(head.lower().partition(b"inference-header-content-length: ")[2].split(b"\r")[0])
    answer = json.loads(content[:length])
    assert answer["outputs"] == [
        {"name": "score", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}},
        {"name": "answered_by", "datatype": "BYTES", "shape": [1], "data": ["gbm@7"]},
    ]
    assert content[length:] == struct.pack("<d", 0.2)


def test_a_request_of_plain_json_may_ask_for_a_binary_answer(
    entry: tuple[EntryClient, Workshop],
) -> None:
    client, _ = entry
    reply = client.infer({**body(2), "parameters": {"binary_data_output": True}})
    assert reply.headers["content-type"] == "application/octet-stream"
    length = int(reply.headers["inference-header-content-length"])
    assert reply.body[length : length + 16] == struct.pack("<2d", 43.0, 43.0)
    assert reply.body[length + 16 :] == (b"\x05\x00\x00\x00gbm@7") * 2


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (posted(mixed(), b""), 400, "binary-size"),
        (posted(mixed(), bytes(7)), 400, "binary-size"),
        (posted(mixed(), bytes(9)), 400, "binary-size"),
        (posted(mixed(shape=[2]), bytes(8)), 400, "binary-size"),
        (posted(mixed(shape=[2**60]), bytes(8)), 400, "binary-size"),
        (posted(mixed(parameters={"binary_data_size": -8}), bytes(8)), 400, "parameter-invalid"),
        (posted(mixed(datatype="FP80"), bytes(8)), 400, "datatype-unknown"),
        (posted(mixed(datatype="BOOL"), bytes(8)), 400, "binary-size"),
        (posted(mixed(), struct.pack("<d", float("inf"))), 422, "rows-rejected"),
        (posted(mixed(), struct.pack("<d", float("nan"))), 422, "rows-rejected"),
        (posted(mixed(), bytes(8), length=10**6), 400, "binary-header"),
        (posted(mixed(), bytes(8), length=3), 400, "message-malformed"),
        (posted(mixed(), bytes(8), b"Inference-Header-Content-Length: 3"), 400, "http-malformed"),
        (posted(mixed(), bytes(60_000)), 413, "body-too-large"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_and_the_entry_lives(
    sent: bytes, status: int, code: str, entry: tuple[EntryClient, Workshop]
) -> None:
    client, _ = entry
    found, answer = asked(client, sent)
    assert (found, answer["code"]) == (status, code)
    assert client.infer(body()).status == 200


def test_a_null_that_no_bytes_stand_for_is_told(tmp_path: Path) -> None:
    outputs = Schema(columns=(Column(name="label", type=DataType.STRING, nullable=True),))
    workshop = Workshop(outputs=outputs)
    with threaded_entry(tmp_path, workshop) as (client, _):
        client.take(one(7))
        workshop.last("gbm@7").answer = {"label": [None]}
        reply = client.infer({**body(), "parameters": {"binary_data_output": True}})
        assert (reply.status, reply.json["code"]) == (400, "null-unsendable")
        assert client.metric("pilothouse_http_refusals_total", code="null-unsendable") == 1
        assert client.infer(body()).json["outputs"][0]["data"] == [None]


@pytest.mark.parametrize(
    "parameters", [{"binary_data": 1}, {"classification": 3}, {"shared_memory_region": "a"}]
)
def test_what_cannot_be_done_for_an_output_is_refused(
    parameters: dict[str, object], entry: tuple[EntryClient, Workshop]
) -> None:
    client, _ = entry
    reply = client.infer({**body(), "outputs": [{"name": "score", "parameters": parameters}]})
    assert (reply.status, reply.json["code"]) == (400, "parameter-invalid")

"""MLflow's scoring protocol, with payloads as its client builds them, against a running entry with steered models."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from pilothouse import __version__
from pilothouse.domain.ids import ServiceTag
from pilothouse.domain.schemas import Column, DataType, Schema
from tests.entries.documents import (
    OTHER_TOKEN,
    TOKEN,
    deployment,
    desired,
    one,
    route,
    token,
    variant,
)
from tests.entries.running import ROW, EntryClient, Reply, threaded_entry
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FRAME = pd.DataFrame({name: [value, value] for name, (_, value) in ROW.items()})
PATH = "/services/cc-fraud/invocations"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EntryClient]:
    with threaded_entry(tmp_path, Workshop()) as (client, _):
        client.take(one(7))
        yield client


def ask(
    client: EntryClient,
    content: bytes | str,
    *,
    path: str = PATH,
    token: str = TOKEN,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    connection = http.client.HTTPConnection(client.host, client.port, timeout=30)
    try:
        sent = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        body = content.encode() if isinstance(content, str) else content
        connection.request("POST", path, body=body, headers={**sent, **(headers or {})})
        answer = connection.getresponse()
        found = {k.lower(): v for k, v in answer.getheaders()}
        return Reply(answer.status, found, answer.read())
    finally:
        connection.close()


PREDICTIONS = [{"score": 43.0, "answered_by": "gbm@7"}] * 2


@pytest.mark.parametrize("path", [PATH, "/invocations"])
@pytest.mark.parametrize(
    "payload",
    [
        {"dataframe_split": FRAME.to_dict(orient="split")},
        {"dataframe_records": FRAME.to_dict(orient="records")},
        {"instances": FRAME.to_dict(orient="records")},
        {"inputs": FRAME.to_dict(orient="list")},
        {"inputs": FRAME.to_numpy().tolist(), "params": {"sticky_key": "customer-1"}},
    ],
    ids=["split", "records", "instances", "inputs", "array"],
)
def test_mlflows_payloads_are_answered_with_predictions(
    payload: dict[str, Any], path: str, client: EntryClient
) -> None:
    reply = ask(client, json.dumps(payload), path=path)
    assert (reply.status, reply.json) == (200, {"predictions": PREDICTIONS})
    assert reply.headers["x-snapshot"] == "gbm@7"
    assert reply.headers["x-prediction-id"].startswith("prd_")
    assert int(reply.headers["x-route-generation"]) > 0


def test_csv_as_pandas_writes_it_is_answered(client: EntryClient) -> None:
    for kind in ("text/csv", "text/csv; charset=utf-8"):
        reply = ask(client, FRAME.to_csv(index=False), headers={"content-type": kind})
        assert (reply.status, reply.json) == (200, {"predictions": PREDICTIONS})


def test_one_output_is_a_list_of_values(tmp_path: Path) -> None:
    outputs = Schema(columns=(Column(name="score", type=DataType.NUMBER),))
    workshop = Workshop(outputs=outputs)
    with threaded_entry(tmp_path, workshop) as (client, _):
        client.take(one(7))
        workshop.last("gbm@7").answer = {"score": [0.25, 0.5]}
        payload = json.dumps({"dataframe_split": FRAME.to_dict(orient="split")})
        assert ask(client, payload).json == {"predictions": [0.25, 0.5]}


def test_the_bare_path_needs_exactly_one_service(client: EntryClient) -> None:
    payload = json.dumps({"instances": FRAME.to_dict(orient="records")})
    two = desired(
        2,
        deployments=[deployment(7), deployment(1, service=ServiceTag("heloc"), model="line")],
        routes=[
            route(2, variant(7)),
            route(3, variant(1, model="line"), service=ServiceTag("heloc")),
        ],
        tokens=[token(TOKEN, ServiceTag("cc-fraud"))],
    )
    client.take(two)

    refused = ask(client, payload, path="/invocations")

    assert (refused.status, refused.json["code"]) == (422, "service-unnamed")
    assert "heloc" not in refused.json["error"]
    assert ask(client, payload, path="/invocations", token="nobody").status == 401
    assert ask(client, payload).status == 200


def test_values_are_never_changed_to_fit(client: EntryClient) -> None:
    for column, value in (("age", 2.5), ("age", "44"), ("abroad", 1), ("amount", "21.5")):
        record = {**FRAME.to_dict(orient="records")[0], column: value}
        reply = ask(client, json.dumps({"dataframe_records": [record]}))
        assert (reply.status, reply.json["code"]) == (422, "rows-rejected")
        assert reply.json["violations"][0]["column"] == column


def test_errors_have_mlflows_fields_beside_ours(client: EntryClient) -> None:
    empty = ask(client, "{}")
    assert empty.status == 400
    assert empty.json["error_code"] == "BAD_REQUEST"
    assert empty.json["message"] == empty.json["error"]
    assert empty.json["code"] == "invocation-malformed"
    denied = ask(client, "{}", token=OTHER_TOKEN)
    assert (denied.status, denied.json["error_code"]) == (403, "PERMISSION_DENIED")
    other = ask(client, "{}", headers={"content-type": "application/xml"})
    assert (other.status, other.json["code"]) == (415, "media-type")
    for path in ("/services/cc-fraud", "/services//invocations", "/services/a/b/invocations"):
        assert ask(client, "{}", path=path).status == 404
    assert client.ask("GET", PATH).status == 405


def test_health_and_version_are_where_mlflows_clients_look(tmp_path: Path) -> None:
    with threaded_entry(tmp_path, Workshop()) as (client, _):
        assert client.ask("GET", "/ping", token=None).status == 503
        client.take(one(7))
        for path in ("/ping", "/health"):
            reply = client.ask("GET", path, token=None)
            assert (reply.status, reply.body) == (200, b"\n")
        assert client.ask("GET", "/version", token=None).body == __version__.encode()

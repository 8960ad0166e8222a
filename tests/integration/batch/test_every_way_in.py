"""The same row gets the same answer by every way in, bit for bit."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tritonclient.grpc as over_grpc
import tritonclient.http as over_http
from tritonclient.grpc import service_pb2

from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.policies import ModelPolicy
from tests.buckets import free_port
from tests.entries.documents import TOKEN, deployment, desired, route, variant
from tests.entries.running import EntryClient, entry_process, make_home, settings_of
from tests.models.build import STATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.integration.batch.conftest import JobBench, Store

    Columns = Mapping[str, Sequence[Any]]

HEADERS = {"authorization": f"Bearer {TOKEN}"}
KINDS: dict[str, Any] = {"FP64": np.float64, "INT64": np.int64, "BYTES": np.object_}
DATATYPES = {"age": "INT64", "income": "FP64", "state": "BYTES"}
FIELDS = {"INT64": "int64_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents"}
RANDOM = random.Random(11)  # noqa: S311 the same rows every time
ROWS = 120
TABLE: Columns = {
    "age": [RANDOM.randint(16, 99) for _ in range(ROWS)],
    "income": [
        None if i % 9 == 0 else float(i) if i % 7 == 0 else RANDOM.lognormvariate(10, 0.5)
        for i in range(ROWS)
    ],
    "state": [RANDOM.choice(STATES) for _ in range(ROWS)],
}


class Entry:
    """A running entry, asked in every way."""

    def __init__(self, client: EntryClient, grpc_port: int) -> None:
        self.client, self.grpc_address = client, f"{client.host}:{grpc_port}"

    def json(self, table: Columns) -> Columns:
        inputs = [
            {"name": n, "datatype": DATATYPES[n], "shape": [len(v)], "data": list(v)}
            for n, v in table.items()
        ]
        return self._json(inputs)

    def json_matrix(self, table: Columns) -> Columns:
        rows = len(table["age"])
        flat = [v for pair in zip(table["age"], table["income"], strict=True) for v in pair]
        state = {"name": "state", "datatype": "BYTES", "shape": [rows], "data": table["state"]}
        matrix = {"name": "x", "datatype": "FP64", "shape": [rows, 2], "data": flat}
        return self._json([matrix, state])

    def _json(self, inputs: list[dict[str, Any]]) -> Columns:
        reply = self.client.infer({"inputs": inputs})
        assert reply.status == 200, reply.body
        return {o["name"]: o["data"] for o in reply.json["outputs"]}

    def binary(self, table: Columns) -> Columns:
        return self._stock(over_http, f"{self.client.host}:{self.client.port}", table)

    def binary_matrix(self, table: Columns) -> Columns:
        client = over_http.InferenceServerClient(f"{self.client.host}:{self.client.port}")
        matrix = np.array([table["age"], table["income"]], dtype=np.float64).T
        tensors = [
            over_http.InferInput("x", list(matrix.shape), "FP64"),
            over_http.InferInput("state", [len(matrix), 1], "BYTES"),
        ]
        tensors[0].set_data_from_numpy(np.ascontiguousarray(matrix))
        tensors[1].set_data_from_numpy(np.array([[s] for s in table["state"]], dtype=np.object_))
        found = client.infer("cc-fraud", tensors, headers=dict(HEADERS))
        client.close()
        return {n: found.as_numpy(n).tolist() for n in ("score", "eligible")}

    def grpc_raw(self, table: Columns) -> Columns:
        return self._stock(over_grpc, self.grpc_address, table)

    def _stock(self, library: Any, address: str, table: Columns) -> Columns:  # noqa: ANN401
        client = library.InferenceServerClient(address)
        tensors = []
        for name, values in table.items():
            tensor = library.InferInput(name, [len(values)], DATATYPES[name])
            tensor.set_data_from_numpy(np.array(values, dtype=KINDS[DATATYPES[name]]))
            tensors.append(tensor)
        found = client.infer("cc-fraud", tensors, headers=dict(HEADERS))
        client.close()
        return {n: found.as_numpy(n).tolist() for n in ("score", "eligible")}

    def grpc_typed(self, table: Columns) -> Columns:
        request = service_pb2.ModelInferRequest(model_name="cc-fraud")
        for name, values in table.items():
            tensor = request.inputs.add(name=name, datatype=DATATYPES[name], shape=[len(values)])
            plain = [
                v.encode() if isinstance(v, str) else math.nan if v is None else v for v in values
            ]
            getattr(tensor.contents, FIELDS[DATATYPES[name]]).extend(plain)
        with grpc.insecure_channel(self.grpc_address) as channel:
            method = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
            raw = method(request.SerializeToString(), metadata=tuple(HEADERS.items()), timeout=30)
        answer = service_pb2.ModelInferResponse.FromString(raw)
        return {o.name: list(getattr(o.contents, FIELDS[o.datatype])) for o in answer.outputs}

    def split(self, table: Columns) -> Columns:
        rows = list(zip(*table.values(), strict=True))
        return self._mlflow({"dataframe_split": {"columns": [*table], "data": rows}})

    def records(self, table: Columns) -> Columns:
        return self._mlflow({"dataframe_records": records(table)})

    def instances(self, table: Columns) -> Columns:
        return self._mlflow({"instances": list(zip(*table.values(), strict=True))})

    def inputs(self, table: Columns) -> Columns:
        return self._mlflow({"inputs": table})

    def csv(self, table: Columns) -> Columns:
        return self._mlflow(as_csv(table), **{"content-type": "text/csv"})

    def _mlflow(self, payload: object, **headers: str) -> Columns:
        content = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        lines = [
            b"POST /services/cc-fraud/invocations HTTP/1.1",
            b"Host: a",
            b"Connection: close",
            b"Authorization: Bearer " + TOKEN.encode(),
            b"Content-Length: %d" % len(content),
            *(f"{n}: {v}".encode() for n, v in headers.items()),
        ]
        answer = self.client.raw(b"\r\n".join(lines) + b"\r\n\r\n" + content)
        predictions = json.loads(answer.partition(b"\r\n\r\n")[2])["predictions"]
        return {n: [p[n] for p in predictions] for n in ("score", "eligible")}


ENTRY_WAYS = [n for n in vars(Entry) if not n.startswith("_")]


def records(table: Columns) -> list[dict[str, Any]]:
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def as_csv(table: Columns) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow(["" if v is None else repr(v) if type(v) is float else v for v in row])
    return text.getvalue().encode()


def in_form(table: Columns, form: TableFormat) -> bytes:
    match form:
        case TableFormat.CSV:
            return as_csv(table)
        case TableFormat.JSONL:
            return b"".join(json.dumps(r).encode() + b"\n" for r in records(table))
        case TableFormat.PARQUET:
            stream = pa.BufferOutputStream()
            pq.write_table(pa.table(dict(table)), stream)
            return bytes(stream.getvalue().to_pybytes())


def bits(found: Columns) -> list[tuple[bytes, int]]:
    rows = zip(found["score"], found["eligible"], strict=True)
    return [(struct.pack("<d", score), int(eligible)) for score, eligible in rows]


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory, store: Store) -> Iterator[Entry]:
    folder, port = tmp_path_factory.mktemp("entry"), free_port()
    settings = replace(
        settings_of(folder),
        artifacts=store.url,
        environments=str(store.environments),
        policy=ModelPolicy(python_source=True),
        grpc_port=port,
    )
    home = make_home(folder, settings)
    held = deployment(1, model="tiny-sklearn", digest=store.digests["sklearn"])
    with entry_process(home):
        client = EntryClient(home)
        only = route(1, variant(1, model="tiny-sklearn"))
        client.take(desired(1, deployments=[held], routes=[only]))
        yield Entry(client, port)


@pytest.fixture(scope="module")
def wanted(entry: Entry) -> list[tuple[bytes, int]]:
    return bits(entry.json(TABLE))


@pytest.mark.parametrize("way", ENTRY_WAYS)
def test_the_same_rows_get_the_same_bits_by_every_protocol(
    way: str, entry: Entry, wanted: list[tuple[bytes, int]]
) -> None:
    assert bits(getattr(entry, way)(TABLE)) == wanted
    for index in (0, 1, 7):
        one = {name: values[index : index + 1] for name, values in TABLE.items()}
        assert bits(getattr(entry, way)(one)) == [wanted[index]]


@pytest.mark.parametrize("form", list(TableFormat))
def test_the_same_rows_get_the_same_bits_in_batch(
    form: TableFormat, bench: JobBench, wanted: list[tuple[bytes, int]]
) -> None:
    bench.order(in_form(TABLE, form), form, model="sklearn")
    assert bench.run() == 0
    found = bench.lines("part-00000.jsonl")
    assert bits({n: [r[n] for r in found] for n in ("score", "eligible")}) == wanted

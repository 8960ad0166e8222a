"""A client that nobody here wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from tests.entries.documents import TOKEN, one
from tests.entries.running import ROW, threaded_entry
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

KINDS = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def wanted(*, binary: bool) -> list[triton.InferRequestedOutput]:
    return [triton.InferRequestedOutput(n, binary_data=binary) for n in ("score", "answered_by")]


def tensors(columns: Sequence[Mapping[str, str]], *, binary: bool) -> list[triton.InferInput]:
    asked = []
    for column in columns:
        if column["name"] in ROW:
            value = ROW[column["name"]][1]
            tensor = triton.InferInput(column["name"], [2], column["datatype"])
            values: np.ndarray = np.array([value, value], dtype=KINDS[column["datatype"]])
            tensor.set_data_from_numpy(values, binary_data=binary)
            asked.append(tensor)
    return asked


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
def test_the_stock_client_reads_metadata_and_scores(tmp_path: Path, *, binary: bool) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with threaded_entry(tmp_path, Workshop()) as (entry, _):
        entry.take(one(7))
        client = triton.InferenceServerClient(f"{entry.host}:{entry.port}")
        try:
            assert client.is_server_live()
            assert client.is_server_ready()
            assert client.is_model_ready("cc-fraud", headers=headers)
            metadata = client.get_model_metadata("cc-fraud", headers=headers)
            asked = tensors(metadata["inputs"], binary=binary)

            result = client.infer(
                "cc-fraud", asked, request_id="r-1", headers=headers, outputs=wanted(binary=binary)
            )
            pinned = client.infer(
                "cc-fraud",
                asked,
                model_version="7",
                headers=headers,
                outputs=wanted(binary=binary)[:1],
            )
            everything = client.infer("cc-fraud", asked, headers=headers)

            assert result.as_numpy("score").tolist() == [43.0, 43.0]
            text = b"gbm@7" if binary else "gbm@7"
            assert result.as_numpy("answered_by").tolist() == [text, text]
            assert everything.as_numpy("answered_by").tolist() == [b"gbm@7", b"gbm@7"]
            assert result.get_response()["id"] == "r-1"
            assert pinned.as_numpy("answered_by") is None
            with pytest.raises(InferenceServerException) as caught:
                client.infer("cc-fraud", asked[1:], headers=headers)
            assert caught.value.status() == "422"
            assert "amount" in caught.value.message()
        finally:
            client.close()


def test_the_stock_client_lists_what_its_token_may_see(tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with threaded_entry(tmp_path, Workshop()) as (entry, _):
        entry.take(one(7))
        client = triton.InferenceServerClient(f"{entry.host}:{entry.port}")
        try:
            assert client.get_model_repository_index(headers=headers) == [
                {"name": "cc-fraud", "version": "7", "state": "READY", "reason": ""}
            ]
            assert "binary_tensor_data" in client.get_server_metadata(headers=headers)["extensions"]
            with pytest.raises(InferenceServerException):
                client.load_model("cc-fraud", headers=headers)
        finally:
            client.close()

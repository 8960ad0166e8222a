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
    from pathlib import Path

KINDS = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}


def test_the_stock_client_reads_metadata_and_scores(tmp_path: Path) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with threaded_entry(tmp_path, Workshop()) as (entry, _):
        entry.take(one(7))
        client = triton.InferenceServerClient(f"{entry.host}:{entry.port}")
        try:
            assert client.is_server_live()
            assert client.is_server_ready()
            assert client.is_model_ready("cc-fraud", headers=headers)
            metadata = client.get_model_metadata("cc-fraud", headers=headers)
            asked = []
            for column in metadata["inputs"]:
                if column["name"] in ROW:
                    value = ROW[column["name"]][1]
                    tensor = triton.InferInput(column["name"], [2], column["datatype"])
                    values: np.ndarray = np.array([value, value], dtype=KINDS[column["datatype"]])
                    tensor.set_data_from_numpy(values, binary_data=False)
                    asked.append(tensor)

            result = client.infer("cc-fraud", asked, request_id="r-1", headers=headers)
            pinned = client.infer(
                "cc-fraud",
                asked,
                model_version="7",
                headers=headers,
                outputs=[triton.InferRequestedOutput("score", binary_data=False)],
            )

            assert result.as_numpy("score").tolist() == [43.0, 43.0]
            assert result.as_numpy("answered_by").tolist() == ["gbm@7", "gbm@7"]
            assert result.get_response()["id"] == "r-1"
            assert pinned.as_numpy("answered_by") is None
            with pytest.raises(InferenceServerException) as caught:
                client.infer("cc-fraud", asked[1:], headers=headers)
            assert caught.value.status() == "422"
            assert "amount" in caught.value.message()
        finally:
            client.close()

"""Score records by gRPC, by a client that knows nothing of Pilothouse (``pip install 'tritonclient[grpc]'``)."""

from __future__ import annotations

import numpy as np
import tritonclient.grpc as triton

KINDS = {"FP64": np.float64, "INT64": np.int64, "BOOL": np.bool_, "BYTES": np.object_}
RECORDS = {
    "amount": [21.5, 990.0],
    "age": [44, 51],
    "abroad": [False, True],
    "segment": ["retail", "corporate"],
    "at": ["2026-01-05T12:00:00Z", "2026-01-05T12:00:01Z"],
}


def score(address: str, service: str, token: str) -> list[float]:
    """Ask the entry at ``HOST:PORT`` for a service; the tensors travel as bytes."""
    headers = {"authorization": f"Bearer {token}", "x-sticky-key": "customer-17"}
    client = triton.InferenceServerClient(address)
    try:
        tensors = []
        for column in client.get_model_metadata(service, headers=headers).inputs:
            if column.name in RECORDS:
                values: np.ndarray = np.array(RECORDS[column.name], dtype=KINDS[column.datatype])
                tensor = triton.InferInput(column.name, [len(values)], column.datatype)
                tensor.set_data_from_numpy(values)
                tensors.append(tensor)
        found = client.infer(service, tensors, headers=headers, client_timeout=2.0)
        return [float(value) for value in found.as_numpy("score")]
    finally:
        client.close()

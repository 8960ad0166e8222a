"""``python -m tests.fuzz.tensors [options of libFuzzer]``: bodies with binary tensors found by coverage (atheris)."""

from __future__ import annotations

import json
import sys
from typing import Any

import atheris

with atheris.instrument_imports(include=["pilothouse.oip", "pilothouse.scoring.columns"]):
    from pilothouse.domain.contracts import Contract
    from pilothouse.domain.errors import InvalidError
    from pilothouse.domain.schemas import Column, DataType, Schema
    from pilothouse.oip.binary_form import bytes_of, tensor_from
    from pilothouse.oip.errors import ProtocolError
    from pilothouse.oip.messages import Datatype
    from pilothouse.scoring.open_inference import DecodedRequest

NAMES = {"a": DataType.NUMBER, "b": DataType.INTEGER, "c": DataType.BOOLEAN, "d": DataType.STRING}
SCHEMA = Schema(columns=tuple(Column(name=n, type=t, nullable=True) for n, t in NAMES.items()))
PLAIN = {
    DataType.NUMBER: (float, int),
    DataType.INTEGER: (int,),
    DataType.BOOLEAN: (bool,),
    DataType.STRING: (str,),
}
DATATYPES = [*(d.value for d in Datatype), "BF16", ""]


def one(data: bytes) -> None:
    """Try one input as a whole body, as a message about its own bytes, and as one tensor."""
    choices: Any = atheris.FuzzedDataProvider(data)
    datatype = DATATYPES[choices.ConsumeIntInRange(0, len(DATATYPES) - 1)]
    shape = [choices.ConsumeIntInRange(-1, 5) for _ in range(choices.ConsumeIntInRange(0, 3))]
    size = choices.ConsumeIntInRange(-1, 40)
    rest = choices.ConsumeBytes(100)
    tensor = json.dumps(
        {
            "name": "a",
            "shape": shape,
            "datatype": datatype,
            "parameters": {"binary_data_size": size},
        }
    )
    head = b'{"inputs":[%b]}' % tensor.encode()
    _checked(head + rest, b"%d" % len(head))
    _checked(data[3:], data[:3])
    try:
        found = tensor_from(rest, name="a", shape=shape, datatype=datatype)
    except ProtocolError:
        return
    assert len(found.elements) == found.rows * found.width
    if None not in found.elements:
        assert bytes_of(found.elements, found.datatype, tensor="a") == rest


def _checked(body: bytes, length: bytes) -> None:
    try:
        columns = DecodedRequest().from_binary(body, length).columns(SCHEMA)
        checked = Contract(SCHEMA).check(columns)
    except (ProtocolError, InvalidError):
        return
    for name, values in checked.columns.items():
        for value, accepted in zip(values, checked.accepted, strict=True):
            assert not accepted or value is None or type(value) in PLAIN[NAMES[name]]


def main() -> None:
    """Fuzz until libFuzzer is content."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""The protocol's messages to requests that the data plane understands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from google.protobuf.message import DecodeError

from pilothouse.oip.binary_form import tensor_from, text_of
from pilothouse.oip.elements import FLOATS, checked_elements
from pilothouse.oip.errors import (
    DatatypeUnknownError,
    MessageMalformedError,
    TensorLengthError,
)
from pilothouse.oip.json_form import shape_of
from pilothouse.oip.messages import Datatype, Tensor
from pilothouse.scoring.open_inference import STICKY_KEY, DecodedRequest, check_output_parameters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.oip.messages import Element
    from pilothouse.scoring.grpc.schema import Message

CONTENTS = {
    Datatype.BOOL: "bool_contents",
    Datatype.INT8: "int_contents",
    Datatype.INT16: "int_contents",
    Datatype.INT32: "int_contents",
    Datatype.INT64: "int64_contents",
    Datatype.UINT8: "uint_contents",
    Datatype.UINT16: "uint_contents",
    Datatype.UINT32: "uint_contents",
    Datatype.UINT64: "uint64_contents",
    Datatype.FP32: "fp32_contents",
    Datatype.FP64: "fp64_contents",
    Datatype.BYTES: "bytes_contents",
}
_DATATYPES = {str(d): d for d in CONTENTS}


def read(kind: Message, raw: bytes) -> Message:
    """
    Read a message.

    Raises
    ------
    MessageMalformedError
        When the bytes are none of its kind.
    """
    try:
        return kind.FromString(raw)
    except DecodeError:
        raise MessageMalformedError(problem="it is no message of that method") from None


def parameter(value: Message) -> object:
    """Give a parameter's value, None where it has none."""
    chosen = value.WhichOneof("parameter_choice")
    return None if chosen is None else getattr(value, chosen)


def is_raw(request: Message) -> bool:
    """Say whether a request brings its tensors as bytes; its answer does too."""
    return len(request.raw_input_contents) > 0


def fill(decoded: DecodedRequest, request: Message) -> DecodedRequest:
    """
    Fill a decoded request; the tensors are not looked at yet.

    Raises
    ------
    ProtocolError
        When a parameter has a value that it cannot have.
    """
    parameters = {name: parameter(value) for name, value in request.parameters.items()}
    for output in request.outputs:
        check_output_parameters(output.parameters)
    return decoded.from_tensors(
        lambda: _raw_tensors(request) if is_raw(request) else map(_typed_tensor, request.inputs),
        request_id=request.id or None,
        sticky_key=parameters.get(STICKY_KEY),
        outputs=tuple(o.name for o in request.outputs),
    )


def _raw_tensors(request: Message) -> Iterator[Tensor]:
    inputs, contents = request.inputs, request.raw_input_contents
    if len(inputs) != len(contents):
        raise MessageMalformedError(
            problem=f"it has {len(inputs)} inputs and {len(contents)} raw contents"
        )
    for tensor, raw in zip(inputs, contents, strict=True):
        if tensor.HasField("contents"):
            raise MessageMalformedError(
                problem=f"tensor {tensor.name!r} has contents beside raw contents"
            )
        yield tensor_from(raw, name=tensor.name, shape=tensor.shape, datatype=tensor.datatype)


def _typed_tensor(tensor: Message) -> Tensor:
    name = tensor.name
    rows, width = shape_of(name, tensor.shape)
    datatype = _DATATYPES.get(tensor.datatype)
    if datatype is None:
        raise DatatypeUnknownError(tensor=name, datatype=tensor.datatype, known=tuple(_DATATYPES))
    for field, _ in tensor.contents.ListFields():
        if field.name != CONTENTS[datatype]:
            raise MessageMalformedError(
                problem=f"tensor {name!r} is {datatype.value} and has {field.name}"
            )
    values = getattr(tensor.contents, CONTENTS[datatype])
    if len(values) != rows * width:
        raise TensorLengthError(tensor=name, expected=rows * width, found=len(values))
    return Tensor(name, datatype, rows, width, _elements(values, datatype, name))


def _elements(values: Sequence[object], datatype: Datatype, name: str) -> Sequence[Element]:
    if datatype in FLOATS:
        return [None if math.isnan(v) else v for v in cast("Sequence[float]", values)]
    if datatype is Datatype.BYTES:
        texts = enumerate(cast("Sequence[bytes]", values))
        return [text_of(v, tensor=name, index=i) for i, v in texts]
    return checked_elements(list(values), datatype=datatype, tensor=name)

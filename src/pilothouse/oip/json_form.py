"""The JSON form of the protocol: bytes to messages, tensors to checked columns, messages to bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from pilothouse.oip.elements import checked_elements
from pilothouse.oip.errors import (
    DatatypeUnknownError,
    MessageMalformedError,
    TensorLengthError,
    TensorNestingError,
    TensorShapeError,
)
from pilothouse.oip.messages import Datatype, IndexRequest, InferRequest, RequestTensor, Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

Message = TypeVar("Message")
_DECODER = msgspec.json.Decoder(InferRequest)
_INDEX_DECODER = msgspec.json.Decoder(IndexRequest)
_ENCODER = msgspec.json.Encoder()
_DATATYPES = {str(d): d for d in Datatype if d is not Datatype.FP16}


def decode_request(body: bytes) -> InferRequest:
    """
    Read a request's JSON; the tensors' data is not looked at yet.

    Raises
    ------
    MessageMalformedError
        When the body is not JSON (NaN and Infinity are not), is nested too deep, lacks a field or has one
        that the protocol does not know.

    Examples
    --------
    >>> decode_request(b'{"inputs": [], "id": "a"}').id
    'a'
    """
    return _decoded(_DECODER, body)


def decode_index_request(body: bytes) -> IndexRequest:
    """
    Read the JSON of a request for the index of models; none means all of them.

    Raises
    ------
    MessageMalformedError
        As `decode_request` says.

    Examples
    --------
    >>> decode_index_request(b"").ready
    False
    """
    return _decoded(_INDEX_DECODER, body or b"{}")


def _decoded(decoder: msgspec.json.Decoder[Message], body: bytes) -> Message:
    try:
        return decoder.decode(body)
    except RecursionError:
        raise MessageMalformedError(problem="it is nested too deep") from None
    except UnicodeDecodeError:
        raise MessageMalformedError(problem="it is not UTF-8") from None
    except msgspec.DecodeError as problem:
        raise MessageMalformedError(problem=str(problem)) from None


def encode(message: object) -> bytes:
    """
    Write a message as JSON.

    Examples
    --------
    >>> encode({"live": True})
    b'{"live":true}'
    """
    return _ENCODER.encode(message)


def datatype_of(tensor: RequestTensor) -> Datatype:
    """
    Give a tensor's datatype.

    Raises
    ------
    DatatypeUnknownError
        When it has none that JSON can carry.
    """
    found = _DATATYPES.get(tensor.datatype)
    if found is None:
        raise DatatypeUnknownError(
            tensor=tensor.name, datatype=tensor.datatype, known=tuple(_DATATYPES)
        )
    return found


def shape_of(name: str, shape: Sequence[int]) -> tuple[int, int]:
    """
    Give the rows and the width of a tensor.

    Raises
    ------
    TensorShapeError
        When it is neither a column nor a matrix.

    Examples
    --------
    >>> shape_of("age", [3]), shape_of("table", [3, 2])
    ((3, 1), (3, 2))
    """
    match len(shape):
        case 1:
            rows, width = shape[0], 1
        case 2:
            rows, width = shape
        case _:
            raise TensorShapeError(tensor=name, shape=tuple(shape))
    if rows < 1 or width < 1:
        raise TensorShapeError(tensor=name, shape=tuple(shape))
    return rows, width


def tensor_of(tensor: RequestTensor) -> Tensor:
    """
    Read a tensor's data, checked against its shape and its datatype.

    Integers in a float tensor become floats where nothing is lost; null stays None.

    Raises
    ------
    ProtocolError
        `TensorShapeError`, `TensorLengthError`, `TensorNestingError`, `DatatypeUnknownError`,
        `ElementInvalidError` or, without data, `MessageMalformedError`, each with the tensor's name.

    Examples
    --------
    >>> tensor_of(RequestTensor(name="age", shape=[2, 1], datatype="FP64", data=[[1], [2.5]])).elements
    [1.0, 2.5]
    """
    rows, width = shape_of(tensor.name, tensor.shape)
    data = tensor.data
    if data is None:
        raise MessageMalformedError(problem=f"tensor {tensor.name!r} has no 'data'")
    if data and type(data[0]) is list:
        data = _flat(tensor.name, data, width if len(tensor.shape) == 2 else 0)
    if len(data) != rows * width:
        raise TensorLengthError(tensor=tensor.name, expected=rows * width, found=len(data))
    datatype = datatype_of(tensor)
    elements = checked_elements(data, datatype=datatype, tensor=tensor.name)
    return Tensor(tensor.name, datatype, rows, width, elements)


def _flat(name: str, data: list[object], width: int) -> list[object]:
    flat: list[object] = []
    for index, row in enumerate(data):
        if not isinstance(row, list) or len(row) != width:
            raise TensorNestingError(tensor=name, index=index)
        flat.extend(row)
    return flat

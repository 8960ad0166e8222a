"""The JSON form of the protocol: bytes to messages, tensors to checked columns, messages to bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.oip.elements import checked_elements
from pilothouse.oip.errors import (
    DatatypeUnknownError,
    MessageMalformedError,
    TensorLengthError,
    TensorNestingError,
    TensorShapeError,
)
from pilothouse.oip.messages import Datatype, InferRequest, RequestTensor

if TYPE_CHECKING:
    from pilothouse.oip.messages import Element

_DECODER = msgspec.json.Decoder(InferRequest)
_ENCODER = msgspec.json.Encoder()
_DATATYPES = {str(d): d for d in Datatype}


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
    try:
        return _DECODER.decode(body)
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


def column_of(tensor: RequestTensor) -> list[Element]:
    """
    Give a tensor's elements as one column, checked against its shape and its datatype.

    Integers in a float tensor become floats where nothing is lost; null stays None.

    Raises
    ------
    ProtocolError
        `TensorShapeError`, `TensorLengthError`, `TensorNestingError`, `DatatypeUnknownError` or
        `ElementInvalidError`, each with the tensor's name.

    Examples
    --------
    >>> column_of(RequestTensor(name="age", shape=[2, 1], datatype="FP64", data=[[1], [2.5]]))
    [1.0, 2.5]
    """
    shape = tensor.shape
    if not shape or len(shape) > 2 or (len(shape) == 2 and shape[1] != 1) or shape[0] < 1:
        raise TensorShapeError(tensor=tensor.name, shape=tuple(shape))
    data = tensor.data
    if data and type(data[0]) is list:
        data = _flat(tensor)
    if len(data) != shape[0]:
        raise TensorLengthError(tensor=tensor.name, expected=shape[0], found=len(data))
    return checked_elements(data, datatype=datatype_of(tensor), tensor=tensor.name)


def _flat(tensor: RequestTensor) -> list[object]:
    if len(tensor.shape) != 2:
        raise TensorNestingError(tensor=tensor.name, index=0)
    flat: list[object] = []
    for index, row in enumerate(tensor.data):
        if not isinstance(row, list) or len(row) != 1:
            raise TensorNestingError(tensor=tensor.name, index=index)
        flat.append(row[0])
    return flat

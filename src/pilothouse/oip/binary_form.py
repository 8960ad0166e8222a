"""
The binary tensor extension: a body whose JSON is followed by the bytes of tensors, in their order.

Numbers are little-endian. Floats have no null but NaN, so NaN in a binary tensor stands for null; other
datatypes have none.

References
----------
.. [1] Open Inference Protocol, version 2, "Binary Tensor Data Extension".
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, cast

import msgspec

from pilothouse.oip.elements import FLOATS
from pilothouse.oip.errors import (
    BinaryHeaderError,
    BinarySizeError,
    DatatypeUnknownError,
    ElementInvalidError,
    NullUnsendableError,
    ParameterInvalidError,
)
from pilothouse.oip.json_form import encode, shape_of, tensor_of
from pilothouse.oip.messages import Datatype, ResponseTensor, Tensor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from pilothouse.oip.messages import Element, InferResponse, RequestTensor

SIZE = "binary_data_size"
FORMATS = {
    Datatype.BOOL: "B",
    Datatype.UINT8: "B",
    Datatype.UINT16: "H",
    Datatype.UINT32: "I",
    Datatype.UINT64: "Q",
    Datatype.INT8: "b",
    Datatype.INT16: "h",
    Datatype.INT32: "i",
    Datatype.INT64: "q",
    Datatype.FP16: "e",
    Datatype.FP32: "f",
    Datatype.FP64: "d",
}
LENGTH = struct.Struct("<I")
_DATATYPES = {str(d): d for d in Datatype}


def split(body: bytes, length: bytes) -> tuple[bytes, memoryview]:
    """
    Part a body into its JSON and the bytes behind it.

    Parameters
    ----------
    body
        The whole body.
    length
        The value of the header ``Inference-Header-Content-Length``.

    Raises
    ------
    BinaryHeaderError
        When the header is no length, or longer than the body.

    Examples
    --------
    >>> split(b'{"inputs":[]}ab', b"13")[0]
    b'{"inputs":[]}'
    """
    if not length.isdigit() or len(length) > 10:
        raise BinaryHeaderError(problem="is no length")
    end = int(length)
    if end > len(body):
        raise BinaryHeaderError(problem=f"says {end} where the body has {len(body)} bytes")
    return body[:end], memoryview(body)[end:]


def tensors_of(tensors: Iterable[RequestTensor], rest: memoryview) -> Iterator[Tensor]:
    """
    Read the tensors of a request; those without data take their bytes from `rest`.

    Parameters
    ----------
    tensors
        As the JSON names them.
    rest
        What stands behind the JSON; it must be used up.

    Raises
    ------
    ProtocolError
        `BinarySizeError` when sizes do not fit, or whatever breaks a tensor.
    """
    name = ""
    for tensor in tensors:
        name = tensor.name
        if SIZE not in tensor.parameters:
            yield tensor_of(tensor)
            continue
        size = tensor.parameters[SIZE]
        if type(size) is not int or size < 0:
            raise ParameterInvalidError(parameter=SIZE, problem="is no number of bytes")
        if tensor.data is not None:
            raise BinarySizeError(tensor=name, problem="the JSON holds its data too")
        if size > len(rest):
            raise BinarySizeError(tensor=name, problem=f"{len(rest)} bytes are left of {size}")
        yield tensor_from(rest[:size], name=name, shape=tensor.shape, datatype=tensor.datatype)
        rest = rest[size:]
    if rest:
        raise BinarySizeError(tensor=name, problem=f"{len(rest)} bytes belong to no tensor")


def tensor_from(
    raw: bytes | memoryview, *, name: str, shape: Sequence[int], datatype: str
) -> Tensor:
    """
    Read a tensor from its bytes, which must be exactly as many as shape and datatype say.

    Raises
    ------
    ProtocolError
        `TensorShapeError`, `DatatypeUnknownError`, `BinarySizeError` or `ElementInvalidError`.

    Examples
    --------
    >>> tensor_from(bytes([1, 0]), name="abroad", shape=[2], datatype="BOOL").elements
    (True, False)
    """
    rows, width = shape_of(name, shape)
    kind = _DATATYPES.get(datatype)
    if kind is None:
        raise DatatypeUnknownError(tensor=name, datatype=datatype, known=tuple(_DATATYPES))
    count = rows * width
    if kind is Datatype.BYTES:
        return Tensor(name, kind, rows, width, _texts(raw, count, name))
    expected = count * struct.calcsize(FORMATS[kind])
    if len(raw) != expected:  # before anything as large as a claimed shape is made
        raise BinarySizeError(
            tensor=name, problem=f"{len(raw)} bytes where shape and datatype make {expected}"
        )
    values = struct.unpack(f"<{count}{FORMATS[kind]}", raw)
    if kind is Datatype.BOOL:
        return Tensor(name, kind, rows, width, _truths(values, name))
    if kind in FLOATS and any(map(math.isnan, values)):
        values = tuple(None if math.isnan(v) else v for v in values)
    return Tensor(name, kind, rows, width, values)


def _truths(values: tuple[int, ...], name: str) -> tuple[bool, ...]:
    if max(values) > 1:
        index = next(i for i, v in enumerate(values) if v > 1)
        raise ElementInvalidError(
            tensor=name, index=index, datatype="BOOL", problem="is neither 0 nor 1"
        )
    return tuple(map(bool, values))


def _texts(raw: bytes | memoryview, count: int, name: str) -> list[str]:
    if len(raw) < count * LENGTH.size:
        raise BinarySizeError(tensor=name, problem=f"{len(raw)} bytes cannot hold {count} texts")
    texts, at = [], 0
    for index in range(count):
        start = at + LENGTH.size
        at = start + LENGTH.unpack_from(raw, at)[0] if start <= len(raw) else len(raw) + 1
        if at > len(raw):
            raise BinarySizeError(tensor=name, problem=f"it ends within element {index}")
        texts.append(text_of(raw[start:at], tensor=name, index=index))
    if at != len(raw):
        raise BinarySizeError(
            tensor=name, problem=f"{len(raw) - at} bytes are left after its {count} elements"
        )
    return texts


def text_of(raw: bytes | memoryview, *, tensor: str, index: int) -> str:
    """
    Read one element of a BYTES tensor, which is UTF-8 here.

    Raises
    ------
    ElementInvalidError
        When it is not.
    """
    try:
        return str(raw, "utf-8")
    except UnicodeDecodeError:
        raise ElementInvalidError(
            tensor=tensor, index=index, datatype="BYTES", problem="is not UTF-8"
        ) from None


def bytes_of(elements: Sequence[Element], datatype: Datatype, *, tensor: str) -> bytes:
    r"""
    Write elements as bytes; null becomes NaN in a float tensor.

    Raises
    ------
    NullUnsendableError
        For a null in any other.

    Examples
    --------
    >>> bytes_of(["a"], Datatype.BYTES, tensor="label")
    b'\x01\x00\x00\x00a'
    """
    if None in elements:
        if datatype not in FLOATS:
            index = elements.index(None)
            raise NullUnsendableError(tensor=tensor, index=index, datatype=datatype.value)
        elements = [math.nan if e is None else e for e in elements]
    if datatype is Datatype.BYTES:
        encoded = [t.encode() for t in cast("Sequence[str]", elements)]
        return b"".join(LENGTH.pack(len(e)) + e for e in encoded)
    return struct.pack(f"<{len(elements)}{FORMATS[datatype]}", *elements)


def encode_response(answer: InferResponse, binary: Collection[str]) -> tuple[bytes, int]:
    """
    Write an answer, some of its outputs in binary.

    Parameters
    ----------
    answer
        The answer, every output with its data.
    binary
        Names of the outputs whose bytes follow the JSON.

    Returns
    -------
    tuple
        The whole body, and the length of its JSON.

    Raises
    ------
    NullUnsendableError
        When such an output has a null that its datatype cannot hold.
    """
    blobs: list[bytes] = []
    outputs = []
    for output in answer.outputs:
        if output.name in binary:
            data = cast("Sequence[Element]", output.data)
            blobs.append(bytes_of(data, Datatype(output.datatype), tensor=output.name))
            output = ResponseTensor(  # noqa: PLW2901 the same output without its data
                name=output.name,
                datatype=output.datatype,
                shape=output.shape,
                parameters={**output.parameters, SIZE: len(blobs[-1])},
            )
        outputs.append(output)
    head = encode(msgspec.structs.replace(answer, outputs=outputs))
    return b"".join((head, *blobs)), len(head)

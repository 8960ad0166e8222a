"""
Just enough of the protobuf wire format to see which other files an ONNX model reads.

Wire format: https://protobuf.dev/programming-guides/encoding/. Field numbers: ``onnx.proto3`` of ONNX 1.23,
messages ModelProto, GraphProto, NodeProto, AttributeProto, SparseTensorProto, FunctionProto, TrainingInfoProto,
TensorProto. Standard library only.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAXIMUM_DEPTH = 64


class WireError(ValueError):
    """Bytes that are no protobuf message."""


class Message(Enum):
    """The messages of ONNX that lead to tensors."""

    MODEL = auto()
    GRAPH = auto()
    NODE = auto()
    ATTRIBUTE = auto()
    SPARSE = auto()
    FUNCTION = auto()
    TRAINING = auto()
    TENSOR = auto()


LEADS: Mapping[Message, Mapping[int, Message]] = {
    Message.MODEL: {7: Message.GRAPH, 20: Message.TRAINING, 25: Message.FUNCTION},
    Message.GRAPH: {1: Message.NODE, 5: Message.TENSOR, 15: Message.SPARSE},
    Message.NODE: {5: Message.ATTRIBUTE},
    Message.ATTRIBUTE: {
        5: Message.TENSOR,
        6: Message.GRAPH,
        10: Message.TENSOR,
        11: Message.GRAPH,
        22: Message.SPARSE,
        23: Message.SPARSE,
    },
    Message.SPARSE: {1: Message.TENSOR, 2: Message.TENSOR},
    Message.FUNCTION: {7: Message.NODE, 11: Message.ATTRIBUTE},
    Message.TRAINING: {1: Message.GRAPH, 2: Message.GRAPH},
}
EXTERNAL_DATA = 13  # of TensorProto: entries with key (1) and value (2)


def external_files(model: bytes) -> frozenset[str]:
    """
    Give the paths of the external data files that an ONNX model reads.

    Parameters
    ----------
    model
        The bytes of the ``.onnx`` file.

    Raises
    ------
    WireError
        When they are no protobuf message, or nested deeper than `MAXIMUM_DEPTH`.

    Examples
    --------
    >>> external_files(b"")
    frozenset()
    """
    found: set[str] = set()
    waiting = [(Message.MODEL, memoryview(model), 0)]
    while waiting:
        kind, body, depth = waiting.pop()
        if depth > MAXIMUM_DEPTH:
            raise WireError(f"nested deeper than {MAXIMUM_DEPTH} levels")
        for number, value in _fields(body):
            if kind is Message.TENSOR:
                if number == EXTERNAL_DATA:
                    found.update(_location(value))
            elif number in LEADS[kind]:
                waiting.append((LEADS[kind][number], value, depth + 1))
    return frozenset(found)


def _location(entry: memoryview) -> Iterator[str]:
    parts = {number: bytes(value).decode("utf-8", "replace") for number, value in _fields(entry)}
    if parts.get(1) == "location":
        yield parts.get(2, "")


def _fields(body: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Walk the length-delimited fields of a message; the others are stepped over."""
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        match tag & 7:
            case 0:
                _, at = _varint(body, at)
            case 1:
                at += 8
            case 5:
                at += 4
            case 2:
                size, at = _varint(body, at)
                yield tag >> 3, body[at : at + size]
                at += size
            case other:
                raise WireError(f"wire type {other}")
        if at > len(body):
            raise WireError("it ends inside a field")


def _varint(body: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(body):
            raise WireError("it ends inside a number")
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise WireError("a number longer than ten bytes")

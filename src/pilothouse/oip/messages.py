"""
The messages of Open Inference v2 over REST, as typed structures.

References
----------
.. [1] Open Inference Protocol, version 2, "HTTP/REST".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 msgspec reads the annotations
from enum import StrEnum

import msgspec

Parameter = str | int | float | bool
Element = str | int | float | bool | None


class Datatype(StrEnum):
    """The datatypes of the protocol; FP16 has no JSON form."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    UINT16 = "UINT16"
    UINT32 = "UINT32"
    UINT64 = "UINT64"
    INT8 = "INT8"
    INT16 = "INT16"
    INT32 = "INT32"
    INT64 = "INT64"
    FP16 = "FP16"
    FP32 = "FP32"
    FP64 = "FP64"
    BYTES = "BYTES"


class RequestTensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input; `data` is flat or nested, row-major, and absent where the elements follow in binary."""

    name: str
    shape: list[int]
    datatype: str
    data: list[object] | None = None
    parameters: dict[str, object] = {}


class RequestedOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An output that the caller wants back."""

    name: str
    parameters: dict[str, object] = {}


class InferRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request to score; no `outputs` means all of them. Some clients repeat the path's model and version in it."""

    inputs: list[RequestTensor]
    id: str | None = None
    parameters: dict[str, object] = {}
    outputs: list[RequestedOutput] = []
    model_name: str | None = None
    model_version: str | None = None


class ResponseTensor(msgspec.Struct, frozen=True, omit_defaults=True):
    """One output, flat; without `data` where its elements follow in binary."""

    name: str
    datatype: str
    shape: Sequence[int]
    data: Sequence[Element] | msgspec.UnsetType = msgspec.UNSET
    parameters: Mapping[str, Parameter] = {}


class InferResponse(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to a request to score; `id` repeats the request's, where it had one."""

    model_name: str
    model_version: str
    outputs: list[ResponseTensor]
    parameters: Mapping[str, Parameter]
    id: str | None = None


class Tensor(msgspec.Struct, frozen=True):
    """
    A tensor that has been read: every element is of its datatype, or None where it is null.

    Attributes
    ----------
    name
        As the message names it.
    datatype
        What its elements are.
    rows, width
        Its shape; a width of 1 is a column, a greater one a matrix.
    elements
        ``rows * width`` of them, row-major.
    """

    name: str
    datatype: Datatype
    rows: int
    width: int
    elements: Sequence[Element]


class TensorMetadata(msgspec.Struct, frozen=True):
    """What is known of a tensor; -1 in `shape` stands for any number."""

    name: str
    datatype: str
    shape: Sequence[int]
    parameters: Mapping[str, Parameter] = {}


class ModelMetadata(msgspec.Struct, frozen=True):
    """What is known of a model."""

    name: str
    versions: Sequence[str]
    platform: str
    inputs: Sequence[TensorMetadata]
    outputs: Sequence[TensorMetadata]
    parameters: Mapping[str, Parameter] = {}


class ServerMetadata(msgspec.Struct, frozen=True):
    """What is known of a server."""

    name: str
    version: str
    extensions: Sequence[str]


class IndexRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for the models that a server holds, or only those that can answer."""

    ready: bool = False


class IndexedModel(msgspec.Struct, frozen=True):
    """One version of one model that a server holds."""

    name: str
    version: str
    state: str
    reason: str

"""Answers of the data plane to the protocol's messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from pilothouse.oip.binary_form import bytes_of
from pilothouse.oip.elements import FLOATS
from pilothouse.oip.errors import NullUnsendableError
from pilothouse.oip.messages import Datatype
from pilothouse.scoring.grpc.requests import CONTENTS
from pilothouse.scoring.grpc.schema import IndexResponse, InferResponse, ModelResponse
from pilothouse.scoring.open_inference import response

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.oip.messages import (
        Element,
        IndexedModel,
        ModelMetadata,
        Parameter,
        ResponseTensor,
        TensorMetadata,
    )
    from pilothouse.scoring.data_plane import Answer
    from pilothouse.scoring.grpc.schema import Message


def inferred(answer: Answer, request_id: str | None, *, raw: bool) -> Message:
    """
    Give the message that tells an answer; with `raw`, all its tensors as bytes.

    Raises
    ------
    NullUnsendableError
        When an output has a null and its datatype is no float.
    """
    whole = response(answer, request_id)
    told = InferResponse(
        model_name=whole.model_name, model_version=whole.model_version, id=request_id or ""
    )
    for name, value in whole.parameters.items():
        setattr(told.parameters[name], _choice(value), value)
    for output in whole.outputs:
        tensor = told.outputs.add(name=output.name, datatype=output.datatype, shape=output.shape)
        if raw:
            told.raw_output_contents.append(_raw(output))
        else:
            field = CONTENTS[Datatype(output.datatype)]
            getattr(tensor.contents, field).extend(_typed(output))
    return told


def _choice(value: Parameter) -> str:
    match value:
        case bool():
            return "bool_param"
        case int():
            return "int64_param"
        case float():
            return "double_param"
        case str():
            return "string_param"


def _raw(output: ResponseTensor) -> bytes:
    data = cast("Sequence[Element]", output.data)
    return bytes_of(data, Datatype(output.datatype), tensor=output.name)


def _typed(output: ResponseTensor) -> Iterable[object]:
    data, datatype = cast("Sequence[Element]", output.data), Datatype(output.datatype)
    if None in data:
        if datatype not in FLOATS:
            raise NullUnsendableError(
                tensor=output.name, index=data.index(None), datatype=datatype.value
            )
        return [math.nan if v is None else v for v in data]
    if datatype is Datatype.BYTES:
        return [v.encode() for v in cast("Sequence[str]", data)]
    return data


def described(model: ModelMetadata) -> Message:
    """Give the message that tells a model's metadata."""
    return ModelResponse(
        name=model.name,
        versions=model.versions,
        platform=model.platform,
        inputs=map(_tensor, model.inputs),
        outputs=map(_tensor, model.outputs),
        properties={name: str(value) for name, value in model.parameters.items()},
    )


def _tensor(tensor: TensorMetadata) -> Message:
    return ModelResponse.TensorMetadata(
        name=tensor.name, datatype=tensor.datatype, shape=tensor.shape
    )


def indexed(models: Iterable[IndexedModel]) -> Message:
    """Give the message that lists models."""
    told = IndexResponse()
    for model in models:
        told.models.add(
            name=model.name, version=model.version, state=model.state, reason=model.reason
        )
    return told

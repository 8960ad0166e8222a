"""Open Inference v2 in terms of services and schemas; what its REST and gRPC forms share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.schemas import DataType, OnViolation
from pilothouse.oip.errors import MessageMalformedError, TensorLengthError, TensorRepeatedError
from pilothouse.oip.json_form import column_of, decode_request
from pilothouse.oip.messages import (
    Datatype,
    InferResponse,
    ModelMetadata,
    Parameter,
    ResponseTensor,
    TensorMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.contracts import Violation
    from pilothouse.domain.ids import ServiceTag
    from pilothouse.domain.schemas import Column, Schema
    from pilothouse.oip.messages import Element, RequestTensor
    from pilothouse.scoring.data_plane import Answer
    from pilothouse.scoring.hosting import Hosting

STICKY_KEY = "sticky_key"
LISTED_FLAGS = 100

DATATYPES = {
    DataType.BOOLEAN: Datatype.BOOL,
    DataType.INTEGER: Datatype.INT64,
    DataType.NUMBER: Datatype.FP64,
    DataType.STRING: Datatype.BYTES,
    DataType.TIMESTAMP: Datatype.BYTES,
}
_NUMBERS = frozenset(Datatype) - {Datatype.BOOL, Datatype.BYTES}
SUITABLE = {
    DataType.BOOLEAN: frozenset({Datatype.BOOL}),
    DataType.INTEGER: _NUMBERS - {Datatype.FP32, Datatype.FP64},
    DataType.NUMBER: _NUMBERS,
    DataType.STRING: frozenset({Datatype.BYTES}),
    DataType.TIMESTAMP: frozenset({Datatype.BYTES}),
}


class DatatypeMismatchError(InvalidError):
    """A tensor's datatype is not its column's type."""

    code = "datatype-mismatch"

    def __init__(self, *, column: str, expected: str, found: str) -> None:
        self.column, self.expected, self.found = column, expected, found
        super().__init__(
            f"Column {column!r} is {expected}; the request sends it as {found}. "
            "Send the datatype that the model's metadata names."
        )


class DecodedRequest:
    """A request in the protocol's form; empty until it is read."""

    __slots__ = ("_columns", "_tensors", "outputs", "request_id", "sticky_key")

    def __init__(self) -> None:
        self.request_id: str | None = None
        self.sticky_key: str | None = None
        self.outputs: Sequence[str] = ()
        self._tensors: Sequence[RequestTensor] = ()
        self._columns: dict[str, list[Element]] | None = None

    def from_json(self, body: bytes) -> DecodedRequest:
        """
        Read a request's JSON body.

        Raises
        ------
        MessageMalformedError
            When it is not the protocol's JSON, or its sticky key is no text.
        """
        request = decode_request(body)
        key = request.parameters.get(STICKY_KEY)
        if key is not None and (not isinstance(key, str) or not key):
            raise MessageMalformedError(problem=f"parameter {STICKY_KEY!r} is not a text")
        self.request_id, self.sticky_key = request.id, key
        self.outputs = tuple(o.name for o in request.outputs)
        self._tensors = request.inputs
        return self

    def columns(self, schema: Schema) -> Mapping[str, Sequence[object]]:
        """
        Give the tensors as columns.

        Raises
        ------
        ProtocolError
            When a tensor breaks the protocol, stands twice, or has another length than the first.
        DatatypeMismatchError
            When a tensor has a datatype that its column cannot take, and the schema does not coerce.
        """
        if self._columns is None:
            self._columns = self._read()
        if schema.on_violation is not OnViolation.COERCE:
            _check_datatypes(self._tensors, schema)
        return self._columns

    def _read(self) -> dict[str, list[Element]]:
        columns: dict[str, list[Element]] = {}
        rows = -1
        for tensor in self._tensors:
            if tensor.name in columns:
                raise TensorRepeatedError(tensor=tensor.name)
            column = columns[tensor.name] = column_of(tensor)
            if rows < 0:
                rows = len(column)
            elif len(column) != rows:
                raise TensorLengthError(tensor=tensor.name, expected=rows, found=len(column))
        if not columns:
            raise MessageMalformedError(problem="'inputs' is empty")
        return columns


def _check_datatypes(tensors: Sequence[RequestTensor], schema: Schema) -> None:
    types = {c.name: c.type for c in schema.columns}
    for tensor in tensors:
        wanted = types.get(tensor.name)
        if wanted is not None and tensor.datatype not in SUITABLE[wanted]:
            raise DatatypeMismatchError(
                column=tensor.name, expected=DATATYPES[wanted].value, found=tensor.datatype
            )


def response(answer: Answer, request_id: str | None) -> InferResponse:
    """Give the protocol's form of an answer."""
    types = {c.name: DATATYPES[c.type].value for c in answer.schema.columns}
    parameters: dict[str, Parameter] = {
        "snapshot": answer.snapshot,
        "digest": answer.digest,
        "route_generation": answer.route_generation,
        "prediction_id": answer.prediction_id,
    }
    if answer.flags:
        parameters["flags"] = _flags(answer.flags)
        parameters["flags_total"] = len(answer.flags)
    if answer.coerced:
        parameters["coerced"] = answer.coerced
    return InferResponse(
        model_name=answer.service,
        model_version=str(answer.number),
        id=request_id,
        parameters=parameters,
        outputs=[
            ResponseTensor(name=n, datatype=types[n], shape=(answer.rows,), data=values)
            for n, values in answer.outputs.items()
        ],
    )


def _flags(flags: Sequence[Violation]) -> str:
    """Give the first flags as JSON text: a parameter of the protocol can be no list."""
    listed = [
        {"row": f.row, "column": f.column, "code": f.code.value} for f in flags[:LISTED_FLAGS]
    ]
    return msgspec.json.encode(listed).decode()


def metadata(hosting: Hosting, service: ServiceTag, version: str | None) -> ModelMetadata:
    """
    Give the metadata of a service, or of one version of it.

    A service's metadata are those of the variant with the largest weight; its versions are all that can be
    pinned.

    Raises
    ------
    NotFoundError, UnavailableError
        As `Hosting.route`, `Hosting.pinned` and `HostedDeployment.opened` say.
    """
    if version is None:
        largest = max(hosting.route(service).variants, key=lambda v: v.weight)
        deployment = hosting.deployment(largest.deployment_id)
    else:
        deployment = hosting.pinned(service, version)
    model = deployment.opened().open
    return ModelMetadata(
        name=service,
        versions=versions(hosting, service) if version is None else [str(deployment.want.number)],
        platform=f"pilothouse_{model.platform}",
        inputs=[_tensor(c) for c in model.inputs.columns if c.accepted],
        outputs=[_tensor(c) for c in model.outputs.columns],
        parameters={
            "snapshot": deployment.want.snapshot,
            "digest": deployment.want.digest,
            "route_generation": hosting.generation(service),
        },
    )


def versions(hosting: Hosting, service: ServiceTag) -> list[str]:
    """Give what can be pinned: numbers, and ``model@number`` where a number stands for several models."""
    running = {d.want.snapshot: d.want.number for d in hosting.of_service(service) if d.running}
    numbers = list(running.values())
    named = sorted(running.items(), key=lambda item: (item[1], item[0]))
    return [str(n) if numbers.count(n) == 1 else snapshot for snapshot, n in named]


def _tensor(column: Column) -> TensorMetadata:
    parameters: dict[str, Parameter] = {
        "type": column.type.value,
        "role": column.role.value,
        "nullable": column.nullable,
    }
    if column.minimum is not None:
        parameters["minimum"] = column.minimum
    if column.maximum is not None:
        parameters["maximum"] = column.maximum
    return TensorMetadata(
        name=column.name, datatype=DATATYPES[column.type].value, shape=(-1,), parameters=parameters
    )

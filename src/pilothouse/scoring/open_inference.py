"""Open Inference v2 in terms of services and schemas; what its REST and gRPC forms share."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from pilothouse.oip.binary_form import split, tensors_of
from pilothouse.oip.errors import MessageMalformedError, ParameterInvalidError
from pilothouse.oip.json_form import decode_request, tensor_of
from pilothouse.oip.messages import (
    IndexedModel,
    InferResponse,
    ModelMetadata,
    Parameter,
    ResponseTensor,
    TensorMetadata,
)
from pilothouse.scoring.columns import DATATYPES, columns_of
from pilothouse.scoring.tokens import allows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pilothouse.domain.contracts import Violation
    from pilothouse.domain.desired import DesiredToken
    from pilothouse.domain.ids import ServiceTag
    from pilothouse.domain.schemas import Column, Schema
    from pilothouse.oip.messages import InferRequest, Tensor
    from pilothouse.scoring.data_plane import Answer
    from pilothouse.scoring.hosting import Hosting

STICKY_KEY = "sticky_key"
LISTED_FLAGS = 100

EXTENSIONS = ("binary_tensor_data", "model_repository_index")
READY = "READY"
NAMES = ("model_name", "model_version")
BINARY = "binary_data"
_UNSUPPORTED = frozenset({"classification", "shared_memory_region"})


class DecodedRequest:
    """A request in the protocol's form; empty until it is read."""

    __slots__ = ("_read", "_tensors", "binary", "named", "outputs", "request_id", "sticky_key")

    def __init__(self) -> None:
        self.request_id: str | None = None
        self.sticky_key: str | None = None
        self.outputs: Sequence[str] = ()
        self.binary: Mapping[str, bool] = {}
        self.named: tuple[str | None, str | None] = (None, None)
        self._read: Callable[[], Iterable[Tensor]] = tuple
        self._tensors: Sequence[Tensor] = ()

    def from_json(self, body: bytes) -> DecodedRequest:
        """
        Read a request's JSON body.

        Raises
        ------
        ProtocolError
            When it is not the protocol's JSON, or a parameter has a value that it cannot have.
        """
        request = decode_request(body)
        return self._take(request, lambda: map(tensor_of, request.inputs))

    def from_binary(self, body: bytes, length: bytes) -> DecodedRequest:
        """
        Read a request whose JSON is followed by the bytes of tensors.

        Parameters
        ----------
        body
            The whole body.
        length
            How long its JSON is, as the header says it.

        Raises
        ------
        ProtocolError
            As `from_json` does, and when the length is wrong.
        """
        head, rest = split(body, length)
        request = decode_request(head)
        return self._take(request, lambda: tensors_of(request.inputs, rest))

    def from_tensors(
        self,
        read: Callable[[], Iterable[Tensor]],
        *,
        request_id: str | None,
        sticky_key: object,
        outputs: Sequence[str],
    ) -> DecodedRequest:
        """
        Take a request that a transport has parted already.

        Parameters
        ----------
        read
            Reads the tensors, once they are wanted.
        request_id, sticky_key, outputs
            What the message says beside them.

        Raises
        ------
        MessageMalformedError
            When the sticky key is no text.
        """
        if sticky_key is not None and (not isinstance(sticky_key, str) or not sticky_key):
            raise MessageMalformedError(problem=f"parameter {STICKY_KEY!r} is not a text")
        self.request_id, self.sticky_key, self.outputs = request_id, sticky_key, outputs
        self._read = read
        return self

    def check_names(self, service: str, version: str | None) -> DecodedRequest:
        """
        Check that the message names no other model or version than the path, where it names one at all.

        Raises
        ------
        MessageMalformedError
            When it does: one of the two would have to be ignored.
        """
        for field, said, meant in zip(NAMES, self.named, (service, version), strict=True):
            if said is not None and said != meant:
                raise MessageMalformedError(problem=f"its {field!r} is not that of the path")
        return self

    def columns(self, schema: Schema) -> Mapping[str, Sequence[object]]:
        """
        Give the tensors as columns.

        Raises
        ------
        ProtocolError
            When a tensor breaks the protocol, or there is none.
        InvalidError
            As `columns_of` says.
        """
        if not self._tensors:
            self._tensors = tuple(self._read())
        if not self._tensors:
            raise MessageMalformedError(problem="'inputs' is empty")
        return columns_of(self._tensors, schema)

    def _take(self, request: InferRequest, read: Callable[[], Iterable[Tensor]]) -> DecodedRequest:
        self.binary = _binary_outputs(request)
        self.named = (request.model_name, request.model_version)
        return self.from_tensors(
            read,
            request_id=request.id,
            sticky_key=request.parameters.get(STICKY_KEY),
            outputs=tuple(o.name for o in request.outputs),
        )


def _binary_outputs(request: InferRequest) -> Mapping[str, bool]:
    """Give which outputs shall come in binary; the empty name stands for those that do not say."""
    wanted = {"": _truth(request.parameters, "binary_data_output")}
    for output in request.outputs:
        check_output_parameters(output.parameters)
        if BINARY in output.parameters:
            wanted[output.name] = _truth(output.parameters, BINARY)
    return wanted


def check_output_parameters(parameters: Mapping[str, object]) -> None:
    """
    Check that an output is not asked for in a way that would have to be ignored.

    Raises
    ------
    ParameterInvalidError
        When it is.
    """
    for name in sorted(_UNSUPPORTED & parameters.keys()):
        raise ParameterInvalidError(parameter=name, problem="is not supported here")


def _truth(parameters: Mapping[str, object], name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise ParameterInvalidError(parameter=name, problem="is neither true nor false")
    return value


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


def index(hosting: Hosting, token: DesiredToken, *, ready: bool) -> list[IndexedModel]:
    """Give every version of every service that a token may see; with `ready`, only what can answer."""
    services = sorted({d.want.service for d in hosting.every() if allows(token, d.want.service)})
    return [m for s in services for m in _versions(hosting, s) if not ready or m.state == READY]


def _versions(hosting: Hosting, service: ServiceTag) -> list[IndexedModel]:
    held = list(hosting.of_service(service))
    named = Counter(number for _, number in {(d.want.snapshot, d.want.number) for d in held})
    listed: dict[str, IndexedModel] = {}
    for deployment in sorted(held, key=lambda d: d.running is not None):  # one that runs goes last
        want, running = deployment.want, deployment.running is not None
        listed[want.snapshot] = IndexedModel(
            name=service,
            version=str(want.number) if named[want.number] == 1 else want.snapshot,
            state=READY if running else "UNAVAILABLE",
            reason="" if running else deployment.state.value,
        )
    return [listed[snapshot] for snapshot in sorted(listed)]


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

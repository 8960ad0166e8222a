"""The handlers of the gRPC form: calls to the data plane, answers to messages."""

from __future__ import annotations

import logging
from collections import Counter
from time import perf_counter
from typing import TYPE_CHECKING, Any

import grpc

from pilothouse import __version__
from pilothouse.domain.errors import NotFoundError, PilothouseError, UnavailableError
from pilothouse.oip.errors import ProtocolError
from pilothouse.scoring.data_plane import Call
from pilothouse.scoring.grpc import schema
from pilothouse.scoring.grpc.answers import described, indexed, inferred
from pilothouse.scoring.grpc.errors import CODE, status_of, trailing
from pilothouse.scoring.grpc.requests import fill, is_raw, read
from pilothouse.scoring.open_inference import EXTENSIONS, DecodedRequest, index, metadata

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pilothouse.domain.ids import ServiceTag
    from pilothouse.ports.clock import Clock
    from pilothouse.scoring.access import AccessLog
    from pilothouse.scoring.data_plane import DataPlane
    from pilothouse.scoring.grpc.schema import Message

    Answerer = Callable[[Message, "Asked"], Awaitable[Message]]

Context = Any
"""gRPC's own view of a call; its library has no types."""
log = logging.getLogger(__name__)

SHORTEST_S = 0.001


class HealthUnknownError(NotFoundError):
    """A health check asks for a service that this entry does not know by that name."""

    code = "health-unknown"

    def __init__(self, *, service: str) -> None:
        super().__init__(
            noun="health of",
            name=service[:80],
            cure=f"Ask for '' or {schema.INFERENCE!r}; ModelReady tells of one service.",
        )


class CountedError(Exception):
    """An error that the data plane has counted already."""

    def __init__(self, problem: PilothouseError | ProtocolError) -> None:
        super().__init__(problem)
        self.problem = problem


class Asked:
    """
    What stands beside a call's message.

    Parameters
    ----------
    context
        As gRPC gives it.
    """

    def __init__(self, context: Context) -> None:
        self._metadata = {k: v for k, v in context.invocation_metadata() or () if type(v) is str}
        self.told: dict[str, object] = {}
        left = context.time_remaining()
        # A deadline that has passed leaves less than nothing; the call ends at once.
        self.timeout_s = None if left is None else max(left, SHORTEST_S)

    def header(self, name: str) -> str | None:
        """Give a value of the call's metadata."""
        return self._metadata.get(name)


class GrpcApp:
    """
    Open Inference v2 and health checks over gRPC.

    Parameters
    ----------
    data_plane
        What gives the answers.
    clock
        For the expiry of tokens.
    accepting
        Whether new requests are welcome; False while the entry drains.
    access
        Where a line about each call is written, if anywhere.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        *,
        clock: Clock,
        accepting: Callable[[], bool],
        access: AccessLog | None = None,
    ) -> None:
        self._access = access
        self._plane, self._clock, self._accepting = data_plane, clock, accepting
        self.refused: Counter[str] = Counter()

    def handlers(self) -> tuple[grpc.GenericRpcHandler, ...]:
        """Give what the server asks for each method."""
        inference: Mapping[str, Answerer] = {
            "ServerLive": self._live,
            "ServerReady": self._ready,
            "ServerMetadata": self._server,
            "ModelReady": self._model_ready,
            "ModelMetadata": self._model,
            "ModelInfer": self._infer,
            "RepositoryIndex": self._index,
        }
        return (
            self._service(schema.INFERENCE, inference),
            self._service(schema.HEALTH, {"Check": self._health}),
        )

    def _service(self, name: str, methods: Mapping[str, Answerer]) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            name,
            {
                method: grpc.unary_unary_rpc_method_handler(
                    self._handler(f"{name}/{method}", schema.request_of(name, method), answerer)
                )
                for method, answerer in methods.items()
            },
        )

    def _handler(
        self, called: str, kind: Message, answerer: Answerer
    ) -> Callable[[bytes, Context], Awaitable[bytes]]:
        async def handle(raw: bytes, context: Context) -> bytes:
            started, asked = perf_counter(), Asked(context)
            answer, problem = await self._answered(raw, kind, answerer, asked)
            if self._access is not None:
                self._access.write(
                    "grpc",
                    called,
                    started=started,
                    traceparent=asked.header("traceparent"),
                    sizes=(len(raw), 0 if answer is None else len(answer)),
                    told=asked.told if answer is not None else _failed(problem),
                )
            if answer is None:
                await self._abort(context, problem)
                raise AssertionError  # an abort never returns
            return answer

        return handle

    async def _answered(
        self, raw: bytes, kind: Message, answerer: Answerer, asked: Asked
    ) -> tuple[bytes | None, PilothouseError | ProtocolError | None]:
        """Give the answer, or the error; neither is a failure that the log has the words of."""
        try:
            answer = await answerer(read(kind, raw), asked)
            asked.told = {"status": "OK", **asked.told}
            return bytes(answer.SerializeToString()), None
        except CountedError as counted:
            return None, counted.problem
        except (PilothouseError, ProtocolError) as problem:
            self.refused[problem.code] += 1
            return None, problem
        except Exception:
            log.exception("a handler failed")
            return None, None

    async def _abort(
        self, context: Context, problem: PilothouseError | ProtocolError | None
    ) -> None:
        if problem is None:
            words = "The entry failed; its log says how. Try again."
            await context.abort(grpc.StatusCode.INTERNAL, words, ((CODE, "unexpected"),))
            return
        await context.abort(status_of(problem), problem.message, trailing(problem))

    async def _live(self, _: Message, __: Asked) -> Message:
        return schema.LiveResponse(live=True)

    async def _ready(self, _: Message, __: Asked) -> Message:
        return schema.ReadyResponse(ready=self._is_ready())

    def _is_ready(self) -> bool:
        return self._accepting() and self._plane.hosting.ready

    async def _health(self, request: Message, _: Asked) -> Message:
        if request.service not in ("", schema.INFERENCE):
            raise HealthUnknownError(service=request.service)
        return schema.HealthResponse(status="SERVING" if self._is_ready() else "NOT_SERVING")

    async def _server(self, _: Message, asked: Asked) -> Message:
        self._plane.tokens.holder(asked.header("authorization"), now=self._clock.now())
        return schema.ServerResponse(name="pilothouse", version=__version__, extensions=EXTENSIONS)

    async def _index(self, request: Message, asked: Asked) -> Message:
        token = self._plane.tokens.holder(asked.header("authorization"), now=self._clock.now())
        return indexed(index(self._plane.hosting, token, ready=request.ready))

    async def _model(self, request: Message, asked: Asked) -> Message:
        self._check(request.name, asked)
        return described(metadata(self._plane.hosting, request.name, request.version or None))

    async def _model_ready(self, request: Message, asked: Asked) -> Message:
        self._check(request.name, asked)
        try:
            metadata(self._plane.hosting, request.name, request.version or None)
        except UnavailableError:
            return schema.ModelReadyResponse(ready=False)
        return schema.ModelReadyResponse(ready=True)

    async def _infer(self, request: Message, asked: Asked) -> Message:
        decoded = DecodedRequest()
        call = Call(
            service=request.model_name,
            version=request.model_version or None,
            authorization=asked.header("authorization"),
            sticky_key=asked.header("x-sticky-key") or None,
            timeout_s=asked.timeout_s,
        )
        try:
            answer = await self._plane.infer(call, lambda: fill(decoded, request))
        except (PilothouseError, ProtocolError) as problem:
            raise CountedError(problem) from None
        asked.told = {"snapshot": answer.snapshot, "prediction_id": answer.prediction_id}
        return inferred(answer, decoded.request_id, raw=is_raw(request))

    def _check(self, service: ServiceTag, asked: Asked) -> None:
        self._plane.tokens.check(
            asked.header("authorization"), service=service, now=self._clock.now()
        )


def _failed(problem: PilothouseError | ProtocolError | None) -> dict[str, object]:
    if problem is None:
        return {"status": grpc.StatusCode.INTERNAL.name, "code": "unexpected"}
    return {"status": status_of(problem).name, "code": problem.code}

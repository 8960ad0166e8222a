"""The handler of the REST form: paths to the data plane, answers to responses."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pilothouse import __version__
from pilothouse.domain.errors import PilothouseError, UnavailableError
from pilothouse.oip.binary_form import encode_response
from pilothouse.oip.errors import ProtocolError
from pilothouse.oip.json_form import decode_index_request, encode
from pilothouse.oip.messages import ServerMetadata
from pilothouse.scoring.counters import EXPOSITION
from pilothouse.scoring.http.calls import call_of, check_media_type, check_method
from pilothouse.scoring.http.messages import JSON, Response
from pilothouse.scoring.http.problems import PathUnknownError, respond
from pilothouse.scoring.open_inference import EXTENSIONS, DecodedRequest, index, metadata, response
from pilothouse.scoring.rest.outcomes import take
from pilothouse.scoring.rest.paths import Resource, Target, target_of
from pilothouse.scoring.tokens import allows

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.ports.clock import Clock
    from pilothouse.scoring.data_plane import Answer, Call, DataPlane
    from pilothouse.scoring.http.messages import Request

POSTED = frozenset({Resource.INFER, Resource.INDEX})
JSON_LENGTH = b"inference-header-content-length"
OCTETS = b"application/octet-stream"


class RestApp:
    """
    Open Inference v2 over REST.

    Parameters
    ----------
    data_plane
        What gives the answers.
    clock
        For the expiry of tokens.
    metrics
        Writes the metrics as text.
    accepting
        Whether new requests are welcome; False while the entry drains.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        *,
        clock: Clock,
        metrics: Callable[[], bytes],
        accepting: Callable[[], bool],
    ) -> None:
        self._plane, self._clock = data_plane, clock
        self._metrics, self._accepting = metrics, accepting
        self.refused: Counter[str] = Counter()

    async def handle(self, request: Request) -> Response:
        """Answer a request; every deliberate error becomes a response."""
        try:
            target = target_of(request.path)
            if target is None:
                raise PathUnknownError(path=request.path)
            if target.resource is Resource.OUTCOMES:
                check_method(request, "POST")
                check_media_type(request, JSON)
                return take(self._plane, request, now=self._clock.now())
            if target.resource not in POSTED:
                check_method(request, "GET", "HEAD")
                return self._look(request, target)
            check_method(request, "POST")
            if target.resource is Resource.INDEX:
                return self._index(request)
            call = call_of(request, service=target.service, version=target.version)
        except (PilothouseError, ProtocolError) as problem:
            self.refused[problem.code] += 1
            return respond(problem)
        return await self._infer(call, request)

    async def _infer(self, call: Call, request: Request) -> Response:
        decoded = DecodedRequest()

        def decode() -> DecodedRequest:
            length = request.headers.get(JSON_LENGTH)
            check_media_type(request, *((JSON,) if length is None else (JSON, OCTETS)))
            if length is None:
                decoded.from_json(request.body)
            else:
                decoded.from_binary(request.body, length)
            return decoded.check_names(call.service, call.version)

        try:
            answer = await self._plane.infer(call, decode)
        except (PilothouseError, ProtocolError) as problem:  # counted by the data plane
            return respond(problem)
        try:
            return _answered(answer, decoded)
        except ProtocolError as problem:
            self.refused[problem.code] += 1
            return respond(problem)

    def _look(self, request: Request, target: Target) -> Response:
        match target.resource:
            case Resource.LIVE:
                return _json({"live": True})
            case Resource.READY:
                ready = self._accepting() and self._plane.hosting.ready
                return _json({"ready": ready, "live": True}, status=200 if ready else 503)
            case Resource.METRICS:
                return Response(200, self._metrics(), EXPOSITION)
            case _:
                return self._look_signed_in(request, target)

    def _look_signed_in(self, request: Request, target: Target) -> Response:
        hosting, now = self._plane.hosting, self._clock.now()
        authorization = request.header(b"authorization")
        if target.resource is Resource.SERVER:
            self._plane.tokens.holder(authorization, now=now)
            return _json(
                ServerMetadata(name="pilothouse", version=__version__, extensions=EXTENSIONS)
            )
        if target.resource is Resource.MODELS:
            token = self._plane.tokens.holder(authorization, now=now)
            return _json({"models": [s for s in hosting.services if allows(token, s)]})
        self._plane.tokens.check(authorization, service=target.service, now=now)
        if target.resource is Resource.MODEL:
            return _json(metadata(hosting, target.service, target.version))
        return self._model_ready(target)

    def _index(self, request: Request) -> Response:
        token = self._plane.tokens.holder(request.header(b"authorization"), now=self._clock.now())
        check_media_type(request, JSON)
        asked = decode_index_request(request.body)
        return _json(index(self._plane.hosting, token, ready=asked.ready))

    def _model_ready(self, target: Target) -> Response:
        try:
            metadata(self._plane.hosting, target.service, target.version)
        except UnavailableError:
            return _json({"name": target.service, "ready": False}, status=503)
        return _json({"name": target.service, "ready": True})


def _answered(answer: Answer, decoded: DecodedRequest) -> Response:
    whole, asked = response(answer, decoded.request_id), decoded.binary
    binary = [o.name for o in whole.outputs if asked.get(o.name, asked.get("", False))]
    headers = (
        (b"x-prediction-id", answer.prediction_id.encode()),
        (b"x-snapshot", answer.snapshot.encode()),
    )
    if not binary:
        return Response(200, encode(whole), JSON, headers)
    body, length = encode_response(whole, binary)
    return Response(200, body, OCTETS, (*headers, (JSON_LENGTH, b"%d" % length)))


def _json(document: object, *, status: int = 200) -> Response:
    return Response(status, encode(document))

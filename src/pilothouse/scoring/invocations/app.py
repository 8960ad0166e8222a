"""The handler of MLflow's scoring protocol: paths to the data plane, answers to ``{"predictions": …}``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pilothouse import __version__
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.ids import ServiceTag
from pilothouse.oip.errors import ProtocolError
from pilothouse.oip.json_form import encode
from pilothouse.scoring.http.calls import call_of, check_media_type, check_method, media_type
from pilothouse.scoring.http.messages import JSON, Response
from pilothouse.scoring.invocations.errors import (
    InvocationPathUnknownError,
    ServiceUnnamedError,
    told,
)
from pilothouse.scoring.invocations.payloads import Invocation, from_csv, from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.ports.clock import Clock
    from pilothouse.scoring.data_plane import Answer, Call, DataPlane
    from pilothouse.scoring.http.messages import Request

CSV, TEXT = b"text/csv", b"text/plain"
LOOKED_AT = frozenset({"/ping", "/health", "/version"})
BARE, SERVICES, LAST = "/invocations", "/services/", "/invocations"


def is_ours(path: str) -> bool:
    """
    Say whether a path is of MLflow's protocol.

    Examples
    --------
    >>> is_ours("/services/cc-fraud/invocations"), is_ours("/v2/models/cc-fraud/infer")
    (True, False)
    """
    return path == BARE or path.startswith(SERVICES) or path in LOOKED_AT


class InvocationsApp:
    """
    MLflow's scoring protocol.

    Parameters
    ----------
    data_plane
        What gives the answers.
    clock
        For the expiry of tokens.
    accepting
        Whether new requests are welcome; False while the entry drains.
    """

    def __init__(
        self, data_plane: DataPlane, *, clock: Clock, accepting: Callable[[], bool]
    ) -> None:
        self._plane, self._clock, self._accepting = data_plane, clock, accepting
        self.refused: Counter[str] = Counter()

    async def handle(self, request: Request) -> Response:
        """Answer a request; every deliberate error becomes a response."""
        try:
            if request.path in LOOKED_AT:
                check_method(request, "GET", "HEAD")
                return self._look(request.path)
            check_method(request, "POST")
            call = call_of(request, service=self._service(request))
        except (PilothouseError, ProtocolError) as problem:
            self.refused[problem.code] += 1
            return told(problem)
        return await self._infer(call, request)

    def _look(self, path: str) -> Response:
        if path == "/version":
            return Response(200, __version__.encode(), TEXT)
        ready = self._accepting() and self._plane.hosting.ready
        return Response(200 if ready else 503, b"\n", TEXT)

    def _service(self, request: Request) -> ServiceTag:
        if request.path != BARE:
            tag, slash, _ = request.path.removeprefix(SERVICES).rpartition(LAST)
            if not slash or not tag or "/" in tag or not request.path.endswith(LAST):
                raise InvocationPathUnknownError(path=request.path)
            return ServiceTag(unquote(tag))
        # How many services there are is not told to everybody.
        self._plane.tokens.holder(request.header(b"authorization"), now=self._clock.now())
        services = self._plane.hosting.services
        if len(services) != 1:
            raise ServiceUnnamedError(services=len(services))
        return services[0]

    async def _infer(self, call: Call, request: Request) -> Response:
        def decode() -> Invocation:
            check_media_type(request, JSON, CSV)
            return (from_csv if media_type(request) == CSV else from_json)(request.body)

        try:
            answer = await self._plane.infer(call, decode)
        except (PilothouseError, ProtocolError) as problem:  # counted by the data plane
            return told(problem)
        return Response(
            200,
            encode({"predictions": _predictions(answer)}),
            JSON,
            (
                (b"x-prediction-id", answer.prediction_id.encode()),
                (b"x-snapshot", answer.snapshot.encode()),
                (b"x-route-generation", b"%d" % answer.route_generation),
            ),
        )


def _predictions(answer: Answer) -> object:
    """Give one value a row where there is one output, else one record a row."""
    names = tuple(answer.outputs)
    if len(names) == 1:
        return answer.outputs[names[0]]
    rows = zip(*answer.outputs.values(), strict=True)
    return [dict(zip(names, row, strict=True)) for row in rows]

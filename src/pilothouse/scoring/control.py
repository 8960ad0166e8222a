"""The control socket: desired states in, observed states out, for whoever holds the secret."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING

from pilothouse.domain.desired import Desired
from pilothouse.domain.errors import NotSignedInError, PilothouseError
from pilothouse.domain.plain import DocumentError, canonical, from_plain
from pilothouse.scoring.http.messages import Response, error_response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pilothouse.scoring.entry import Entry
    from pilothouse.scoring.http.messages import Request

STATUSES = {
    "control-denied": 401,
    "generation-taken": 409,
    "desired-schema-unknown": 422,
}
BAD_DOCUMENT = 422


class ControlDeniedError(NotSignedInError):
    """The secret is missing or wrong."""

    code = "control-denied"

    def __init__(self) -> None:
        super().__init__(
            "This needs the secret of the entry's home, as 'Authorization: Bearer SECRET'."
        )


class ControlApp:
    """
    The handler of the control socket.

    ==============  =========================================================================
    PUT /desired    200 with the generation held; 409 for another state of the held generation;
                    422 for a document that cannot be taken
    GET /observed   200
    POST /drain     202; the entry ends once requests under way are answered
    ==============  =========================================================================

    Parameters
    ----------
    entry
        What is controlled.
    secret
        What opens it.
    """

    def __init__(self, entry: Entry, *, secret: str) -> None:
        self._entry, self._secret = entry, secret.encode()
        self._paths: dict[str, tuple[str, Callable[[Request], Awaitable[Response]]]] = {
            "/desired": ("PUT", self._desired),
            "/observed": ("GET", self._observed),
            "/drain": ("POST", self._drain),
        }

    async def handle(self, request: Request) -> Response:
        """Answer a request; every deliberate error becomes a response."""
        try:
            self._check_secret(request)
            if request.path not in self._paths:
                return error_response(
                    404,
                    code="path-unknown",
                    message=f"There is no {request.path[:200]!r}. There are {', '.join(self._paths)}.",
                )
            method, answer = self._paths[request.path]
            if request.method != method:
                return error_response(
                    405,
                    code="method-not-allowed",
                    message=f"Use {method}.",
                    headers=((b"allow", method.encode()),),
                )
            return await answer(request)
        except PilothouseError as problem:
            return error_response(
                STATUSES.get(problem.code, BAD_DOCUMENT), code=problem.code, message=problem.message
            )

    async def _desired(self, request: Request) -> Response:
        try:
            document = json.loads(request.body)
        except (ValueError, RecursionError) as problem:
            raise DocumentError(path="", problem=f"not JSON ({problem})") from None
        taken = await self._entry.take(from_plain(Desired, document))
        return Response(200, canonical(taken))

    async def _observed(self, _: Request) -> Response:
        return Response(200, canonical(self._entry.observed()))

    async def _drain(self, _: Request) -> Response:
        self._entry.drain()
        return Response(202, b'{"draining":true}')

    def _check_secret(self, request: Request) -> None:
        scheme, _, given = request.headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._secret):
            raise ControlDeniedError

"""Errors as MLflow's clients read them, beside our own form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pilothouse.domain.errors import InvalidError, NotFoundError
from pilothouse.scoring.http.problems import respond

if TYPE_CHECKING:
    from pilothouse.domain.errors import PilothouseError
    from pilothouse.oip.errors import ProtocolError
    from pilothouse.scoring.http.messages import Response

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    422: "INVALID_PARAMETER_VALUE",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ServiceUnnamedError(InvalidError):
    """A request names no service, and the entry serves none or several."""

    code = "service-unnamed"

    def __init__(self, *, services: int) -> None:
        self.services = services
        super().__init__(
            f"This entry serves {services} services, so a call must name one. POST to /services/TAG/invocations."
        )


class InvocationPathUnknownError(NotFoundError):
    """A path below ``/services`` does not exist."""

    code = "invocation-path-unknown"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            noun="path", name=path[:200], cure="A service is called at /services/TAG/invocations."
        )


def told(problem: PilothouseError | ProtocolError) -> Response:
    """Give the response that tells an error, with MLflow's fields beside ours."""
    plain = respond(problem)
    document = {
        "error_code": CODES.get(plain.status, "INTERNAL_ERROR"),
        "message": problem.message,
        **msgspec.json.decode(plain.body),
    }
    return msgspec.structs.replace(plain, body=msgspec.json.encode(document))

"""What HTTP alone can refuse, and errors in its form: ``{"error": …, "code": …}`` with the status that fits."""

from __future__ import annotations

import math
from http import HTTPStatus

import msgspec

from pilothouse.domain.contracts import ColumnsDifferError
from pilothouse.domain.errors import (
    DeniedError,
    InvalidError,
    NotFoundError,
    NotSignedInError,
    NotSupportedError,
    PilothouseError,
    RefusedError,
    UnavailableError,
)
from pilothouse.oip.errors import ProtocolError
from pilothouse.scoring.data_plane import RowsRejectedError
from pilothouse.scoring.http.messages import JSON, Response
from pilothouse.scoring.lanes import DeadlineExceededError, QueueFullError

LISTED_COLUMNS = 100


class MediaTypeError(NotSupportedError):
    """A body comes in a form that is not read here."""

    code = "media-type"

    def __init__(self, *, found: str) -> None:
        self.found = found[:80]
        super().__init__(
            f"{found[:80]!r} is not read here. Send JSON (application/json, UTF-8), not compressed; binary "
            "tensors need the header 'Inference-Header-Content-Length'."
        )


class HeaderInvalidError(ProtocolError):
    """A header of the request cannot be read."""

    code = "header-invalid"

    def __init__(self, *, header: str, problem: str) -> None:
        self.header, self.problem = header, problem
        super().__init__(f"Header {header!r} {problem}. Correct it or leave it out.")


class MethodNotAllowedError(NotSupportedError):
    """A path exists and does not take the method."""

    code = "method-not-allowed"

    def __init__(self, *, method: str, allowed: tuple[str, ...]) -> None:
        self.method, self.allowed = method[:20], allowed
        super().__init__(f"{method[:20]} is not possible here. Use {' or '.join(allowed)}.")


class PathUnknownError(NotFoundError):
    """A path does not exist."""

    code = "path-unknown"

    def __init__(self, *, path: str) -> None:
        super().__init__(
            noun="path", name=path[:200], cure="The protocol's paths begin with /v2; try GET /v2."
        )


def status_of(problem: PilothouseError | ProtocolError) -> HTTPStatus:
    """Give the HTTP status that an error stands for."""
    match problem:
        case ProtocolError():
            return HTTPStatus.BAD_REQUEST
        case MediaTypeError():
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE
        case MethodNotAllowedError():
            return HTTPStatus.METHOD_NOT_ALLOWED
        case QueueFullError():
            return HTTPStatus.TOO_MANY_REQUESTS
        case DeadlineExceededError():
            return HTTPStatus.GATEWAY_TIMEOUT
        case _:
            return _status_of_branch(problem)


def _status_of_branch(problem: PilothouseError) -> HTTPStatus:
    match problem:
        case InvalidError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case NotSignedInError():
            return HTTPStatus.UNAUTHORIZED
        case DeniedError():
            return HTTPStatus.FORBIDDEN
        case NotFoundError():
            return HTTPStatus.NOT_FOUND
        case RefusedError():
            return HTTPStatus.CONFLICT
        case UnavailableError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case NotSupportedError():
            return HTTPStatus.NOT_IMPLEMENTED
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def respond(problem: PilothouseError | ProtocolError) -> Response:
    """Give the response that tells an error."""
    document: dict[str, object] = {"error": problem.message, "code": problem.code}
    if isinstance(problem, RowsRejectedError):
        document["violations_total"] = problem.total
        document["violations"] = [
            {"row": v.row, "column": v.column, "code": v.code.value, "message": v.message}
            for v in problem.violations
        ]
    elif isinstance(problem, ColumnsDifferError):
        document["missing_total"], document["unknown_total"] = (
            len(problem.missing),
            len(problem.unknown),
        )
        document["missing"] = problem.missing[:LISTED_COLUMNS]
        document["unknown"] = [name[:200] for name in problem.unknown[:LISTED_COLUMNS]]
    return Response(
        status_of(problem).value, msgspec.json.encode(document), JSON, tuple(_headers(problem))
    )


def _headers(problem: PilothouseError | ProtocolError) -> list[tuple[bytes, bytes]]:
    headers = []
    if isinstance(problem, UnavailableError):
        headers.append((b"retry-after", str(math.ceil(problem.retry_after_s)).encode()))
    if isinstance(problem, NotSignedInError):
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(problem, MethodNotAllowedError):
        headers.append((b"allow", ", ".join(problem.allowed).encode()))
    return headers

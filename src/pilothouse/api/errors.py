"""Errors as problems (RFC 9457); the only place that knows which error has which HTTP status."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pilothouse.domain import errors
from pilothouse.domain.plain import to_plain

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

STATUS: tuple[tuple[type[errors.PilothouseError], int], ...] = (
    (errors.NotSignedInError, 401),
    (errors.DeniedError, 403),
    (errors.NotFoundError, 404),
    (errors.RefusedError, 409),
    (errors.InvalidError, 422),
    (errors.NotSupportedError, 501),
    (errors.UnavailableError, 503),
)
FRAMEWORK_PROBLEMS = (
    ("body-unreadable", 400, "The body is not what its content type says."),
    ("no-such-page", 404, "The API has no such path."),
    ("method-not-allowed", 405, "The path does not take this method."),
    ("body-too-slow", 408, "No part of the body came for too long."),
    ("body-too-large", 413, "The body has more bytes than a call may have."),
    ("request-invalid", 422, "The request does not have the documented form."),
    ("http-error", 500, "The web framework refused the call."),
    ("unexpected", 500, "Pilothouse failed; its log has the cause."),
)
"""Problems that no error of ours stands for: code, HTTP status, meaning."""
CODES = {status: code for code, status, _ in FRAMEWORK_PROBLEMS if status < 422}
CURES = {
    400: "The body cannot be read as its content type says. Send JSON as the document describes it",
    404: "There is no such page",
    405: "The page does not take this method",
}
log = logging.getLogger(__name__)


def status_of_kind(kind: type[errors.PilothouseError]) -> int:
    """Give the HTTP status of a kind of error by its branch of the tree."""
    return next((status for branch, status in STATUS if issubclass(kind, branch)), 500)


def problem_response(
    status: int, *, code: str, detail: str, fields: dict[str, object] | None = None
) -> JSONResponse:
    """Make a problem document."""
    body = {
        "type": f"urn:pilothouse:problem:{code}",
        "title": code.replace("-", " "),
        "status": status,
        "code": code,
        "detail": detail,
        **({"fields": fields} if fields else {}),
    }
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def _plain_fields(problem: errors.PilothouseError) -> dict[str, object]:
    plain: dict[str, object] = {}
    for name, value in problem.fields.items():
        try:
            plain[name] = to_plain(value)
        except TypeError:
            plain[name] = str(value)
    return plain


async def on_deliberate(_: Request, problem: Exception) -> JSONResponse:
    """Answer an error that Pilothouse raised on purpose."""
    if not isinstance(problem, errors.PilothouseError):  # FastAPI hands over what was registered
        raise problem
    response = problem_response(
        status_of_kind(type(problem)),
        code=problem.code,
        detail=problem.message,
        fields=_plain_fields(problem),
    )
    if isinstance(problem, errors.UnavailableError):
        response.headers["Retry-After"] = str(math.ceil(problem.retry_after_s))
    if isinstance(problem, errors.NotSignedInError):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


async def on_wrong_request(_: Request, problem: Exception) -> JSONResponse:
    """Answer a request whose body or parameters do not have the documented form."""
    if not isinstance(problem, RequestValidationError):
        raise problem
    found = [
        {"at": ".".join(str(part) for part in e["loc"]), "problem": e["msg"]}
        for e in problem.errors()[:50]
    ]
    words = "; ".join(f"{f['at']}: {f['problem']}" for f in found[:5])
    return problem_response(
        422,
        code="request-invalid",
        detail=f"The request is not as documented ({words}). See /api/v1/openapi.json.",
        fields={"problems": found},
    )


async def on_http(request: Request, problem: Exception) -> JSONResponse:
    """Answer what the framework itself refuses."""
    if not isinstance(problem, HTTPException):
        raise problem
    code = CODES.get(problem.status_code, "http-error")
    detail = str(problem.detail)
    if problem.status_code in CURES:
        words = CURES[problem.status_code]
        detail = f"{words} ({request.method} {request.url.path}). See /api/v1/openapi.json."
    response = problem_response(problem.status_code, code=code, detail=detail)
    response.headers.update(problem.headers or {})
    return response


async def on_hung_up(_: Request, __: Exception) -> JSONResponse:
    """Answer nobody: the caller hung up before its body was whole, and nothing was done."""
    return problem_response(400, code="body-unreadable", detail=CURES[400] + ".")


async def on_unexpected(request: Request, problem: Exception) -> JSONResponse:
    """Answer a fault of our own without showing its inside; the log has it."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=problem)
    response = problem_response(
        500,
        code="unexpected",
        detail="Pilothouse failed at this request and wrote the cause to its log. Nothing was changed half.",
    )
    response.headers["Connection"] = "close"  # the server hangs up after a fault; say so before
    return response


def register(app: FastAPI) -> None:
    """Answer every error as a problem."""
    app.add_exception_handler(errors.PilothouseError, on_deliberate)
    app.add_exception_handler(RequestValidationError, on_wrong_request)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(ClientDisconnect, on_hung_up)
    app.add_exception_handler(Exception, on_unexpected)

"""What the headers of a request to score say, the same under every protocol over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.scoring.data_plane import Call
from pilothouse.scoring.http.problems import (
    HeaderInvalidError,
    MediaTypeError,
    MethodNotAllowedError,
)

if TYPE_CHECKING:
    from pilothouse.domain.ids import ServiceTag
    from pilothouse.scoring.http.messages import Request

LONGEST_DEADLINE_MS = 3_600_000


def call_of(request: Request, *, service: ServiceTag, version: str | None = None) -> Call:
    """
    Give the call that a request makes.

    Raises
    ------
    HeaderInvalidError
        When a header cannot be read.
    """
    return Call(
        service=service,
        version=version,
        authorization=request.header(b"authorization"),
        sticky_key=_sticky_key(request),
        timeout_s=_timeout_s(request),
    )


def check_method(request: Request, *allowed: str) -> None:
    """Raise `MethodNotAllowedError` for any other method."""
    if request.method not in allowed:
        raise MethodNotAllowedError(method=request.method, allowed=allowed)


def media_type(request: Request) -> bytes | None:
    """Give the media type of the body without its parameters, None where the request does not say it."""
    given = request.headers.get(b"content-type")
    return None if given is None else given.partition(b";")[0].strip().lower()


def check_media_type(request: Request, *known: bytes) -> None:
    """
    Refuse what is certainly in no form that is read; stock clients send no type at all.

    Raises
    ------
    MediaTypeError
        For another media type, another charset than UTF-8, or a compressed body.
    """
    headers = request.headers
    if b"content-type" in headers:
        rest = headers[b"content-type"].partition(b";")[2]
        charset = rest.lower().replace(b" ", b"").replace(b'"', b"")
        if media_type(request) not in known or charset not in (b"", b"charset=utf-8"):
            raise MediaTypeError(found=headers[b"content-type"].decode("latin-1"))
    coding = headers.get(b"content-encoding", b"identity")
    if coding.lower() != b"identity":
        raise MediaTypeError(found=coding.decode("latin-1"))


def _sticky_key(request: Request) -> str | None:
    value = request.headers.get(b"x-sticky-key")
    try:
        return value.decode() if value else None
    except UnicodeDecodeError:
        raise HeaderInvalidError(header="x-sticky-key", problem="is not UTF-8") from None


def _timeout_s(request: Request) -> float | None:
    value = request.headers.get(b"x-deadline-ms")
    if value is None:
        return None
    if not value.isdigit() or len(value) > 7 or not 0 < int(value) <= LONGEST_DEADLINE_MS:
        raise HeaderInvalidError(
            header="x-deadline-ms", problem=f"is no number of 1 to {LONGEST_DEADLINE_MS}"
        )
    return int(value) / 1000

"""Requests and responses."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

JSON = b"application/json"
REASONS = {s.value: s.phrase.encode() for s in HTTPStatus}


class Request(msgspec.Struct):
    """
    A whole request.

    Attributes
    ----------
    method
        Upper case.
    path
        Without query; still percent-encoded.
    headers
        By lower-case name.
    body
        Whole.
    keep_alive
        Whether the connection may live on.
    """

    method: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes
    keep_alive: bool

    def header(self, name: bytes) -> str | None:
        """Give a header's value, or None."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


class Response(msgspec.Struct, frozen=True):
    """A whole response; its header values hold no line break."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """
    What a client may ask of the server.

    Attributes
    ----------
    body_bytes, header_bytes
        The largest body, and the largest head (request line and headers together).
    headers
        The most headers.
    header_timeout_s, body_timeout_s
        How long head and body may take to come in.
    idle_timeout_s
        How long a connection may lie idle between requests.
    write_timeout_s
        How long a client may leave an answer unread.
    connections
        The most open connections.
    """

    body_bytes: int = 4 * 2**20
    header_bytes: int = 32 * 2**10
    headers: int = 100
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    write_timeout_s: float = 30.0
    connections: int = 4096


def error_response(
    status: int, *, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> Response:
    """Give an error in the one form that every transport of the entry has."""
    body = msgspec.json.encode({"error": message, "code": code})
    return Response(status, body, JSON, headers)


def head_of(response: Response, *, date: bytes, keep_alive: bool) -> bytes:
    """Give status line and headers, with the empty line that ends them."""
    extra = b"".join(b"%b: %b\r\n" % pair for pair in response.headers)
    return b"HTTP/1.1 %d %b\r\ndate: %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n%b%b\r\n" % (
        response.status,
        REASONS.get(response.status, b"Unknown"),
        date,
        response.content_type,
        len(response.body),
        extra,
        b"" if keep_alive else b"connection: close\r\n",
    )

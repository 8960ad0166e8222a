"""
``python -m tests.fuzz.http [options of libFuzzer]``: bytes of a client of HTTP found by coverage (atheris).

Each input is taken as it is, and as choices among the pieces of requests. Both are fed twice, as a whole and in parts:
however the bytes arrive, the same requests must be understood.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import atheris

with atheris.instrument_imports(include=["pilothouse.scoring.http"]):
    from pilothouse.scoring.http.connection import Connection
    from pilothouse.scoring.http.messages import HttpLimits, Request, Response

if TYPE_CHECKING:
    import asyncio

PIECES = (
    b"GET / HTTP/1.1\r\n",
    b"POST /a?b HTTP/1.1\r\n",
    b"PUT http://a/b HTTP/1.0\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"Host: a\r\n",
    b"Host: a\r\n\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 3\r\n\r\nabc",
    b"Content-Length: 0600\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\n\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: x\r\n",
    b"Trailer: x\r\n",
    b"X: " + b"a" * 100 + b"\r\n",
    b"3\r\nabc\r\n",
    b"3;x=1\r\nabc\r\n",
    b"0\r\n\r\n",
    b"0\r\nX: 1\r\n\r\n",
    b"ffffffffffffffffff\r\n",
    b"abcde",
    b"\r\n",
    b"\r",
    b"\n",
    b" ",
    b":",
    b"\x00",
)
LIMITS = HttpLimits(body_bytes=512, header_bytes=512, headers=16)


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written, self.closed = b"", False

    def write(self, data: bytes) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Keeper:
    """A server of one connection whose handler says what it was asked."""

    limits, draining, date = LIMITS, False, b"today"

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        self.asked: list[tuple[str, str, bytes]] = []
        self.now = float

    async def handler(self, request: Request) -> Response:
        assert len(request.body) <= LIMITS.body_bytes
        assert sum(len(n) + len(v) for n, v in request.headers.items()) <= LIMITS.header_bytes
        self.asked.append((request.method, request.path, request.body))
        return Response(200, b"")

    def admit(self, _: Connection) -> bool:
        return True

    def forget(self, _: Connection, *, answered: bool) -> None: ...

    def keep(self, task: asyncio.Future[None]) -> None:
        raise AssertionError(task)


def spoken(pieces: list[bytes]) -> tuple[list[tuple[str, str, bytes]], bytes]:
    """Give what the pieces ask, and all that is answered."""
    keeper, wire = Keeper(), Wire()
    connection = Connection(cast("Any", keeper))
    connection.connection_made(cast("Any", wire))
    for piece in pieces:
        connection.data_received(piece)
    connection.eof_received()
    connection.connection_lost(None)
    return keeper.asked, wire.written


def one(data: bytes) -> None:
    """Try one input."""
    _same(data, 1 + (data[0] % 40 if data else 0))
    _same(b"".join(PIECES[byte % len(PIECES)] for byte in data[:60]), 1 + len(data) % 40)


def _same(data: bytes, step: int) -> None:
    whole, said = spoken([data])
    parts, parted = spoken([data[i : i + step] for i in range(0, len(data), step)])
    assert whole == parts, (whole, parts)
    assert said.count(b"HTTP/1.1 200") == parted.count(b"HTTP/1.1 200") == len(whole)


def main() -> None:
    """Fuzz until libFuzzer is content."""
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

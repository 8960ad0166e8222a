"""
One connection: bytes to requests in order, responses to bytes in the same order.

References
----------
.. [1] RFC 9112, "HTTP/1.1", sections 6.3 (message body length), 9.3 (persistence), 11.2 (request smuggling).
"""

from __future__ import annotations

import asyncio
import logging
import math
import types
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol, cast

import httptools

from pilothouse.scoring.http.messages import Request, Response, error_response, head_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Coroutine, Generator

    from pilothouse.scoring.http.messages import Handler, HttpLimits

log = logging.getLogger(__name__)

# Twice in one request, these would let two readers understand two different requests.
SINGLE = frozenset(
    {
        b"host",
        b"authorization",
        b"content-type",
        b"content-length",
        b"expect",
        b"inference-header-content-length",
    }
)
LINGER_S = 2.0
LINGER_BYTES = 16 * 2**20


class Stage(Enum):
    """How far the reading of a request is."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    REFUSED = auto()  # nothing that comes in is looked at any more


class Keeper(Protocol):
    """
    What a connection needs of its server.

    Attributes
    ----------
    handler, limits
        What answers requests, and what clients may ask.
    draining
        Whether connections end after their next answer.
    refused
        Counts of refusals by code.
    date
        The present ``Date`` header.
    now
        The event loop's time, in seconds.
    """

    handler: Handler
    limits: HttpLimits
    draining: bool
    refused: Counter[str]
    date: bytes
    now: Callable[[], float]

    def admit(self, connection: Connection) -> bool:
        """Take a connection in, and say whether it may ask anything."""
        ...

    def forget(self, connection: Connection, *, answered: bool) -> None:
        """Drop a connection that has ended."""
        ...

    def keep(self, task: asyncio.Future[None]) -> None:
        """Hold a running task."""
        ...


class Connection(asyncio.Protocol):
    """
    Speaks HTTP/1.1 with one client.

    A client that sends requests faster than they are answered is not read any further until its answers are
    out; a client that does not read its answers is cut off.

    Parameters
    ----------
    server
        Whose connection it is.
    """

    def __init__(self, server: Keeper) -> None:
        self._server, self._limits = server, server.limits
        self._parser = httptools.HttpRequestParser(self)
        self._stage, self._message = Stage.IDLE, 0
        self._url, self._head_bytes, self._head_fed, self._body_bytes = b"", 0, 0, 0
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._header_count = 0
        self._upgrading = self._expects = self._paused = self._congested = False
        self._queue: deque[Request | Response] = deque()
        self._active: Request | None = None
        self._half_closed = False
        self._lingered = 0
        self._timed: tuple[int, Stage] | None = None
        self.deadline = math.inf
        self.transport: asyncio.Transport

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a new connection in, or turn it away."""
        self.transport = cast("asyncio.Transport", transport)
        if not self._server.admit(self):
            self._refuse(
                503, "connections-exhausted", "This entry holds as many connections as it may."
            )
            return
        self.deadline = self._server.now() + self._limits.header_timeout_s

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._server.forget(self, answered=self._active is None)
        self._stage = Stage.REFUSED
        self._queue.clear()

    def data_received(self, data: bytes) -> None:
        """Read what came in."""
        if self._refused:
            self._linger(len(data))
            return
        unfinished = self._message if self._stage is Stage.HEAD else 0
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._continue_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserCallbackError:
            raise  # a fault of this module; the loop logs it and closes the connection
        except httptools.HttpParserError as problem:
            if not self._refused:
                self._refuse(400, "http-malformed", f"The request is not HTTP/1.1: {problem}.")
        if self._stage is Stage.IDLE:
            return
        if self._stage is Stage.HEAD and unfinished == self._message:
            self._head_fed += len(data)  # the parser holds a header back until it is whole
            self._limit_head(self._head_fed)
        self._time_reading()

    def eof_received(self) -> bool:
        """Answer what is under way though the client sends no more."""
        self._half_closed = True
        return self._active is not None or bool(self._queue)

    def pause_writing(self) -> None:
        """Start nothing more while the client does not read."""
        self._congested = True
        self.deadline = self._server.now() + self._limits.write_timeout_s

    def resume_writing(self) -> None:
        """Go on with what waits."""
        self._congested = False
        self.deadline = math.inf
        self._advance()

    # The parser's side

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._stage is Stage.REFUSED:
            return
        self._stage = Stage.HEAD
        self._message += 1
        self._url, self._head_bytes, self._head_fed, self._body_bytes = b"", 0, 0, 0
        self._header_count = 0
        self._headers, self._body = {}, []
        self._upgrading = self._expects = False

    def on_url(self, url: bytes) -> None:
        """Take the request's target."""
        self._url += url
        self._head_bytes += len(url)
        self._limit_head(self._head_bytes)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header; a trailer is counted and left aside."""
        self._header_count += 1
        self._head_bytes += len(name) + len(value) + 4
        self._limit_head(self._head_bytes)
        if self._stage is not Stage.HEAD:
            return
        name = name.lower()
        if self._header_count > self._limits.headers:
            self._refuse(431, "http-headers-too-large", "The request has too many headers.")
        elif name not in self._headers:
            self._headers[name] = value
        elif name in SINGLE:
            self._refuse(
                400, "http-malformed", f"The header {name.decode('latin-1')!r} stands twice."
            )
        else:
            self._headers[name] += b", " + value

    def on_headers_complete(self) -> None:
        """Judge the head before the body comes."""
        if self._stage is Stage.REFUSED:
            return
        self._stage = Stage.BODY
        self._upgrading = self._parser.should_upgrade() and self._method != "CONNECT"
        headers = self._headers
        version, coding = self._parser.get_http_version(), headers.get(b"transfer-encoding")
        length = headers.get(b"content-length")
        if version not in ("1.0", "1.1"):
            self._refuse(505, "http-version", f"HTTP/{version} is not spoken here. Use HTTP/1.1.")
        elif version == "1.1" and b"host" not in headers:
            self._refuse(400, "http-malformed", "The request has no Host header.")
        elif coding is not None and (
            version == "1.0" or length is not None or coding.lower() != b"chunked"
        ):
            # Anything else is read one way by some proxies and another way by others.
            self._refuse(400, "http-malformed", "The request's Transfer-Encoding is ambiguous.")
        elif length is not None and int(length) > self._limits.body_bytes:
            self._refuse_body()
        elif b"expect" in headers:
            self._expect(headers[b"expect"])

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        if self._stage is not Stage.BODY:
            return
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            self._refuse_body()
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Put the request in line."""
        if self._stage is Stage.REFUSED or self._upgrading:
            return
        self._stage = Stage.IDLE
        keep_alive = self._parser.should_keep_alive() and self._method != "CONNECT"
        path = _path(self._url)
        if path is None:
            self._refuse(400, "http-malformed", "The request's target is no path.")
            return
        body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._queue.append(Request(self._method, path, self._headers, body, keep_alive))
        if not keep_alive:
            self._stage = Stage.REFUSED
        self._advance()

    @property
    def _method(self) -> str:
        return self._parser.get_method().decode("ascii")

    @property
    def _refused(self) -> bool:
        return self._stage is Stage.REFUSED

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._active is None and not self._queue and self._stage is Stage.IDLE

    # Reading

    def _expect(self, value: bytes) -> None:
        if value.lower() != b"100-continue":
            self._refuse(417, "http-expectation", "Only 'Expect: 100-continue' is understood.")
        elif self._active is None and not self._queue:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        else:
            self._expects = True

    def _limit_head(self, size: int) -> None:
        if size > self._limits.header_bytes and self._stage is not Stage.REFUSED:
            self._refuse(431, "http-headers-too-large", "The head of the request is too large.")

    def _refuse_body(self) -> None:
        limit = self._limits.body_bytes
        self._refuse(
            413,
            "body-too-large",
            f"The body is larger than {limit} bytes. Send fewer rows a request, or score a file by a job.",
        )

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answer with an error once earlier requests are answered, and read nothing more."""
        self._server.refused[code] += 1
        self._stage = Stage.REFUSED
        self._body = []
        self._queue.append(error_response(status, code=code, message=message))
        self._advance()

    def _continue_without_upgrade(self, rest: bytes) -> None:
        """Read the request anew as if it had not asked for another protocol, which a server may leave unheeded."""
        if not self._upgrading or self._stage is Stage.REFUSED:
            return
        dropped = (b"upgrade", b"connection", b"http2-settings")
        kept = ((n, v) for n, v in self._headers.items() if n not in dropped)
        head = b"".join(b"%b: %b\r\n" % pair for pair in kept)
        line = b"%b %b HTTP/1.1\r\n" % (self._method.encode(), self._url)
        self._parser = httptools.HttpRequestParser(self)
        self.data_received(line + head + b"\r\n" + rest)

    def _time_reading(self) -> None:
        """Give head and body their time, counted from where each began, however slowly it drips in."""
        if self._active is not None or self._congested or self._stage is Stage.REFUSED:
            return
        where = (self._message, self._stage)
        if where == self._timed:
            return
        self._timed = where
        limits = self._limits
        match self._stage:
            case Stage.HEAD:
                self.deadline = self._server.now() + limits.header_timeout_s
            case Stage.BODY:
                self.deadline = self._server.now() + limits.body_timeout_s

    def expire(self) -> None:
        """Act on a deadline that has passed."""
        self.deadline = math.inf
        if self._congested or self._stage is Stage.REFUSED:
            self.transport.abort()
        elif self._stage is Stage.IDLE:
            self.transport.close()
        else:
            self._refuse(408, "http-timeout", "The request took too long to come in.")

    def _linger(self, size: int) -> None:
        """Read and forget what a refused client still sends: closing at once would take its answer away."""
        self._lingered += size
        if self._lingered > LINGER_BYTES:
            self.transport.abort()

    # Answering

    def _advance(self) -> None:
        """Start the next request in line, and hold the client back while several wait."""
        while self._queue and self._active is None and not self._congested:
            item = self._queue.popleft()
            if isinstance(item, Response):
                self._write(item, keep_alive=False, head_only=False)
                self._end(linger=True)
            else:
                self._start(item)
        if bool(self._queue) is not self._paused and not self.transport.is_closing():
            self._paused = not self._paused
            (self.transport.pause_reading if self._paused else self.transport.resume_reading)()

    def _start(self, request: Request) -> None:
        """Run the handler at once; only where it waits for something does it become a task."""
        self._active, self.deadline = request, math.inf
        running = self._server.handler(request)
        try:
            waits_for = running.send(None)
        except StopIteration as done:
            self._finish(request, done.value)
        except Exception:  # noqa: BLE001 a transport's edge: the client gets an answer, the log the words
            self._finish(request, self._unexpected())
        else:
            self._server.keep(asyncio.ensure_future(self._later(request, running, waits_for)))

    async def _later(
        self, request: Request, running: Coroutine[Any, Any, Response], waits_for: object
    ) -> None:
        try:
            response = await _resumed(running, waits_for)
        except Exception:  # noqa: BLE001 a transport's edge, as above
            response = self._unexpected()
        self._finish(request, response)
        self._advance()

    def _unexpected(self) -> Response:
        log.exception("a handler failed")
        return error_response(
            500, code="unexpected", message="The entry failed; its log says how. Try again."
        )

    def _finish(self, request: Request, response: Response) -> None:
        self._active = None
        if self.transport.is_closing():
            return
        keep_alive = request.keep_alive and not self._server.draining and not self._half_closed
        self._write(response, keep_alive=keep_alive, head_only=request.method == "HEAD")
        if not keep_alive:
            self._end(linger=False)
            return
        if self._expects and self._stage is Stage.BODY and not self._queue:
            self._expects = False
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self._congested:
            self.deadline = self._server.now() + self._limits.idle_timeout_s
        if self._stage is not Stage.IDLE:
            self._timed = None
            self._time_reading()

    def _write(self, response: Response, *, keep_alive: bool, head_only: bool) -> None:
        head = head_of(response, date=self._server.date, keep_alive=keep_alive)
        self.transport.write(head if head_only else head + response.body)

    def _end(self, *, linger: bool) -> None:
        """Close once everything is written; where the client still sends, only this side of the connection."""
        self._stage = Stage.REFUSED
        self._queue.clear()
        if linger and not self._half_closed and self.transport.can_write_eof():
            self.transport.write_eof()
            self.deadline = self._server.now() + LINGER_S
            return
        self.transport.close()
        self.deadline = self._server.now() + self._limits.write_timeout_s


def _path(target: bytes) -> str | None:
    """Give the path of a request's target, which may be a whole address (RFC 9112, section 3.2.2)."""
    path = target.partition(b"?")[0]
    if path[:7].lower() == b"http://" or path[:8].lower() == b"https://":
        path = b"/" + path.partition(b"://")[2].partition(b"/")[2]
    return path.decode("ascii") if path[:1] == b"/" and path.isascii() else None


@types.coroutine
def _resumed(
    running: Coroutine[Any, Any, Response], waits_for: object
) -> Generator[object, Any, Response]:
    """Go on with a coroutine that was started by hand and waits for `waits_for`."""
    while True:
        thrown: BaseException | None = None
        try:
            yield waits_for
        except BaseException as problem:  # noqa: BLE001 cancellation too belongs to the coroutine
            thrown = problem
        try:
            waits_for = running.send(None) if thrown is None else running.throw(thrown)
        except StopIteration as done:
            return cast("Response", done.value)

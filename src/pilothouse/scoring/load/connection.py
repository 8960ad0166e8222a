"""One connection of a load test: HTTP/1.1 with keep-alive, one request at a time."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pilothouse.scoring.load.figures import UNANSWERED

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSING = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
FAILURES = (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where requests go: the parts of an address, and the head that they all share."""

    host: str
    port: int
    encrypted: bool
    head: bytes

    @classmethod
    def of(cls, url: str, *, token: str) -> Target:
        """Take an address apart."""
        parts = urlsplit(url)
        encrypted = parts.scheme == "https"
        port = parts.port or (443 if encrypted else 80)
        head = (
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )
        return cls(
            host=parts.hostname or "", port=port, encrypted=encrypted, head=head.encode("latin-1")
        )


class Connection:
    """
    A connection that is opened when it is needed.

    Parameters
    ----------
    target
        Where to.
    timeout_s
        How long an answer may take, with the opening, in seconds above 0.
    """

    def __init__(self, target: Target, *, timeout_s: float) -> None:
        self._target, self._timeout_s = target, timeout_s
        self._streams: tuple[StreamReader, StreamWriter] | None = None

    async def ask(self, body: bytes) -> int:
        """Send a body and give the status of the answer, or 0 where none came whole and in time."""
        request = self._target.head + str(len(body)).encode() + b"\r\n\r\n" + body
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._asked(request)
        except FAILURES:
            self.close()
            return UNANSWERED

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _asked(self, request: bytes) -> int:
        if self._streams is not None:
            try:
                return await self._exchanged(request)
            except (ConnectionError, asyncio.IncompleteReadError):
                # A server may close what has stood idle; a request that meets that is sent anew by every client.
                self.close()
        target = self._target
        context = ssl.create_default_context() if target.encrypted else None
        self._streams = await asyncio.open_connection(target.host, target.port, ssl=context)
        return await self._exchanged(request)

    async def _exchanged(self, request: bytes) -> int:
        if self._streams is None:
            raise ConnectionError
        reader, writer = self._streams
        writer.write(request)
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        status, length = STATUS.match(head), LENGTH.search(head)
        if status is None or length is None:
            raise ValueError(head[:100])
        await reader.readexactly(int(length[1]))
        if CLOSING.search(head) or head.startswith(b"HTTP/1.0"):
            self.close()
        return int(status[1])

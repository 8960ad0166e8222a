"""Bodies are bounded in size and in time before any route sees them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BoundedBodies:
    """
    Refuses bodies that are too large, or whose sender pauses for too long.

    Parameters
    ----------
    limit_bytes
        The largest body, but for paths below `unlimited`, whose route bounds its own stream.
    pause_s
        The longest wait for the next part of a body, in seconds.
    """

    def __init__(self, app: ASGIApp, *, limit_bytes: int, pause_s: float, unlimited: str) -> None:
        self._app = app
        self._limit_bytes, self._pause_s, self._unlimited = limit_bytes, pause_s, unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on with a bounded `receive`."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit_bytes = None if scope["path"].startswith(self._unlimited) else self._limit_bytes
        bounded = _Bounded(
            receive,
            limit_bytes=limit_bytes,
            pause_s=self._pause_s,
            promised=_promised(scope),
        )
        await self._app(scope, bounded, send)


def _promised(scope: Scope) -> int:
    """Give the length that the sender promises, or 0; the server has made sure that it is a number."""
    return next((int(v) for k, v in scope["headers"] if k == b"content-length"), 0)


class _Bounded:
    def __init__(
        self, receive: Receive, *, limit_bytes: int | None, pause_s: float, promised: int
    ) -> None:
        self._receive, self._limit_bytes, self._pause_s = receive, limit_bytes, pause_s
        self._promised = promised
        self._seen = 0
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        self._check(self._promised)
        try:
            message = await asyncio.wait_for(self._receive(), self._pause_s)
        except TimeoutError:
            raise HTTPException(
                408,
                detail=f"No part of the body came for {self._pause_s:g} seconds. Send it without pauses.",
            ) from None
        if message["type"] == "http.request":
            self._seen += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
        self._check(self._seen)
        return message

    def _check(self, size: int) -> None:
        if self._limit_bytes is not None and size > self._limit_bytes:
            raise HTTPException(
                413,
                detail=f"The body is larger than {self._limit_bytes} bytes. Upload files as artefacts.",
            )

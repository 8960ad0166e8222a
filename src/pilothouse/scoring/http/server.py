"""The server: its listeners, its connections, and their end."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from email.utils import format_datetime
from typing import TYPE_CHECKING

from pilothouse.scoring.http.connection import Connection

if TYPE_CHECKING:
    import socket

    from pilothouse.ports.clock import Clock
    from pilothouse.scoring.http.messages import Handler, HttpLimits

log = logging.getLogger(__name__)

BACKLOG = 2048


class HttpServer:
    """
    Serves one handler on any number of sockets.

    Parameters
    ----------
    handler
        Answers a request; it may not raise.
    limits
        What clients may ask.
    clock
        For the ``Date`` header.
    """

    def __init__(self, handler: Handler, *, limits: HttpLimits, clock: Clock) -> None:
        self.handler, self.limits, self.draining = handler, limits, False
        self.refused: Counter[str] = Counter()
        self._clock, self._loop = clock, asyncio.get_running_loop()
        self.now = self._loop.time
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Future[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._sweeping: asyncio.TimerHandle | None = None
        shortest = min(
            limits.header_timeout_s,
            limits.body_timeout_s,
            limits.idle_timeout_s,
            limits.write_timeout_s,
        )
        self._sweep_s = min(1.0, max(0.02, shortest / 4))
        self.date = b""
        self._sweep()

    async def listen(self, sock: socket.socket) -> None:
        """Accept connections on a bound socket, TCP or Unix."""
        self._servers.append(
            await self._loop.create_server(lambda: Connection(self), sock=sock, backlog=BACKLOG)
        )

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._connections)

    def admit(self, connection: Connection) -> bool:
        """Take a connection in; False where there are as many as may be, or the server is ending."""
        full = len(self._connections) >= self.limits.connections
        self._connections.add(connection)
        return not full and not self.draining

    def forget(self, connection: Connection, *, answered: bool) -> None:
        """Drop a connection that has ended; one that went before its answer is counted."""
        self._connections.discard(connection)
        if not answered:
            self.refused["client-gone"] += 1

    def keep(self, task: asyncio.Future[None]) -> None:
        """Hold a running task."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self, *, timeout_s: float) -> bool:
        """
        Accept nothing more, let requests under way be answered, then close every connection.

        Parameters
        ----------
        timeout_s
            How long they may take.

        Returns
        -------
        bool
            Whether all ended in time.
        """
        self.draining = True
        for server in self._servers:
            server.close()
        end = self.now() + timeout_s
        while self._connections and self.now() < end:
            for connection in list(self._connections):
                if connection.idle:
                    connection.transport.close()
            await asyncio.sleep(0.01)
        late = len(self._connections)
        if late:
            log.error("%d connections did not end within %g s", late, timeout_s)
        for connection in list(self._connections):
            connection.transport.abort()
        if self._sweeping is not None:
            self._sweeping.cancel()
        return not late

    def _sweep(self) -> None:
        """Close what has waited too long; one timer for all, as a timer per request would cost more."""
        self.date = format_datetime(self._clock.now(), usegmt=True).encode()
        now = self.now()
        for connection in [c for c in self._connections if c.deadline < now]:
            connection.expire()
        self._sweeping = self._loop.call_later(self._sweep_s, self._sweep)

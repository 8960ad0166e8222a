"""A closed loop of HTTP/1.1 load: each connection asks again as soon as it is answered, until the time is up."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import httptools
import uvloop

from benchmarks.measuring import percentile

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = 200
LATEST_S = 30.0


class AnswerWrongError(Exception):
    """A request was not answered with 200, or not at all; what is measured with errors in it means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One request, to be sent over and over to a port of this machine."""

    port: int
    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message(self) -> bytes:
        """The request's bytes."""
        lines = [f"POST {self.path} HTTP/1.1", f"host: 127.0.0.1:{self.port}"]
        lines += [f"content-length: {len(self.body)}", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a load came to; every one of `latencies_s` (ascending) was answered with 200."""

    latencies_s: list[float]
    elapsed_s: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies_s) / self.elapsed_s

    def quantile_ms(self, share: float) -> float:
        """Give a quantile of the latency, in milliseconds."""
        return percentile(self.latencies_s, share) * 1000


class _Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, checks its status, asks again; both httptools' and asyncio's callbacks."""

    def __init__(self, target: Target, *, until: float, ended: asyncio.Future[list[float]]) -> None:
        self._message, self._path, self._until, self._ended = (
            target.message,
            target.path,
            until,
            ended,
        )
        self._latencies: list[float] = []
        self._transport: asyncio.Transport
        self._parser: httptools.HttpResponseParser
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's has another base
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(AnswerWrongError(f"{self._path}: connection lost ({exc})"))

    def on_message_complete(self) -> None:
        now, status = time.perf_counter(), self._parser.get_status_code()
        if self._ended.done():
            return
        if status != OK:
            self._ended.set_exception(AnswerWrongError(f"{self._path}: status {status}"))
            return
        self._latencies.append(now - self._sent)
        if now >= self._until:
            self._ended.set_result(self._latencies)
            self._transport.close()
        else:
            self._ask()

    def _ask(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._sent = time.perf_counter()
        self._transport.write(self._message)


def put_load(target: Target, *, connections: int, duration_s: float) -> Load:
    """
    Load a server.

    Parameters
    ----------
    connections
        How many requests are under way at any moment, from 1.
    duration_s
        No request is sent after so many seconds.

    Raises
    ------
    AnswerWrongError
        At the first answer that is not 200.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_loaded(target, connections=connections, duration_s=duration_s))


async def _loaded(target: Target, *, connections: int, duration_s: float) -> Load:
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    ends: list[asyncio.Future[list[float]]] = [loop.create_future() for _ in range(connections)]
    for ended in ends:
        await loop.create_connection(
            lambda ended=ended: _Connection(target, until=begun + duration_s, ended=ended),  # type: ignore[misc]
            "127.0.0.1",
            target.port,
        )
    found = await asyncio.wait_for(asyncio.gather(*ends), duration_s + LATEST_S)
    elapsed_s = time.perf_counter() - begun
    latencies = sorted(latency for each in found for latency in each)
    return Load(latencies_s=latencies, elapsed_s=elapsed_s)

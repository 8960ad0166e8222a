"""
The access log: one line of JSON a request, with the trace that it belongs to; no value of a record is in it.

References
----------
.. [1] W3C, "Trace Context", section 3.2 (traceparent).
"""

from __future__ import annotations

import logging
import re
from logging.handlers import RotatingFileHandler
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pilothouse.domain.plain import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from pilothouse.ports.clock import Clock, Ids
    from pilothouse.scoring.http.messages import Handler, Request, Response

FILE_BYTES, FILES = 64 * 2**20, 4
LONGEST_PATH = 300
TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-|\Z)")


class Trace(NamedTuple):
    """Where a request stands in its trace; `parent_id` is None where it begins the trace."""

    trace_id: str
    span_id: str
    parent_id: str | None


def trace_of(header: str | None, *, entropy: Callable[[int], bytes]) -> Trace:
    """
    Go on with the trace that a ``traceparent`` names; one that cannot be read begins a new trace.

    Examples
    --------
    >>> trace_of("00-" + "a" * 32 + "-" + "b" * 16 + "-01", entropy=bytes).parent_id
    'bbbbbbbbbbbbbbbb'
    """
    found = TRACEPARENT.match(header or "")
    span_id = entropy(8).hex()
    if found is None or not found[1].strip("0") or not found[2].strip("0"):
        return Trace(entropy(16).hex(), span_id, None)
    return Trace(found[1], span_id, found[2])


class AccessLog:
    """
    Writes ``access.log`` of an entry's home, a new file every 64 MiB, four of them kept.

    Parameters
    ----------
    folder
        Where the files are.
    clock, ids
        Time, and the ids of spans.
    """

    def __init__(self, folder: Path, *, clock: Clock, ids: Ids) -> None:
        self._clock, self._entropy = clock, ids.entropy
        self._file = RotatingFileHandler(
            folder / "access.log", maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8"
        )

    def of_http(self, handler: Handler) -> Handler:
        """Give a handler that answers as `handler` does and writes a line about it."""

        def handle(request: Request) -> Coroutine[Any, Any, Response]:
            return self._handled(handler, request)

        return handle

    async def _handled(self, handler: Handler, request: Request) -> Response:
        started, response = perf_counter(), None
        try:
            response = await handler(request)
            return response
        finally:
            self.write(
                "http",
                f"{request.method} {request.path}",
                started=started,
                traceparent=request.header(b"traceparent"),
                sizes=(len(request.body), 0 if response is None else len(response.body)),
                told=_told(response),
            )

    def write(
        self,
        protocol: str,
        called: str,
        *,
        started: float,
        traceparent: str | None,
        sizes: tuple[int, int],
        told: dict[str, object],
    ) -> None:
        """
        Write a line.

        Parameters
        ----------
        protocol, called
            How, and what.
        started
            When it came in, by `time.perf_counter`.
        traceparent
            The caller's header, where it sent one.
        sizes
            Bytes of the request and of the answer.
        told
            What the answer says of itself: its status, and the code of an error, or snapshot and prediction.
        """
        trace = trace_of(traceparent, entropy=self._entropy)
        line = {
            "at": rfc3339(self._clock.now()),
            "protocol": protocol,
            "called": called[:LONGEST_PATH],
            **told,
            "duration_ms": round((perf_counter() - started) * 1000, 3),
            "bytes_in": sizes[0],
            "bytes_out": sizes[1],
            "trace_id": trace.trace_id,
            "span_id": trace.span_id,
            "parent_id": trace.parent_id,
        }
        text = msgspec.json.encode(line).decode()
        self._file.emit(logging.LogRecord("access", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _told(response: Response | None) -> dict[str, object]:
    if response is None:  # the handler failed, or the caller went away
        return {"status": 500}
    if response.status >= 400:
        try:
            return {"status": response.status, "code": msgspec.json.decode(response.body)["code"]}
        except (msgspec.DecodeError, KeyError, TypeError):
            return {"status": response.status}
    headers = dict(response.headers)
    kept = {"snapshot": b"x-snapshot", "prediction_id": b"x-prediction-id"}
    return {
        "status": response.status,
        **{name: headers[h].decode() for name, h in kept.items() if h in headers},
    }

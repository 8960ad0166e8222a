"""The parent's end of the pipes to a child: frames with a deadline, and what the child prints, bounded."""

from __future__ import annotations

import os
import select
import threading
import time
from typing import IO, TYPE_CHECKING, Any

from pilothouse.scoring import frames

if TYPE_CHECKING:
    from pathlib import Path

CHUNK = 1 << 20
LOG_BYTES = 1 << 20
TAIL_BYTES = 4096


class ChannelClosedError(Exception):
    """The other side is gone."""


class ChannelGarbledError(Exception):
    """The other side sends what is no frame."""


class ChannelTimeoutError(Exception):
    """The deadline passed."""


class Channel:
    """
    Frames over a child's stdin and stdout.

    Never blocks beyond the deadline, also when the child reads nothing or sends half a frame.
    """

    def __init__(self, asks: IO[bytes], answers: IO[bytes]) -> None:
        self._asks, self._answers = asks.fileno(), answers.fileno()
        os.set_blocking(self._asks, False)
        os.set_blocking(self._answers, False)

    def ask(self, frame: bytes, *, timeout_s: float) -> dict[str, Any]:
        """
        Send a frame and give the answer to it.

        Raises
        ------
        ChannelClosedError
            When the child closed its end.
        ChannelGarbledError
            When it sent something that is no frame.
        ChannelTimeoutError
            When `timeout_s` passed.
        """
        deadline = time.monotonic() + timeout_s
        self._send(frame, deadline)
        try:
            size = frames.length(self._receive(frames.HEADER.size, deadline))
            return frames.decode(self._receive(size, deadline))
        except frames.FrameError as problem:
            raise ChannelGarbledError(str(problem)) from None

    def _send(self, data: bytes, deadline: float) -> None:
        left = memoryview(data)
        while left:
            self._wait(self._asks, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._asks, left[:CHUNK]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise ChannelClosedError("it closed its input") from None

    def _receive(self, size: int, deadline: float) -> bytearray:
        body = bytearray()
        while len(body) < size:
            self._wait(self._answers, select.POLLIN, deadline)
            try:
                chunk = os.read(self._answers, min(CHUNK, size - len(body)))
            except BlockingIOError:
                continue
            if not chunk:
                raise ChannelClosedError("it closed its output")
            body += chunk
        return body

    @staticmethod
    def _wait(fd: int, event: int, deadline: float) -> None:
        ready = select.poll()
        ready.register(fd, event)
        left = deadline - time.monotonic()
        if left <= 0 or not ready.poll(left * 1000):
            raise ChannelTimeoutError


class BoundedLog:
    """
    What a child prints, in a file of at most twice `LOG_BYTES`.

    When the file is full it becomes ``<name>.1`` and a new one starts, whose first line says how much has
    been dropped so far.
    """

    def __init__(self, source: IO[bytes], path: Path) -> None:
        self.path, self._source = path, source
        self._before, self._written = 0, 0
        self._file = path.open("wb")
        self._thread = threading.Thread(target=self._drain, name="model-log", daemon=True)
        self._thread.start()

    def tail(self) -> str:
        """Give the last few lines."""
        kept = self.path.with_name(self.path.name + ".1")
        text = b"".join(p.read_bytes()[-TAIL_BYTES:] for p in (kept, self.path) if p.exists())
        return text[-TAIL_BYTES:].decode("utf-8", "replace")

    def finish(self, timeout_s: float) -> None:
        """Wait until everything that was printed is in the file."""
        self._thread.join(timeout_s)

    def _drain(self) -> None:
        with self._source:
            while chunk := os.read(self._source.fileno(), 1 << 16):
                if self._written >= LOG_BYTES:
                    self._turn()
                self._file.write(chunk)
                self._file.flush()
                self._written += len(chunk)
        self._file.close()

    def _turn(self) -> None:
        kept = self.path.with_name(self.path.name + ".1")
        dropped = self._before
        self._before += self._written
        self._file.close()
        self.path.replace(kept)
        self._file = self.path.open("wb")
        note = f"({dropped} bytes printed before {kept.name} were dropped)\n" if dropped else ""
        self._written = self._file.write(note.encode())

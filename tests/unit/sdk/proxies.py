"""A tiny proxy that loses answers on their way back."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class LossyProxy:
    """Passes calls on, one a connection, and hangs up instead of passing the next `losses` answers back."""

    target: tuple[str, int]
    losses: int = 0
    calls: list[bytes] = field(default_factory=list)

    def serve(self, listening: socket.socket) -> None:
        with suppress(OSError):  # the listening socket is closed at the end
            while True:
                caller, _ = listening.accept()
                self._pass_on(caller)

    def _pass_on(self, caller: socket.socket) -> None:
        with caller, socket.create_connection(self.target) as server:
            request = _whole(caller)
            self.calls.append(request)
            server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            answer = b""
            while chunk := server.recv(65536):
                answer += chunk
            if self.losses > 0:
                self.losses -= 1
                return
            caller.sendall(answer)


def _whole(caller: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += caller.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")),
        0,
    )  # fmt: skip
    while len(body) < length:
        body += caller.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def lossy(target: tuple[str, int]) -> Iterator[tuple[str, LossyProxy]]:
    """Give a proxy's address and the proxy."""
    proxy = LossyProxy(target=target)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=proxy.serve, args=(listening,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", proxy
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)

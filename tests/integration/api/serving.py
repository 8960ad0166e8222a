"""The API over a real uvicorn on a free port, without a worker, and a raw socket to misuse it by."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn

from pilothouse.bootstrap import ADMIN_TOKEN, build
from pilothouse.server import build_server
from pilothouse.settings import Settings
from tests.unit.application.company import FolderChecker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.bootstrap import ControlPlane
    from pilothouse.domain.access import Role

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A running API: where it is, what it is built over, and the first administrator's token."""

    url: str
    plane: ControlPlane
    token: str
    checker: FolderChecker

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return host, int(port)

    def client(self, token: str | None = None) -> httpx.Client:
        """A client that sends a bearer token; the administrator's, where none is given."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return httpx.Client(
            base_url=self.url + "/api/v1", headers=headers, trust_env=False, timeout=PATIENCE_S
        )

    def hire(self, name: str, *roles: Role, group: str = "default") -> str:
        """Enter somebody with roles, and give a token of theirs."""
        admin = self.plane.tokens.sign_in(self.token)
        self.plane.people.create(admin, name=name)
        for role in roles:
            self.plane.people.grant(admin, person=name, group=group, role=role)
        return self.plane.tokens.issue(admin, name="test", group="default", person=name).text


@contextmanager
def serving(home: Path, **settings: Any) -> Iterator[Served]:  # noqa: ANN401 any setting
    """Serve a new home until the block ends."""
    plane, checker = build(Settings(home=home, **settings)), FolderChecker()
    plane.found()
    plane.snapshots._checker = checker
    up = threading.Event()
    config = uvicorn.Config(
        build_server(plane, with_worker=False, started=up.set),
        log_config=None,
        access_log=False,
        ws="none",
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            assert up.wait(PATIENCE_S)
            token = (home / ADMIN_TOKEN).read_text().strip()
            yield Served(url=f"http://127.0.0.1:{port}", plane=plane, token=token, checker=checker)
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert not thread.is_alive()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """An answer as it stood on the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class RawCall:
    """One HTTP/1.1 call over a plain socket, sent piece by piece."""

    def __init__(
        self, served: Served, method: str, path: str, *, length: int, **headers: str
    ) -> None:
        self._socket = socket.create_connection(served.address, timeout=PATIENCE_S)
        lines = {
            "Host": "test",
            "Authorization": f"Bearer {served.token}",
            "Content-Length": str(length),
            "Connection": "close",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.send(f"{method} /api/v1{path} HTTP/1.1\r\n{head}\r\n".encode())

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def hang_up(self) -> None:
        self._socket.close()

    def answer(self) -> RawAnswer:
        """Read until the server closes, and give what it said."""
        with self._socket as opened:
            whole = b""
            while chunk := opened.recv(65536):
                whole += chunk
        head, _, body = whole.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        return RawAnswer(status=int(first.split()[1]), headers=headers, body=body)

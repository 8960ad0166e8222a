"""`pilothouse up`: the control plane."""

from __future__ import annotations

import json
import logging
import socket
import threading
from types import FrameType
from typing import Annotated

import typer
import uvicorn

from pilothouse.bootstrap import ADMIN_TOKEN, build
from pilothouse.cli.connection import SERVER_FILE, read_settings
from pilothouse.cli.output import err
from pilothouse.domain.errors import UnavailableError
from pilothouse.server import build_server

BACKLOG = 256


class PortTakenError(UnavailableError):
    """The API's address cannot be listened on."""

    code = "port-taken"

    def __init__(self, *, host: str, port: int, problem: str) -> None:
        self.host, self.port, self.problem = host, port, problem
        super().__init__(
            f"Pilothouse cannot listen on {host}:{port} ({problem}). Stop what does, or choose another by "
            "--port or PILOTHOUSE_PORT."
        )


def up(
    port: Annotated[int | None, typer.Option(help="Instead of PILOTHOUSE_PORT; 0 for any.")] = None,
    worker: Annotated[bool, typer.Option(help="Run the worker in this process too.")] = True,
    stop_runtimes: Annotated[
        bool, typer.Option("--stop-runtimes", help="Stop the scoring entries too, when it stops.")
    ] = False,
) -> None:
    """Start the control plane: API and worker, over PILOTHOUSE_HOME. Stop it with Ctrl-C; nothing is lost."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    for chatty in ("alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    settings = read_settings()
    listening = _listening(settings.host, settings.port if port is None else port)
    url = f"http://{settings.host}:{listening.getsockname()[1]}"
    plane = build(settings)
    if plane.found():
        err.print(f"A new home: {settings.home}", markup=False)
        err.print(f"Its first administrator's token: {settings.home / ADMIN_TOKEN}", markup=False)

    def started() -> None:
        told = settings.home / SERVER_FILE
        new = told.with_suffix(".new")
        new.write_text(json.dumps({"url": url}), encoding="utf-8")
        new.replace(told)  # whoever reads it meanwhile finds the old or the new, never half of it
        err.print(f"Pilothouse is up: {url} (home {settings.home})", markup=False)

    app = build_server(plane, with_worker=worker, stop_runtimes=stop_runtimes, started=started)
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_keep_alive=30)
    _Server(config, stopping=app.state.stopping).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Tells calls that wait for something to come that nothing will, so that a stop does not wait for them."""

    def __init__(self, config: uvicorn.Config, *, stopping: threading.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to stop."""
        self._stopping.set()
        super().handle_exit(sig, frame)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(BACKLOG)
    except OSError as problem:
        opened.close()
        raise PortTakenError(host=host, port=port, problem=str(problem)) from problem
    return opened

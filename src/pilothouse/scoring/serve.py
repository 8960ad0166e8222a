"""``python -m pilothouse.scoring serve --home DIR``: everything put together, run until told to end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import uvloop

from pilothouse.artifacts.store import open_store
from pilothouse.domain.errors import MissingExtraError, UnavailableError
from pilothouse.observability.clock import SystemClock, SystemIds
from pilothouse.scoring.access import AccessLog
from pilothouse.scoring.control import ControlApp
from pilothouse.scoring.counters import Counters, GaugeCollector, exposition
from pilothouse.scoring.data_plane import DataPlane
from pilothouse.scoring.entry import Entry
from pilothouse.scoring.hosting import Hosting
from pilothouse.scoring.http.server import HttpServer
from pilothouse.scoring.invocations.app import InvocationsApp, is_ours
from pilothouse.scoring.log.hosted import open_log
from pilothouse.scoring.opening import ModelOpener
from pilothouse.scoring.rest.app import RestApp
from pilothouse.scoring.state import Home

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from pilothouse.domain.ids import ServiceTag
    from pilothouse.scoring.grpc.app import GrpcApp
    from pilothouse.scoring.grpc.server import GrpcServer
    from pilothouse.scoring.http.messages import HttpLimits, Request, Response
    from pilothouse.scoring.models import OpenScorer
    from pilothouse.scoring.state import EntrySettings

log = logging.getLogger(__name__)

CONTROL_BODY_BYTES = 64 * 2**20  # thousands of deployments and tokens


class AddressTakenError(UnavailableError):
    """The entry's address cannot be had."""

    code = "address-taken"

    def __init__(self, *, address: str, problem: str) -> None:
        self.address, self.problem = address, problem
        super().__init__(
            f"The entry cannot listen on {address}: {problem}. End what listens there, or give the runtime "
            "another address."
        )


class EntryGauges:
    """
    What the metrics show of the moment.

    Parameters
    ----------
    hosting
        The deployments.
    """

    def __init__(self, hosting: Hosting) -> None:
        self._hosting = hosting
        self.server: HttpServer | None = None
        self.apps: list[RestApp | InvocationsApp | GrpcApp] = []

    def queues(self) -> Iterable[tuple[str, str, int]]:
        """Give (service, snapshot, calls waiting or running)."""
        return [
            (d.want.service, d.want.snapshot, d.running.lane.waiting)
            for d in self._hosting.every()
            if d.running is not None
        ]

    def states(self) -> Iterable[tuple[str, str, str]]:
        """Give (service, snapshot, state)."""
        return [(d.want.service, d.want.snapshot, d.state.value) for d in self._hosting.every()]

    def routes(self) -> Mapping[ServiceTag, int]:
        """Give the route generation in effect by service."""
        return self._hosting.routes

    def restarts(self) -> int:
        """Give how often models were started again."""
        return self._hosting.restarts

    def connections(self) -> int:
        """Give how many connections are open."""
        return 0 if self.server is None else self.server.connections

    def refusals(self) -> Mapping[str, int]:
        """Give what was refused before it reached a service, by code."""
        refused = Counter({} if self.server is None else self.server.refused)
        for app in self.apps:
            refused.update(app.refused)
        return refused


class Running:
    """
    An entry with its servers, in one event loop.

    Parameters
    ----------
    home
        The entry's home, held.
    settings
        What it was started with.
    open_scorer
        Opens snapshots.
    """

    def __init__(self, home: Home, settings: EntrySettings, *, open_scorer: OpenScorer) -> None:
        clock, ids = SystemClock(), SystemIds()
        self._home, self._settings = home, settings
        self.grpc: GrpcServer | None = None
        self.grpc_port: int | None = None
        self.hosting = Hosting(open_scorer=open_scorer, limits=settings.hosting)
        self.counters = Counters()
        self.log = open_log(home.folder, settings.log, clock=clock, ids=ids)
        gauges = EntryGauges(self.hosting)
        self.plane = DataPlane(
            hosting=self.hosting,
            counters=self.counters,
            clock=clock,
            ids=ids,
            timeout_s=settings.request_timeout_s,
            recorder=self.log.recorder,
        )
        self.entry = Entry(
            settings=settings,
            home=home,
            data_plane=self.plane,
            log=self.log,
            process=ids.new("prc"),
            started_at=clock.now(),
        )
        rest = RestApp(
            self.plane,
            clock=clock,
            metrics=exposition(self.counters, GaugeCollector(gauges), self.log),
            accepting=lambda: self.entry.accepting,
        )
        control = ControlApp(self.entry, secret=home.secret())
        invocations = InvocationsApp(
            self.plane, clock=clock, accepting=lambda: self.entry.accepting
        )

        self._access = AccessLog(home.folder, clock=clock, ids=ids) if settings.access_log else None

        def handle(request: Request) -> Coroutine[Any, Any, Response]:
            return (invocations if is_ours(request.path) else rest).handle(request)

        self.server = HttpServer(
            handle if self._access is None else self._access.of_http(handle),
            limits=settings.http,
            clock=clock,
        )
        self.control = HttpServer(
            control.handle, limits=_control_limits(settings.http), clock=clock
        )
        gauges.server, gauges.apps, self._clock = self.server, [rest, invocations], clock
        self._gauges = gauges

    async def start(self) -> None:
        """Go on with what was held last, and listen."""
        self.entry.resume()
        listener = _tcp(self._settings.host, self._settings.port)
        host, port = listener.getsockname()[:2]
        self.entry.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        path = self._home.socket()
        await self.control.listen(_unix(path))
        await self.server.listen(listener)
        if self._settings.grpc_port is not None:
            await self._listen_grpc(self._settings.grpc_port)
        self._home.keep_process(
            address=self.entry.address, socket=path, started_at=self._clock.now()
        )
        log.info("serving %s", self.entry.address)

    async def _listen_grpc(self, port: int) -> None:
        try:
            from pilothouse.scoring.grpc.app import GrpcApp  # noqa: PLC0415 an extra brings gRPC
            from pilothouse.scoring.grpc.server import GrpcServer  # noqa: PLC0415
        except ModuleNotFoundError as problem:
            raise MissingExtraError(
                library=problem.name or "grpc", extra="grpc", purpose="The option 'grpc_port'"
            ) from None
        app = GrpcApp(
            self.plane,
            clock=self._clock,
            accepting=lambda: self.entry.accepting,
            access=self._access,
        )
        self._gauges.apps.append(app)
        self.grpc = GrpcServer(app, limits=self._settings.http)
        try:
            self.grpc_port = await self.grpc.listen(self._settings.host, port)
        except RuntimeError as problem:
            address = f"{self._settings.host}:{port}"
            raise AddressTakenError(address=address, problem=str(problem)) from None
        log.info("serving grpc on port %d", self.grpc_port)

    async def until_ended(self) -> None:
        """Serve until drained: not ready, then deaf to new connections, then silent."""
        watching = asyncio.ensure_future(self.entry.watch())
        await self.entry.ending.wait()
        log.info("draining")
        await watching
        await asyncio.sleep(self._settings.notice_s)
        timeout_s = self._settings.drain_timeout_s
        servers = [s for s in (self.server, self.grpc) if s is not None]
        await asyncio.gather(*(s.close(timeout_s=timeout_s) for s in servers))
        await self.hosting.close(timeout_s=self._settings.drain_timeout_s)
        await asyncio.get_running_loop().run_in_executor(None, self.log.close)
        await self.control.close(timeout_s=1.0)
        if self._access is not None:
            self._access.close()
        self._home.leave()
        log.info("ended")


def serve(folder: Path) -> None:
    """
    Serve from a home until a signal or the control plane ends it.

    Raises
    ------
    HomeHeldError
        When another process does already.
    HomeInvalidError
        When the home lacks something.
    """
    home = Home(folder)
    home.hold()
    settings = home.settings()
    opener = ModelOpener(settings, store=open_store(settings.artifacts))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_entry(home, settings, opener))
    logging.shutdown()
    # An opening that still builds an environment would hold the interpreter back for minutes.
    os._exit(0)


async def run_entry(home: Home, settings: EntrySettings, open_scorer: OpenScorer) -> None:
    """Serve from a held home, with whatever opens snapshots, until a signal or the control plane ends it."""
    running = Running(home, settings, open_scorer=open_scorer)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.entry.drain)
    await running.start()
    await running.until_ended()


def _control_limits(limits: HttpLimits) -> HttpLimits:
    return replace(limits, body_bytes=CONTROL_BODY_BYTES, connections=64)


def _tcp(host: str, port: int) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, proto)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as problem:
        listener.close()
        raise AddressTakenError(
            address=f"{host}:{port}", problem=problem.strerror or str(problem)
        ) from None
    return listener


def _unix(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)  # the socket is born with mode 0600
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    return listener

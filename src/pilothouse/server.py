"""The control plane as one process: the API as an ASGI application, and the worker beside it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi.concurrency import run_in_threadpool

from pilothouse.api.app import build_api
from pilothouse.application.founding import SYSTEM
from pilothouse.worker.assembly import build_worker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from fastapi import FastAPI

    from pilothouse.bootstrap import ControlPlane


def build_server(
    plane: ControlPlane,
    *,
    with_worker: bool = True,
    stop_runtimes: bool = False,
    started: Callable[[], None] = lambda: None,
) -> FastAPI:
    """
    Give the application that uvicorn runs.

    Parameters
    ----------
    with_worker
        Whether the loops run in this process too.
    stop_runtimes
        Whether the entries of all runtimes stop with this process, to be started again with the next.
    started
        Called once the loops run, before the first call is taken.
    """
    worker = build_worker(plane)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if with_worker:
            worker.start()
        started()
        yield
        if with_worker and await run_in_threadpool(worker.stop):
            plane.leadership.resign(SYSTEM)
        if stop_runtimes:
            await run_in_threadpool(plane.reconciliation.stop, SYSTEM)
        plane.close()

    app = build_api(plane, loops=worker.health)
    app.router.lifespan_context = lifespan
    return app

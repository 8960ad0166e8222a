"""The API application: every router under ``/api/v1``, errors as problems, bodies bounded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from fastapi import Depends, FastAPI

from pilothouse import __version__
from pilothouse.api import (
    audit,
    datasets,
    deployments,
    errors,
    external_jobs,
    groups,
    health,
    jobs,
    lifecycles,
    models,
    operations,
    people,
    runtimes,
    services,
    snapshots,
    stages,
    tasks,
    tokens,
)
from pilothouse.api.bodies import BoundedBodies
from pilothouse.api.description import PROBLEM, describe
from pilothouse.api.parameters import known_parameters
from pilothouse.bootstrap import ControlPlane

PREFIX = "/api/v1"
ROUTERS = (
    health.router,
    groups.router,
    people.router,
    tokens.router,
    models.router,
    snapshots.router,
    stages.router,
    services.router,
    datasets.router,
    runtimes.router,
    deployments.router,
    jobs.router,
    lifecycles.router,
    operations.router,
    tasks.router,
    external_jobs.router,
    audit.router,
)


def build_api(plane: ControlPlane, *, loops: Callable[[], Mapping[str, object]]) -> FastAPI:
    """Build the API over a control plane; `loops` says how the worker of this process fares."""
    app = FastAPI(
        title="Pilothouse",
        version=__version__,
        description="The control plane's API. Every call but health needs `Authorization: Bearer TOKEN`.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(known_parameters)],
        responses={"default": PROBLEM},
        separate_input_output_schemas=False,
    )
    describe(app)
    app.state.control_plane = plane
    app.state.loops = loops
    app.state.stopping = threading.Event()
    errors.register(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.add_middleware(
        BoundedBodies,
        limit_bytes=plane.settings.body_limit_bytes,
        pause_s=plane.settings.body_timeout_s,
        unlimited=f"{PREFIX}/artifacts/",
    )
    return app

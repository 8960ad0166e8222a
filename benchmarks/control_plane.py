"""The control plane: snapshots, deployments and life-cycle steps, on SQLite and on PostgreSQL, in turns."""

from __future__ import annotations

import hashlib
import time
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.plane import CONNECTOR, MODEL, NOTHING, open_plane
from benchmarks.results import Findings, Measurement
from pilothouse.application.founding import FIRST_GROUP, SYSTEM
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.jobs import JobState
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.snapshots import FileEntry
from pilothouse.lifecycle.definitions import Definitions
from pilothouse.sdk.snapshots import named_files
from pilothouse.wire.requests import (
    DefineService,
    OrderDeployment,
    RegisterModel,
    RegisterRuntime,
    SetPolicy,
    StartRun,
    TakeSnapshot,
)
from pilothouse.worker.lifecycles import lifecycle_loops, start_loops
from pilothouse.worker.loop import Worker
from tests.databases import MISSING, find_programs, start_postgresql
from tests.integration.lifecycle.drawings import drawing, service
from tests.models.build import PYTHON_SOURCE, python_model

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.plane import BenchPlane
    from pilothouse.application.snapshots import Snapshots
    from pilothouse.domain.runtimes import Runtime

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "128MB",
    "max_connections": "60",
}
"""What PostgreSQL does when nobody changes it; SQLite's twin, ``synchronous = FULL``, is the product's own."""
ROUNDS, SNAPSHOTS, RUNTIMES, RUNS, TASKS = 3, 40, 10, 20, 10
SERVICE, STEPS, SOURCE_MODEL, FIRST_STAGE = "bench-service", "bench-steps", "bench-source", "DEV"
PATIENCE_S, LOOK_S = 120.0, 0.005
Figures = dict[tuple[str, str], float]


def measure(folder: Path) -> Findings:
    """Measure every part on each database that there is, round by round."""
    samples: dict[tuple[str, str], list[float]] = {}
    with ExitStack() as stack:
        urls = stack.enter_context(_databases(folder))
        planes = {
            name: stack.enter_context(_founded(folder / name, url)) for name, url in urls.items()
        }
        for number in range(ROUNDS):
            for name, plane in planes.items():
                for (figure, unit), value in _round(plane, folder / name, number).items():
                    samples.setdefault((f"control plane: {figure}, {name}", unit), []).append(value)
    measured = (
        Measurement(name=name, unit=unit, samples=tuple(taken))
        for (name, unit), taken in samples.items()
    )
    missing = () if POSTGRESQL in urls else (f"No figure is from PostgreSQL. {MISSING}",)
    return Findings(measurements=tuple(measured), notes=missing)


@contextmanager
def _databases(folder: Path) -> Iterator[dict[str, str]]:
    """Give the addresses of empty databases, PostgreSQL's from a server that ends with this block."""
    found = {SQLITE: f"sqlite:///{folder / 'bench.db'}"}
    programs = find_programs()
    if programs is None:
        yield found
        return
    server = start_postgresql(programs, tuning=DURABLE)
    try:
        yield {**found, POSTGRESQL: server.url(server.create())}
    finally:
        server.stop()


@contextmanager
def _founded(home: Path, url: str) -> Iterator[BenchPlane]:
    plane = open_plane(home, url)
    try:
        real = plane.real
        real.groups.set_policy(SYSTEM, name=FIRST_GROUP, wanted=SetPolicy(python_source=True))
        for name in (MODEL, SOURCE_MODEL):
            real.models.register(SYSTEM, RegisterModel(name=name, group=FIRST_GROUP))
        wanted = DefineService(tag=SERVICE, group=FIRST_GROUP, mode=Mode.ONLINE)
        real.services.define(SYSTEM, wanted)
        definitions = Definitions(open_work=real.database.open_work, topics=plane.types.topics)
        definitions.upload(SYSTEM, group=FIRST_GROUP, xml=_row_of_tasks())
        yield plane
    finally:
        plane.real.close()


def _row_of_tasks() -> bytes:
    tasks = [f"task-{number}" for number in range(TASKS)]
    path = ["start", *tasks, "end"]
    flows = " ".join(f"{a}>{b}" for a, b in pairwise(path))
    drawn = "".join(service(task, NOTHING) for task in tasks)
    body = f'<startEvent id="start"/>{drawn}<endEvent id="end"/>'
    return drawing(body, flows, key=STEPS)


def _round(plane: BenchPlane, home: Path, number: int) -> Figures:
    snapshots, rate = _prepared_snapshots(plane, number)
    taken_s = _real_take(plane, home, number)
    # The tags' events would wake the worker while steps are counted; they have no life cycle to start.
    while plane.real.starting.run_once():
        pass
    return {
        ("a whole real snapshot of Python source, ordered to taken", "s"): taken_s,
        ("snapshots without the check", "1/s"): rate,
        ("deployments, ordered and seen running", "1/s"): _deployments(plane, snapshots, number),
        ("life-cycle steps, 1 executor", "1/s"): _steps(plane, executors=1),
        ("life-cycle steps, 2 executors", "1/s"): _steps(plane, executors=2),
    }


def _prepared_snapshots(plane: BenchPlane, number: int) -> tuple[list[str], float]:
    wanted = []
    for index in range(SNAPSHOTS):
        entry = _uploaded(plane, "model.skops", f"model {number}-{index}".encode())
        wanted.append(TakeSnapshot(model=MODEL, files=(entry,), services=(SERVICE,)))
    begun = time.perf_counter()
    names = [_taken(plane.snapshots, each) for each in wanted]
    return names, SNAPSHOTS / (time.perf_counter() - begun)


def _real_take(plane: BenchPlane, home: Path, number: int) -> float:
    """Take a snapshot as the product does; the first one builds the environment, which later ones share."""
    source = f"{PYTHON_SOURCE}\n# Number {number}: other bytes make another snapshot.\n"
    folder = python_model(home / f"model-{number}", name=SOURCE_MODEL, source=source)
    _, paths = named_files(folder)
    files = tuple(_uploaded(plane, path, (folder / path).read_bytes()) for path in paths)
    wanted = TakeSnapshot(model=SOURCE_MODEL, files=files, services=(SERVICE,))
    begun = time.perf_counter()
    _taken(plane.real.snapshots, wanted)
    return time.perf_counter() - begun


def _uploaded(plane: BenchPlane, path: str, blob: bytes) -> FileEntry:
    sha256 = hashlib.sha256(blob).hexdigest()
    plane.store.put([blob], sha256=sha256)
    return FileEntry(path=path, sha256=sha256, size=len(blob))


def _taken(snapshots: Snapshots, wanted: TakeSnapshot) -> str:
    job = snapshots.take(SYSTEM, snapshots.order(SYSTEM, wanted).id)
    if job.state is not JobState.COMPLETE:
        raise RuntimeError(f"the snapshot was not taken: {job.error_code}, {job.error}")
    return job.snapshot


def _deployments(plane: BenchPlane, snapshots: list[str], number: int) -> float:
    """Order each snapshot onto one of some new runtimes, and reconcile that runtime until it is seen running."""
    runtimes = [_runtime(plane, f"runtime-{number}-{index}") for index in range(RUNTIMES)]
    begun = time.perf_counter()
    ordered = []
    for index, snapshot in enumerate(snapshots):
        wanted = OrderDeployment(
            snapshot=snapshot,
            service=SERVICE,
            stage=FIRST_STAGE,
            runtime=f"runtime-{number}-{index % RUNTIMES}",
        )
        [deployment] = plane.deployments.order(SYSTEM, wanted)
        plane.reconciliation.reconcile(SYSTEM, runtimes[index % RUNTIMES].id)
        ordered.append(deployment.id)
    elapsed_s = time.perf_counter() - begun
    for one in ordered:
        found = plane.deployments.get(SYSTEM, deployment_id=one)
        if found.state is not DeploymentState.RUNNING:
            raise RuntimeError(f"deployment {one} is {found.state}: {found.reason}")
    return len(ordered) / elapsed_s


def _runtime(plane: BenchPlane, name: str) -> Runtime:
    wanted = RegisterRuntime(
        name=name,
        group=FIRST_GROUP,
        stage=FIRST_STAGE,
        connector=CONNECTOR,
        modes=(Mode.ONLINE,),
        address="127.0.0.1:8101",
    )
    return plane.runtimes.register(SYSTEM, wanted)


def _steps(plane: BenchPlane, *, executors: int) -> float:
    """Run started life cycles to their ends with the product's worker, and count their durable steps."""
    runs = [plane.real.runs.start(SYSTEM, StartRun(definition=STEPS)) for _ in range(RUNS)]
    ids = [run.heading.run_id for run in runs]
    plane.types.expect(RUNS * TASKS)
    worker = _worker(plane, executors)
    begun = time.perf_counter()
    worker.start()
    try:
        if not plane.types.all_done.wait(PATIENCE_S):
            raise TimeoutError(f"the runs have not ended within {PATIENCE_S:g} s")
        _until_completed(plane, ids)
        elapsed_s = time.perf_counter() - begun
    finally:
        stopped = worker.stop()
    failed = [h.last_error for h in worker.health().values() if h.failures]
    if failed or not stopped:
        raise RuntimeError(f"the worker's loops failed or did not stop: {failed}")
    return sum(_completed(plane, run_id) for run_id in ids) / elapsed_s


def _worker(plane: BenchPlane, executors: int) -> Worker:
    starts = start_loops(
        starting=plane.real.starting,
        timed_starts=plane.real.timed_starts,
        poll_s=plane.real.settings.poll_s,
    )
    loops = lifecycle_loops(
        executors=[plane.executor(f"bench-{number}") for number in range(executors)],
        messages=plane.real.messages,
        external_jobs=plane.real.external_jobs,
        who=SYSTEM,
        poll_s=plane.real.settings.poll_s,
    )
    return Worker((*starts, *loops), clock=plane.real.clock)


def _until_completed(plane: BenchPlane, ids: list[str]) -> None:
    """Wait until the last tasks' steps are durable too."""
    end = time.monotonic() + PATIENCE_S
    for run_id in ids:
        while plane.real.runs.get(SYSTEM, run_id=run_id).state is not RunStatus.COMPLETED:
            if time.monotonic() > end:
                raise TimeoutError(f"run {run_id} has not ended within {PATIENCE_S:g} s")
            time.sleep(LOOK_S)


def _completed(plane: BenchPlane, run_id: str) -> int:
    history = plane.real.runs.history(SYSTEM, run_id=run_id)
    steps = sum(entry.event is HistoryEvent.COMPLETED for entry in history)
    if steps != TASKS:
        raise RuntimeError(f"run {run_id} has {steps} completed tasks instead of {TASKS}")
    return steps

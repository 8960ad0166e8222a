"""Scoring by REST: a real entry with token, contract, route and counters, against FastAPI with the model in process."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from benchmarks.load import OK, Target, put_load
from benchmarks.measuring import pinned, tree_use
from benchmarks.model import open_inference_body, record_body, records, sample
from benchmarks.results import Findings, Measurement, paired
from tests.entries.documents import SERVICE, TOKEN
from tests.entries.running import EntryClient, served_by, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from benchmarks.stage import Stage

OURS, PEER = "pilothouse", "fastapi"
SHAPES = tuple(product((1, 100), (1, 8)))  # rows in a request, connections
ROUNDS, LOAD_S, WARMING_S, START_TIMEOUT_S = 3, 3.0, 0.5, 120.0
SEED = 2016
AGREEMENT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server under test: how to ask it, how to read its answer, and how long it took to its first one."""

    name: str
    pid: int
    target: Callable[[list[dict[str, Any]]], Target]
    scores: Callable[[Any], list[float]]
    started_s: float

    def ask(self, rows: list[dict[str, Any]]) -> list[float]:
        """Score rows once."""
        status, body = _posted(self.target(rows))
        if status != OK:
            raise ConnectionError(f"{self.name} answers {status}: {body[:500]!r}")
        return self.scores(json.loads(body))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One load of one server."""

    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float


def measure(stage: Stage, *, server_core: int, client_core: int) -> Findings:
    """Start both servers several times in turns, then load them in turns, each on a core of its own."""
    starts: dict[str, list[float]] = {OURS: [], PEER: []}
    rows = records(sample(100, seed=SEED))
    for number in range(ROUNDS):
        with _both(stage, server_core) as servers:
            for server in servers:
                starts[server.name].append(server.started_s)
            if number == ROUNDS - 1:
                with pinned(client_core):
                    return _served(servers, rows) + _started(starts)
    raise AssertionError("there is a last round")


@contextmanager
def _both(stage: Stage, core: int) -> Iterator[tuple[Server, Server]]:
    with _serving(_entry(stage), core) as ours, _serving(_peer(stage), core) as peer:
        yield ours, peer


@contextmanager
def _serving(
    starting: AbstractContextManager[Callable[[float], Server]], core: int
) -> Iterator[Server]:
    begun = time.perf_counter()
    with pinned(core), starting as ready:
        yield ready(begun)


@contextmanager
def _process(stage: Stage, command: Sequence[str], log: str) -> Iterator[subprocess.Popen[bytes]]:
    with (stage.folder / log).open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def _entry(stage: Stage) -> Iterator[Callable[[float], Server]]:
    command = [sys.executable, "-m", "pilothouse.scoring", "serve", "--home", str(stage.home)]
    with _process(stage, command, "entry.log") as process:

        def ready(begun: float) -> Server:
            until(lambda: served_by(stage.home, process.pid), timeout_s=START_TIMEOUT_S)
            port = EntryClient(stage.home).port
            return _first_answer(OURS, process, begun, target=_to_entry(port), scores=_of_tensors)

        yield ready


@contextmanager
def _peer(stage: Stage) -> Iterator[Callable[[float], Server]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = stage.peer("fastapi_sklearn", model=stage.model_file, port=port)
    with _process(stage, command, "peer.log") as process:

        def ready(begun: float) -> Server:
            return _first_answer(
                PEER, process, begun, target=_to_peer(port), scores=lambda answer: answer["score"]
            )

        yield ready


def _to_entry(port: int) -> Callable[[list[dict[str, Any]]], Target]:
    path = f"/v2/models/{SERVICE}/infer"
    headers = {"authorization": f"Bearer {TOKEN}"}
    return lambda rows: Target(
        port=port, path=path, body=open_inference_body(rows), headers=headers
    )


def _to_peer(port: int) -> Callable[[list[dict[str, Any]]], Target]:
    return lambda rows: Target(port=port, path="/score", body=record_body(rows))


def _of_tensors(answer: Any) -> list[float]:  # noqa: ANN401 any JSON
    [scores] = [tensor["data"] for tensor in answer["outputs"] if tensor["name"] == "score"]
    return list(scores)


def _first_answer(
    name: str,
    process: subprocess.Popen[bytes],
    begun: float,
    *,
    target: Callable[[list[dict[str, Any]]], Target],
    scores: Callable[[Any], list[float]],
) -> Server:
    """Ask until the first good answer."""
    asked = target(records(sample(1, seed=SEED)))

    def answered() -> bool:
        if process.poll() is not None:
            raise ChildProcessError(f"{name} ended with {process.returncode}; see its log")
        try:
            return _posted(asked)[0] == OK
        except OSError:
            return False  # it does not listen yet

    until(answered, timeout_s=START_TIMEOUT_S)
    started_s = time.perf_counter() - begun
    return Server(name=name, pid=process.pid, target=target, scores=scores, started_s=started_s)


def _posted(target: Target) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    try:
        headers = {"content-type": "application/json", **target.headers}
        connection.request("POST", target.path, body=target.body, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _served(servers: tuple[Server, Server], rows: list[dict[str, Any]]) -> Findings:
    findings = _agreed(servers, rows)
    for count, connections in SHAPES:
        targets = {s.name: s.target(rows[:count]) for s in servers}
        for target in targets.values():
            put_load(target, connections=connections, duration_s=WARMING_S)
        samples: dict[str, list[Sample]] = {s.name: [] for s in servers}
        for number in range(ROUNDS):
            for server in servers if number % 2 == 0 else servers[::-1]:
                sample_ = _sampled(server, targets[server.name], connections)
                samples[server.name].append(sample_)
        findings += _compared(f"rest, {count} row(s), {connections} connection(s)", samples)
    return findings + _resident(servers)


def _agreed(servers: tuple[Server, Server], rows: list[dict[str, Any]]) -> Findings:
    """Make sure that both do the same work, before anything is compared."""
    ours, peers = (server.ask(rows) for server in servers)
    difference = max(abs(a - b) for a, b in zip(ours, peers, strict=True))
    if difference > AGREEMENT:
        raise ArithmeticError(f"the servers differ by {difference:.1e} over {len(rows)} rows")
    name = f"rest: largest difference of a score between the two, over {len(rows)} rows"
    return Findings(measurements=(Measurement(name=name, unit="", samples=(difference,)),))


def _sampled(server: Server, target: Target, connections: int) -> Sample:
    before_s = tree_use(server.pid).cpu_s
    load = put_load(target, connections=connections, duration_s=LOAD_S)
    used_s = tree_use(server.pid).cpu_s - before_s
    return Sample(
        rate=load.rate,
        p50_ms=load.quantile_ms(0.50),
        p99_ms=load.quantile_ms(0.99),
        cpu_us=used_s / len(load.latencies_s) * 1e6,
    )


def _compared(point: str, samples: dict[str, list[Sample]]) -> Findings:
    figures: tuple[tuple[str, str, Callable[[Sample], float]], ...] = (
        ("requests", "1/s", lambda s: s.rate),
        ("latency p50", "ms", lambda s: s.p50_ms),
        ("latency p99", "ms", lambda s: s.p99_ms),
        ("server CPU per request", "µs", lambda s: s.cpu_us),
    )
    found = Findings()
    for figure, unit, value in figures:
        taken = {name: [value(s) for s in each] for name, each in samples.items()}
        found += _pair(f"{point}: {figure}", unit, taken)
    return found


def _started(starts: dict[str, list[float]]) -> Findings:
    return _pair("rest: start of the process to its first answer", "s", starts)


def _resident(servers: tuple[Server, Server]) -> Findings:
    taken = {s.name: [tree_use(s.pid).rss_mib] for s in servers}
    return _pair("rest: resident memory of all its processes, after the load", "MiB", taken)


def _pair(name: str, unit: str, taken: dict[str, list[float]]) -> Findings:
    measured = tuple(
        Measurement(name=f"{name}, {who}", unit=unit, samples=tuple(samples))
        for who, samples in taken.items()
    )
    return Findings(measurements=measured, ratios=(paired(name, taken[OURS], taken[PEER]),))

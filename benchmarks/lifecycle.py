"""
``python -m benchmarks.lifecycle``: durable steps of life cycles, against SpiffWorkflow on the same process, in turns.

Then what thousands of waiting runs take and cost, a loop that grows old, and timers that come due together. The
README beside this file says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.control_plane import DURABLE
from benchmarks.lifecycle_plane import LOOP, STEPS, TASKS, TIMERS, LifecyclePlane
from benchmarks.measuring import commit, machine, versions
from benchmarks.results import Findings, Measurement, Ratio, document, paired, show
from pilothouse.domain.plain import rfc3339
from pilothouse.observability.clock import SystemClock
from pilothouse.scoring.environments import Environments
from tests.databases import MISSING, find_programs, start_postgresql

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PEER_LIBRARIES = ("SpiffWorkflow==3.2.0",)
SYNCHRONOUS = "FULL"
ROUNDS, RUNS, WORKERS, POLLS = 5, 100, 2, 200
WAITING, DUE_TOGETHER, TURNS, SOME_TURNS = 10_000, 5_000, 10_000, 200
SPIFF_RATIO, POSTGRESQL_PER_S, LIVE_BYTES, POLL_MS, AGE_RATIO = 5.0, 1_000.0, 2_048.0, 1.0, 1.2
PATIENCE_S = 300.0


def main() -> None:
    """Measure everything, print it, and write it down."""
    given = _arguments()
    console = Console(width=150)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-", dir=given.scratch) as made:
        folder = Path(made)
        facts = {
            "benchmark": "lifecycle",
            "date": given.date,
            "machine": machine(folder),
            "versions": versions() | dict(pair.split("==") for pair in PEER_LIBRARIES),
            "source": commit(HERE),
        }
        console.print("Steps on SQLite, in turns with SpiffWorkflow")
        findings = _against_spiff(folder)
        console.print("Runs that wait, a loop, timers that come due together")
        findings += _waiting(folder) + _old_loop(folder) + _due_together(folder)
        console.print("Steps on PostgreSQL")
        findings += _on_postgresql()
    findings += Findings(notes=(_setting(), *given.note))
    show(findings, console)
    found = document(findings, facts=facts)
    given.output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    console.print(f"written to {given.output}")


def _setting() -> str:
    return (
        f"SQLite: WAL and synchronous = {SYNCHRONOUS}, ours and the peer's. PostgreSQL: fsync, full_page_writes and "
        f"synchronous_commit on, {WORKERS} worker processes."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.lifecycle", description=main.__doc__
    )
    now = rfc3339(SystemClock().now())
    parser.add_argument("--date", default=now, help="the moment to write down; now by default")
    parser.add_argument("--note", action="append", default=[], help="words to write down")
    parser.add_argument(
        "--output", type=Path, default=HERE / "results" / "lifecycle.json", help="the file to write"
    )
    parser.add_argument("--scratch", type=Path, help="where to measure: commits wait for that disk")
    return parser.parse_args()


@contextmanager
def _plane(url: str) -> Iterator[LifecyclePlane]:
    plane = LifecyclePlane(url=url)
    try:
        plane.upload()
        yield plane
    finally:
        plane.close()


@contextmanager
def _peer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    environments = Environments(folder / "environments")
    python = environments.ensure(environments.lock(PEER_LIBRARIES)).python
    command = [str(python), str(HERE / "peers" / "spiff_workflow.py")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _asked(peer: subprocess.Popen[str], folder: Path, *, resumed: bool) -> dict[str, float]:
    assert peer.stdin is not None
    assert peer.stdout is not None
    work = {"folder": str(folder), "runs": RUNS, "tasks": TASKS}
    peer.stdin.write(json.dumps({**work, "synchronous": SYNCHRONOUS, "resumed": resumed}) + "\n")
    peer.stdin.flush()
    line = peer.stdout.readline()
    if not line:
        raise ChildProcessError("the peer ended; its words are above")
    said: dict[str, float] = json.loads(line)
    return said


def _against_spiff(folder: Path) -> Findings:
    samples: dict[str, list[float]] = {}

    def note(who: str, steps: float, seconds: float, cpu_s: float) -> None:
        samples.setdefault(f"{who}/s", []).append(steps / seconds)
        samples.setdefault(f"{who}/cpu", []).append(cpu_s / steps * 1e6)

    with ExitStack() as stack:
        peer = stack.enter_context(_peer(folder))
        plane = stack.enter_context(_plane(f"sqlite:///{folder / 'steps.db'}"))
        executor = plane.executor("bench")
        for _ in range(ROUNDS):
            runs = plane.start(STEPS, RUNS)
            statements, commits = plane.counts.statements, plane.counts.commits
            elapsed_s, cpu_s = plane.work(executor)
            statements, commits = (
                plane.counts.statements - statements,
                plane.counts.commits - commits,
            )
            steps = plane.completed(runs)
            if steps != RUNS * TASKS:
                raise ArithmeticError(f"{steps} steps were done")
            note("ours", steps, elapsed_s, cpu_s)
            samples.setdefault("statements", []).append(statements / steps)
            samples.setdefault("commits", []).append(commits / steps)
            for who, resumed in (("saved", False), ("resumed", True)):
                said = _asked(peer, folder, resumed=resumed)
                note(who, said["steps"], said["seconds"], said["cpu_seconds"])
    return _steps_found(samples)


def _steps_found(samples: dict[str, list[float]]) -> Findings:
    names = {
        "ours": "Pilothouse",
        "saved": "SpiffWorkflow, in memory, its state saved after each step",
        "resumed": "SpiffWorkflow, its state read before and saved after each step",
    }
    measured = [
        Measurement(name=f"durable steps, SQLite: {words}", unit=unit, samples=tuple(samples[key]))
        for who, words in names.items()
        for key, unit in ((f"{who}/s", "1/s"), (f"{who}/cpu", "us of processor a step"))
    ]
    for what in ("statements", "commits"):
        name = f"{what} a step, SQLite: Pilothouse"
        measured.append(Measurement(name=name, unit="", samples=tuple(samples[what])))
    ratios = tuple(
        _targeted(
            paired(f"durable steps a second, SQLite: ours / {words}", samples["ours/s"], peers)
        )
        for words, peers in (
            ("SpiffWorkflow saved", samples["saved/s"]),
            ("SpiffWorkflow read and saved", samples["resumed/s"]),
        )
    )
    costs = tuple(
        paired(f"processor of a step: ours / {words}", samples["ours/cpu"], samples[f"{who}/cpu"])
        for who, words in (
            ("saved", "SpiffWorkflow saved"),
            ("resumed", "SpiffWorkflow read and saved"),
        )
    )
    return Findings(measurements=tuple(measured), ratios=ratios + costs)


def _targeted(ratio: Ratio) -> Ratio:
    return Ratio(name=ratio.name, pairs=ratio.pairs, target=SPIFF_RATIO)


def _against(name: str, value: float, limit: float, *, at_most: bool) -> Ratio:
    """Give a figure of ours as a share of its limit."""
    return Ratio(name=f"{name} / its limit", pairs=(value / limit,), target=1.0, at_most=at_most)


def _waiting(folder: Path) -> Findings:
    """Let runs wait on timers: how much they take, and what an idle poll costs."""
    file = folder / "waiting.db"
    with _plane(f"sqlite:///{file}") as plane:
        empty = _bytes(file, folder, history=False)
        plane.start(TIMERS, WAITING)
        live = (_bytes(file, folder, history=False) - empty) / WAITING
        whole = (_bytes(file, folder, history=True) - empty) / WAITING
        executor = plane.executor("bench")
        poll_ms = tuple(_idle_poll_ms(executor) for _ in range(POLLS))
    found = (
        Measurement(name="waiting run, without its history", unit="bytes", samples=(live,)),
        Measurement(name="waiting run, with its history", unit="bytes", samples=(whole,)),
        Measurement(name=f"idle poll beside {WAITING:,} timers", unit="ms", samples=poll_ms),
    )
    return Findings(
        measurements=found,
        ratios=(
            _against("live bytes of a waiting run", live, LIVE_BYTES, at_most=True),
            _against("idle poll", found[2].median, POLL_MS, at_most=True),
        ),
    )


def _bytes(file: Path, folder: Path, *, history: bool) -> int:
    """Give the size of a copy of the database, packed."""
    copy = folder / "copy.db"
    with sqlite3.connect(file) as database:
        database.execute("VACUUM INTO ?", (str(copy),))
    database.close()
    if not history:
        database = sqlite3.connect(copy, isolation_level=None)
        database.execute("DELETE FROM run_history")
        database.execute("VACUUM")
        database.close()
    size = copy.stat().st_size
    copy.unlink()
    return size


def _idle_poll_ms(executor: Any) -> float:  # noqa: ANN401 an executor
    begun = time.perf_counter()
    if executor.run_once():
        raise RuntimeError("there was something to do")
    return (time.perf_counter() - begun) * 1000


def _old_loop(folder: Path) -> Findings:
    """Let one run go round and round, and compare its last turns with its first."""
    with _plane(f"sqlite:///{folder / 'loop.db'}") as plane:
        plane.start(LOOP, 1)
        executor = plane.executor("bench")
        costs = []
        for _ in range(TURNS // SOME_TURNS):
            begun = time.process_time()
            for _ in range(SOME_TURNS):
                executor.run_once()
            costs.append((time.process_time() - begun) / SOME_TURNS * 1e6)
    last = Measurement(
        name=f"processor of one turn about turn {TURNS:,}", unit="us", samples=tuple(costs[-5:])
    )
    first = Measurement(
        name="processor of one turn at the beginning", unit="us", samples=tuple(costs[1:6])
    )
    ratio = Ratio(
        name=f"processor of a turn: about turn {TURNS:,} / at the beginning",
        pairs=tuple(late / early for late, early in zip(last.samples, first.samples, strict=True)),
        target=AGE_RATIO,
        at_most=True,
    )
    return Findings(measurements=(first, last), ratios=(ratio,))


def _due_together(folder: Path) -> Findings:
    """Let timers come due at one instant, each with a task behind it."""
    rates, others = [], []
    for number in range(2):
        with _plane(f"sqlite:///{folder / f'due-{number}.db'}") as plane:
            executor = plane.executor("bench")
            plane.start(STEPS, DUE_TOGETHER // 5)
            elapsed_s, _ = plane.work(executor)
            others.append(DUE_TOGETHER // 5 * TASKS / elapsed_s)
            plane.start(TIMERS, DUE_TOGETHER)
            plane.clock.ahead += timedelta(hours=2)
            elapsed_s, _ = plane.work(executor)
            if plane.active():
                raise ArithmeticError(f"{plane.active()} runs have not ended")
            rates.append(DUE_TOGETHER * 2 / elapsed_s)
    found = Measurement(
        name=f"steps while {DUE_TOGETHER:,} timers of one instant drain",
        unit="1/s",
        samples=tuple(rates),
    )
    ratio = paired("steps a second: timers of one instant / as many tasks", rates, others)
    return Findings(
        measurements=(found,), ratios=(Ratio(name=ratio.name, pairs=ratio.pairs, target=0.9),)
    )


def _on_postgresql() -> Findings:
    programs = find_programs()
    if programs is None:
        return Findings(notes=(f"No figure is from PostgreSQL. {MISSING}",))
    server = start_postgresql(programs, tuning=DURABLE)
    try:
        url = server.url(server.create())
        with _plane(url) as plane, _workers(url) as workers:
            rates = tuple(_drained(plane, workers) for _ in range(ROUNDS))
    finally:
        server.stop()
    found = Measurement(
        name=f"durable steps, PostgreSQL, {WORKERS} workers", unit="1/s", samples=rates
    )
    limit = _against(found.name, found.median, POSTGRESQL_PER_S, at_most=False)
    return Findings(measurements=(found,), ratios=(limit,))


@contextmanager
def _workers(url: str) -> Iterator[list[subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "benchmarks.lifecycle_worker", url]
    workers = [
        subprocess.Popen(
            [*command, f"worker-{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE.parent,
        )
        for number in range(WORKERS)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            if worker.stdout.readline() != "ready\n":
                raise ChildProcessError("a worker did not start; its words are above")
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        yield workers
    finally:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
            worker.wait(timeout=60)


def _drained(plane: LifecyclePlane, workers: list[subprocess.Popen[str]]) -> float:
    """Begin many runs at once and wait for their ends; the time begins with the unit's commit."""
    runs = plane.start(STEPS, RUNS * 2)
    begun = time.perf_counter()
    while plane.active():
        if any(worker.poll() is not None for worker in workers):
            raise ChildProcessError("a worker ended; its words are above")
        if time.perf_counter() - begun > PATIENCE_S:
            raise TimeoutError(f"the runs have not ended within {PATIENCE_S:g} s")
        time.sleep(0.01)
    elapsed_s = time.perf_counter() - begun
    steps = plane.completed(runs)
    if steps != len(runs) * TASKS:
        raise ArithmeticError(f"{steps} steps were done")
    return steps / elapsed_s


if __name__ == "__main__":
    main()

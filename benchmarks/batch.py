"""Scoring a Parquet file: the platform's job process against pandas with the model in one process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import tree_use
from benchmarks.model import sample
from benchmarks.results import Findings, Measurement, paired
from pilothouse.domain.ids import JobId, ServiceTag, StageName
from pilothouse.domain.jobs import (
    FileSource,
    FileTarget,
    JobKind,
    JobOrder,
    JobResult,
    TableFormat,
)
from pilothouse.domain.plain import canonical
from pilothouse.scoring.batch.home import JobHome, JobSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.stage import Stage

OURS, PEER = "pilothouse", "pandas"
ROWS, ROUNDS, SEED = 100_000, 3, 2016
LOOK_S = 0.1
AGREEMENT = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one process, with its children, needed from start to end."""

    elapsed_s: float
    cpu_s: float
    peak_rss_mib: float


def measure(stage: Stage) -> Findings:
    """Score the same file by both, in turns; both may use every core."""
    root = stage.folder / "batch"
    root.mkdir()
    frame = sample(ROWS, seed=SEED)
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), root / "in.parquet")
    runs: dict[str, list[Run]] = {OURS: [], PEER: []}
    for number in range(ROUNDS):
        runs[OURS].append(_ours(stage, root, number))
        runs[PEER].append(_peers(stage, root, number))
    return _agreed(root) + _compared(runs)


def _ours(stage: Stage, root: Path, number: int) -> Run:
    home = JobHome(stage.folder / f"job-{number}")
    home.folder.mkdir()
    (home.folder / "order.json").write_bytes(canonical(_order(stage, root, number)))
    (home.folder / "job.json").write_bytes(canonical(_settings(stage)))
    command = [sys.executable, "-m", "pilothouse.scoring", "job", "--home", str(home.folder)]
    run = _watched(command, log=home.folder / "stderr")
    report = home.report()
    if report is None or report.result is not JobResult.SUCCESS:
        raise ChildProcessError(f"the job did not succeed: {report}")
    return run


def _settings(stage: Stage) -> JobSettings:
    return JobSettings(
        artifacts=stage.settings.artifacts,
        packages=stage.settings.packages,
        environments=stage.settings.environments,
        scratch=stage.settings.scratch,
    )


def _order(stage: Stage, root: Path, number: int) -> JobOrder:
    parquet = TableFormat.PARQUET
    return JobOrder(
        schema=1,
        job_id=JobId(f"job_{number}"),
        kind=JobKind.SCORE,
        service=ServiceTag("service"),
        stage=StageName("DEV"),
        snapshot="bench-employment@1",
        digest=stage.digest,
        source=FileSource(root=str(root), path="in.parquet", format=parquet),
        target=FileTarget(root=str(root), path=f"out-{number}", format=parquet),
    )


def _peers(stage: Stage, root: Path, number: int) -> Run:
    paths = {"source": root / "in.parquet", "target": root / f"peer-{number}.parquet"}
    command = stage.peer("pandas_sklearn", model=stage.model_file, **paths)
    return _watched(command, log=root / "peer.log")


def _watched(command: list[str], *, log: Path) -> Run:
    """
    Run a command to its end, looking at what it uses ten times a second.

    The most that was seen counts: a model's process is killed with its sandbox, and nobody inherits its times.
    """
    begun = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    seen = [tree_use(process.pid)]
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(LOOK_S)
        seen.append(tree_use(process.pid))
    elapsed_s = time.perf_counter() - begun
    if process.wait() != 0:
        raise ChildProcessError(f"{command[1:4]} ended with {process.returncode}; see its log")
    return Run(
        elapsed_s=elapsed_s,
        cpu_s=max(use.cpu_s for use in seen),
        peak_rss_mib=max(use.rss_mib for use in seen),
    )


def _agreed(root: Path) -> Findings:
    """Make sure that both gave every row the same score."""
    parts = sorted((root / "out-0").glob("part-*.parquet"))
    ours = pa.concat_tables(pq.read_table(part) for part in parts)["score"].to_pylist()
    peers = pq.read_table(root / "peer-0.parquet")["score"].to_pylist()
    difference = max(abs(a - b) for a, b in zip(ours, peers, strict=True))
    if difference > AGREEMENT or len(ours) != ROWS:
        raise ArithmeticError(f"{len(ours)} rows, and the two differ by {difference:.1e}")
    name = f"batch: largest difference of a score between the two, over {ROWS} rows"
    return Findings(measurements=(Measurement(name=name, unit="", samples=(difference,)),))


def _compared(runs: dict[str, list[Run]]) -> Findings:
    figures: tuple[tuple[str, str, Callable[[Run], float]], ...] = (
        (
            "rows per second, from the process' start to its end",
            "1/s",
            lambda r: ROWS / r.elapsed_s,
        ),
        ("CPU per row, start included", "µs", lambda r: r.cpu_s / ROWS * 1e6),
        ("peak resident memory of all its processes", "MiB", lambda r: r.peak_rss_mib),
    )
    measurements, ratios = [], []
    for figure, unit, value in figures:
        taken = {who: [value(run) for run in each] for who, each in runs.items()}
        measurements += [
            Measurement(name=f"batch: {figure}, {who}", unit=unit, samples=tuple(samples))
            for who, samples in taken.items()
        ]
        ratios.append(paired(f"batch: {figure}", taken[OURS], taken[PEER]))
    return Findings(measurements=tuple(measurements), ratios=tuple(ratios))

"""
``python -m benchmarks.skeleton``: what the first slice of Pilothouse can do, in one run of a few minutes.

Scoring by REST and in batch against a peer that does the same work with the same model, in turns; then snapshots,
deployments and life-cycle steps on SQLite and PostgreSQL. The README beside this file says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks import batch, control_plane, rest
from benchmarks.measuring import commit, machine, pinned_cores, versions
from benchmarks.results import Findings, Measurement, document, show
from benchmarks.stage import set_up
from pilothouse.domain.plain import rfc3339
from pilothouse.observability.clock import SystemClock

HERE = Path(__file__).parent
WIDTH = 150
NO_TARGETS = (
    "No target has been set for these ratios: each 'target' and 'met' is null. Of requests and rows per second more "
    "is better, of all other ratios less is."
)


def main() -> None:
    """Measure everything, print it, and write it down."""
    given = _arguments()
    console = Console(width=WIDTH)
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-", dir=given.scratch) as made:
        folder = Path(made)
        facts = {
            "benchmark": "skeleton",
            "date": given.date,
            "machine": machine(folder),
            "versions": versions(),
            "source": commit(HERE),
        }
        findings = _measured(folder, console)
    console.print(f"measured in {time.perf_counter() - begun:.0f} s")
    findings += Findings(notes=(NO_TARGETS, *given.note))
    show(findings, console)
    found = document(findings, facts=facts)
    given.output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    console.print(f"written to {given.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.skeleton", description=main.__doc__)
    now = rfc3339(SystemClock().now())
    parser.add_argument("--date", default=now, help="the moment to write down; now by default")
    parser.add_argument("--note", action="append", default=[], help="words to write down")
    parser.add_argument(
        "--output", type=Path, default=HERE / "results" / "skeleton.json", help="the file to write"
    )
    parser.add_argument(
        "--scratch", type=Path, help="where to measure, on the kind of disk that is the question"
    )
    return parser.parse_args()


def _measured(folder: Path, console: Console) -> Findings:
    cores = pinned_cores()
    console.print("Building the model, its snapshot and the environments")
    stage = set_up(folder, core=cores.server)
    checked = Measurement(
        name="check of the model folder: lock, environment, load, golden records",
        unit="s",
        samples=(stage.checked_s,),
    )
    found = Findings(
        measurements=(checked,), notes=(f"Isolation of the model: {stage.isolation}.",)
    )
    console.print("Scoring by REST")
    found += rest.measure(stage, server_core=cores.server, client_core=cores.client)
    console.print("Scoring in batch")
    found += batch.measure(stage)
    console.print("The control plane")
    planes = folder / "planes"
    planes.mkdir()
    return found + control_plane.measure(planes)


if __name__ == "__main__":
    main()

"""
``python -m benchmarks.decisions``: FEEL conditions and DMN tables, against other engines on the same work.

A condition of four comparisons, a table of 100 rules by 6 inputs, and reading a table of 1,000 rules. Before
anything is timed, all engines must give the same answers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
import timeit
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks import hostile
from benchmarks.decision_table import inputs, table
from benchmarks.measuring import commit, machine, versions
from benchmarks.results import Findings, Measurement, Ratio, document, paired, show
from pilothouse.dmn import read_decisions
from pilothouse.domain.plain import rfc3339
from pilothouse.feel import compile_expression
from pilothouse.observability.clock import SystemClock
from pilothouse.scoring.environments import Environments

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PEER_LIBRARIES = ("cel-python==0.5.0", "zen-engine==2.1.3", "bkflow-feel==1.2.0")
ROUNDS, SAMPLE_S, SEED = 7, 0.3, 2026
RULES, MANY_RULES, CASES = 100, 1_000, 500
CONDITION_LIMIT_US, TABLE_PER_S, READING_S = 5.0, 20_000.0, 1.0
CONDITION = {
    "feel": 'metrics.auc >= 0.8 and psi < 0.2 and tier in ["low", "medium"] and n > 100',
    "zen": 'metrics.auc >= 0.8 and psi < 0.2 and tier in ["low", "medium"] and n > 100',
    "python": 'metrics["auc"] >= 0.8 and psi < 0.2 and tier in ["low", "medium"] and n > 100',
    "cel": 'metrics.auc >= 0.8 && psi < 0.2 && tier in ["low", "medium"] && n > 100',
}
CONDITION_INPUTS = [{"metrics": {"auc": 0.91}, "psi": 0.05, "tier": "low", "n": 5000}]
CONDITION_PEERS = ("python-eval-text", "python-eval-compiled", "cel-python", "bkflow-feel", "zen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """The other engines, in a process and an environment of their own."""

    process: subprocess.Popen[str]

    def run(self, name: str) -> tuple[float, list[object]]:
        """Let one engine answer all inputs and time it, in microseconds for one evaluation."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise ChildProcessError(f"the peers ended at {name!r}; their words are above")
        said: dict[str, Any] = json.loads(line)
        return said["us"], said["answers"]


def main() -> None:
    """Measure everything, print it, and write it down."""
    given = _arguments()
    console = Console(width=150)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as made:
        folder = Path(made)
        facts = {
            "benchmark": "decisions",
            "date": given.date,
            "machine": machine(folder),
            "versions": versions() | dict(pair.split("==") for pair in PEER_LIBRARIES),
            "source": commit(HERE),
        }
        peers = _peers(folder)
        try:
            findings = _conditions(peers) + _tables(peers) + _reading() + hostile.measure()
        finally:
            peers.process.kill()
            peers.process.wait()
    findings += Findings(notes=tuple(given.note))
    show(findings, console)
    found = document(findings, facts=facts)
    given.output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    console.print(f"written to {given.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.decisions", description=main.__doc__
    )
    now = rfc3339(SystemClock().now())
    parser.add_argument("--date", default=now, help="the moment to write down; now by default")
    parser.add_argument("--note", action="append", default=[], help="words to write down")
    parser.add_argument(
        "--output", type=Path, default=HERE / "results" / "decisions.json", help="the file to write"
    )
    return parser.parse_args()


def _peers(folder: Path) -> Peers:
    environments = Environments(folder / "environments")
    python = environments.ensure(environments.lock(PEER_LIBRARIES)).python
    work = {
        "condition": CONDITION,
        "condition_inputs": CONDITION_INPUTS,
        "table": table(RULES, seed=SEED).jdm(),
        "table_inputs": inputs(CASES, RULES, seed=SEED),
    }
    (folder / "work.json").write_text(json.dumps(work), "utf-8")
    command = [str(python), str(HERE / "peers" / "decision_engines.py")]
    command += ["--work", str(folder / "work.json")]
    return Peers(
        process=subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )


def _timed(turn: Callable[[], object], *, evaluations: int) -> float:
    """Give microseconds for one evaluation, over about a third of a second."""
    turns = max(1, int(SAMPLE_S / timeit.timeit(turn, number=1)))
    return timeit.timeit(turn, number=turns) / turns / evaluations * 1e6


def _conditions(peers: Peers) -> Findings:
    condition, given = compile_expression(CONDITION["feel"]), CONDITION_INPUTS[0]
    ours: list[float] = []
    others: dict[str, list[float]] = {name: [] for name in CONDITION_PEERS}
    for _ in range(ROUNDS):
        ours.append(_timed(lambda: condition.evaluate(given), evaluations=1))
        for name, samples in others.items():
            us, answers = peers.run(name)
            if answers != [condition.evaluate(given)]:
                raise ArithmeticError(f"{name} says {answers}")
            samples.append(us)
    limit = Ratio(
        name=f"condition of four comparisons, compiled: µs / {CONDITION_LIMIT_US:g} µs",
        pairs=tuple(us / CONDITION_LIMIT_US for us in ours),
        target=1.0,
        at_most=True,
    )
    return Findings(
        measurements=(
            _measured("condition of four comparisons: pilothouse", "µs", ours),
            *(_measured(f"condition of four comparisons: {n}", "µs", s) for n, s in others.items()),
        ),
        ratios=(
            limit,
            *(paired(f"condition, µs: against {n}", ours, s) for n, s in others.items()),
        ),
    )


def _tables(peers: Peers) -> Findings:
    decisions = read_decisions(table(RULES, seed=SEED).dmn())
    given = inputs(CASES, RULES, seed=SEED)
    answers = [{"route": decisions.evaluate("route", case).value} for case in given]

    def turn() -> None:
        for case in given:
            decisions.evaluate("route", case)

    ours: list[float] = []
    others: list[float] = []
    for _ in range(ROUNDS):
        ours.append(1e6 / _timed(turn, evaluations=CASES))
        us, said = peers.run("zen-table")
        if said != answers:
            raise ArithmeticError("the table of the peer gives other answers")
        others.append(1e6 / us)
    hit = len({answer["route"] for answer in answers})
    floor = Ratio(
        name=f"table of {RULES} rules by 6 inputs: evaluations/s / {TABLE_PER_S:g}",
        pairs=tuple(rate / TABLE_PER_S for rate in ours),
        target=1.0,
    )
    return Findings(
        measurements=(
            _measured(f"table of {RULES} rules by 6 inputs: pilothouse", "1/s", ours),
            _measured(f"table of {RULES} rules by 6 inputs: zen", "1/s", others),
        ),
        ratios=(floor, paired("table, evaluations/s: against zen", ours, others)),
        notes=(f"The {CASES} inputs hit {hit} different rules of the table.",),
    )


def _reading() -> Findings:
    xml = table(MANY_RULES, seed=SEED).dmn()
    samples = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        read_decisions(xml)
        samples.append(time.perf_counter() - begun)
    ceiling = Ratio(
        name=f"reading a table of {MANY_RULES} rules by 6 inputs: s / {READING_S:g} s",
        pairs=tuple(s / READING_S for s in samples),
        target=1.0,
        at_most=True,
    )
    name = f"reading a table of {MANY_RULES} rules by 6 inputs"
    return Findings(measurements=(_measured(name, "s", samples),), ratios=(ceiling,))


def _measured(name: str, unit: str, samples: list[float]) -> Measurement:
    return Measurement(name=name, unit=unit, samples=tuple(samples))


if __name__ == "__main__":
    main()

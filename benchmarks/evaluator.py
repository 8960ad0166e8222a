"""
``python -m benchmarks.evaluator``: compiled models against scikit-learn and ONNX Runtime, on one thread.

A pipeline (impute, scale, one-hot) over 20 columns of numbers and 8 of text, with a logistic regression, gradient boosting,
histogram gradient boosting or a random forest of 100 trees; one row, 1,000 rows and 100,000 rows. What is
compared is processor time for the same answers, each from the values that a caller has: Python values of one row; columns of
a block; a DataFrame for scikit-learn; one tensor a column for ONNX Runtime. Before anything is timed, the compiled answers
must equal scikit-learn's to 1e-12.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import warnings
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort
import pandas as pd
from rich.console import Console
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.measuring import commit, machine, pinned, pinned_cores, versions
from benchmarks.results import Findings, Measurement, Ratio, document, show
from pilothouse.domain.plain import rfc3339
from pilothouse.evaluator import Compiled, Input, Kind, dumps, load
from pilothouse.evaluator.lower import lower
from pilothouse.observability.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable

    Model = Any
    Turn = Callable[[], object]

HERE = Path(__file__).parent
TRAINING_ROWS, BLOCKS, ROUNDS, SAMPLE_S, SEED = 20_000, (1_000, 100_000), 3, 0.2, 2026
SINGLE_ROWS = 2_000
NUMBERS = tuple(f"n{i}" for i in range(20))
WORDS = tuple(f"w{i}" for i in range(8))
POSITIVE = "predict_proba:1"
MODELS: dict[str, Callable[[], Model]] = {
    "LR": lambda: LogisticRegression(max_iter=500),
    "GB": lambda: GradientBoostingClassifier(random_state=SEED),
    "HGB": lambda: HistGradientBoostingClassifier(random_state=SEED),
    "RF100": lambda: RandomForestClassifier(100, random_state=SEED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rivals:
    """One model in three forms."""

    ours: Compiled
    original: Model
    onnx: ort.InferenceSession | None


def main() -> None:
    """Measure everything, print it, and write it down."""
    given = _arguments()
    warnings.simplefilter("ignore")
    console = Console(width=150)
    with tempfile.TemporaryDirectory(prefix="pilothouse-bench-") as made:
        facts = {
            "benchmark": "evaluator",
            "date": given.date,
            "machine": machine(Path(made)),
            "versions": versions() | {"onnxruntime": ort.__version__},
            "source": commit(HERE),
        }
    findings = Findings()
    with pinned(pinned_cores().server):
        for name, make in MODELS.items():
            console.print(f"measuring {name} ...")
            findings += _measure(name, make())
    load_average = ", ".join(f"{x:.1f}" for x in os.getloadavg())
    findings += Findings(notes=(*given.note, f"Load average at the end: {load_average}."))
    show(findings, console)
    found = document(findings, facts=facts)
    given.output.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    console.print(f"written to {given.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evaluator", description=main.__doc__
    )
    now = rfc3339(SystemClock().now())
    parser.add_argument("--date", default=now, help="the moment to write down; now by default")
    parser.add_argument("--note", action="append", default=[], help="words to write down")
    parser.add_argument(
        "--output", type=Path, default=HERE / "results" / "evaluator.json", help="the file to write"
    )
    return parser.parse_args()


def table(rows: int, *, seed: int) -> pd.DataFrame:
    """Make up rows, some values of which are missing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for name in NUMBERS:
        values = np.round(rng.normal(size=rows), 3)
        columns[name] = np.where(rng.random(rows) < 0.05, np.nan, values)
    for name in WORDS:
        columns[name] = rng.choice(list("abcdefgh"), rows)
    return pd.DataFrame(columns)


def _target(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[Any]]:
    rng = np.random.default_rng(SEED)
    n = [np.nan_to_num(frame[name].to_numpy()) for name in NUMBERS[:3]]
    noisy = n[0] + n[1] * n[2] + (frame["w0"] == "a") + rng.normal(size=len(frame)) * 0.5
    return np.asarray(noisy > 0, dtype=np.int64)


def _fitted(model: Model) -> Model:
    frame = table(TRAINING_ROWS, seed=SEED)
    prepared = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), list(NUMBERS)),
            ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(WORDS)),
        ]
    )
    return make_pipeline(prepared, model).fit(frame, _target(frame))


def _rivals(model: Model) -> Rivals:
    fitted = _fitted(model)
    schema = [Input(name=n, kind=Kind.NUMBER) for n in NUMBERS]
    schema += [Input(name=n, kind=Kind.TEXT) for n in WORDS]
    ours = load(dumps(lower(fitted, schema).only({POSITIVE})))
    if not ours.native:
        raise SystemExit("the kernel is not built; install a C compiler and Pilothouse anew")
    return Rivals(ours=ours, original=fitted, onnx=_onnx(fitted))


def _onnx(fitted: Model) -> ort.InferenceSession | None:
    kinds = [(n, FloatTensorType([None, 1])) for n in NUMBERS]
    kinds += [(n, StringTensorType([None, 1])) for n in WORDS]
    try:
        converted = to_onnx(fitted, initial_types=kinds, options={"zipmap": False})
    except Exception:  # noqa: BLE001  the converter fails on some models; that is a finding
        return None
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return ort.InferenceSession(converted.SerializeToString(), options, ["CPUExecutionProvider"])


def _measure(name: str, model: Model) -> Findings:
    rivals = _rivals(model)
    findings = Findings()
    if rivals.onnx is None:
        findings += Findings(notes=(f"skl2onnx could not convert {name}: no ONNX Runtime there.",))
    for rows in (1, *BLOCKS):
        frame = table(rows, seed=SEED + 1)
        turns = _turns(rivals, frame)
        if rows > 1:
            _equal(name, turns)
        findings += _compared(f"{name}, {rows:,} row{'s' * (rows > 1)}", turns)
    return findings


def _equal(name: str, turns: dict[str, Turn]) -> None:
    off = np.abs(np.asarray(turns["pilothouse"]()) - np.asarray(turns["scikit-learn"]())).max()
    if off > 1e-12:
        raise ArithmeticError(f"{name} is off by {off}")


def _turns(rivals: Rivals, frame: pd.DataFrame) -> dict[str, Turn]:
    """Give for each rival what answers all rows once."""
    columns = {n: frame[n].to_numpy() for n in NUMBERS} | {n: frame[n].tolist() for n in WORDS}
    # Always the same row would find its ways through the trees in the nearest cache.
    others = cycle([list(row) for row in table(SINGLE_ROWS, seed=SEED + 2).itertuples(index=False)])
    one = len(frame) == 1
    turns: dict[str, Turn] = {
        "pilothouse": (lambda: rivals.ours.row(next(others)))
        if one
        else (lambda: rivals.ours.block(columns)[POSITIVE]),
        "scikit-learn": lambda: rivals.original.predict_proba(frame)[:, 1],
    }
    if rivals.onnx is not None:
        session = rivals.onnx
        feed = {n: frame[[n]].to_numpy(np.float32) for n in NUMBERS}
        feed |= {n: frame[[n]].to_numpy(object) for n in WORDS}
        turns["onnxruntime"] = lambda: session.run(["probabilities"], feed)
    return turns


def _compared(what: str, turns: dict[str, Turn]) -> Findings:
    samples: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(ROUNDS):
        for name, turn in turns.items():
            samples[name].append(_cpu_us(turn))
    return Findings(
        measurements=tuple(
            Measurement(name=f"{what}: {name}", unit="CPU µs", samples=tuple(s))
            for name, s in samples.items()
        ),
        ratios=tuple(
            Ratio(
                name=f"{what}: times as fast as {name}",
                pairs=tuple(t / o for o, t in zip(samples["pilothouse"], s, strict=True)),
                target=1.0,
            )
            for name, s in samples.items()
            if name != "pilothouse"
        ),
    )


def _cpu_us(turn: Turn) -> float:
    """Give processor time of one turn, over about a fifth of a second."""
    begun = time.process_time()
    turn()
    once = time.process_time() - begun
    if once > SAMPLE_S:
        return once * 1e6
    turns = int(SAMPLE_S / max(once, 1e-6))
    begun = time.process_time()
    for _ in range(turns):
        turn()
    return (time.process_time() - begun) / turns * 1e6


if __name__ == "__main__":
    main()

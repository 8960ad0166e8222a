"""The model that is measured: 8 numbers and 8 texts, encoded and scaled, into 100 boosted trees; and its rows."""

from __future__ import annotations

import importlib.metadata
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from pilothouse.scoring.documents import write_document

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "bench-employment"
INTEGERS = {"age": (16, 99), "hours": (0, 99), "children": (0, 10), "household": (1, 15)}
NUMBERS = {
    "income": (0.0, 1e6),
    "rent": (0.0, 1e4),
    "tenure": (0.0, 60.0),
    "distance": (0.0, 500.0),
}
TEXTS = {
    "sex": 2,
    "housing": 3,
    "citizenship": 3,
    "marital": 5,
    "state": 6,
    "education": 8,
    "industry": 10,
    "occupation": 12,
}
TRAINING_ROWS, SEED = 8000, 7
REQUIRED = ("scikit-learn", "skops", "pandas")


def same_versions(*libraries: str) -> list[str]:
    """Give requirements of the versions that are installed here."""
    return [f"{name}=={importlib.metadata.version(name)}" for name in libraries]


def categories(name: str) -> list[str]:
    """Give the values of a text column."""
    return [f"{name}-{number}" for number in range(TEXTS[name])]


def sample(rows: int, *, seed: int) -> pd.DataFrame:
    """Give made-up rows, the same for the same seed; some incomes are missing."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        name: rng.integers(low, high + 1, rows) for name, (low, high) in INTEGERS.items()
    }
    for name, (_, high) in NUMBERS.items():
        columns[name] = np.round(rng.beta(2, 8, rows) * high, 2)
    columns["income"] = np.where(rng.random(rows) < 0.05, np.nan, columns["income"])
    for name in TEXTS:
        columns[name] = rng.choice(categories(name), rows)
    return pd.DataFrame(columns)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a table as JSON records; what is missing is null."""
    plain: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return plain


def pipeline() -> Pipeline:
    """Give the fitted pipeline."""
    frame = sample(TRAINING_ROWS, seed=SEED)
    rng = np.random.default_rng(SEED)
    odds = frame["age"] / 50 + frame["hours"] / 60 - frame["children"] / 8 - frame["rent"] / 8e3
    label = (odds + rng.normal(0, 0.3, len(frame)) > 1.2).astype(int)
    encode = ColumnTransformer(
        [
            ("texts", OneHotEncoder(sparse_output=False), list(TEXTS)),
            ("numbers", StandardScaler(), [*INTEGERS, *NUMBERS]),
        ]
    )
    boost = HistGradientBoostingClassifier(max_iter=100, early_stopping=False, random_state=SEED)
    return Pipeline([("encode", encode), ("boost", boost)]).fit(frame, label)


def write_model(folder: Path) -> Path:
    """Write the model folder: the pipeline by skops, the manifest with the strict schema, golden records."""
    folder.mkdir(parents=True)
    skops.io.dump(pipeline(), folder / "model.skops")
    score = {"name": "score", "type": "number", "role": "score", "minimum": 0, "maximum": 1}
    manifest = {
        "pilothouse": 1,
        "name": MODEL,
        "format": "sklearn",
        "files": {"model": "model.skops"},
        "inputs": {"columns": _columns()},
        "outputs": {"columns": [score]},
        "golden": "golden.jsonl",
        "requirements": same_versions(*REQUIRED),
    }
    (folder / "pilothouse.yaml").write_text(write_document(manifest), "utf-8")
    golden = [json.dumps(record) for record in records(sample(5, seed=SEED + 1))]
    (folder / "golden.jsonl").write_text("\n".join(golden) + "\n", "utf-8")
    return folder


def _columns() -> list[dict[str, Any]]:
    ranges: list[tuple[str, str, tuple[float, float]]] = [
        *(("integer", *item) for item in INTEGERS.items()),
        *(("number", *item) for item in NUMBERS.items()),
    ]
    numbers: list[dict[str, Any]] = [
        {"name": name, "type": kind, "minimum": low, "maximum": high, "nullable": name == "income"}
        for kind, name, (low, high) in ranges
    ]
    texts = [{"name": n, "type": "string", "categories": categories(n)} for n in TEXTS]
    return numbers + texts


def open_inference_body(rows: list[dict[str, Any]]) -> bytes:
    """Give rows as an Open Inference request: a tensor a column."""
    kinds = dict.fromkeys(INTEGERS, "INT64") | dict.fromkeys(NUMBERS, "FP64")
    kinds |= dict.fromkeys(TEXTS, "BYTES")
    tensors = [
        {"name": n, "datatype": kind, "shape": [len(rows)], "data": [row[n] for row in rows]}
        for n, kind in kinds.items()
    ]
    return json.dumps({"inputs": tensors}).encode()


def record_body(rows: list[dict[str, Any]]) -> bytes:
    """Give rows as the peer takes them: a list of records."""
    return json.dumps({"rows": rows}).encode()

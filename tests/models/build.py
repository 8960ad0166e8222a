"""
Tiny, deterministic model folders for tests, each complete with manifest and golden inputs.

`sklearn_model`, `onnx_model` and `python_model` write one into an empty folder and give the folder. All three take
``age`` (integer, 16 to 99), ``income`` (number, nullable for scikit-learn) and give ``score`` (number) and, but for
ONNX, ``eligible`` (integer label).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pandas as pd
import skops.io
from onnx import TensorProto, helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from pilothouse.scoring.documents import write_document

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SKLEARN_REQUIREMENTS = ["scikit-learn==1.9.1", "skops==0.16.0", "pandas==3.1.1"]
ONNX_REQUIREMENTS = ["onnxruntime==1.32.0", "numpy==2.4.6"]
STATES = ["CT", "MA", "NH"]

AGE = {"name": "age", "type": "integer", "minimum": 16, "maximum": 99}
INCOME = {"name": "income", "type": "number"}
SCORE = {"name": "score", "type": "number", "role": "score", "minimum": 0, "maximum": 1}
ELIGIBLE = {"name": "eligible", "type": "integer", "role": "label", "categories": [0, 1]}

PYTHON_SOURCE = '''\
"""A model in plain Python."""

import json


def init(files):
    return json.loads(files["data"].read_text())


def score(rows, model):
    answers = []
    for row in rows:
        score = min(1.0, row["age"] * model["age"] + row["income"] * model["income"])
        answers.append({"score": score, "eligible": int(score >= 0.5)})
    return answers


def metrics(rows, answers, truth, model):
    hits = sum(answer["eligible"] == label for answer, label in zip(answers, truth))
    return {"accuracy": hits / len(rows)}
'''


TRAINABLE_SOURCE = (
    PYTHON_SOURCE
    + """

def train(data, files, output, parameters, seed):
    import csv
    import os
    import time

    what = parameters.get("do", "fit")
    if what == "raise":
        raise ValueError("the data is all alike")
    if what in ("hang", "slow"):
        (output / "weights.json").write_text("{}")
        time.sleep(600 if what == "hang" else 1)
    if what == "die":
        os._exit(3)
    if what == "link":
        (output / "weights.json").symlink_to("/etc/passwd")
    if what == "answer":
        return "done"
    if what in ("nothing", "link"):
        return None
    with data.open(newline="") as table:
        rows = [(float(row["age"]), float(row["truth"])) for row in csv.DictReader(table)]
    age = sum(x * y for x, y in rows) / sum(x * x for x, _ in rows) * parameters.get("scale", 1)
    path = output / parameters.get("path", "weights.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"age": age, "income": 0.0}))
    return {"rows": len(rows), "seed": seed}
"""
)
"""It fits how the truth grows with age, by least squares, or misbehaves as its parameters say."""


def write_folder(folder: Path, manifest: Mapping[str, Any], golden: list[dict[str, Any]]) -> Path:
    """Write a manifest and its golden inputs; `folder` may hold the model's files already."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pilothouse.yaml").write_text(write_document(dict(manifest)), "utf-8")
    lines = [json.dumps(record) for record in golden]
    (folder / "golden.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def base_manifest(model: str, kind: str, **others: object) -> dict[str, Any]:
    """Give a manifest with the two inputs and two outputs that these models share; `others` win."""
    return {
        "pilothouse": 1,
        "name": model,
        "format": kind,
        "files": {"model": "model.bin"},
        "inputs": {"columns": [AGE, INCOME]},
        "outputs": {"columns": [SCORE, ELIGIBLE]},
        "golden": "golden.jsonl",
        **others,
    }


def sample(rows: int = 300) -> tuple[pd.DataFrame, pd.Series[int]]:
    """Give training rows and labels, the same every time; some incomes are missing."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "age": rng.integers(16, 100, rows),
            "income": np.where(rng.random(rows) < 0.1, np.nan, rng.lognormal(10, 0.5, rows)),
            "state": rng.choice(STATES, rows),
        }
    )
    odds = frame["age"] / 60 + frame["income"].fillna(20_000) / 40_000
    return frame, (odds + (frame["state"] == "MA") > 2).astype(int)


def sklearn_pipeline() -> Pipeline:
    """Give a fitted pipeline: one-hot states, then histogram gradient boosting."""
    frame, label = sample()
    encode = ColumnTransformer(
        [("state", OneHotEncoder(sparse_output=False), ["state"])], remainder="passthrough"
    )
    model = Pipeline([("encode", encode), ("boost", HistGradientBoostingClassifier(max_iter=8))])
    return model.fit(frame, label)


def sklearn_model(folder: Path, *, name: str = "tiny-sklearn", pipeline: Any = None) -> Path:  # noqa: ANN401  any estimator
    """Write a scikit-learn model by skops with ``age``, nullable ``income`` and ``state``."""
    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(sklearn_pipeline() if pipeline is None else pipeline, folder / "model.skops")
    state = {"name": "state", "type": "string", "categories": STATES}
    manifest = base_manifest(
        name,
        "sklearn",
        files={"model": "model.skops"},
        inputs={"columns": [AGE, {**INCOME, "nullable": True}, state]},
        requirements=SKLEARN_REQUIREMENTS,
    )
    golden: list[dict[str, Any]] = [
        {"age": 34, "income": 21000.5, "state": "MA"},
        {"age": 71, "income": None, "state": "CT"},
        {"age": 19, "income": 90000.0, "state": "NH"},
        {"age": 88, "income": 15000.0, "state": "MA"},
    ]
    return write_folder(folder, manifest, golden)


def onnx_graph() -> onnx.ModelProto:
    """Give ``score = sigmoid(x · w + b)`` over one double tensor of two columns."""
    weights = helper.make_tensor("w", TensorProto.DOUBLE, [2, 1], [0.03, 0.00001])
    bias = helper.make_tensor("b", TensorProto.DOUBLE, [1], [-2.0])
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["product"]),
        helper.make_node("Add", ["product", "b"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, [None, 1])],
        [weights, bias],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def onnx_model(folder: Path, *, name: str = "tiny-onnx") -> Path:
    """Write an ONNX model with one tensor and one output column, ``score``."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(onnx_graph(), folder / "model.onnx")
    manifest = base_manifest(
        name,
        "onnx",
        files={"model": "model.onnx"},
        outputs={"columns": [SCORE]},
        requirements=ONNX_REQUIREMENTS,
    )
    golden = [
        {"age": 34, "income": 21000.5},
        {"age": 71, "income": 0.1},
        {"age": 19, "income": 9e4},
    ]
    return write_folder(folder, manifest, golden)


def python_model(folder: Path, *, name: str = "tiny-python", source: str = PYTHON_SOURCE) -> Path:
    """Write a Python model on the standard library alone; `source` may be another one, also without ``init``."""
    code = folder / "src"
    code.mkdir(parents=True)
    (code / "tiny_model.py").write_text(source, "utf-8")
    (folder / "weights.json").write_text('{"age": 0.005, "income": 0.000008}', "utf-8")
    points = [n for n in ("init", "score", "metrics", "train") if f"def {n}(" in source]
    manifest = base_manifest(
        name,
        "python",
        files={"code": "src", "data": "weights.json"},
        entry_points={n: f"tiny_model:{n}" for n in points},
    )
    golden = [
        {"age": 34, "income": 21000.5},
        {"age": 71, "income": 0.1},
        {"age": 19, "income": 9e4},
    ]
    return write_folder(folder, manifest, golden)

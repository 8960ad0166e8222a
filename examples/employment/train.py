"""
Train the model of this example, and write it as a model folder that Pilothouse takes.

``python train.py --out FOLDER`` trains on four fifths of 2015 and writes

- ``FOLDER/model``: the model folder (manifest, model, golden records);
- ``FOLDER/data``: the tables that the platform works on: ``2015-train``, ``2015-test`` and ``2016``.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from pilothouse.domain.schemas import Column, ColumnRole, Schema
from pilothouse.domain.snapshots import MANIFEST_NAME
from pilothouse.scoring.documents import write_document
from pilothouse.scoring.inference import InferenceHints, infer_schema
from pilothouse.scoring.manifests import write_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

MODEL = "employment-gbm"
DATA = Path(__file__).parent / "data"
LABEL = "employed"
AGE = "AGEP"
ORDERED = ("SCHL", "RELP", "ESP")
CODES = ("MAR", "DIS", "CIT", "MIG", "MIL", "ANC", "NATIVITY", "DEAR", "DEYE", "DREM")
PREDICTORS = (AGE, *ORDERED, *CODES)
PROTECTED = ("SEX", "RAC1P")
GOLDEN_ROWS = 25
SEED = 2015


def pipeline() -> Pipeline:
    """Give the untrained model: encoders for the codes, then histogram gradient boosting."""
    encode = ColumnTransformer(
        [
            ("codes", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(CODES)),
            ("ordered", OrdinalEncoder(), list(ORDERED)),
        ],
        remainder="passthrough",
    )
    boost = HistGradientBoostingClassifier(max_iter=40, learning_rate=0.2, random_state=SEED)
    return Pipeline([("encode", encode), ("boost", boost)])


def schema(people: pd.DataFrame) -> Schema:
    """
    Give the input schema: inferred from the training rows, and corrected where a person knows more than a sample says.

    An age of 95 is right though no one of 2015 had it; sex and race are kept for tests of fairness and never reach the
    model.
    """
    seen = {name: people[name].tolist() for name in ("id", *PREDICTORS, *PROTECTED)}
    hints = InferenceHints(categorical=(*ORDERED, *CODES, *PROTECTED))
    return Schema(columns=tuple(_corrected(c) for c in infer_schema(seen, hints=hints).columns))


def _corrected(column: Column) -> Column:
    if column.name == AGE:
        return replace(column, minimum=0, maximum=110, description="Age in years.")
    if column.name in PROTECTED:
        return replace(column, role=ColumnRole.NON_PREDICTOR, protected=True)
    return column


def manifest() -> dict[str, Any]:
    """Give the manifest but for the input columns."""
    return {
        "pilothouse": 1,
        "name": MODEL,
        "format": "sklearn",
        "description": "Is a person employed? ACS public use microdata, Massachusetts, 2015.",
        "files": {"model": "model.skops"},
        "inputs": {"columns": []},
        "outputs": {
            "columns": [
                {"name": LABEL, "type": "integer", "role": "label", "categories": [0, 1]},
                {
                    "name": "probability",
                    "type": "number",
                    "role": "score",
                    "minimum": 0,
                    "maximum": 1,
                },
            ]
        },
        "options": {"outputs": {LABEL: "predict", "probability": "predict_proba:1"}},
        "golden": "golden.jsonl",
        "requirements": [
            f"{name}=={version(name)}" for name in ("scikit-learn", "skops", "pandas")
        ],
    }


def write_folder(folder: Path, model: Pipeline, *, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Write the model folder: what the manifest names, and the manifest."""
    folder.mkdir(parents=True)
    skops.io.dump(model, folder / "model.skops")
    golden = test[list(PREDICTORS)].head(GOLDEN_ROWS).to_dict(orient="records")
    lines = "".join(json.dumps(record) + "\n" for record in golden)
    (folder / "golden.jsonl").write_text(lines, "utf-8")
    (folder / MANIFEST_NAME).write_text(write_document(manifest()), "utf-8")
    write_schema(folder / MANIFEST_NAME, inputs=schema(train))


def write_tables(folder: Path, *, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Write the tables that the platform works on."""
    folder.mkdir(parents=True)
    train.to_parquet(folder / "2015-train.parquet", index=False)
    test.to_parquet(folder / "2015-test.parquet", index=False)
    shutil.copyfile(DATA / "acs_employment_ma_2016.parquet", folder / "2016.parquet")


def make(out: Path) -> float:
    """Train, write the model folder and the tables into `out`, and give the area under the ROC curve on the test rows."""
    people = pd.read_parquet(DATA / "acs_employment_ma_2015.parquet").astype("int64")
    train, test = train_test_split(people, test_size=0.2, random_state=SEED)
    model = pipeline().fit(train[list(PREDICTORS)], train[LABEL])
    write_folder(out / "model", model, train=train, test=test)
    write_tables(out / "data", train=train, test=test)
    return float(roc_auc_score(test[LABEL], model.predict_proba(test[list(PREDICTORS)])[:, 1]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Do it, and say how good the model is."""
    parser = argparse.ArgumentParser(description="Train the example's model.")
    parser.add_argument("--out", type=Path, required=True, help="An empty folder, or a new one.")
    out = parser.parse_args(arguments).out
    area = make(out)
    print(f"trained {MODEL}: area under the ROC curve {area:.4f} on rows that it has not seen")
    print(f"model folder: {out / 'model'}")


if __name__ == "__main__":
    main()

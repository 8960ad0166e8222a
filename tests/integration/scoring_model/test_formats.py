"""Formats, each on real tiny models in their own environments."""

from __future__ import annotations

import functools
import pickle
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import onnx
import pandas as pd
import pytest
import skops.io
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from pilothouse.scoring.documents import read_document, write_document
from pilothouse.scoring.isolation import ModelProcess
from pilothouse.scoring.model_errors import (
    LibraryMissingError,
    ManifestUnfitError,
    ModelFailedError,
    OutputInvalidError,
    PickleRefusedError,
    TypesRefusedError,
)
from tests.models.build import (
    AGE,
    ELIGIBLE,
    INCOME,
    ONNX_REQUIREMENTS,
    SCORE,
    SKLEARN_REQUIREMENTS,
    STATES,
    onnx_graph,
    onnx_model,
    sample,
    sklearn_model,
    sklearn_pipeline,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.schemas import Scalar
    from pilothouse.scoring.environments import Environments

Start = Callable[..., ModelProcess]
NUMBERS: Mapping[str, Sequence[Scalar]] = {"age": [34, 71], "income": [21000.5, 0.25]}


def change(folder: Path, **changes: object) -> Path:
    """Change fields of a folder's manifest."""
    path = folder / "pilothouse.yaml"
    path.write_text(write_document({**read_document(path.read_bytes()), **changes}))
    return folder


@pytest.fixture(scope="session")
def sklearn_lock(environments: Environments) -> str:
    return environments.lock(SKLEARN_REQUIREMENTS)


@pytest.fixture(scope="session")
def onnx_lock(environments: Environments) -> str:
    return environments.lock(ONNX_REQUIREMENTS)


def linear(folder: Path, model: Any = None, **changes: object) -> Path:  # noqa: ANN401  any estimator
    """Write a scikit-learn model of age and income alone."""
    frame, label = sample()
    frame = frame[["age", "income"]].fillna(1.0)
    model = make_pipeline(StandardScaler(), LogisticRegression()) if model is None else model
    columns = {"columns": [AGE, INCOME]}
    return change(
        sklearn_model(folder, pipeline=model.fit(frame, label)), inputs=columns, **changes
    )


def test_a_pipeline_answers_as_the_one_that_was_saved(
    start: Start, tmp_path: Path, sklearn_lock: str
) -> None:
    frame, _ = sample(50)
    columns = {str(n): [None if v != v else v for v in frame[n].tolist()] for n in frame}

    answer = start(sklearn_model(tmp_path / "model"), lock=sklearn_lock).score(columns, 50)

    original = sklearn_pipeline()
    assert answer["score"] == original.predict_proba(frame)[:, 1].tolist()
    assert answer["eligible"] == original.predict(frame).tolist()


def test_a_numpy_array_instead_of_a_frame(start: Start, tmp_path: Path, sklearn_lock: str) -> None:
    frame, label = sample()
    model = LinearRegression().fit(frame[["age", "income"]].fillna(1.0).to_numpy(), label)
    skops.io.dump(model, tmp_path / "m.skops")
    folder = sklearn_model(tmp_path / "model", pipeline=model)
    output = {"name": "score", "type": "number", "role": "score"}
    change(
        folder,
        inputs={"columns": [AGE, INCOME]},
        outputs={"columns": [output]},
        options={"frame": "array"},
    )

    answer = start(folder, lock=sklearn_lock).score(NUMBERS, 2)

    assert answer["score"] == model.predict(np.array([[34, 21000.5], [71, 0.25]])).tolist()


def test_outputs_are_chosen_by_options(start: Start, tmp_path: Path, sklearn_lock: str) -> None:
    margin = {"name": "margin", "type": "number"}
    options = {"outputs": {"margin": "decision_function", "score": "predict_proba:0"}}
    folder = linear(tmp_path / "model", options=options, outputs={"columns": [SCORE, margin]})

    answer = start(folder, lock=sklearn_lock).score(NUMBERS, 2)

    margins = np.array(answer["margin"], dtype=float)
    assert np.allclose(
        np.array(answer["score"], dtype=float), 1 / (1 + np.exp(margins)), rtol=1e-12
    )


def test_categorical_columns_meet_the_model_as_categoricals(
    start: Start, tmp_path: Path, sklearn_lock: str
) -> None:
    frame, label = sample()
    frame["state"] = pd.Categorical(frame["state"], STATES)
    model = HistGradientBoostingClassifier(max_iter=4, categorical_features="from_dtype").fit(
        frame, label
    )
    folder = change(
        sklearn_model(tmp_path / "model", pipeline=model), options={"categorical": ["state"]}
    )

    answer = start(folder, lock=sklearn_lock).score({**NUMBERS, "state": ["MA", "NH"]}, 2)

    rows = pd.DataFrame({**NUMBERS, "state": pd.Categorical(["MA", "NH"], STATES)})
    assert answer["score"] == model.predict_proba(rows)[:, 1].tolist()


def test_rows_per_call_makes_a_block_equal_to_its_rows(
    start: Start, tmp_path: Path, sklearn_lock: str
) -> None:
    model = start(linear(tmp_path / "model", options={"rows_per_call": 1}), lock=sklearn_lock)
    rows: Mapping[str, Sequence[Scalar]] = {
        "age": [20 + n for n in range(40)],
        "income": [n * 1234.567 for n in range(40)],
    }

    block = model.score(rows, 40)

    singles = [model.score({n: v[r : r + 1] for n, v in rows.items()}, 1) for r in range(40)]
    assert block["score"] == [s["score"][0] for s in singles]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"options": {"frame": "polars"}}, "options.frame"),
        ({"options": {"outputs": {"score": "transform"}}}, "options.outputs.score"),
        ({"options": {"outputs": {"score": "predict_proba:7"}}}, "options.outputs.score"),
        ({"options": {"outputs": {"score": "predict_proba"}}}, "options.outputs.score"),
        ({"options": {"outputs": {"other": "predict"}}}, "options.outputs.other"),
        ({"options": {"outputs": "predict"}}, "options.outputs"),
        ({"options": {"rows_per_call": 0}}, "options.rows_per_call"),
        ({"options": {"trusted": ["os.system"]}}, "options.trusted"),
        ({"options": {"categorical": ["age"]}}, "options.categorical"),
        ({"entry_points": {"score": "a:b"}}, "entry_points.score"),
        ({"files": {"model": "model.skops", "code": "pilothouse.yaml"}}, "files.code"),
        ({"outputs": {"columns": [{"name": "x", "type": "number"}]}}, "options.outputs.x"),
    ],
)
def test_a_manifest_that_asks_what_the_format_lacks_is_refused(
    changes: dict[str, object], path: str, start: Start, tmp_path: Path, sklearn_lock: str
) -> None:
    folder = linear(tmp_path / "model", **changes)

    with pytest.raises(ManifestUnfitError) as caught:
        start(folder, lock=sklearn_lock)

    assert caught.value.path == path


def _plain_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(sklearn_pipeline()))


def _old_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"a": [1]}, protocol=0))


def _joblib(path: Path) -> None:
    joblib.dump(sklearn_pipeline(), path)


def _compressed_joblib(path: Path) -> None:
    joblib.dump(sklearn_pipeline(), path, compress=3)


@pytest.mark.parametrize("save", [_plain_pickle, _old_pickle, _joblib, _compressed_joblib])
def test_a_pickle_is_refused_before_anything_reads_it(
    save: Callable[[Path], None], start: Start, tmp_path: Path
) -> None:
    folder = sklearn_model(tmp_path / "model")
    save(folder / "model.skops")

    with pytest.raises(PickleRefusedError) as caught:
        start(folder)

    assert caught.value.path == "model.skops"


def test_a_file_that_is_no_skops_file_is_refused(start: Start, tmp_path: Path) -> None:
    folder = sklearn_model(tmp_path / "model")
    for body in (b"\x00\x01", b"PK\x03\x04 broken"):
        (folder / "model.skops").write_bytes(body)
        with pytest.raises(ManifestUnfitError):
            start(folder)
    with zipfile.ZipFile(folder / "model.skops", "w") as archive:
        archive.writestr("data.pkl", b"x")
    with pytest.raises(ManifestUnfitError):
        start(folder)


def _shout(table: Any) -> Any:  # noqa: ANN401  what a transformer is called with
    return table


def test_a_function_that_the_file_brings_is_refused_by_policy(
    start: Start, tmp_path: Path, sklearn_lock: str
) -> None:
    for number, function in enumerate((_shout, functools.partial(_shout))):
        hostile = make_pipeline(FunctionTransformer(function), LogisticRegression())
        folder = linear(tmp_path / str(number), hostile)

        with pytest.raises(TypesRefusedError) as caught:
            start(folder, lock=sklearn_lock)

        assert any(t.endswith("._shout") for t in caught.value.types)


def test_a_library_that_the_environment_lacks_is_named(
    start: Start, tmp_path: Path, environments: Environments
) -> None:
    with pytest.raises(LibraryMissingError) as caught:
        start(sklearn_model(tmp_path / "model"))
    assert caught.value.package == "skops"

    lock = environments.lock(["scikit-learn==1.9.1", "skops==0.16.0"])
    with pytest.raises(LibraryMissingError) as caught:
        start(sklearn_model(tmp_path / "other"), lock=lock)
    assert caught.value.package == "pandas"


def onnx_folder(folder: Path, model: onnx.ModelProto, **changes: object) -> Path:
    """Write another ONNX model with changes to the manifest."""
    onnx_model(folder)
    onnx.save(model, folder / "model.onnx")
    return change(folder, **changes)


def test_an_onnx_tensor_of_all_predictors(start: Start, tmp_path: Path, onnx_lock: str) -> None:
    answer = start(onnx_model(tmp_path / "model"), lock=onnx_lock).score(NUMBERS, 2)

    sums = [34 * 0.03 + 21000.5 * 0.00001 - 2, 71 * 0.03 + 0.25 * 0.00001 - 2]
    assert np.allclose(
        np.array(answer["score"], dtype=float), 1 / (1 + np.exp(-np.array(sums))), rtol=1e-14
    )


def columns_graph() -> onnx.ModelProto:
    """Give a model with a tensor per column: int64 ``[n]``, float32 ``[n, 1]`` and strings, each handed out again."""
    inputs = [
        helper.make_tensor_value_info("age", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("income", TensorProto.FLOAT, [None, 1]),
        helper.make_tensor_value_info("state", TensorProto.STRING, [None, 1]),
    ]
    outputs = [
        helper.make_tensor_value_info("a", TensorProto.INT64, [None]),
        helper.make_tensor_value_info("pair", TensorProto.FLOAT, [None, 2]),
        helper.make_tensor_value_info("s", TensorProto.STRING, [None, 1]),
    ]
    nodes = [
        helper.make_node("Identity", ["age"], ["a"]),
        helper.make_node("Concat", ["income", "income"], ["pair"], axis=1),
        helper.make_node("Identity", ["state"], ["s"]),
    ]
    graph = helper.make_graph(nodes, "columns", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


COLUMNS: dict[str, object] = {
    "inputs": {
        "columns": [
            {"name": "age", "type": "integer"},
            {**INCOME, "nullable": True},
            {"name": "state", "type": "string"},
        ]
    },
    "outputs": {
        "columns": [
            {"name": "a", "type": "integer"},
            {"name": "second", "type": "number", "nullable": True},
            {"name": "s", "type": "string"},
        ]
    },
    "options": {"outputs": {"second": "pair:1"}},
}


def test_onnx_tensors_by_column_keep_every_value(
    start: Start, tmp_path: Path, onnx_lock: str
) -> None:
    model = start(onnx_folder(tmp_path / "model", columns_graph(), **COLUMNS), lock=onnx_lock)

    answer = model.score({"age": [2**62 + 1, -1], "income": [0.1, None], "state": ["MA", "ü"]}, 2)

    assert answer == {
        "a": [2**62 + 1, -1],
        "second": [float(np.float32(0.1)), None],
        "s": ["MA", "ü"],
    }


def test_a_number_that_the_tensor_cannot_hold_is_an_error(
    start: Start, tmp_path: Path, onnx_lock: str
) -> None:
    model = start(onnx_folder(tmp_path / "model", columns_graph(), **COLUMNS), lock=onnx_lock)

    with pytest.raises(ModelFailedError) as caught:
        model.score({"age": [1], "income": [1e300], "state": ["MA"]}, 1)

    assert caught.value.exception == "FloatingPointError"


def test_a_zipmap_s_classes_fill_columns(start: Start, tmp_path: Path, onnx_lock: str) -> None:
    skl2onnx = pytest.importorskip("skl2onnx")
    frame, label = sample()
    model = LogisticRegression().fit(frame[["age", "income"]].fillna(1.0).to_numpy(), label)
    kind = skl2onnx.common.data_types.FloatTensorType([None, 2])
    converted = skl2onnx.convert_sklearn(model, initial_types=[("x", kind)], target_opset=17)
    options = {"outputs": {"score": "output_probability:1", "eligible": "output_label"}}
    folder = onnx_folder(
        tmp_path / "model", converted, outputs={"columns": [SCORE, ELIGIBLE]}, options=options
    )

    answer = start(folder, lock=onnx_lock).score(NUMBERS, 2)

    rows = np.array([[34, 21000.5], [71, 0.25]])
    assert np.allclose(
        np.array(answer["score"], dtype=float), model.predict_proba(rows)[:, 1], atol=1e-5
    )
    assert answer["eligible"] == model.predict(rows).tolist()


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"options": {"tensor": "y"}}, "options.tensor"),
        ({"options": {"tensor": 3}}, "options.tensor"),
        ({"options": {"outputs": {"score": "none:1"}}}, "options.outputs.score"),
        ({"outputs": {"columns": [{"name": "z", "type": "number"}]}}, "options.outputs.z"),
        ({"inputs": {"columns": [AGE]}}, "inputs"),
        ({"inputs": {"columns": [AGE, {"name": "income", "type": "string"}]}}, "inputs.income"),
    ],
)
def test_an_onnx_manifest_that_does_not_fit_the_model_is_refused(
    changes: dict[str, object], path: str, start: Start, tmp_path: Path, onnx_lock: str
) -> None:
    folder = change(onnx_model(tmp_path / "model"), **changes)

    with pytest.raises(ManifestUnfitError) as caught:
        start(folder, lock=onnx_lock)

    assert caught.value.path == path


def test_columns_that_the_onnx_model_lacks_or_that_have_no_null_are_refused(
    start: Start, tmp_path: Path, onnx_lock: str
) -> None:
    nullable = [
        {"name": "age", "type": "integer", "nullable": True},
        INCOME,
        {"name": "state", "type": "string"},
    ]
    for number, columns in enumerate((nullable, nullable[1:])):
        folder = onnx_folder(
            tmp_path / str(number), columns_graph(), **{**COLUMNS, "inputs": {"columns": columns}}
        )
        with pytest.raises(ManifestUnfitError):
            start(folder, lock=onnx_lock)


def external_weights(folder: Path, location: str) -> Path:
    """Write the tiny ONNX model with its weights in another file."""
    model = onnx_graph()
    tensor = model.graph.initializer[0]
    values = numpy_helper.to_array(tensor).tobytes()
    tensor.ClearField("double_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    onnx_folder(folder, model)
    (folder / "weights.bin").write_bytes(values)
    return folder


def test_external_data_of_the_snapshot_is_read(
    start: Start, tmp_path: Path, onnx_lock: str
) -> None:
    folder = change(
        external_weights(tmp_path / "model", "weights.bin"),
        files={"model": "model.onnx", "data": "weights.bin"},
    )

    assert len(start(folder, lock=onnx_lock).score(NUMBERS, 2)["score"]) == 2


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd", ""])
def test_external_data_outside_the_snapshot_is_refused(
    location: str, start: Start, tmp_path: Path
) -> None:
    with pytest.raises(ManifestUnfitError) as caught:
        start(external_weights(tmp_path / "model", location))

    assert caught.value.path == "files.model"


def test_a_file_that_is_no_onnx_model_is_refused(start: Start, tmp_path: Path) -> None:
    folder = onnx_model(tmp_path / "model")
    (folder / "model.onnx").write_bytes(b"\xff" * 30)

    with pytest.raises(ManifestUnfitError):
        start(folder)


FOREIGN = """
from pilothouse.scoring.formats.contract import Loaded


class Doubler:
    roles = frozenset({"model"})
    optional_roles = frozenset()
    options = frozenset({"factor"})
    entry_points = frozenset()
    runs_source = False

    def inspect(self, folder, manifest):
        pass

    def load(self, folder, manifest, policy):
        factor = manifest.options["factor"]
        return Loaded(score=lambda columns, rows: {"score": [v * factor for v in columns["income"]]})
"""


@pytest.mark.parametrize("shape", ["package", "module"])
def test_a_format_of_another_package_is_found_and_runs_in_the_child(
    isolation: str, shape: str, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del isolation
    site = tmp_path / "site"
    name = f"foreign_{shape}"
    (site / f"{name}-1.dist-info").mkdir(parents=True)
    (site / f"{name}-1.dist-info" / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
    )
    (site / f"{name}-1.dist-info" / "entry_points.txt").write_text(
        f"[pilothouse.formats]\n{shape}-doubler = {name}:Doubler\n"
    )
    if shape == "package":
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(FOREIGN)
    else:
        (site / f"{name}.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(site)
    folder = change(
        onnx_model(tmp_path / "model"),
        format=f"{shape}-doubler",
        options={"factor": 2},
        outputs={"columns": [{"name": "score", "type": "number"}]},
    )

    assert start(folder).score(NUMBERS, 2) == {"score": [42001.0, 0.5]}


def test_a_label_outside_the_schema_is_no_answer(
    start: Start, tmp_path: Path, sklearn_lock: str
) -> None:
    strict = {**ELIGIBLE, "categories": [1]}
    model = start(linear(tmp_path / "model", outputs={"columns": [strict]}), lock=sklearn_lock)

    with pytest.raises(OutputInvalidError):
        model.score({"age": [16], "income": [0.0]}, 1)

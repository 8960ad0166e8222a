"""
ONNX models, by ONNX Runtime on the CPU with one thread.

Inputs are either one tensor per predictor, named as its column, shape ``[n]`` or ``[n, 1]``; or one tensor
``[n, k]`` of all predictors in the schema's order, named by ``options.tensor`` (not needed where the model has
a single input that no column is named after). A null is NaN in a floating tensor; another tensor has no null,
so its column must not be nullable. A number is rounded to the tensor's own precision, as the model was
trained; an integer that the tensor cannot hold exactly is an error, and so is a number beyond its range.

``options.outputs`` says what fills each output column: ``name`` of a tensor ``[n]`` or ``[n, 1]``, or
``name:index`` of a tensor ``[n, k]``, or ``name:class`` of a list of maps (ZipMap). Without it the column has
the output of its own name. External data files must be files of the snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pilothouse.domain.schemas import Column, DataType
from pilothouse.domain.snapshots import PathInvalidError, check_path
from pilothouse.scoring.formats.contract import Loaded, library, output_choices, unfit
from pilothouse.scoring.formats.protobuf import WireError, external_files
from pilothouse.scoring.formats.tables import IntegerTooLargeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.domain.schemas import Scalar
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.formats.contract import Columns, Foreign, Library

    Feed = Callable[[Columns, int], dict[str, Foreign]]
    Pick = Callable[[Mapping[str, Foreign]], Sequence[object]]

TENSOR_TYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
FLOATING = frozenset({"float32", "float64"})
FITS = {
    DataType.NUMBER: FLOATING,
    DataType.INTEGER: FLOATING | {"int64", "int32"},
    DataType.BOOLEAN: FLOATING | {"int64", "int32", "bool"},
    DataType.STRING: frozenset({"object"}),
    DataType.TIMESTAMP: frozenset({"object"}),
}


class OnnxFormat:
    """ONNX by ONNX Runtime."""

    roles: ClassVar[frozenset[str]] = frozenset({"model"})
    optional_roles: ClassVar[frozenset[str]] = frozenset({"data"})
    options: ClassVar[frozenset[str]] = frozenset({"tensor", "outputs"})
    entry_points: ClassVar[frozenset[str]] = frozenset()
    runs_source: ClassVar[bool] = False

    def inspect(self, folder: Path, manifest: Manifest) -> None:
        """Refuse files that are no ONNX model, or that read files outside the snapshot."""
        output_choices(manifest)
        if not isinstance(manifest.options.get("tensor", ""), str):
            raise unfit(manifest, "options.tensor", "it must be the name of an input")
        path = folder / manifest.files["model"]
        try:
            others = external_files(path.read_bytes())
        except WireError as problem:
            raise unfit(manifest, "files.model", f"not an ONNX model: {problem}") from None
        for other in sorted(others):
            if not _inside(path.parent, other):
                raise unfit(
                    manifest,
                    "files.model",
                    f"it reads {other[:200]!r}, which is no file of the snapshot",
                )

    def load(self, folder: Path, manifest: Manifest, policy: ModelPolicy) -> Loaded:
        """Make a session and fit the schema to its inputs and outputs."""
        del policy  # the format runs no code of the model's author
        ort = library(manifest.format, "onnxruntime", package="onnxruntime")
        np = library(manifest.format, "numpy", package="numpy")
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = ort.InferenceSession(
            str(folder / manifest.files["model"]), options, providers=["CPUExecutionProvider"]
        )
        feed = _feed(np, manifest, session.get_inputs())
        picks = _picks(manifest, [o.name for o in session.get_outputs()])
        wanted = sorted({name for name, _ in picks.values()})

        def score(columns: Columns, rows: int) -> dict[str, Sequence[object]]:
            given = dict(zip(wanted, session.run(wanted, feed(columns, rows)), strict=True))
            return {c: pick(given) for c, (_, pick) in picks.items()}

        return Loaded(score=score)


def _inside(folder: Path, other: str) -> bool:
    try:
        return (folder / check_path(other)).is_file()
    except PathInvalidError:
        return False


def _feed(np: Library, manifest: Manifest, inputs: Sequence[Foreign]) -> Feed:
    predictors = manifest.inputs.predictors
    names = {i.name: i for i in inputs}
    tensor = manifest.options.get("tensor")
    if tensor is None and len(inputs) == 1 and manifest.inputs.named(inputs[0].name) is None:
        tensor = inputs[0].name
    if tensor is not None:
        if set(names) != {tensor}:
            raise unfit(manifest, "options.tensor", f"the model's inputs are {', '.join(names)}")
        return _one_tensor(np, manifest, inputs[0])
    missing = sorted({c.name for c in predictors} ^ set(names))
    if missing:
        raise unfit(
            manifest,
            "inputs",
            f"the model's inputs and the predictors differ in {', '.join(missing)}",
        )
    fills = {c.name: _filler(np, manifest, c, names[c.name].type) for c in predictors}
    shapes = {c.name: (-1, 1) if len(names[c.name].shape) == 2 else (-1,) for c in predictors}

    def feed(columns: Columns, rows: int) -> dict[str, Foreign]:
        del rows
        return {name: fill(columns[name]).reshape(shapes[name]) for name, fill in fills.items()}

    return feed


def _one_tensor(np: Library, manifest: Manifest, tensor: Foreign) -> Feed:
    predictors = manifest.inputs.predictors
    width = tensor.shape[1] if len(tensor.shape) == 2 else None
    if len(tensor.shape) != 2 or (isinstance(width, int) and width != len(predictors)):
        raise unfit(
            manifest,
            "inputs",
            f"input {tensor.name} has shape {tensor.shape} for {len(predictors)} predictors",
        )
    fills = [(c.name, _filler(np, manifest, c, tensor.type)) for c in predictors]

    def feed(columns: Columns, rows: int) -> dict[str, Foreign]:
        del rows
        return {tensor.name: np.stack([fill(columns[name]) for name, fill in fills], axis=1)}

    return feed


def _filler(
    np: Library,
    manifest: Manifest,
    column: Column,
    kind: str,
) -> Callable[[Sequence[Scalar]], Foreign]:
    dtype = TENSOR_TYPES.get(kind)
    path = f"inputs.{column.name}"
    if dtype not in FITS[column.type]:
        raise unfit(manifest, path, f"a {column.type} column cannot fill a {kind}")
    if column.nullable and dtype not in FLOATING:
        raise unfit(manifest, path, f"a {kind} has no nulls; make the column not nullable")
    whole = column.type is DataType.INTEGER

    def fill(values: Sequence[Scalar]) -> Foreign:
        if dtype in FLOATING:
            values = [float("nan") if v is None else v for v in values]
        with np.errstate(over="raise"):
            array = (
                np.asarray(values, dtype=np.float64).astype(dtype)
                if dtype == "float32"
                else np.asarray(values, dtype=dtype)
            )
        if whole and any(
            v == v and int(a) != v for a, v in zip(array.tolist(), values, strict=True)
        ):
            raise IntegerTooLargeError(column=column.name, kind=dtype)
        return array

    return fill


def _picks(manifest: Manifest, names: Sequence[str]) -> dict[str, tuple[str, Pick]]:
    choices = output_choices(manifest)
    picks = {}
    for column in manifest.outputs.columns:
        choice = choices.get(column.name, column.name)
        name, _, part = (choice, "", "") if choice in names else choice.rpartition(":")
        if name not in names:
            raise unfit(
                manifest,
                f"options.outputs.{column.name}",
                f"the model has no output {choice!r}; it has {', '.join(names)}",
            )
        picks[column.name] = (name, _pick(name, part))
    return picks


def _pick(name: str, part: str) -> Pick:
    def pick(given: Mapping[str, Foreign]) -> Sequence[object]:
        answer = given[name]
        if isinstance(answer, list):
            keyed = [{str(k): v for k, v in row.items()} for row in answer]
            return [row[part] for row in keyed]
        if part:
            return answer[:, int(part)]  # type: ignore[no-any-return]  # an array of another environment
        return answer.reshape(len(answer)) if answer.ndim == 2 else answer  # type: ignore[no-any-return]

    return pick

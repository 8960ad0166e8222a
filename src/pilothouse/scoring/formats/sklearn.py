"""
scikit-learn models, saved by skops.

A skops file is data: which types it may build is decided by policy, never by the file (pickles are refused).
The model sees the predictors in the schema's order, by ``options.frame``:

``pandas`` (default)
    A DataFrame. A number is float64, an integer int64 (float64 where the schema allows nulls), a boolean bool
    (object where it allows nulls), text pandas' own text type (object before pandas 3), a timestamp
    datetime64 in UTC. A null is NaN (NaT) everywhere. Columns named in ``options.categorical`` become
    categoricals over the schema's categories.
``array``
    A numpy array: float64 where every predictor is a number, an integer or a boolean, else object.

``options.outputs`` says what fills each output column: ``predict``, ``predict:<index>`` of several targets,
``predict_proba:<class>``, ``decision_function`` or ``decision_function:<class>``. Without it a label
column gets ``predict``; a score column gets ``predict_proba`` of the last of two classes, or a regressor's
``predict``; anything else must be said.
"""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from pilothouse.domain.schemas import Column, ColumnRole, DataType
from pilothouse.scoring.formats.contract import Loaded, library, output_choices, unfit
from pilothouse.scoring.formats.tables import array_of, frame_of
from pilothouse.scoring.model_errors import (
    PickleRefusedError,
    TypesRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.formats.contract import Columns, Foreign

    Pick = Callable[[Mapping[str, Foreign]], Sequence[object]]

ZIP_MAGIC = b"PK\x03\x04"
PICKLE_STARTS = (
    *(bytes([0x80, protocol]) for protocol in range(2, 6)),
    b"\x1f\x8b",  # joblib's gzip
    b"\x78\x01",  # joblib's zlib, by level
    b"\x78\x5e",
    b"\x78\x9c",
    b"\x78\xda",
    b"BZh",
    b"\xfd7zXZ",
    b"]\x00\x00\x80",  # lzma
    b"\x04\x22\x4d\x18",  # lz4
)
METHODS = ("predict", "predict_proba", "decision_function")


class SklearnFormat:
    """scikit-learn estimators and pipelines by skops."""

    roles: ClassVar[frozenset[str]] = frozenset({"model"})
    optional_roles: ClassVar[frozenset[str]] = frozenset()
    options: ClassVar[frozenset[str]] = frozenset({"frame", "outputs", "categorical"})
    entry_points: ClassVar[frozenset[str]] = frozenset()
    runs_source: ClassVar[bool] = False

    def inspect(self, folder: Path, manifest: Manifest) -> None:
        """Refuse pickles, files that are no skops file, and options with a wrong form."""
        path = manifest.files["model"]
        with (folder / path).open("rb") as stream:
            start = stream.read(8)
            stream.seek(0)
            if not start.startswith(ZIP_MAGIC):
                raise _not_skops(manifest, path, start)
            _check_archive(manifest, stream)
        _check_options(manifest)

    def load(self, folder: Path, manifest: Manifest, policy: ModelPolicy) -> Loaded:
        """Build the estimator from types that policy grants."""
        skops = library(manifest.format, "skops.io", package="skops")
        data = (folder / manifest.files["model"]).read_bytes()
        held = skops.get_untrusted_types(data=data)
        refused = tuple(sorted(set(held) - policy.skops_types))
        if refused:
            raise TypesRefusedError(types=refused)
        model = skops.loads(data, trusted=list(held))
        return Loaded(score=_scorer(manifest, model))


def _not_skops(manifest: Manifest, path: str, start: bytes) -> Exception:
    # Protocols 0 and 1 have no magic: they start with an opcode, and no skops file starts so.
    if start.startswith(PICKLE_STARTS) or start[:1] in (b"(", b"c", b"}", b"]", b"I"):
        return PickleRefusedError(path=path)
    return unfit(manifest, "files.model", f"{path} is not a skops file")


def _check_archive(manifest: Manifest, stream: BinaryIO) -> None:
    try:
        names = zipfile.ZipFile(stream).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise unfit(manifest, "files.model", f"a broken skops file ({problem})") from None
    if "schema.json" not in names:
        raise unfit(manifest, "files.model", "a zip file, but not one of skops")


def _check_options(manifest: Manifest) -> None:
    if manifest.options.get("frame", "pandas") not in ("pandas", "array"):
        raise unfit(manifest, "options.frame", "use 'pandas' or 'array'")
    for column, choice in output_choices(manifest).items():
        if choice.partition(":")[0] not in METHODS:
            raise unfit(manifest, f"options.outputs.{column}", f"use one of {', '.join(METHODS)}")
    _categorical(manifest)


def _categorical(manifest: Manifest) -> frozenset[str]:
    named = manifest.options.get("categorical", [])
    if not isinstance(named, (list, tuple)):
        raise unfit(manifest, "options.categorical", "it must be a list of columns")
    known = {c.name for c in manifest.inputs.predictors if c.categories is not None}
    for name in named:
        if name not in known:
            raise unfit(
                manifest, "options.categorical", f"{name!r} is no predictor with categories"
            )
    return frozenset(named)


def _scorer(
    manifest: Manifest,
    model: Foreign,
) -> Callable[[Columns, int], dict[str, Sequence[object]]]:
    predictors = manifest.inputs.predictors
    picks = {c.name: _pick(manifest, model, c) for c in manifest.outputs.columns}
    methods = tuple(
        {_choice(manifest, model, c).partition(":")[0] for c in manifest.outputs.columns}
    )
    build = (
        array_of(manifest.format, predictors)
        if manifest.options.get("frame", "pandas") == "array"
        else frame_of(manifest.format, predictors, _categorical(manifest))
    )

    def score(columns: Columns, rows: int) -> dict[str, Sequence[object]]:
        table = build(columns, rows)
        given = {method: getattr(model, method)(table) for method in methods}
        return {name: pick(given) for name, pick in picks.items()}

    return score


def _choice(manifest: Manifest, model: Foreign, column: Column) -> str:
    """Say which output of the model fills a column."""
    said = output_choices(manifest).get(column.name)
    if said is not None:
        return said
    classes = getattr(model, "classes_", None)
    if column.role is ColumnRole.LABEL:
        return "predict"
    if column.role is ColumnRole.SCORE and column.type is DataType.NUMBER:
        if classes is None:
            return "predict"
        if len(classes) == 2 and hasattr(model, "predict_proba"):
            return f"predict_proba:{classes[-1]}"
    raise unfit(
        manifest,
        f"options.outputs.{column.name}",
        "say which of the model's outputs fills this column",
    )


def _pick(manifest: Manifest, model: Foreign, column: Column) -> Pick:
    choice = _choice(manifest, model, column)
    method, _, part = choice.partition(":")
    path = f"options.outputs.{column.name}"
    if not hasattr(model, method):
        raise unfit(manifest, path, f"the model has no {method}")
    if not part:
        if method == "predict_proba":
            raise unfit(manifest, path, "say of which class: 'predict_proba:<class>'")
        return lambda given: given[method]
    if method == "predict":
        if not part.isdecimal():
            raise unfit(manifest, path, "a target has a number from 0: 'predict:<index>'")
        return lambda given: given[method][:, int(part)]
    classes = [str(c) for c in getattr(model, "classes_", ())]
    if part not in classes:
        raise unfit(manifest, path, f"the model has no class {part!r}; it has {', '.join(classes)}")
    index = classes.index(part)
    return lambda given: given[method][:, index]

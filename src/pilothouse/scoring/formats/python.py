"""
Models as Python source: functions that the model folder brings, where policy grants it.

The manifest names the source folder (or one file) as ``files.code`` and the functions as ``module:function``:

``init(files)``, optional
    Called once. `files` maps each role of the manifest's ``files`` to its path. What it returns is the model.
``score(rows, model)``
    `rows` is a list of dicts, one per row, with the predictors in the schema's order and None for a null.
    It returns a list of as many dicts, each with exactly the output columns. Without ``init``, `model` is None.
``metrics(rows, answers, truth, model)``, optional
    `answers` is what ``score`` gave for `rows`, `truth` a list of the label's values. It returns named numbers.

``train(data, files, output, parameters, seed)``, optional
    Called by training jobs, by keyword, after ``init``. `data` is the path of the training table as it was registered,
    with the suffix of its format (``data.csv``, ``data.parquet``, ``data.jsonl``); `files` is what ``init`` gets. It writes
    files that replace declared ones, by the same relative paths, into the folder `output`; nothing else can be written.
    `parameters` is a dict and `seed` a whole number from the order. It returns named numbers, or None.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pilothouse.domain.snapshots import ENTRY_POINTS
from pilothouse.domain.training import TRAIN
from pilothouse.scoring.answers import AnswerError
from pilothouse.scoring.formats.contract import Loaded, unfit
from pilothouse.scoring.model_errors import PythonSourceRefusedError

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.domain.schemas import Scalar
    from pilothouse.domain.snapshots import Manifest
    from pilothouse.scoring.formats.contract import Columns, TrainOrder

Row = dict[str, Any]


class PythonFormat:
    """Python source with entry points."""

    roles: ClassVar[frozenset[str]] = frozenset({"code"})
    optional_roles: ClassVar[frozenset[str]] = frozenset({"model", "data"})
    options: ClassVar[frozenset[str]] = frozenset()
    entry_points: ClassVar[frozenset[str]] = frozenset(ENTRY_POINTS)
    runs_source: ClassVar[bool] = True

    def inspect(self, folder: Path, manifest: Manifest) -> None:
        """Refuse a manifest without a ``score`` entry point."""
        del folder
        if "score" not in manifest.entry_points:
            raise unfit(manifest, "entry_points.score", "Python source needs it")

    def load(self, folder: Path, manifest: Manifest, policy: ModelPolicy) -> Loaded:
        """Import the source and call ``init``."""
        if not policy.python_source:
            raise PythonSourceRefusedError(format=manifest.format)
        code = folder / manifest.files["code"]
        sys.path.insert(1, str(code if code.is_dir() else code.parent))
        found = {
            name: _function(target)
            for name, target in manifest.entry_points.items()
            if name != TRAIN
        }
        files = {role: folder / path for role, path in manifest.files.items()}
        model = found["init"](files) if "init" in found else None
        metrics, train = found.get("metrics"), manifest.entry_points.get(TRAIN)
        return Loaded(
            score=_score(found["score"], model, tuple(c.name for c in manifest.outputs.columns)),
            metrics=None if metrics is None else _metrics(metrics, model),
            train=None if train is None else _train(train, files),
        )


def _train(
    target: str, files: Mapping[str, Path]
) -> Callable[[TrainOrder], Mapping[str, float] | None]:
    # Imported when it is asked: what only training needs keeps nobody from scoring.
    return lambda order: _function(target)(
        data=order.data,
        files=dict(files),
        output=order.output,
        parameters=dict(order.parameters),
        seed=order.seed,
    )


def _function(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function = getattr(importlib.import_module(module), name)
    if not callable(function):
        raise TypeError(f"{target} is a {type(function).__name__} and no function")
    return function  # type: ignore[no-any-return]  # callable, as just seen


def _rows(columns: Columns) -> list[Row]:
    names = tuple(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _score(
    score: Callable[..., Any], model: object, names: tuple[str, ...]
) -> Callable[[Columns, int], dict[str, Sequence[object]]]:
    def answer(columns: Columns, rows: int) -> dict[str, Sequence[object]]:
        given = score(_rows(columns), model)
        if not isinstance(given, (list, tuple)) or len(given) != rows:
            shown = len(given) if isinstance(given, (list, tuple)) else type(given).__name__
            raise AnswerError(
                f"score answered with {shown} for {rows} rows; it must give a list of as many"
            )
        for number, row in enumerate(given):
            if not isinstance(row, Mapping) or set(row) != set(names):
                shown = ", ".join(map(str, row)) if isinstance(row, Mapping) else type(row).__name__
                raise AnswerError(
                    f"row {number} of the answer has {shown} instead of {', '.join(names)}"
                )
        return {name: [row[name] for row in given] for name in names}

    return answer


def _metrics(
    metrics: Callable[..., Any], model: object
) -> Callable[[Columns, Columns, Sequence[Scalar]], Mapping[str, float]]:
    return lambda columns, outputs, truth: metrics(
        _rows(columns), _rows(outputs), list(truth), model
    )

"""
The contract of formats: how a kind of model file is judged by the control plane and loaded in a child.

A package brings a format by an entry point in the group ``pilothouse.formats`` that names its class. The
class is imported on both sides, so its module imports only the standard library and Pilothouse; the model's
own library is imported inside `Format.load`, and comes from the manifest's requirements.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pilothouse.domain.schemas import Scalar
from pilothouse.scoring.answers import AnswerError
from pilothouse.scoring.model_errors import LibraryMissingError, ManifestUnfitError

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.domain.snapshots import Manifest

Library = Any
"""A module of the model's environment, which this one may lack."""
Foreign = Any
"""A value of such a library: an array, a table, an estimator, a session."""
Columns = Mapping[str, Sequence[Scalar]]
Score = Callable[[Columns, int], Mapping[str, Sequence[object]]]
Metrics = Callable[[Columns, Columns, Sequence[Scalar]], Mapping[str, float]]
Train = Callable[["TrainOrder"], Mapping[str, float] | None]
ROWS_PER_CALL = "rows_per_call"
COMMON_OPTIONS = frozenset({ROWS_PER_CALL})
"""Options that every format understands: ``rows_per_call`` is the most rows that the model sees at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOrder:
    """What a model is trained with: the file of the data, the folder for what comes of it, parameters and a seed."""

    data: Path
    output: Path
    parameters: Mapping[str, object]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """
    A loaded model.

    Attributes
    ----------
    score
        Called with the predictors' columns, in the schema's order, and the number of rows; answers with the
        output columns, one value per row: lists, tuples or arrays of plain scalars.
    metrics
        Called with the predictors, the model's outputs and the truth; answers with named numbers.
    train
        Called with an order to train; writes files, and answers with named numbers or nothing.
    """

    score: Score
    metrics: Metrics | None = None
    train: Train | None = None


class Format(Protocol):
    """
    One kind of model.

    Attributes
    ----------
    roles
        Roles of ``files`` in the manifest that must be there.
    optional_roles
        Roles that may be there.
    options
        Names of ``options`` that it understands, beside `COMMON_OPTIONS`.
    entry_points
        Entry points that it understands.
    runs_source
        Whether loading runs code that the model brings, which policy must grant.
    """

    roles: ClassVar[frozenset[str]]
    optional_roles: ClassVar[frozenset[str]]
    options: ClassVar[frozenset[str]]
    entry_points: ClassVar[frozenset[str]]
    runs_source: ClassVar[bool]

    def inspect(self, folder: Path, manifest: Manifest) -> None:
        """
        Refuse what can be refused without loading anything; called before a process is started.

        Raises
        ------
        PilothouseError
            A typed error that says what is wrong.
        """
        ...

    def load(self, folder: Path, manifest: Manifest, policy: ModelPolicy) -> Loaded:
        """
        Load the model; called in the child process, in the model's environment.

        Parameters
        ----------
        folder
            The snapshot's files.
        manifest
            What the model says of itself.
        policy
            What the control plane grants.
        """
        ...


def library(format: str, name: str, *, package: str) -> Library:
    """
    Import what a format needs from the model's environment.

    Parameters
    ----------
    format
        The format's name, for the message.
    name
        The module to import.
    package
        The requirement that brings it.

    Raises
    ------
    LibraryMissingError
        When the environment lacks it.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        if problem.name not in (name, name.partition(".")[0]):
            raise
        raise LibraryMissingError(format=format, library=name, package=package) from None


def unfit(manifest: Manifest, path: str, problem: str) -> ManifestUnfitError:
    """Give the error that says what the manifest asks in vain."""
    return ManifestUnfitError(format=manifest.format, path=path, problem=problem)


def rows_per_call(manifest: Manifest) -> int | None:
    """
    Read the option ``rows_per_call``.

    Raises
    ------
    ManifestUnfitError
        When it is no positive whole number.
    """
    wanted = manifest.options.get(ROWS_PER_CALL)
    if wanted is None:
        return None
    if type(wanted) is not int or wanted < 1:
        raise unfit(manifest, f"options.{ROWS_PER_CALL}", "it must be a whole number from 1")
    return wanted


def in_calls_of(manifest: Manifest, loaded: Loaded) -> Loaded:
    """Give the model so that no call sees more rows than the option ``rows_per_call`` says."""
    most = rows_per_call(manifest)
    if most is None:
        return loaded
    names = tuple(c.name for c in manifest.outputs.columns)

    def score(columns: Columns, rows: int) -> dict[str, Sequence[object]]:
        answer: dict[str, list[object]] = {name: [] for name in names}
        for start in range(0, rows, most):
            part = {name: values[start : start + most] for name, values in columns.items()}
            given = loaded.score(part, min(most, rows - start))
            if set(given) != set(names):
                raise AnswerError(f"it answered with the columns {', '.join(map(str, given))}")
            for name in names:
                answer[name].extend(given[name])
        return dict(answer)

    return replace(loaded, score=score)


def output_choices(manifest: Manifest) -> Mapping[str, str]:
    """
    Read the option ``outputs``: which of the model's outputs fills which output column.

    Raises
    ------
    ManifestUnfitError
        When it is no mapping of the schema's output columns to texts.
    """
    chosen = manifest.options.get("outputs", {})
    if not isinstance(chosen, Mapping) or not all(
        isinstance(k, str) and isinstance(v, str) for k, v in chosen.items()
    ):
        raise unfit(manifest, "options.outputs", "it must map output columns to texts")
    unknown = sorted(set(chosen) - {c.name for c in manifest.outputs.columns})
    if unknown:
        raise unfit(
            manifest, f"options.outputs.{unknown[0]}", "the output schema has no such column"
        )
    return chosen

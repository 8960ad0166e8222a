"""Snapshots: immutable versions of models, and the manifest that a model folder describes itself by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.ids import GroupName, ModelId, PersonId, ServiceTag, SnapshotId
from pilothouse.domain.plain import DocumentError, digest
from pilothouse.domain.schemas import Schema

MANIFEST_NAME = "pilothouse.yaml"
MANIFEST_VERSION = 1
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
SHA256 = re.compile(r"[0-9a-f]{64}\Z")
ENTRY_POINT = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*\Z")
ENTRY_POINTS = ("init", "score", "metrics", "train")


class NameInvalidError(InvalidError):
    """A name is not in the form that every floor can carry."""

    code = "name-invalid"

    def __init__(self, *, noun: str, name: str) -> None:
        self.noun, self.name = noun, name[:80]
        super().__init__(
            f"{name[:80]!r} cannot name a {noun}: use 1 to 63 lower-case letters, digits and single "
            "hyphens, starting with a letter, as in 'cc-fraud'."
        )


class PathInvalidError(InvalidError):
    """A path leaves its folder or cannot be carried to another system."""

    code = "path-invalid"

    def __init__(self, *, path: str) -> None:
        self.path = path[:200]
        super().__init__(
            f"{path[:200]!r} is not a plain relative path: no '..', no leading '/', no backslash, no "
            "control character, at most 400 characters. Name a file inside the folder."
        )


def check_name(noun: str, name: str) -> str:
    """Give the name back, or raise `NameInvalidError`."""
    if len(name) > 63 or not NAME.match(name):
        raise NameInvalidError(noun=noun, name=name)
    return name


def check_path(path: str) -> str:
    """Give the relative path back in its shortest form, or raise `PathInvalidError`."""
    parts = PurePosixPath(path).parts
    plain = path and len(path) <= 400 and "\\" not in path and path.isprintable()
    if not plain or path.startswith("/") or ".." in parts or not parts:
        raise PathInvalidError(path=path)
    return "/".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """
    What a model folder says of itself, in ``pilothouse.yaml``.

    Attributes
    ----------
    files
        Role to relative path of a file or folder; ``model`` is the one that the format loads, ``code`` the
        source folder of Python models. Only what stands here is part of the snapshot.
    options
        What the format understands, such as which of the model's outputs fills which output column.
    entry_points
        For Python source: ``score`` (and ``init``, ``metrics``, ``train``) as ``module:function``.
    requirements
        Packages that the model needs, as in ``requirements.txt``.
    golden
        A file of input records (JSON lines) that every runtime must answer as the original does.
    reference, training
        Datasets, ``name@version``.
    parents
        Snapshots that this one comes from, ``name@number``.
    """

    pilothouse: int
    name: str
    format: str
    files: Mapping[str, str]
    inputs: Schema
    outputs: Schema
    golden: str
    options: Mapping[str, object] = field(default_factory=dict)
    entry_points: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    reference: str | None = None
    training: str | None = None
    parents: tuple[str, ...] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if self.pilothouse != MANIFEST_VERSION:
            raise DocumentError(
                path="pilothouse", problem=f"manifest version {self.pilothouse} is not known; use 1"
            )
        check_name("model", self.name)
        check_name("format", self.format)
        for path in (*self.files.values(), self.golden):
            check_path(path)
        if "model" not in self.files and "code" not in self.files:
            raise DocumentError(path="files", problem="neither 'model' nor 'code' is named")
        for name, target in self.entry_points.items():
            if name not in ENTRY_POINTS or not ENTRY_POINT.match(target):
                raise DocumentError(
                    path=f"entry_points.{name}",
                    problem=f"use one of {', '.join(ENTRY_POINTS)} with 'module:function'",
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of a snapshot: its relative path, SHA-256 in hexadecimal, and size in bytes."""

    path: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        if check_path(self.path) != self.path:
            raise PathInvalidError(path=self.path)
        if not SHA256.match(self.sha256) or self.size < 0:
            raise DocumentError(path=self.path, problem="not a SHA-256 and a size")


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotContent:
    """
    All that a snapshot's digest covers.

    Its canonical JSON is itself an artefact whose SHA-256 is the snapshot's digest, so who holds the
    digest can fetch and verify everything else.

    Attributes
    ----------
    lock
        SHA-256 of the requirements lock (pip's hash-checking format), an artefact.
    golden
        SHA-256 of the golden records with the original's answers (JSON lines), an artefact.
    reference
        Digest of the reference dataset, where the manifest names one.
    python
        The Python version that the lock was made for, ``3.11``.
    """

    schema: int
    manifest: Manifest
    files: tuple[FileEntry, ...]
    lock: str
    golden: str
    reference: str | None
    python: str

    @property
    def digest(self) -> str:
        """The snapshot's digest, 64 hexadecimal digits."""
        return digest(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """
    What a snapshot was trained from, where a training job made it.

    Attributes
    ----------
    job
        The id of the training job.
    parent, parent_digest
        The snapshot whose ``train`` made it.
    dataset, dataset_sha256
        The training data, ``name@version``, and the SHA-256 of its file.
    """

    job: str
    parent: str
    parent_digest: str
    dataset: str
    dataset_sha256: str
    parameters: Mapping[str, object]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An immutable version of a model: ``cc-fraud-gbm@7``; `trained` says what from, where a training job made it."""

    id: SnapshotId
    group: GroupName
    model_id: ModelId
    model: str
    number: int
    digest: str
    content: SnapshotContent
    parents: tuple[SnapshotId, ...]
    taken_at: datetime
    taken_by: PersonId
    trained: Training | None = None

    @property
    def name(self) -> str:
        """The name that people use, ``model@number``."""
        return f"{self.model}@{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAssignment:
    """A snapshot's tag: it may serve this service. Audited, ended rather than deleted."""

    id: str
    group: GroupName
    snapshot_id: SnapshotId
    service: ServiceTag
    assigned_at: datetime
    assigned_by: PersonId
    ended_at: datetime | None = None
    version: int = 1


class SnapshotNameInvalidError(InvalidError):
    """A text does not name a snapshot."""

    code = "snapshot-name-invalid"

    def __init__(self, *, name: str) -> None:
        self.name = name[:80]
        super().__init__(
            f"{name[:80]!r} does not name a snapshot. Write it as 'model@number', as in 'cc-fraud-gbm@7'."
        )


def parse_snapshot_name(name: str) -> tuple[str, int]:
    """
    Split ``model@number``.

    Examples
    --------
    >>> parse_snapshot_name("cc-fraud-gbm@7")
    ('cc-fraud-gbm', 7)
    """
    model, _, number = name.partition("@")
    if not NAME.match(model) or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise SnapshotNameInvalidError(name=name)
    return model, int(number)


class SnapshotRefusedError(InvalidError):
    """A model folder cannot become a snapshot."""

    code = "snapshot-refused"

    def __init__(self, *, cause: str, problem: str) -> None:
        self.cause, self.problem = cause, problem
        super().__init__(f"The folder cannot become a snapshot ({cause}): {problem}")

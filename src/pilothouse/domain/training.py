"""Training: what a training job is asked, and the model folder that it leaves in the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.ids import JobId
from pilothouse.domain.snapshots import FileEntry, Manifest

TRAINED_SCHEMA = 1
TIMEOUT_S = 3600.0
LONGEST_S = 7 * 86400.0
TRAIN = "train"
"""The entry point that trains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainPlan:
    """
    What a training job is asked beside its data.

    Attributes
    ----------
    parameters
        Handed to the model's ``train`` as they are.
    seed
        Handed to ``train``; the same seed and data shall give the same model.
    timeout_s
        How long ``train`` may take, in seconds above 0.
    tag
        Whether the new snapshot is tagged with the job's service.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    timeout_s: float = TIMEOUT_S
    tag: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedFolder:
    """A model folder that a training job has put into the store, file by file; an artefact itself."""

    schema: int
    job_id: JobId
    digest: str  # of the snapshot that was trained
    files: tuple[FileEntry, ...]


class NotTrainableError(InvalidError):
    """The snapshot brings no function that trains it."""

    code = "not-trainable"

    def __init__(self, *, snapshot: str) -> None:
        self.snapshot = snapshot
        super().__init__(
            f"Snapshot {snapshot} has no 'train' entry point. Take one of Python source whose manifest names it."
        )


class TrainingOutputError(InvalidError):
    """What ``train`` has written cannot become a model folder."""

    code = "training-output"

    def __init__(self, *, path: str, problem: str) -> None:
        self.path, self.problem = path[:200], problem
        where = f"{path[:200]!r}: " if path else ""
        super().__init__(
            f"The training wrote no usable model: {where}{problem}. Nothing was taken; correct 'train', take a "
            "snapshot, and train that."
        )


def owner(manifest: Manifest, path: str) -> tuple[str, str] | None:
    """Give the declared file or folder nearest around a path, and its role; None where none is."""
    holding = [
        (declared, role)
        for role, declared in manifest.files.items()
        if path == declared or path.startswith(f"{declared}/")
    ]
    return max(holding, key=lambda found: len(found[0]), default=None)


def replaced(manifest: Manifest, path: str) -> str:
    """
    Give the declared file or folder of a manifest that a trained file belongs to.

    Raises
    ------
    TrainingOutputError
        When it belongs to none, or to the source code, which no training changes.
    """
    found = owner(manifest, path)
    if found is None:
        declared = ", ".join(sorted(p for r, p in manifest.files.items() if r != "code"))
        raise TrainingOutputError(
            path=path, problem=f"the manifest's files name no such path ({declared})"
        )
    if found[1] == "code":
        raise TrainingOutputError(path=path, problem="it is source code, which no training changes")
    return found[0]


def kept(manifest: Manifest, path: str, gone: Collection[str]) -> bool:
    """Whether a file of the snapshot stays, where the declared paths `gone` are replaced."""
    found = owner(manifest, path)
    return found is None or found[0] not in gone

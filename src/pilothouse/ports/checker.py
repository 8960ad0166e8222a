"""The check of a model folder, run where no secret of the control plane is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilothouse.domain.groups import Group
    from pilothouse.domain.snapshots import SnapshotContent


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFolder:
    """What the check of a model folder found: all that a snapshot is made of, and how the model was isolated."""

    content: SnapshotContent
    lock: bytes
    golden: bytes
    isolation: str


class SnapshotChecker(Protocol):
    """Checks model folders in a process of its own."""

    def check(self, folder: Path, *, group: Group, references: Mapping[str, str]) -> CheckedFolder:
        """
        Check a folder as `pilothouse check` does on a laptop.

        Parameters
        ----------
        folder
            Where the model's files lie; nothing in it is trusted.
        group
            Whose policy says which types and formats are granted.
        references
            Digests of the datasets that a manifest may name, by ``name@version``.

        Raises
        ------
        SnapshotRefusedError
            When the folder cannot become a snapshot, with the check's own code and words.
        """
        ...

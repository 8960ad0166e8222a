"""Datasets: data by name and version, fixed by digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.ids import DatasetId, GroupName, PersonId
from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.locations import Place
from pilothouse.domain.snapshots import NAME, SHA256, check_name

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


class DatasetRole(StrEnum):
    """What a dataset is for; blind data is read by validators and jobs only."""

    TRAIN = "train"
    REFERENCE = "reference"
    TEST = "test"
    BLIND = "blind"
    SCORING = "scoring"


class DatasetInvalidError(InvalidError):
    """A dataset's name, version or digest is not in the right form."""

    code = "dataset-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(f"{problem}. Name a dataset 'name@version' and give the file's SHA-256.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One version of a dataset: a file in a location, of one digest."""

    id: DatasetId
    group: GroupName
    name: str
    dataset_version: str
    role: DatasetRole
    place: Place
    format: TableFormat
    sha256: str
    size: int
    label: str | None
    registered_by: PersonId
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        check_name("dataset", self.name)
        if not VERSION.match(self.dataset_version):
            raise DatasetInvalidError(problem=f"{self.dataset_version!r} is not a version")
        if not SHA256.match(self.sha256):
            raise DatasetInvalidError(problem=f"{self.sha256[:80]!r} is not a SHA-256")

    @property
    def full_name(self) -> str:
        """The name that people use, ``name@version``."""
        return f"{self.name}@{self.dataset_version}"


def parse_dataset_name(name: str) -> tuple[str, str]:
    """
    Split ``name@version``.

    Examples
    --------
    >>> parse_dataset_name("acs-employment@2015")
    ('acs-employment', '2015')
    """
    base, _, version = name.partition("@")
    if not NAME.match(base) or not VERSION.match(version):
        raise DatasetInvalidError(problem=f"{name[:80]!r} does not name a dataset")
    return base, version

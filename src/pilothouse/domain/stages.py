"""Stages: the ordered environments of a company."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.errors import InvalidError, RefusedError
from pilothouse.domain.ids import StageName

STAGE = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*\Z")
DEFAULT_PATH = tuple(StageName(n) for n in ("DEV", "SIT", "UAT", "PROD"))


class StageInvalidError(InvalidError):
    """A text cannot name a stage."""

    code = "stage-invalid"

    def __init__(self, *, name: str) -> None:
        self.name = name[:80]
        super().__init__(
            f"{name[:80]!r} cannot name a stage: use capitals, digits and hyphens, as in 'PROD'."
        )


class StageSkippedError(RefusedError):
    """A snapshot has not passed the stages before the one it is wanted in."""

    code = "stage-skipped"

    def __init__(self, *, snapshot: str, wanted: StageName, missing: StageName) -> None:
        self.snapshot, self.wanted, self.missing = snapshot, wanted, missing
        super().__init__(
            f"Snapshot {snapshot} cannot go to {wanted}: it has not passed {missing}. Deploy it there first."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """
    An environment; `position` orders the path to production.

    `production` marks where real decisions are made; stages of one position stand beside each other.
    """

    name: StageName
    position: int
    production: bool
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        if len(self.name) > 40 or not STAGE.match(self.name):
            raise StageInvalidError(name=self.name)

    @property
    def id(self) -> str:
        """The name, which is the stage's key."""
        return self.name


def check_path_to(
    wanted: StageName, *, snapshot: str, stages: Sequence[Stage], passed: frozenset[StageName]
) -> None:
    """
    Make sure that every stage before the wanted one has been passed.

    Raises
    ------
    StageSkippedError
        Naming the first stage that is missing.
    """
    ordered = sorted(stages, key=lambda s: s.position)
    target = next(s for s in ordered if s.name == wanted)
    for stage in ordered:
        if stage.position < target.position and stage.name not in passed:
            raise StageSkippedError(snapshot=snapshot, wanted=wanted, missing=stage.name)

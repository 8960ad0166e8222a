"""Life cycles: uploaded definitions and decision tables, and the heading of each run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.ids import DefinitionId, GroupName, PersonId, ServiceTag, SnapshotId


class DefinitionKind(StrEnum):
    """What a definition holds."""

    BPMN = "bpmn"
    DMN = "dmn"


class DefinitionState(StrEnum):
    """Whether new runs may start from a definition's version."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    One version of a life cycle (BPMN) or a file of decision tables (DMN), as it was uploaded.

    `key` is the process id or the id of the decision; uploading the same bytes again makes no new version.
    """

    id: DefinitionId
    group: GroupName
    kind: DefinitionKind
    key: str
    definition_version: int
    name: str
    xml: str
    sha256: str
    start_signals: tuple[str, ...]
    state: DefinitionState
    uploaded_by: PersonId
    uploaded_at: datetime
    version: int = 1

    @property
    def full_name(self) -> str:
        """The name that people use, ``key@version``."""
        return f"{self.key}@{self.definition_version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeading:
    """What people look for in a run: whose it is, of which definition, for which snapshot and service."""

    run_id: str
    group: GroupName
    definition_id: DefinitionId
    definition: str  # key@version
    definition_key: str
    snapshot_id: SnapshotId | None
    snapshot: str | None
    digest: str | None
    service: ServiceTag | None
    author: PersonId | None
    started_at: datetime

    @property
    def id(self) -> str:
        """The run's id, which is the heading's key."""
        return self.run_id

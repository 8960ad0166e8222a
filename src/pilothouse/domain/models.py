"""Models: what a team owns, and gathers snapshots of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.ids import GroupName, ModelId, PersonId
from pilothouse.domain.snapshots import check_name


class RiskTier(StrEnum):
    """How much harm a wrong answer can do."""

    UNASSIGNED = "unassigned"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model with its owner, use case, methodology and risk tier."""

    id: ModelId
    group: GroupName
    name: str
    owner: PersonId
    use_case: str
    methodology: str
    risk_tier: RiskTier
    last_number: int  # of its newest snapshot; 0 before the first
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        check_name("model", self.name)

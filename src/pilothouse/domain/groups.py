"""Groups: the teams that own things, and what their policy grants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.ids import GroupName
from pilothouse.domain.snapshots import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    A team.

    Attributes
    ----------
    python_source
        Whether its models may bring Python source, which runs in a process of its own.
    skops_types
        Types beyond the platform's own list that its scikit-learn models may be built of.
    """

    name: GroupName
    title: str
    python_source: bool
    skops_types: tuple[str, ...]
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        check_name("group", self.name)

    @property
    def id(self) -> str:
        """The group's name, which is its key."""
        return self.name

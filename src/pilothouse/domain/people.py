"""People, and the machines that act in their own name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.ids import PersonId
from pilothouse.domain.snapshots import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can hold roles and tokens; `machine` marks a program."""

    id: PersonId
    name: str
    title: str
    machine: bool
    created_at: datetime
    ended_at: datetime | None = None
    version: int = 1

    def __post_init__(self) -> None:
        check_name("person", self.name)

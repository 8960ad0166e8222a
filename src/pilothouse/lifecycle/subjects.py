"""What a run is about: a snapshot and a service, its heading, and the variables that say so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.bpmn.happenings import Begin
from pilothouse.bpmn.variables import SUBJECT
from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.lifecycles import RunHeading
from pilothouse.lifecycle.errors import RunStartError, VariableReservedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import Snapshot
    from pilothouse.ports.unit_of_work import UnitOfWork

RUN_PREFIX = "run"
RESERVED = SUBJECT
"""Variables that people can neither give nor change: approvals and separation of duties hang on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """
    The snapshot and the service that a run is about, each where there is one.

    ``of_group`` says whose run it is where it is about neither.
    """

    snapshot: Snapshot | None = None
    service: Service | None = None
    of_group: GroupName | None = None

    @property
    def group(self) -> GroupName | None:
        """Whose run it is: the service's group, or else the snapshot's, or else what is said."""
        owner = self.service or self.snapshot
        return owner.group if owner else self.of_group

    @property
    def business_key(self) -> str | None:
        """What only one active run of a life cycle is about at a time."""
        if self.snapshot is None:
            return None
        return f"{self.snapshot.name}:{self.service.tag}" if self.service else self.snapshot.name

    @property
    def variables(self) -> dict[str, object]:
        """The variables that every drawing can use."""
        found: dict[str, object] = {}
        if self.snapshot is not None:
            found |= {
                "snapshot": self.snapshot.name,
                "snapshot_id": self.snapshot.id,
                "digest": self.snapshot.digest,
                "model": self.snapshot.model,
                "number": self.snapshot.number,
                "author": self.snapshot.taken_by,
            }
        if self.service is not None:
            found |= {
                "service": self.service.tag,
                "mode": self.service.mode.value,
                "test_dataset": self.service.test_dataset,
            }
        return found


def _tier(work: UnitOfWork, snapshot: Snapshot | None) -> dict[str, object]:
    """Give the risk tier that the model has as the run begins."""
    return (
        {}
        if snapshot is None
        else {"risk_tier": work.models.get(snapshot.model_id).risk_tier.value}
    )


def check_not_reserved(variables: Mapping[str, object]) -> None:
    """Refuse variables that say what the run is about."""
    names = tuple(sorted(RESERVED.intersection(variables)))
    if names:
        raise VariableReservedError(names=names)


def group_of(definition: Definition, subject: Subject) -> GroupName:
    """
    Say whose run it will be.

    Raises
    ------
    RunStartError
        When nothing says so, or the definition is another group's.
    """
    group = subject.group or definition.group
    if group == EVERY_GROUP:
        problem = "name a snapshot or a service, which says whose run it is"
        raise RunStartError(definition=definition.full_name, problem=problem)
    if definition.group not in (group, EVERY_GROUP):
        problem = f"it belongs to the group {definition.group}, the run to {group}"
        raise RunStartError(definition=definition.full_name, problem=problem)
    return group


def planned(
    work: UnitOfWork,
    definition: Definition,
    subject: Subject,
    *,
    actor: str,
    event: str | None = None,
    variables: Mapping[str, object] | None = None,
) -> tuple[RunHeading, Begin]:
    """Give a new run's heading and the order to begin it."""
    group, snapshot = group_of(definition, subject), subject.snapshot
    heading = RunHeading(
        run_id=work.new_id(RUN_PREFIX),
        group=group,
        definition_id=definition.id,
        definition=definition.full_name,
        definition_key=definition.key,
        snapshot_id=snapshot.id if snapshot else None,
        snapshot=snapshot.name if snapshot else None,
        digest=snapshot.digest if snapshot else None,
        service=subject.service.tag if subject.service else None,
        author=snapshot.taken_by if snapshot else None,
        started_at=work.at,
    )
    begin = Begin(
        run_id=heading.run_id,
        definition_id=definition.id,
        actor=actor,
        business_key=subject.business_key,
        event=event,
        variables={
            **(variables or {}),
            **subject.variables,
            **_tier(work, snapshot),
            "group": group,
        },
    )
    return heading, begin

"""Who acts for a run: the platform, with an operator's rights in the run's group and a reader's where it must look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.domain.access import Grant, Role

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.ports.unit_of_work import UnitOfWork


def acting_for(
    platform: Principal, work: UnitOfWork, heading: RunHeading, *, results_location: str
) -> Principal:
    """
    Give the platform the rights that one run needs, and no more.

    A drawing that one group uploads so never reaches another group's services, though the platform could. It
    may read the group of the run's snapshot, which is tagged with the service, and of the results location.
    """
    looked_at = set()
    if heading.snapshot_id is not None:
        looked_at.add(work.snapshots.get(heading.snapshot_id).group)
    location = work.locations.find(name=results_location)
    if location is not None:
        looked_at.add(location.group)
    grants = [_grant(platform, heading, heading.group, Role.OPERATOR)]
    grants += [
        _grant(platform, heading, group, Role.AUDITOR) for group in looked_at - {heading.group}
    ]
    return replace(platform, grants=tuple(grants)).because(f"run {heading.run_id}")


def _grant(platform: Principal, heading: RunHeading, group: GroupName, role: Role) -> Grant:
    return Grant(
        id=f"{heading.run_id}/{group}",
        person_id=platform.person_id,
        group=group,
        role=role,
        stage=None,
        granted_at=heading.started_at,
        granted_by=platform.person_id,
    )

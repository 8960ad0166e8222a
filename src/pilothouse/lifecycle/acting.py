"""Who acts for a run: the platform, with an operator's rights in the run's group and a reader's where it must look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.domain.access import Grant, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.ports.unit_of_work import UnitOfWork

KEPT = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """A run's heading, and the platform with the rights that the run needs."""

    heading: RunHeading
    who: Principal


class Actors:
    """
    Gives the platform the rights that single runs need, and no more.

    A drawing that one group uploads so never reaches another group's services, though the platform could. It
    may read the group of the run's snapshot, which is tagged with the service, and of the results location.
    Whose a run is and what it is about never changes, so what was found is kept for a while; where the results are
    kept is asked each time.
    """

    def __init__(self, platform: Principal, *, results_location: str) -> None:
        self._platform, self._location = platform, results_location
        self._known: dict[tuple[str, GroupName | None], Acting] = {}

    def of(self, work: UnitOfWork, run_ids: Collection[str]) -> Mapping[str, Acting]:
        """Give who acts for each of the runs that are there."""
        location = work.locations.find(name=self._location)
        results = location.group if location else None
        if len(self._known) + len(run_ids) > KEPT:
            self._known = {}
        unknown = tuple(run_id for run_id in run_ids if (run_id, results) not in self._known)
        for heading in work.headings.all(run_id=unknown) if unknown else ():
            self._known[heading.run_id, results] = self._acting(work, heading, results)
        found = ((run_id, self._known.get((run_id, results))) for run_id in run_ids)
        return {run_id: acting for run_id, acting in found if acting}

    def _acting(self, work: UnitOfWork, heading: RunHeading, results: GroupName | None) -> Acting:
        looked_at = {results} - {None}
        if heading.snapshot_id is not None:
            looked_at.add(work.snapshots.get(heading.snapshot_id).group)
        grants = [_grant(self._platform, heading, heading.group, Role.OPERATOR)]
        grants += [
            _grant(self._platform, heading, group, Role.AUDITOR)
            for group in looked_at - {heading.group}
            if group is not None
        ]
        who = replace(self._platform, grants=tuple(grants)).because(f"run {heading.run_id}")
        return Acting(heading=heading, who=who)


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

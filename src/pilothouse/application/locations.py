"""Locations that jobs may read and write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.access import Action
from pilothouse.domain.ids import GroupName, LocationId
from pilothouse.domain.locations import Location, LocationAccess

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.places import Places
    from pilothouse.ports.unit_of_work import OpenWork


class Locations:
    """Register the only places that jobs touch."""

    def __init__(self, *, open_work: OpenWork, places: Places) -> None:
        self._open_work = open_work
        self._places = places

    def register(
        self, who: Principal, *, name: str, group: str, uri: str, access: LocationAccess
    ) -> Location:
        """Register a folder that exists."""
        who.require(Action.MANAGE_LOCATION, group=GroupName(group))
        with self._open_work(who) as work:
            work.groups.get(group)
            location = Location(
                id=LocationId(work.new_id("loc")),
                group=GroupName(group),
                name=name,
                uri=uri,
                access=access,
                created_at=work.at,
            )
            self._places.check_root(location)
            work.locations.add(location)
            work.audit.record(
                "register",
                noun="location",
                subject=location.id,
                group=location.group,
                detail={"name": name, "uri": uri, "access": access},
            )
            return work.commit(location)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Location]:
        """List the locations that the caller sees."""
        with self._open_work.reading(who) as work:
            return work.locations.page(groups=who.readable, after=after, limit=limit)

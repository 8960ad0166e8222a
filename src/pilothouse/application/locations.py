"""Locations that jobs may read and write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from pilothouse.domain.access import Action
from pilothouse.domain.ids import GroupName, LocationId
from pilothouse.domain.locations import Location, LocationAccess, LocationRefusedError

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.places import Places
    from pilothouse.ports.unit_of_work import OpenWork


class Locations:
    """
    Register the only places that jobs touch.

    Parameters
    ----------
    home
        The control plane's own folder, which no location may hold; None where it has none.
    """

    def __init__(self, *, open_work: OpenWork, places: Places, home: Path | None = None) -> None:
        self._open_work = open_work
        self._places = places
        self._home = home

    def register(
        self, who: Principal, *, name: str, group: str, uri: str, access: LocationAccess
    ) -> Location:
        """Register a folder that exists."""
        who.require(Action.MANAGE_LOCATION, group=GroupName(group))
        with self._open_work.reading(who) as work:
            work.groups.get(group)
            location = Location(
                id=LocationId(work.new_id("loc")),
                group=GroupName(group),
                name=name,
                uri=uri,
                access=access,
                created_at=work.at,
            )
        self._check_apart(location)
        self._places.check_root(location)
        with self._open_work(who) as work:
            work.locations.add(location)
            work.audit.record(
                "register",
                noun="location",
                subject=location.id,
                group=location.group,
                detail={"name": name, "uri": uri, "access": access},
            )
            return work.commit(location)

    def _check_apart(self, location: Location) -> None:
        """Make sure that no job can reach the tokens and the database of the control plane itself."""
        root = Path(unquote(urlparse(location.uri).path)).resolve()
        if self._home is not None and self._home.resolve().is_relative_to(root):
            raise LocationRefusedError(
                location=location.name,
                path=location.uri,
                problem="the home folder of the control plane lies in it, with its tokens and database",
            )

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Location]:
        """List the locations that the caller sees."""
        with self._open_work.reading(who) as work:
            return work.locations.page(groups=who.readable, after=after, limit=limit)

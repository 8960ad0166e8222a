"""Locations: the only places that jobs read and write."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import unquote

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.ids import GroupName, LocationId
from pilothouse.domain.snapshots import check_name, check_path

LONGEST_PATH, LONGEST_PART = 4000, 255
STAGING = ".pilothouse-staging"
"""The folder below a location where output is written until it is whole, as ``JOB_ID-ATTEMPT``."""


class LocationAccess(StrEnum):
    """What jobs may do in a location."""

    READ = "read"
    WRITE = "write"
    READ_WRITE = "read-write"


class LocationRefusedError(InvalidError):
    """A path is outside its location, or the location does not allow the use."""

    code = "location-refused"

    def __init__(self, *, location: str, path: str, problem: str) -> None:
        self.location, self.path, self.problem = location, path, problem
        super().__init__(
            f"{path!r} in location {location!r}: {problem}. Name a path inside a registered location "
            "(`pilothouse locations list`)."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A registered folder, ``file:///…`` (object stores come with their connectors)."""

    id: LocationId
    group: GroupName
    name: str
    uri: str
    access: LocationAccess
    created_at: datetime
    version: int = 1

    def __post_init__(self) -> None:
        check_name("location", self.name)
        if not self.uri.startswith("file:///"):
            raise LocationRefusedError(
                location=self.name, path=self.uri, problem="only file:/// folders can be registered"
            )
        folder = unquote(self.uri.removeprefix("file://"))
        parts = [part.encode("utf-8", "surrogatepass") for part in folder.split("/")]
        long = len(folder) > LONGEST_PATH or any(len(part) > LONGEST_PART for part in parts)
        if long or not folder.isprintable() or set(self.uri) & set("?#;"):
            raise LocationRefusedError(
                location=self.name,
                path=self.uri[:200],
                problem="it is not the plain path of a folder",
            )

    @property
    def readable(self) -> bool:
        """Whether a job may read here."""
        return self.access is not LocationAccess.WRITE

    @property
    def writable(self) -> bool:
        """Whether a job may write here."""
        return self.access is not LocationAccess.READ


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file in a location, as ``location:relative/path``."""

    location: str
    path: str

    def __post_init__(self) -> None:
        check_name("location", self.location)
        check_path(self.path)

    def __str__(self) -> str:
        return f"{self.location}:{self.path}"

"""Registered folders of this host, as far as the control plane itself looks into them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from pilothouse.domain.locations import LocationRefusedError
from pilothouse.domain.snapshots import check_path

if TYPE_CHECKING:
    from pilothouse.domain.locations import Location


class LocalPlaces:
    """Looks into ``file:///`` locations; it keeps `pilothouse.ports.places.Places`."""

    def check_root(self, location: Location) -> None:
        """Make sure that the location's folder exists."""
        if not _root(location).is_dir():
            raise LocationRefusedError(
                location=location.name, path=location.uri, problem="there is no such folder"
            )

    def fingerprint(self, location: Location, path: str) -> tuple[str, int]:
        """Give the SHA-256 and the size of a file that lies inside the location, links followed."""
        root = _root(location).resolve()
        file = (root / check_path(path)).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            raise LocationRefusedError(
                location=location.name, path=path, problem="no such file inside the location"
            )
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
            return sha256, opened.tell()


def _root(location: Location) -> Path:
    return Path(unquote(urlparse(location.uri).path))

"""Files in registered locations, as far as the control plane itself looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pilothouse.domain.locations import Location


class Places(Protocol):
    """Looks into registered locations."""

    def fingerprint(self, location: Location, path: str) -> tuple[str, int]:
        """
        Give the SHA-256 (hexadecimal) and the size in bytes of a file.

        Raises
        ------
        LocationRefusedError
            When the path leaves the location or names no plain file.
        """
        ...

    def check_root(self, location: Location) -> None:
        """
        Make sure that the location's folder exists.

        Raises
        ------
        LocationRefusedError
            When it does not.
        """
        ...

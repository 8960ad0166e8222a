"""The DMN Technology Compatibility Kit, where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kits import Kit


@pytest.fixture(scope="session")
def kit(kit_folder: Kit) -> Path:
    """Give its folder."""
    return kit_folder("dmn-tck")

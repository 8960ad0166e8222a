"""Where the DMN Technology Compatibility Kit is, which is no part of the project."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from tests.skips import KIT_ELSEWHERE

CHECKOUT = Path(__file__).parents[3]
NAME = "dmn-tck"


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the kit: unpacked from its archive, or as it lies in the folder that the environment names."""
    named = os.environ.get("PILOTHOUSE_CONFORMANCE")
    place = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    if (place / NAME).is_dir():
        return place / NAME
    archive = place / f"{NAME}.tar.gz"
    if not archive.is_file():
        pytest.skip(
            f"{KIT_ELSEWHERE}, so nothing is known of conformance to DMN: there is neither {place / NAME} nor {archive}. "
            "Name the folder that has it by PILOTHOUSE_CONFORMANCE."
        )
    folder = tmp_path_factory.mktemp("conformance")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / NAME

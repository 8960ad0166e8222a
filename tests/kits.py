"""Where the conformance kits of standards are, which are no part of the project."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.skips import KIT_ELSEWHERE

CHECKOUT = Path(__file__).parents[1]
Kit = Callable[[str], Path]


@pytest.fixture(scope="session")
def kit_folder(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    """Give the folder of a kit by its name: unpacked from its archive, or as it lies in the folder that the environment names."""

    def find(name: str) -> Path:
        named = os.environ.get("PILOTHOUSE_CONFORMANCE")
        place = Path(named) if named else CHECKOUT.parent / "shared" / "data"
        if (place / name).is_dir():
            return place / name
        archive = place / f"{name}.tar.gz"
        if not archive.is_file():
            pytest.skip(
                f"{KIT_ELSEWHERE}, so nothing is known of conformance: there is neither {place / name} nor {archive}. "
                "Name the folder that has it by PILOTHOUSE_CONFORMANCE."
            )
        folder = tmp_path_factory.mktemp("conformance")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        return folder / name

    return find

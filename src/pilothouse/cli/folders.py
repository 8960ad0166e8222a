"""Model folders on the command line: as they are, or packed as one file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilothouse.scoring.archives import unpack


@contextmanager
def model_folder(given: Path) -> Iterator[Path]:
    """
    Give a model folder; a ``.tar.gz`` or ``.zip`` is unpacked for as long as it is needed.

    Raises
    ------
    ArchiveRefusedError
        When the file is broken, too large, or would leave its folder.
    """
    if not given.is_file():
        yield given.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="pilothouse-folder-") as made:
        yield unpack(given, Path(made) / "folder")

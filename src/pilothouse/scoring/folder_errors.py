"""What can be wrong with a model folder, its manifest, its golden records or the archive that it comes in."""

from __future__ import annotations

from pilothouse.domain.errors import InvalidError, NotFoundError, RefusedError
from pilothouse.scoring.model_errors import shortened


class ManifestInvalidError(InvalidError):
    """The manifest is no document that can be read safely; `line` counts from 1, 0 where it is not known."""

    code = "manifest-invalid"

    def __init__(self, *, line: int, problem: str) -> None:
        self.line, self.problem = line, shortened(problem)
        where = f"Line {line} of pilothouse.yaml" if line else "pilothouse.yaml"
        super().__init__(f"{where}: {shortened(problem)}. Correct the manifest.")


class FolderRefusedError(InvalidError):
    """A model folder holds what cannot be part of a snapshot."""

    code = "folder-refused"

    def __init__(self, *, path: str, problem: str) -> None:
        self.path, self.problem = path[:200], problem
        super().__init__(
            f"{path[:200]!r} in the model folder: {problem}. Keep plain files and folders alone, and name them in "
            "the manifest's files."
        )


class ArchiveRefusedError(InvalidError):
    """An archive is broken, or holds what must not be unpacked."""

    code = "archive-refused"

    def __init__(self, *, path: str, problem: str) -> None:
        self.path, self.problem = path[:200], shortened(problem)
        where = f"{path[:200]!r} in the archive" if path else "The archive"
        super().__init__(
            f"{where}: {shortened(problem)}. Nothing was unpacked. Pack plain files and folders as .tar.gz or .zip."
        )


class GoldenInvalidError(InvalidError):
    """Golden records cannot be read, or break the model's input schema."""

    code = "golden-invalid"

    def __init__(self, *, line: int, problem: str) -> None:
        self.line, self.problem = line, shortened(problem)
        super().__init__(
            f"Line {line} of the golden records: {shortened(problem)}. Write one JSON object of input columns a line."
        )


class RowsDisagreeError(RefusedError):
    """A model answers differently for a row alone and for the same row among others."""

    code = "rows-disagree"

    def __init__(self, *, row: int, column: str, alone: str, together: str) -> None:
        self.row, self.column, self.alone, self.together = row, column, alone, together
        super().__init__(
            f"Golden record {row} alone gets {column} = {alone}, and {together} in a block with the others. A request "
            "and a file would get different answers. Let rows not influence one another, or set the option "
            "rows_per_call: 1."
        )


class DatasetUnknownError(NotFoundError):
    """The manifest names a dataset that is not registered."""

    code = "dataset-unknown"

    def __init__(self, *, dataset: str) -> None:
        self.dataset = dataset
        super().__init__(
            noun="dataset",
            name=dataset,
            cure="Register it with `pilothouse datasets register` or correct the manifest's reference.",
        )

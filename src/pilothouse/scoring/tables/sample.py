"""A sample of a file, for the inference of a schema: here alone types are guessed, for a person to look over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError
from pilothouse.scoring.tables.formats import loaded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pilothouse.domain.schemas import Scalar

PURPOSE = "Reading a sample"
READERS = {
    ".parquet": ("pyarrow.parquet", "read_table"),
    ".csv": ("pyarrow.csv", "read_csv"),
    ".jsonl": ("pyarrow.json", "read_json"),
}


class SampleUnreadableError(InvalidError):
    """A sample cannot be read."""

    code = "sample-unreadable"

    def __init__(self, *, path: str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(
            f"The sample {path} cannot be read: {problem}. Give a .parquet, .csv or .jsonl file."
        )


def read_sample(path: Path) -> Mapping[str, Sequence[Scalar]]:
    """
    Read a whole file into columns, with the types that pyarrow finds in it.

    Raises
    ------
    SampleUnreadableError
        When it is missing, of another kind, or broken.
    MissingExtraError
        When pyarrow is not installed.
    """
    if path.suffix not in READERS:
        raise SampleUnreadableError(path=str(path), problem=f"{path.suffix!r} is not a known kind")
    module, reader = READERS[path.suffix]
    arrow = loaded("pyarrow", purpose=PURPOSE)
    try:
        table = getattr(loaded(module, purpose=PURPOSE), reader)(str(path))
    except (OSError, arrow.ArrowException) as problem:
        raise SampleUnreadableError(path=str(path), problem=str(problem)) from problem
    return {name: table.column(name).to_pylist() for name in table.column_names}

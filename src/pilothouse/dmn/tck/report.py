"""What a run of the kit tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.dmn.cases import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    One result that a test asks for.

    Parameters
    ----------
    case
        The test file, by its path from the folder and without its end.
    test
        The id of the test case; empty where the file could not be read.
    result
        The name of the result node; empty where there is none.
    reason
        Why it ended so.
    """

    case: str
    test: str
    result: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """
    What the tests of one file gave.

    Parameters
    ----------
    case
        The test file, as in `Entry`.
    level
        The compliance level that its path names, such as ``compliance-level-2``; ``other`` where it names none.
    entries
        The verdicts, in the order of the file.
    """

    case: str
    level: str
    entries: tuple[tuple[Verdict, Entry], ...]

    def count(self, verdict: Verdict) -> int:
        """Count the entries that ended so."""
        return sum(1 for ended, _ in self.entries if ended is verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    What a run gave.

    Parameters
    ----------
    files
        A report for each test file, in the order of their paths.
    notes
        What was found and not run, in words.
    """

    files: tuple[FileReport, ...]
    notes: tuple[str, ...] = ()

    def entries(self, verdict: Verdict) -> Iterator[Entry]:
        """Go through the entries that ended so."""
        return (entry for file in self.files for ended, entry in file.entries if ended is verdict)

    def count(self, verdict: Verdict) -> int:
        """Count the entries that ended so."""
        return sum(file.count(verdict) for file in self.files)

    def levels(self) -> dict[str, tuple[FileReport, ...]]:
        """Give the files by their levels, in order."""
        names = sorted({file.level for file in self.files})
        return {name: tuple(f for f in self.files if f.level == name) for name in names}

    def plain(self) -> dict[str, list[Entry]]:
        """Give the three lists of entries, by verdict."""
        return {verdict.value: list(self.entries(verdict)) for verdict in Verdict}

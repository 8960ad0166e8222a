"""A folder of the kit, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.cases import (
    Case,
    CaseFileError,
    KitCase,
    Verdict,
    is_kit,
    read_kit,
    rejected,
    run_case,
)
from pilothouse.dmn.cases.files import check_size
from pilothouse.dmn.tck.models import Models, UnreadableModel, bytes_of
from pilothouse.dmn.tck.report import Entry, FileReport, Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from pilothouse.dmn import Decisions

OTHER_LEVEL = "other"
_LEVEL = "compliance-level-"


def run_kit(folder: Path, *, now: datetime, tell: Callable[[FileReport], None]) -> Report:
    """
    Run all tests of a folder, at any depth.

    Parameters
    ----------
    folder
        Any part of the kit: all of it, a level, a single test.
    now
        The moment of ``now()``, with its zone.
    tell
        Called with each file's report as soon as it is there.

    Returns
    -------
    Report
        What came. A file that cannot be read, or a case in which anything unexpected happens, is a failed entry.
    """
    run = _Run(folder, now)
    files = []
    for path in sorted(folder.rglob("*.xml")):
        report = run.file(path)
        if report is not None:
            files.append(report)
            tell(report)
    return Report(files=tuple(files), notes=tuple(run.notes))


class _Run:
    """One run over a folder."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self._folder = folder
        self._now = now
        self._models = Models()
        self.notes = self._models.notes

    def file(self, path: Path) -> FileReport | None:
        """Run a test file; None for XML that holds no tests, which a note tells."""
        case = path.relative_to(self._folder).with_suffix("").as_posix()
        try:
            xml = bytes_of(path)
            check_size(xml, file=path.name)
            if not is_kit(xml, file=path.name):
                self.notes.append(f"{path}: holds no test cases")
                return None
            kit = read_kit(xml, file=path.name)
        except (CaseFileError, OSError) as error:
            entry = Entry(case=case, test="", result="", reason=str(error))
            return self._report(path, case, [(Verdict.FAILED, entry)])
        model = self._models.of(path.parent, kit.model)
        return self._report(path, case, [self._entry(case, model, found) for found in kit.cases])

    def _report(self, path: Path, case: str, entries: list[tuple[Verdict, Entry]]) -> FileReport:
        parts = path.resolve().parts
        level = next((part for part in reversed(parts) if part.startswith(_LEVEL)), OTHER_LEVEL)
        return FileReport(case=case, level=level, entries=tuple(entries))

    def _entry(
        self, case: str, model: Decisions | UnreadableModel, found: KitCase
    ) -> tuple[Verdict, Entry]:
        verdict, reason = self._verdict(model, found.case)
        return verdict, Entry(case=case, test=found.test, result=found.result, reason=reason)

    def _verdict(
        self, model: Decisions | UnreadableModel, case: Case | CaseFileError
    ) -> tuple[Verdict, str]:
        if isinstance(case, CaseFileError):
            return Verdict.FAILED, case.message
        if not isinstance(model, UnreadableModel):
            result = run_case(model, case, now=self._now)
            return result.verdict, result.reason
        if not model.problems:
            return Verdict.FAILED, model.reason
        result = rejected(case, model.problems)
        return result.verdict, result.reason

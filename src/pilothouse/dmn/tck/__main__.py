"""
The kit on the command line: ``python -m pilothouse.dmn.tck FOLDER [--json]``.

Exit codes: 0 nothing failed, 1 something failed, 2 wrong arguments or no test in the folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.dmn.cases import Verdict
from pilothouse.dmn.tck.kit import run_kit
from pilothouse.domain.plain import to_plain
from pilothouse.observability.clock import SystemClock

if TYPE_CHECKING:
    from typing import TextIO

    from pilothouse.dmn.tck.report import FileReport, Report


class ExitCode(IntEnum):
    """How the program ends."""

    PASSED = 0
    FAILED = 1
    NOTHING_RUN = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the kit and give the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m pilothouse.dmn.tck",
        description="Run any part of the OMG DMN Technology Compatibility Kit.",
        epilog="Exits with 0 when nothing failed, 1 when something did, 2 when the folder has no test.",
    )
    parser.add_argument("folder", type=Path, help="the kit, a level of it, or a single test")
    parser.add_argument("--json", action="store_true", help="print the three lists as JSON")
    given = parser.parse_args(arguments)
    if not given.folder.is_dir():
        parser.error(f"{given.folder} is no folder")
    tell = _nothing if given.json else _tell
    report = run_kit(given.folder, now=SystemClock().now(), tell=tell)
    for note in report.notes:
        _write(sys.stderr, f"note: {note}")
    if given.json:
        _write(sys.stdout, json.dumps(to_plain(report.plain()), indent=2))
    else:
        _summarise(report)
    return _exit_code(report, given.folder)


def _exit_code(report: Report, folder: Path) -> ExitCode:
    if not report.files:
        _write(sys.stderr, f"{folder} holds no test file of the kit (*.xml with testCases)")
        return ExitCode.NOTHING_RUN
    return ExitCode.FAILED if report.count(Verdict.FAILED) else ExitCode.PASSED


def _nothing(report: FileReport) -> None:
    """Tell nothing: the lists at the end say all."""


def _tell(report: FileReport) -> None:
    _write(sys.stdout, f"{_counts((report,))}  {report.case}")
    for verdict, entry in report.entries:
        if verdict is not Verdict.PASSED:
            _write(sys.stdout, f"    {verdict} {entry.test} {entry.result}: {entry.reason}")


def _summarise(report: Report) -> None:
    _write(sys.stdout, "")
    for level, files in report.levels().items():
        _write(sys.stdout, f"{_counts(files)}  {level}")
    _write(sys.stdout, f"{_counts(report.files)}  in all")


def _write(stream: TextIO, line: str) -> None:
    """Write a line though it has characters that the terminal, or UTF-8 itself (half of a pair), has no bytes for."""
    encoding = stream.encoding or "utf-8"
    stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()


def _counts(files: tuple[FileReport, ...]) -> str:
    return "  ".join(f"{sum(f.count(v) for f in files):>5} {v}" for v in Verdict)


if __name__ == "__main__":
    sys.exit(main())

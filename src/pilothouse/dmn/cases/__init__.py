"""
Test cases of decisions: what must come for which inputs, and which rules must fire.

`read_cases` reads a file of them (JSON, a table, or the XML of the DMN Technology Compatibility Kit); `run_cases` runs
them and says of each whether it passed, what was expected, what came, and which rules fired.
"""

from __future__ import annotations

from pilothouse.dmn.cases.case import Case, Expected, Kind
from pilothouse.dmn.cases.errors import CaseFileError
from pilothouse.dmn.cases.files import MAXIMUM_BYTES, Format, read_cases
from pilothouse.dmn.cases.running import CaseResult, Verdict, rejected, run_case, run_cases
from pilothouse.dmn.cases.xml_file import TOLERANCE, KitCase, KitFile, is_kit, read_kit

__all__ = [
    "MAXIMUM_BYTES",
    "TOLERANCE",
    "Case",
    "CaseFileError",
    "CaseResult",
    "Expected",
    "Format",
    "Kind",
    "KitCase",
    "KitFile",
    "Verdict",
    "is_kit",
    "read_cases",
    "read_kit",
    "rejected",
    "run_case",
    "run_cases",
]

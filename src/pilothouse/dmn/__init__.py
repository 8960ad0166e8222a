"""
DMN: decision models of tables, other boxed expressions and functions, over FEEL.

`read_decisions` reads a file and refuses, with element, line and cure, whatever it would not run exactly;
`Decisions.evaluate` runs one decision with all that it requires and keeps which rules fired on what, and why
values became null. Source: OMG DMN 1.5; files of DMN 1.1 to 1.5 are read.
"""

from __future__ import annotations

from pilothouse.dmn.decisions import DEFAULT_STEPS, Decisions
from pilothouse.dmn.errors import (
    DecisionNotFoundError,
    DmnConflictError,
    DmnRejectedError,
    DmnValueError,
    Problem,
)
from pilothouse.dmn.imports import imports_of, namespace_of
from pilothouse.dmn.model import Decision, InputData, Knowledge, Service
from pilothouse.dmn.outcomes import FiredRule, Outcome
from pilothouse.dmn.reader import read_decisions, read_leniently

__all__ = [
    "DEFAULT_STEPS",
    "Decision",
    "DecisionNotFoundError",
    "Decisions",
    "DmnConflictError",
    "DmnRejectedError",
    "DmnValueError",
    "FiredRule",
    "InputData",
    "Knowledge",
    "Outcome",
    "Problem",
    "Service",
    "imports_of",
    "namespace_of",
    "read_decisions",
    "read_leniently",
]

"""
DMN: decision tables and literal expressions over FEEL.

`read_decisions` reads a file and refuses, with element, line and cure, whatever it would not run exactly;
`Decisions.evaluate` runs one decision with all that it requires and keeps which rules fired on what. Source:
OMG DMN 1.5; files of DMN 1.1 to 1.5 are read.
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
from pilothouse.dmn.outcomes import FiredRule, Outcome
from pilothouse.dmn.reader import read_decisions

__all__ = [
    "DEFAULT_STEPS",
    "DecisionNotFoundError",
    "Decisions",
    "DmnConflictError",
    "DmnRejectedError",
    "DmnValueError",
    "FiredRule",
    "Outcome",
    "Problem",
    "read_decisions",
]

"""Decision tables: what they are made of, their index, what matching rules mean together."""

from __future__ import annotations

from pilothouse.dmn.tables.clauses import (
    Aggregation,
    HitPolicy,
    InputClause,
    OutputClause,
    OutputEntry,
    Rule,
)
from pilothouse.dmn.tables.table import DecisionTable

__all__ = [
    "Aggregation",
    "DecisionTable",
    "HitPolicy",
    "InputClause",
    "OutputClause",
    "OutputEntry",
    "Rule",
]

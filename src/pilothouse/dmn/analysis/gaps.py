"""Inputs that no rule covers."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.covering import Box, Covering
from pilothouse.dmn.analysis.findings import Finding, Severity
from pilothouse.dmn.analysis.steps import GaveUpError, Steps
from pilothouse.dmn.analysis.words import conditions, example, holds_whole_number
from pilothouse.dmn.tables import HitPolicy
from pilothouse.dmn.tables.index import members
from pilothouse.feel.constants import NUMBERS_LINE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.dmn.analysis.columns import Column, Regions
    from pilothouse.dmn.tables import DecisionTable

MOST_GAPS = 5
"""How many gaps of one table are told."""

_MOST_PARTS = 100

_MULTIPLE = (HitPolicy.COLLECT, HitPolicy.RULE_ORDER, HitPolicy.OUTPUT_ORDER)


def gap_findings(
    table: DecisionTable, columns: Sequence[Column], steps: Steps
) -> Iterator[Finding]:
    """
    Tell for which inputs no rule matches; that an input is null is not asked.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns.
    steps
        What the search may take.
    """
    box = tuple(column.known if column.regions else column.whole for column in columns)
    search = Covering(columns, hopeful=True).uncovered(box, (1 << len(table.rules)) - 1, steps)
    found: list[Box] = []
    try:
        found.extend(islice(search, _MOST_PARTS))
    except GaveUpError:
        more = " for more gaps" if found else " for gaps"
        yield _whole(table, f"the search{more} was given up: the table is too intricate for it")
    gaps = _joined(found)
    for gap in gaps[:MOST_GAPS]:
        yield _told(table, list(zip(columns, gap, strict=True)))
    if len(gaps) > MOST_GAPS or len(found) == _MOST_PARTS:
        yield _whole(
            table, f"there are more gaps than the {min(len(gaps), MOST_GAPS)} that are told"
        )


def _joined(parts: list[Box]) -> list[Box]:
    """Join parts that differ in one column only, until none do."""
    gaps: list[Box] = []
    for part in parts:
        box = part
        while (other := next((g for g in gaps if _apart(g, box) == 1), None)) is not None:
            gaps.remove(other)
            box = tuple(a | b for a, b in zip(box, other, strict=True))
        gaps.append(box)
    return gaps


def _apart(left: Box, right: Box) -> int:
    return sum(a != b for a, b in zip(left, right, strict=True))


def _whole(table: DecisionTable, message: str) -> Finding:
    return Finding(
        severity=Severity.NOTE,
        element=f"decision table of {table.owner}",
        line=table.line,
        rules=(),
        message=message,
    )


def _told(table: DecisionTable, gap: list[tuple[Column, Regions]]) -> Finding:
    has_default = any(clause.default is not None for clause in table.outputs)
    severity = Severity.NOTE if has_default or table.policy in _MULTIPLE else Severity.WARNING
    meaning = "the default holds there" if has_default else "the result is null there"
    fractions = [c.label for c, regions in gap if _between_whole_numbers(c, regions)]
    also = f"; no whole number of {' and '.join(fractions)} lies there" if fractions else ""
    return Finding(
        severity=severity,
        element=f"decision table of {table.owner}",
        line=table.line,
        rules=(),
        message=f"no rule matches {conditions(gap)}; {meaning}{also}",
        example=example(gap),
    )


def _between_whole_numbers(column: Column, regions: Regions) -> bool:
    return column.line == NUMBERS_LINE and not any(
        holds_whole_number(*column.regions[place]) for place in members(regions & column.known)
    )

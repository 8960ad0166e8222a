"""The whole analysis of decision tables."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.columns import columns_of, limits_of
from pilothouse.dmn.analysis.findings import Finding, Severity
from pilothouse.dmn.analysis.gaps import gap_findings
from pilothouse.dmn.analysis.overlaps import overlap_findings, overlapping
from pilothouse.dmn.analysis.rules import dead_findings, duplicate_findings, masked_findings
from pilothouse.dmn.analysis.steps import GaveUpError, Steps
from pilothouse.dmn.tables import DecisionTable
from pilothouse.feel.constants import constants, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.dmn.analysis.columns import Column
    from pilothouse.dmn.decisions import Decisions

MOST_STEPS = 2_000_000
"""How many regions each search of one table looks at: about half a second."""

_FULL_TABLES = 4

MOST_COLUMNS = 100
"""With more inputs a table is not analysed."""

_SHOWN = 5
_LOGIC = "pilothouse.dmn."


def analysed(subject: Decisions | DecisionTable) -> tuple[Finding, ...]:
    """
    Look for what decision tables do not say, say twice or never say.

    Overlaps, gaps, rules that never count, rules that stand there twice, inputs that no rule asks about. Conditions
    that are no comparisons with constants cannot be told; the findings say which they are.

    Parameters
    ----------
    subject
        One table, or all tables of a file, those inside other boxed expressions among them.

    Returns
    -------
    tuple[Finding, ...]
        The findings, table by table: errors first, then warnings, then notes.
    """
    tables = (subject,) if isinstance(subject, DecisionTable) else tuple(tables_of(subject))
    most = steps_for(len(tables))
    return tuple(finding for table in tables for finding in _table(table, most))


def steps_for(tables: int) -> int:
    """
    Say how many regions each search of a table looks at, so that files of many tables are bounded as a whole.

    Examples
    --------
    >>> steps_for(1), steps_for(4), steps_for(100)
    (2000000, 2000000, 80000)
    """
    return MOST_STEPS * _FULL_TABLES // max(tables, _FULL_TABLES)


def tables_of(decisions: Decisions) -> Iterator[DecisionTable]:
    """
    Find all tables of a file.

    Parameters
    ----------
    decisions
        The decisions of the file.
    """
    for decision in decisions.decisions.values():
        yield from _inside(decision.logic)
    for function in decisions.functions.values():
        yield from _inside(function.definition)


def _inside(part: object) -> Iterator[DecisionTable]:
    """Go through the boxed expressions inside one another; what FEEL compiled has no tables in it."""
    if isinstance(part, DecisionTable):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _inside(item)
    elif is_dataclass(part) and type(part).__module__.startswith(_LOGIC):
        for each in fields(part):
            yield from _inside(getattr(part, each.name))


def _table(table: DecisionTable, most: int) -> list[Finding]:
    if not table.rules:
        return [_about(table, Severity.WARNING, "it has no rules, and always gives the same")]
    if not 0 < len(table.inputs) <= MOST_COLUMNS:
        problem = f"it has {len(table.inputs)} inputs, and was not analysed"
        return [_about(table, Severity.NOTE, problem)]
    columns = columns_of(table)
    found = [
        *_misfits(table),
        *_together(table, columns, most),
        *dead_findings(table, columns),
        *duplicate_findings(table, columns),
        *_unused(table, columns),
        *gap_findings(table, columns, Steps(most)),
        *_untold(table, columns),
        *_related(table, columns),
    ]
    order = list(Severity)
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _together(table: DecisionTable, columns: Sequence[Column], most: int) -> Iterator[Finding]:
    try:
        together = overlapping(columns, len(table.rules), Steps(most))
    except GaveUpError:
        problem = "the search for overlaps and for rules that others cover was given up: the table is too large for it"
        yield _about(table, Severity.NOTE, problem)
        return
    yield from overlap_findings(table, columns, together)
    yield from masked_findings(table, columns, together, Steps(most))


def _about(
    table: DecisionTable, severity: Severity, message: str, rules: Sequence[int] = ()
) -> Finding:
    return Finding(
        severity=severity,
        element=f"decision table of {table.owner}",
        line=table.line,
        rules=tuple(rules),
        message=message,
    )


def _misfits(table: DecisionTable) -> Iterator[Finding]:
    for rule in table.rules:
        for entry in rule.outputs:
            if entry.trouble:
                message = f"rule {rule.index} always gives null: {entry.trouble}"
                yield _about(table, Severity.ERROR, message, (rule.index,))


def _unused(table: DecisionTable, columns: Sequence[Column]) -> Iterator[Finding]:
    for column in columns:
        if all(cell.anything for cell in column.cells):
            message = f"no rule asks about the input {column.label}"
            yield _about(table, Severity.WARNING, message)


def _untold(table: DecisionTable, columns: Sequence[Column]) -> Iterator[Finding]:
    """Tell which conditions the analysis left out, and what that means for the rest."""
    for column in columns:
        rows = [row for row, cell in enumerate(column.cells) if cell.regions is None]
        if rows:
            yield _about(table, Severity.NOTE, _why_untold(table, column, rows), _numbers(rows))
        for place in column.places:
            limits = limits_of(table.inputs[place])
            if any(constants(limit.tree) is None for limit in limits):
                message = f"the allowed values of {column.label} could not be told; all values count as possible"
                yield _about(table, Severity.NOTE, message)


def _numbers(rows: Sequence[int]) -> list[int]:
    return [row + 1 for row in rows]


def _why_untold(table: DecisionTable, column: Column, rows: Sequence[int]) -> str:
    texts = [" and ".join(column.cells[row].texts) for row in rows[:_SHOWN]]
    shown = ", ".join(texts) + (", …" if len(rows) > _SHOWN else "")
    plain = [
        constants(table.rules[row].tests[place].tree) for row in rows for place in column.places
    ]
    kinds = {line.kind for values in plain for line in lines(values or ())}
    why = "compare with values of several types" if None not in plain else "must be run to be known"
    if None not in plain and len(kinds) < 1:
        why = "compare with values that have no order"
    return (
        f"{len(rows)} conditions for {column.label} {why} ({shown}): overlaps with their rules were not looked for, and "
        "where gaps were, they counted as passed"
    )


def _related(table: DecisionTable, columns: Sequence[Column]) -> Iterator[Finding]:
    """Tell which columns may depend on each other, so that what was found may not be possible."""
    names = [table.inputs[column.places[0]].expression.names for column in columns]
    for (left, read), (right, also) in combinations(zip(columns, names, strict=True), 2):
        shared = sorted(read & also)
        if shared and not _members_only(left.expression, right.expression):
            message = (
                f"the inputs {left.label} and {right.label} both depend on {', '.join(shared)}; "
                "overlaps and gaps that speak of both may not be possible"
            )
            yield _about(table, Severity.NOTE, message)


def _members_only(left: str, right: str) -> bool:
    """Say whether two expressions are different members of contexts, which do not depend on each other."""
    plain = all(all(part.isidentifier() for part in text.split(".")) for text in (left, right))
    inside = left.startswith(f"{right}.") or right.startswith(f"{left}.")
    return plain and not inside

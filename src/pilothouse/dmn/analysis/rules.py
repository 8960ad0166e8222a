"""Rules that never count: conditions that nothing passes, rules behind others, rules that stand there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.covering import Covering
from pilothouse.dmn.analysis.findings import Finding, Severity
from pilothouse.dmn.analysis.meetings import Around
from pilothouse.dmn.analysis.overlaps import named, said_by
from pilothouse.dmn.analysis.steps import GaveUpError, Steps
from pilothouse.dmn.tables import HitPolicy
from pilothouse.dmn.tables.index import Bits, members
from pilothouse.dmn.tables.policies import ranks
from pilothouse.feel import Budget
from pilothouse.feel.constants import answers, constants, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.dmn.analysis.columns import Cell, Column
    from pilothouse.dmn.tables import DecisionTable, Rule

_STEPS_EACH = 50_000


def dead_findings(table: DecisionTable, columns: Sequence[Column]) -> Iterator[Finding]:
    """
    Tell which rules have a condition that no value passes.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns.
    """
    for rule in table.rules:
        for column in columns:
            cell = column.cells[rule.index - 1]
            if cell.regions == 0:
                why = _why(table, column, rule)
                yield _about(
                    rule,
                    f"rule {named(rule)} can never match: its condition for {column.label}, "
                    f"{' and '.join(cell.texts)}, {why}",
                )


def dead(columns: Sequence[Column], rules: int) -> Bits:
    """Give the rules that have a condition that no value passes."""
    found = 0
    for column in columns:
        for row in range(rules):
            found |= (column.cells[row].regions == 0) << row
    return found


def _why(table: DecisionTable, column: Column, rule: Rule) -> str:
    line = column.line
    trees = [rule.tests[place].tree for place in column.places]
    if line is None:
        return "is passed by no value"
    kinds = {found.kind for tree in trees for found in lines(constants(tree) or ())}
    if kinds and line.kind not in kinds:
        return f"compares with a {' and a '.join(sorted(kinds))}, and its values are of type {line.kind}"
    if all(answers(tree, line).true for tree in trees):
        return "is passed by none of its possible values"
    return "is passed by no value"


def _about(rule: Rule, message: str, *others: int) -> Finding:
    return Finding(
        severity=Severity.WARNING,
        element=f"rule {rule.rule}",
        line=rule.line,
        rules=tuple(sorted({*others, rule.index})),
        message=message,
    )


def masked_findings(
    table: DecisionTable, columns: Sequence[Column], together: Sequence[Bits], steps: Steps
) -> Iterator[Finding]:
    """
    Tell which rules never count because others, which come before them, cover them.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns.
    together
        Which rules match together with which, as `overlaps.overlapping` gave it.
    steps
        What the search may take.
    """
    before = _before(table)
    if before is None:
        return
    covering, around = Covering(columns, hopeful=False), [Around(c) for c in columns]
    given_up = []
    gone = dead(columns, len(table.rules))
    for row, rule in enumerate(table.rules):
        rivals = before[row] & together[row] & ~gone
        if gone >> row & 1 or not rivals:
            continue
        single = next(iter(members(_around(around, row) & rivals)), None)
        covered = single is not None or _covered(covering, columns, row, rivals, steps)
        if covered is None:
            given_up.append(rule.index)
        elif covered:
            by = [table.rules[r] for r in ([single] if single is not None else members(rivals))]
            yield _masked(table, rule, by)
    if given_up:
        yield _unknown(table, given_up)


def _before(table: DecisionTable) -> list[Bits] | None:
    """Give for each rule those that win against it; None where the policy lets all of them count."""
    if table.policy is HitPolicy.FIRST:
        return [(1 << row) - 1 for row in range(len(table.rules))]
    if table.policy is not HitPolicy.PRIORITY:
        return None
    ranked = [_rank(table, rule) for rule in table.rules]
    behind: dict[tuple[int, ...] | None, Bits] = {None: 0}
    better = 0
    for rank in sorted({rank for rank in ranked if rank is not None}):
        behind[rank] = better
        better |= sum(1 << row for row, own in enumerate(ranked) if own == rank)
    return [behind[rank] for rank in ranked]


def _rank(table: DecisionTable, rule: Rule) -> tuple[int, ...] | None:
    said = {}
    for clause, entry in zip(table.outputs, rule.outputs, strict=True):
        if entry.constant is None:
            return None
        said[clause.name] = entry.constant.value
    return ranks(said, table.outputs, Budget())


def _around(around: Sequence[Around], row: int) -> Bits:
    """Give the rules that match whatever this one matches."""
    found = around[0].of(row)
    for column in around[1:]:
        found &= column.of(row)
    return found


def _regions(column: Column, cell: Cell) -> int:
    return column.whole if cell.regions is None else cell.regions


def _covered(
    covering: Covering, columns: Sequence[Column], row: int, rivals: Bits, steps: Steps
) -> bool | None:
    """Say whether rules together cover one; None when the search was given up."""
    own = Steps(min(_STEPS_EACH, steps.left))
    left = own.left
    box = tuple(_regions(column, column.cells[row]) for column in columns)
    try:
        return next(covering.uncovered(box, rivals, own), None) is None
    except GaveUpError:
        return None
    finally:
        steps.left -= left - own.left


def _masked(table: DecisionTable, rule: Rule, by: list[Rule]) -> Finding:
    shown = ", ".join(named(r) for r in by[:5]) + (", …" if len(by) > 5 else "")
    together = " together cover" if len(by) > 1 else " covers"
    those = f"rules {shown}" if len(by) > 1 else f"rule {shown}"
    order = "come" if len(by) > 1 else "comes"
    first = f"{order} before it" if table.policy is HitPolicy.FIRST else "say what has priority"
    message = (
        f"rule {named(rule)} never counts: {those}, which {first},{together} all that it matches"
    )
    return _about(rule, message, *(r.index for r in by))


def _unknown(table: DecisionTable, rules: list[int]) -> Finding:
    return Finding(
        severity=Severity.NOTE,
        element=f"decision table of {table.owner}",
        line=table.line,
        rules=tuple(rules),
        message=f"whether {len(rules)} rules are covered by the ones before them was not found out: the search was "
        "given up, the table is too intricate for it",
    )


def duplicate_findings(table: DecisionTable, columns: Sequence[Column]) -> Iterator[Finding]:
    """
    Tell which rules ask and say the same as one before them.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns.
    """
    seen: dict[object, Rule] = {}
    for row, rule in enumerate(table.rules):
        asked = tuple(
            c.cells[row].texts if c.cells[row].regions is None else c.cells[row].regions
            for c in columns
        )
        first = seen.setdefault((asked, said_by(rule)), rule)
        if first is not rule:
            message = f"rule {named(rule)} asks and says the same as rule {named(first)}"
            yield _about(rule, message, first.index)

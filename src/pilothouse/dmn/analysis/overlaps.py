"""Rules that match together: every pair whose conditions meet in every column."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.findings import Finding, Severity
from pilothouse.dmn.analysis.meetings import Meetings
from pilothouse.dmn.analysis.words import conditions, example
from pilothouse.dmn.tables import HitPolicy
from pilothouse.dmn.tables.index import Bits, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.dmn.analysis.columns import Column, Regions
    from pilothouse.dmn.analysis.steps import Steps
    from pilothouse.dmn.tables import DecisionTable, Rule
    from pilothouse.feel import Value

MOST_PAIRS = 30
"""How many pairs of one table are told one by one."""

Pair = tuple[int, int]


def overlapping(columns: Sequence[Column], rules: int, steps: Steps) -> list[Bits]:
    """
    Give for each rule the rules that can match together with it.

    Parameters
    ----------
    columns
        The columns of the table.
    rules
        How many rules it has.
    steps
        What looking may take.

    Raises
    ------
    GaveUpError
        When it takes more.
    """
    meetings = [Meetings(column, steps) for column in columns]
    found = []
    for row in range(rules):
        together = (1 << rules) - 1
        for meeting in meetings:
            together &= meeting.of(row)
            if not together:
                break
        found.append(together & ~(1 << row))
    return found


def overlap_findings(
    table: DecisionTable, columns: Sequence[Column], together: Sequence[Bits]
) -> Iterator[Finding]:
    """
    Tell which rules match together, where the hit policy minds.

    Parameters
    ----------
    table
        The table.
    columns
        Its columns.
    together
        What `overlapping` gave.
    """
    later = [bits >> row << row for row, bits in enumerate(together)]
    match table.policy:
        case HitPolicy.UNIQUE:
            yield from _each(table, columns, later, Severity.ERROR)
        case HitPolicy.ANY:
            different, unknown = _disagreeing(table, later)
            yield from _each(table, columns, different, Severity.ERROR)
            yield from _each(table, columns, unknown, Severity.NOTE)
        case _:
            yield from _allowed(table, columns, later)


def _disagreeing(table: DecisionTable, later: Sequence[Bits]) -> tuple[list[Bits], list[Bits]]:
    """Give for each rule those that say something else, and those of which that is known only when they are run."""
    said = [said_by(rule) for rule in table.rules]
    constant = sum(
        all(e.constant for e in rule.outputs) << row for row, rule in enumerate(table.rules)
    )
    same: dict[object, Bits] = {}
    for row, key in enumerate(said):
        same[key] = same.get(key, 0) | 1 << row
    different, unknown = [], []
    for row, bits in enumerate(later):
        others = bits & ~same[said[row]]
        known = constant if constant >> row & 1 else 0
        different.append(others & known)
        unknown.append(others & ~known)
    return different, unknown


def said_by(rule: Rule) -> tuple[object, ...]:
    """
    Give what a rule says, in a form in which equal things are equal: constants as values, the rest as text.

    Parameters
    ----------
    rule
        The rule.
    """
    return tuple(
        ("text", e.expression.text) if e.constant is None else _comparable(e.constant.value)
        for e in rule.outputs
    )


def _comparable(value: Value) -> object:
    if isinstance(value, dict):
        return frozenset((key, _comparable(inner)) for key, inner in value.items())
    if isinstance(value, tuple):
        return tuple(_comparable(item) for item in value)
    return type(value), value


def _each(
    table: DecisionTable, columns: Sequence[Column], later: Sequence[Bits], severity: Severity
) -> Iterator[Finding]:
    for pair in islice(_pairs(later), MOST_PAIRS):
        yield _told(table, columns, pair, severity)
    more = _count(later) - MOST_PAIRS
    if more > 0:
        yield Finding(
            severity=severity,
            element=f"decision table of {table.owner}",
            line=table.line,
            rules=(),
            message=f"{more} more pairs of rules match together; the first {MOST_PAIRS} are told one by one",
        )


def _pairs(later: Sequence[Bits]) -> Iterator[Pair]:
    return ((row, other) for row, bits in enumerate(later) for other in members(bits))


def _count(later: Sequence[Bits]) -> int:
    return sum(bits.bit_count() for bits in later)


def _told(
    table: DecisionTable, columns: Sequence[Column], pair: Pair, severity: Severity
) -> Finding:
    box = _shared(columns, pair)
    left, right = table.rules[pair[0]], table.rules[pair[1]]
    if severity is Severity.NOTE:
        why = "whether they say the same, as hit policy ANY wants, is known only when they are run"
    elif table.policy is HitPolicy.ANY:
        why = "they say different things, which hit policy ANY forbids"
    else:
        why = f"hit policy {table.policy.value} forbids that"
    return Finding(
        severity=severity,
        element=f"rule {right.rule}",
        line=right.line,
        rules=(left.index, right.index),
        message=f"rules {named(left)} and {named(right)} both match {conditions(box)}; {why}",
        example=example(box),
    )


def _shared(columns: Sequence[Column], pair: Pair) -> list[tuple[Column, Regions]]:
    left, right = pair
    return [(c, (c.cells[left].regions or 0) & (c.cells[right].regions or 0)) for c in columns]


def named(rule: Rule) -> str:
    """
    Name a rule by its place and, where the file gives one, its id.

    Parameters
    ----------
    rule
        The rule.
    """
    own = f"rule {rule.index}"
    return str(rule.index) if rule.rule == own else f"{rule.index} ({rule.rule})"


def _allowed(
    table: DecisionTable, columns: Sequence[Column], later: Sequence[Bits]
) -> Iterator[Finding]:
    pair = next(_pairs(later), None)
    if pair is None:
        return
    box = _shared(columns, pair)
    left, right = (table.rules[place] for place in pair)
    pairs = _count(later)
    count = "one pair of rules matches" if pairs == 1 else f"{pairs} pairs of rules match"
    yield Finding(
        severity=Severity.NOTE,
        element=f"decision table of {table.owner}",
        line=table.line,
        rules=(left.index, right.index),
        message=f"{count} together, as hit policy {table.policy.value} allows: "
        f"rules {named(left)} and {named(right)} both match {conditions(box)}",
        example=example(box),
    )

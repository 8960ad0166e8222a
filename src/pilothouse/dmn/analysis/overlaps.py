"""Rules that match together: every pair whose conditions meet in every column."""

from __future__ import annotations

from itertools import accumulate, islice
from operator import xor
from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.findings import Finding, Severity
from pilothouse.dmn.analysis.words import conditions, example
from pilothouse.dmn.tables import HitPolicy
from pilothouse.dmn.tables.index import Bits, members

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.dmn.analysis.columns import Column, Regions
    from pilothouse.dmn.tables import DecisionTable, Rule
    from pilothouse.feel import Value

MOST_PAIRS = 30
"""How many pairs of one table are told one by one."""

Pair = tuple[int, int]


class Meetings:
    """
    Which rules meet in one column.

    Parameters
    ----------
    column
        The column; conditions that cannot be told meet none.
    """

    def __init__(self, column: Column) -> None:
        self._column = column
        turns = [0] * (len(column.regions) + 2)
        starting = [0] * (len(column.regions) + 1)
        for row, cell in enumerate(column.cells):
            regions = cell.regions or 0
            for place in members(regions ^ regions << 1):
                turns[place] ^= 1 << row
            for place in members(regions & ~(regions << 1)):
                starting[place] |= 1 << row
        self._reaching = list(accumulate(turns[:-1], xor))
        self._starting = starting
        self._found: dict[Regions, Bits] = {}

    def of(self, row: int) -> Bits:
        """Give the rules that pass somewhere where this one does, itself among them."""
        regions = self._column.cells[row].regions or 0
        if regions not in self._found:
            self._found[regions] = self._meeting(regions)
        return self._found[regions]

    def _meeting(self, regions: Regions) -> Bits:
        """Join the rules that reach the start of each run of regions with those that start inside it."""
        meeting = 0
        for place in members(regions & ~(regions << 1)):
            meeting |= self._reaching[place]
        for place in members(regions):
            meeting |= self._starting[place]
        return meeting


def overlapping(columns: Sequence[Column], rules: int) -> list[Bits]:
    """
    Give for each rule the rules that can match together with it.

    Parameters
    ----------
    columns
        The columns of the table.
    rules
        How many rules it has.
    """
    meetings = [Meetings(column) for column in columns]
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

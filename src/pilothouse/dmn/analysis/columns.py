"""
The inputs of a table as lines cut into regions inside which no condition changes its answer.

A set of regions is a whole number with a bit for each region, the lowest region first, and one bit more, the
last, for null. Inputs with the same expression are one column, since they always have the same value.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, cast

from pilothouse.feel.constants import (
    BOOLEANS_LINE,
    NUMBERS_LINE,
    STRINGS_LINE,
    Line,
    answers,
    constants,
    lines,
    placed,
)
from pilothouse.feel.spans import (
    EVERYTHING,
    HIGHEST,
    LOWEST,
    NOTHING,
    Cut,
    Spans,
    intersection,
    pieces,
    point,
    union,
)
from pilothouse.feel.types import Constrained, Named, bare
from pilothouse.feel.values import Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pilothouse.dmn.tables import DecisionTable, InputClause
    from pilothouse.feel import UnaryTests, Value

Regions: TypeAlias = int
"""A set of regions of one column."""

ANY_LINE = Line(kind="Any")
"""The line of an input that is compared with nothing: all values but null are one region."""

_DENSE = (NUMBERS_LINE, STRINGS_LINE)
_BOOLEANS: Spans = union((point(False), point(True)))  # the keys of the line


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """
    What one rule asks of one column.

    Parameters
    ----------
    regions
        Where it passes; None where that cannot be told without running it.
    anything
        Whether it lets everything pass.
    texts
        The conditions, as written.
    """

    regions: Regions | None
    anything: bool
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """
    One line of values, and what each rule asks of it.

    Parameters
    ----------
    label, expression
        What it is called, and the FEEL text whose value it is.
    places
        The inputs of the table that it stands for, from 0.
    line
        The line; None where the conditions compare with values of several types.
    domain
        The values that are possible.
    regions
        The pieces of the domain, ascending.
    values
        The values at which the line is cut, by their keys.
    cells
        What the rules ask, in order.
    """

    label: str
    expression: str
    places: tuple[int, ...]
    line: Line | None
    domain: Spans
    regions: tuple[tuple[Cut, Cut], ...]
    values: dict[object, Value]
    cells: tuple[Cell, ...]

    @property
    def known(self) -> Regions:
        """All regions but null."""
        return (1 << len(self.regions)) - 1

    @property
    def null(self) -> Regions:
        """The bit for null."""
        return 1 << len(self.regions)

    @property
    def whole(self) -> Regions:
        """All regions, null among them."""
        return (1 << len(self.regions) + 1) - 1


def columns_of(table: DecisionTable) -> tuple[Column, ...]:
    """
    Make the columns of a table.

    Parameters
    ----------
    table
        The table.
    """
    places: dict[str, list[int]] = {}
    for place, clause in enumerate(table.inputs):
        places.setdefault(clause.expression.text, []).append(place)
    return tuple(_column(table, tuple(group)) for group in places.values())


def _column(table: DecisionTable, places: tuple[int, ...]) -> Column:
    clauses = [table.inputs[place] for place in places]
    tests = [tuple(rule.tests[place] for place in places) for rule in table.rules]
    found = [_constants(cells) for cells in tests]
    known = [value for values in found if values is not None for value in values]
    limits = [limit for clause in clauses for limit in limits_of(clause)]
    known += [v for limit in limits for v in constants(limit.tree) or ()]
    line = _line(clauses, known)
    domain = NOTHING if line is None else _domain(line, limits)
    sets = [
        None if values is None or line is None else _passing(cells, line, domain)
        for cells, values in zip(tests, found, strict=True)
    ]
    regions = _regions(line, domain, [s for s in sets if s is not None])
    starts = [start for start, _ in regions]
    nulls = [all(table.columns[p].null >> row & 1 for p in places) for row in range(len(tests))]
    return Column(
        label=clauses[0].label,
        expression=clauses[0].expression.text,
        places=places,
        line=line,
        domain=domain,
        regions=regions,
        values={place[1]: v for v in _flat(known) if (place := placed(v)) is not None},
        cells=tuple(
            _cell(cells, spans, starts, null=null)
            for cells, spans, null in zip(tests, sets, nulls, strict=True)
        ),
    )


def _constants(cells: Iterable[UnaryTests]) -> tuple[Value, ...] | None:
    found: list[Value] = []
    for cell in cells:
        values = constants(cell.tree)
        if values is None:
            return None
        found.extend(values)
    return tuple(found)


def limits_of(clause: InputClause) -> tuple[UnaryTests, ...]:
    """List the tests that the possible values of an input pass: its own, and those of its type."""
    found = [] if clause.allowed is None else [clause.allowed]
    kind = clause.type
    while isinstance(kind, (Named, Constrained)):
        if isinstance(kind, Constrained):
            found.append(cast("UnaryTests", kind.allowed))  # the type reader makes no others
        kind = kind.base
    return tuple(found)


def _line(clauses: Sequence[InputClause], known: Sequence[Value]) -> Line | None:
    """Find the line by the declared type; else, by what the conditions compare with."""
    found = lines(tuple(known))
    declared = next((n for n in (bare(c.type).name for c in clauses) if n != "Any"), "")
    if declared:
        fitting = [line for line in found if line.kind == declared]
        return fitting[0] if len(fitting) == 1 else None if fitting else Line(kind=declared)
    return next(iter(found), ANY_LINE) if len(found) < 2 else None


def _domain(line: Line, limits: Iterable[UnaryTests]) -> Spans:
    own = _BOOLEANS if line == BOOLEANS_LINE else EVERYTHING
    told = [answers(t.tree, line).true for t in limits if constants(t.tree) is not None]
    return intersection((own, *told))


def _passing(cells: Iterable[UnaryTests], line: Line, domain: Spans) -> Spans:
    return intersection((domain, *(answers(cell.tree, line).true for cell in cells)))


def _regions(
    line: Line | None, domain: Spans, sets: Iterable[Spans]
) -> tuple[tuple[Cut, Cut], ...]:
    if line is None:
        return ()
    cuts = sorted(set(domain).union(*sets))
    starts = [start for start, _ in pieces(domain)]
    inside = []
    for start, end in pairwise(cuts):
        piece = bisect_left(starts, end) - 1
        if domain[2 * piece + 1] >= end and not is_empty(start, end, line):
            inside.append((start, end))
    return tuple(inside)


def is_empty(start: Cut, end: Cut, line: Line) -> bool:
    """
    Say whether no value lies between two cuts that follow each other.

    Examples
    --------
    >>> is_empty((0, 3, 1), (0, 4, 0), Line(kind="date")), is_empty((0, 3, 1), (0, 4, 0), NUMBERS_LINE)
    (True, False)
    """
    if line == STRINGS_LINE:
        return start == LOWEST and end == (0, "", 0)
    if line in _DENSE or start == LOWEST or end == HIGHEST:
        return False
    first = start[1] + start[2]
    last = end[1] - 1 + end[2]
    return bool(first > last)


def _cell(
    cells: tuple[UnaryTests, ...], spans: Spans | None, starts: list[Cut], *, null: bool
) -> Cell:
    texts = tuple(cell.text for cell in cells if not cell.passes_all)
    count = len(starts)
    if not texts:
        return Cell(regions=(1 << count + 1) - 1, anything=True, texts=())
    if spans is None:
        return Cell(regions=None, anything=False, texts=texts)
    regions = int(null) << count
    for start, end in pieces(spans):
        regions |= (1 << bisect_left(starts, end)) - (1 << bisect_left(starts, start))
    return Cell(regions=regions, anything=False, texts=texts)


def _flat(values: Iterable[Value]) -> Iterable[Value]:
    for value in values:
        if isinstance(value, tuple):
            yield from _flat(value)
        elif isinstance(value, Range):
            yield from _flat((value.start, value.end))
        else:
            yield value

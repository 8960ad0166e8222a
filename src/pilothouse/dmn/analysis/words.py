"""Sets of regions as FEEL, and values out of them as examples."""

from __future__ import annotations

import re
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from pilothouse.dmn.analysis.columns import ANY_LINE, is_empty
from pilothouse.dmn.tables.index import members
from pilothouse.feel import plain_value
from pilothouse.feel.constants import BOOLEANS_LINE, NUMBERS_LINE, STRINGS_LINE, placed
from pilothouse.feel.spans import HIGHEST, LOWEST, after, before
from pilothouse.feel.temporal import DaysTime, YearsMonths, shifted
from pilothouse.feel.values import NUMBERS, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pilothouse.dmn.analysis.columns import Column, Regions
    from pilothouse.feel import Value
    from pilothouse.feel.spans import Cut

_MAKERS = {
    "date": "date",
    "time": "time",
    "date and time": "date and time",
    "days and time duration": "duration",
    "years and months duration": "duration",
}
_NAME = re.compile(r"[^\W\d]\w*")
_OTHER = "other"
_SHOWN = 12
_DAY = DaysTime(nanoseconds=86_400 * 10**9)
_STEPS = (_DAY, DaysTime(nanoseconds=10**9), DaysTime(nanoseconds=1), YearsMonths(months=1))


def literal(value: Value) -> str:
    r"""
    Write a value without parts as FEEL.

    Examples
    --------
    >>> literal(Decimal("1E+2")), literal('a "b"'), literal(True), literal(None)
    ('100', '"a \\"b\\""', 'true', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{quoted}"'
    return f'{_MAKERS[kind_of(value)]}("{plain_value(value)}")'


def described(column: Column, regions: Regions) -> str:
    """
    Write the condition that a value of a column lies in some of its regions, as FEEL.

    Parameters
    ----------
    column
        The column.
    regions
        Some of its regions, null possibly among them.
    """
    tests = list(_tests(column, regions & column.known))
    name = column.expression
    if not tests:
        return f"{name} = null"
    if regions == column.known:
        return f"{name} != null"
    more = len(tests) - _SHOWN
    if more > 0:
        return f"{_condition(name, tests[:_SHOWN])} or {more} other values or ranges of it"
    condition = _condition(name, tests)
    return f"({condition} or {name} = null)" if regions & column.null else condition


def _condition(name: str, tests: list[str]) -> str:
    if len(tests) > 1:
        return f"{name} in ({', '.join(tests)})"
    test = tests[0]
    if test.startswith("not("):
        return f"not({name} in {test[3:]})"
    if test[0] in "<>":
        return f"{name} {test}"
    if ".." in test and test[0] in "[(":
        return f"{name} in {test}"
    return f"{name} = {test}"


def _tests(column: Column, regions: Regions) -> Iterator[str]:
    """Write regions as unary tests; where only single values are missing from a line, as what is not among them."""
    if column.line == STRINGS_LINE:
        missing = _missing_points(column, regions)
        if missing is not None:
            yield f"not({', '.join(missing)})"
            return
    for first, last in _runs(column, regions):
        yield _test(column, column.regions[first][0], column.regions[last][1])


def _missing_points(column: Column, regions: Regions) -> list[str] | None:
    """List what is missing from an open line, where that is some single values."""
    if column.domain != (LOWEST, HIGHEST) or regions == column.known:
        return None
    missing = [column.regions[place] for place in members(column.known & ~regions)]
    if any(not _is_point(start, end) for start, end in missing):
        return None
    return [literal(column.values[start[1]]) for start, _ in missing]


def _is_point(start: Cut, end: Cut) -> bool:
    return start[0] == end[0] == 0 and start[1] == end[1]


def _runs(column: Column, regions: Regions) -> Iterator[tuple[int, int]]:
    """Join neighbours into runs: pairs of the first and the last region."""
    places = list(members(regions))
    start = 0
    for i in range(1, len(places) + 1):
        if i < len(places) and _touch(column, places[i - 1], places[i]):
            continue
        yield places[start], places[i - 1]
        start = i


def _touch(column: Column, left: int, right: int) -> bool:
    if right != left + 1 or column.line is None or column.line == BOOLEANS_LINE:
        return False
    end, start = column.regions[left][1], column.regions[right][0]
    return end == start or is_empty(end, start, column.line)


def _test(column: Column, start: Cut, end: Cut) -> str:
    if _is_point(start, end):
        return literal(column.values[start[1]])
    low = "" if start == LOWEST else literal(column.values[start[1]])
    high = "" if end == HIGHEST else literal(column.values[end[1]])
    if low and high:
        return f"{'(' if start[2] else '['}{low}..{high}{']' if end[2] else ')'}"
    if low:
        return f"{'>' if start[2] else '>='} {low}"
    return f"{'<=' if end[2] else '<'} {high}" if high else "-"


def conditions(box: Sequence[tuple[Column, Regions]]) -> str:
    """Write that values lie in some regions of several columns; columns that say nothing are left out."""
    told = [described(c, r) for c, r in box if _says_something(c, r)]
    return " and ".join(told) or "any inputs"


def _says_something(column: Column, regions: Regions) -> bool:
    """Say whether regions leave anything out; null counts where a rule asks for it."""
    if regions & column.known != column.known:
        return True
    asked = any(cell.regions == column.null and not cell.anything for cell in column.cells)
    return asked and not regions & column.null


def example(box: Sequence[tuple[Column, Regions]]) -> str:
    """
    Write inputs that lie in some regions of several columns, as a FEEL context.

    Parameters
    ----------
    box
        The columns with their regions; columns that may be anything are left out.
    """
    entries = []
    for column, regions in box:
        if column.line is None or not _says_something(column, regions):
            continue
        text = _example_of(column, regions)
        if text is None:
            return ""
        name = column.expression
        key = name if _NAME.fullmatch(name) else literal(name)
        entries.append(f"{key}: {text}")
    return f"{{{', '.join(entries)}}}"


def _example_of(column: Column, regions: Regions) -> str | None:
    known = regions & column.known
    if not known:
        return "null"
    pieces = [column.regions[place] for place in members(known)]
    if column.line == NUMBERS_LINE:
        pieces = [piece for piece in pieces if holds_whole_number(*piece)] or pieces
    if column.line == STRINGS_LINE and any(_lies(_OTHER, *piece) for piece in pieces):
        return literal(_OTHER)
    for start, end in pieces:
        value = _between(column, start, end)
        if value is not None and (column.line == ANY_LINE or _lies(value, start, end)):
            return literal(value)
    return None


def _lies(value: Value, start: Cut, end: Cut) -> bool:
    place = placed(value)
    return place is not None and start <= before(place[1]) and after(place[1]) <= end


def holds_whole_number(start: Cut, end: Cut) -> bool:
    """
    Say whether a whole number lies between two cuts of the line of numbers.

    Examples
    --------
    >>> holds_whole_number((0, Decimal(20), 1), (0, Decimal(21), 0))
    False
    """
    if start == LOWEST or end == HIGHEST:
        return True
    first = _next_whole(start)
    return first < end[1] or (first == end[1] and end[2] == 1)


def _floor(cut: Cut) -> Decimal:
    return Decimal(cut[1]).to_integral_value(rounding=ROUND_FLOOR)


def _next_whole(start: Cut) -> Decimal:
    floor = _floor(start)
    return floor if floor == start[1] and not start[2] else NUMBERS.add(floor, Decimal(1))


def _between(column: Column, start: Cut, end: Cut) -> Value:
    if _is_point(start, end):
        return column.values[start[1]]
    if column.line == ANY_LINE:
        return Decimal(0)
    if column.line == NUMBERS_LINE:
        return _number_between(start, end)
    if column.line == STRINGS_LINE:
        return _string_between(start, end)
    return _moment_between(column.values, start, end)


def _number_between(start: Cut, end: Cut) -> Decimal:
    if start == LOWEST:
        return Decimal(0) if end == HIGHEST else NUMBERS.subtract(_floor(end), Decimal(1 - end[2]))
    if end == HIGHEST or holds_whole_number(start, end):
        return _next_whole(start)
    return NUMBERS.divide(NUMBERS.add(start[1], end[1]), Decimal(2))


def _string_between(start: Cut, end: Cut) -> str | None:
    low = "" if start == LOWEST else str(start[1])
    candidates = (low, f"{low} ", f"{low}0", f"{low}a")
    return next((c for c in candidates if _lies(c, start, end)), None)


def _moment_between(values: Mapping[object, Value], start: Cut, end: Cut) -> Value:
    for cut, sign in ((start, 1), (end, -1)):
        value = values.get(cut[1]) if cut[0] == 0 else None
        if value is None:
            continue
        for moved in (value, *_neighbours(value, sign)):
            if _lies(moved, start, end):
                return moved
    return None


def _neighbours(value: Value, sign: int) -> Iterator[Value]:
    for step in _STEPS:
        by = (
            YearsMonths(months=sign * step.months)
            if isinstance(step, YearsMonths)
            else DaysTime(nanoseconds=sign * step.nanoseconds)
        )
        moved = shifted(value, by)
        if moved is not None and kind_of(moved) == kind_of(value):
            yield moved

"""The index of a table gives exactly the rules that running every condition gives."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.dmn.tables.index import column_index, members
from pilothouse.feel import Budget, admit, compile_unary_tests
from pilothouse.feel.constants import NUMBERS_LINE, answers, constants
from pilothouse.feel.spans import after, before, pieces
from pilothouse.feel.temporal import read_moment

if TYPE_CHECKING:
    from pilothouse.feel import Value

NUMBERS = st.integers(-4, 4).map(str) | st.sampled_from(["0.5", "-1.5"])
STRINGS = st.sampled_from(['"a"', '"b"', '"low"', '""'])
DATES = st.sampled_from(["2026-01-01", "2026-01-02", "2026-03-05"]).map(lambda d: f'date("{d}")')
TIMES = st.sampled_from(['time("10:00:00")', 'time("10:00:00Z")', 'time("11:30:00+01:00")'])
LENGTHS = st.sampled_from(['duration("P1D")', 'duration("PT36H")', 'duration("P1Y")'])
CONSTANTS = st.one_of(
    NUMBERS, NUMBERS, STRINGS, DATES, TIMES, LENGTHS, st.sampled_from(["true", "false", "null"])
)
SIGNS = st.sampled_from(["<", "<=", ">", ">="])
TESTS = st.one_of(
    CONSTANTS,
    st.tuples(SIGNS, CONSTANTS).map(" ".join),
    st.tuples(st.sampled_from("[("), NUMBERS, st.just(".."), NUMBERS, st.sampled_from("])")).map(
        "".join
    ),
    st.tuples(DATES, DATES).map(lambda d: f"[{d[0]}..{d[1]}]"),
    st.lists(CONSTANTS, min_size=1, max_size=3).map(lambda c: f"[{', '.join(c)}]"),
    st.tuples(SIGNS, CONSTANTS).map(lambda t: f"? {t[0]} {t[1]}"),
    st.tuples(CONSTANTS, st.sampled_from(["=", "!=", "<"])).map(lambda t: f"{t[0]} {t[1]} ?"),
    st.tuples(NUMBERS, NUMBERS).map(lambda t: f"? between {t[0]} and {t[1]}"),
    st.tuples(NUMBERS, STRINGS).map(lambda t: f"? > {t[0]} or ? = {t[1]}"),
    st.tuples(NUMBERS, NUMBERS).map(lambda t: f"? > {t[0]} and ? <= {t[1]}"),
    st.lists(CONSTANTS, min_size=1, max_size=3).map(lambda c: f"? in ({', '.join(c)})"),
    st.sampled_from(["count(?) = 1", "x", "> x", 'string(?) = "1"']),
)
CELLS = st.one_of(
    st.just("-"),
    st.lists(TESTS, min_size=1, max_size=3).map(", ".join),
    st.lists(TESTS, min_size=1, max_size=3).map(lambda tests: f"not({', '.join(tests)})"),
)
VALUES = st.one_of(
    st.decimals(-5, 5, places=1),
    st.sampled_from(["a", "b", "c", "low", "", "zzz"]),
    st.booleans(),
    st.none(),
    st.lists(st.integers(0, 2), max_size=2),
    st.sampled_from(
        [
            *("2026-01-01", "2026-02-01", "10:00:00", "10:00:00Z", "10:30:00Z", "09:00:00"),
            *("P1D", "P1DT12H", "P12M", "-P1D", "2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
        ]
    ).map(read_moment),
)
SETTINGS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(cells=st.lists(CELLS, min_size=1, max_size=8), values=st.lists(VALUES, max_size=8))
def test_the_index_answers_as_the_conditions_do(cells: list[str], values: list[Value]) -> None:
    tests = [compile_unary_tests(cell) for cell in cells]
    index = column_index(tests)
    scope = {"x": Decimal(1)}
    for raw in values:
        value = admit(raw, name="value", budget=Budget())
        passing, to_run = index.passing(value)
        found = set(members(passing)) | {
            row for row in members(to_run) if tests[row].passes(value, scope, budget=Budget())
        }
        run = {row for row, test in enumerate(tests) if test.passes(value, scope, budget=Budget())}
        assert found == run, (cells, value)


@SETTINGS
@given(cell=CELLS, value=st.decimals(-5, 5, places=1))
def test_what_is_said_of_constants_is_what_running_them_gives(cell: str, value: Decimal) -> None:
    tests = compile_unary_tests(cell)
    if constants(tests.tree) is None:
        return
    true = answers(tests.tree, NUMBERS_LINE).true
    inside = any(a <= before(value) and after(value) <= b for a, b in pieces(true))
    assert inside is tests.passes(value, {}, budget=Budget())


def test_members_are_the_bits_that_are_set() -> None:
    assert list(members((1 << 3) | 1)) == [0, 3]

"""
What can be said about unary tests without running them: which values pass, where the tests are written with constants.

Numbers, strings, booleans, dates, times and durations each lie on a line of their own. `answers` gives for one
line the values for which the tests are true and those for which they are false; for the rest they are null. It
gives nothing where a test reads a variable or does more than compare. Source: DMN 1.5, section 10.3.2.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.budget import Budget
from pilothouse.feel.comparison import MOMENTS
from pilothouse.feel.errors import FeelSyntaxError
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call
from pilothouse.feel.intervals import interval
from pilothouse.feel.names import INPUT
from pilothouse.feel.signs import Operator
from pilothouse.feel.spans import (
    EVERYTHING,
    HIGHEST,
    LOWEST,
    NOTHING,
    Spans,
    after,
    before,
    between,
    complement,
    intersection,
    point,
    union,
)
from pilothouse.feel.syntax import (
    Between,
    Call,
    Comparison,
    Conjunction,
    Disjunction,
    Expr,
    Interval,
    ListOf,
    Literal,
    Membership,
    Name,
    Negation,
    OperatorTest,
    ValueTest,
)
from pilothouse.feel.temporal import DaysTime, YearsMonths, moment_key, negated
from pilothouse.feel.unary import compile_unary_tests
from pilothouse.feel.values import NUMBERS, Range, Value, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pilothouse.feel.syntax import Test, Tests

_MAKERS = ("date", "time", "date and time", "duration")
_TURNED = {
    Operator.LESS: Operator.MORE,
    Operator.AT_MOST: Operator.AT_LEAST,
    Operator.MORE: Operator.LESS,
    Operator.AT_LEAST: Operator.AT_MOST,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    Values that can be compared with each other.

    Parameters
    ----------
    kind
        Their FEEL type.
    zone
        For times, which of the lines of times they lie on: times with a zone have another than times without.
    """

    kind: str
    zone: str = ""


NUMBERS_LINE = Line(kind="number")
STRINGS_LINE = Line(kind="string")
BOOLEANS_LINE = Line(kind="boolean")
SIMPLE: dict[type, Line] = {Decimal: NUMBERS_LINE, str: STRINGS_LINE, bool: BOOLEANS_LINE}
"""The lines whose values are their own keys, by Python type."""

Placed: TypeAlias = tuple[Line, Decimal | str | bool | int]


def placed(value: Value) -> Placed | None:
    """
    Give the line that a value lies on, and its key there; None for values that lie on none.

    Examples
    --------
    >>> placed("a")
    (Line(kind='string', zone=''), 'a')
    >>> placed(("a",)) is None
    True
    """
    line = SIMPLE.get(type(value))
    if line is not None:
        return line, value  # type: ignore[return-value]  # the three types of `SIMPLE`
    if isinstance(value, MOMENTS):
        zone, key = moment_key(value)
        return Line(kind=kind_of(value), zone=zone), key
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A value that is known without running anything."""

    value: Value


def known(node: Expr) -> Known | None:
    """
    Give the value of an expression that is a constant: a literal, or a range, a list or a date made of them.

    Examples
    --------
    >>> known(Negation(place=0, operand=Literal(place=1, value=Decimal(5))))
    Known(value=Decimal('-5'))
    >>> known(Name(place=0, name="x")) is None
    True
    """
    if isinstance(node, Literal):
        return Known(value=node.value)
    if isinstance(node, Negation):
        return _made(_negated, node.operand)
    if isinstance(node, Interval):
        ends = (node.low_included, node.high_included)
        return _made(lambda low, high: interval(low, high, ends), node.low, node.high)
    if isinstance(node, ListOf):
        return _made(lambda *items: items, *node.items)
    if isinstance(node, Call):
        return _called(node)
    return None


def _made(make: Callable[..., Value], *nodes: Expr) -> Known | None:
    """Make a value of constants; None where one of them is none."""
    parts = [found.value for node in nodes if (found := known(node)) is not None]
    return Known(value=make(*parts)) if len(parts) == len(nodes) else None


def _negated(value: Value) -> Value:
    if type(value) is Decimal:
        return NUMBERS.minus(value)
    return negated(value) if isinstance(value, (DaysTime, YearsMonths)) else None


def _called(node: Call) -> Known | None:
    if not isinstance(node.function, Name) or node.function.name not in _MAKERS:
        return None
    function, names = FUNCTIONS[node.function.name], node.parameters
    return _made(lambda *given: call(function, given, names, Budget()), *node.arguments)


def known_text(text: str) -> Known | None:
    """
    Give the value of a text that is a constant and nothing else.

    Examples
    --------
    >>> known_text('"PASS"'), known_text("auc"), known_text("1, 2")
    (Known(value='PASS'), None, None)
    """
    try:
        tree = compile_unary_tests(text).tree
    except FeelSyntaxError:
        return None
    test = tree.tests[0] if len(tree.tests) == 1 and not tree.negated else None
    return known(test.expression) if isinstance(test, ValueTest) else None


def constants(tests: Tests) -> tuple[Value, ...] | None:
    """
    List the constants that tests compare with; None where they do anything else.

    Parameters
    ----------
    tests
        The tests of a cell.
    """
    found: list[Value] = []
    if tests.negated and any(_is_condition(test) for test in tests.tests):
        return None  # whether the negation of a condition that is null passes is not for the lines to say
    return tuple(found) if all(_gather(test, found) for test in tests.tests) else None


def _is_condition(test: Test) -> bool:
    return isinstance(test, ValueTest) and _gather_condition(test.expression, [])


def _gather(test: Test, found: list[Value]) -> bool:
    """Collect the constants of one test; say whether it is made of nothing else."""
    if isinstance(test, OperatorTest):
        return _gather_all((test.operand,), found)
    return _gather_condition(test.expression, found) or _gather_all((test.expression,), found)


def _gather_all(nodes: tuple[Expr, ...], found: list[Value]) -> bool:
    values = [known(node) for node in nodes]
    if None in values:
        return False
    found.extend(v.value for v in values if v is not None)
    return True


def _gather_condition(node: Expr, found: list[Value]) -> bool:
    """Collect the constants of a condition on ``?``."""
    match node:
        case Conjunction(parts=parts) | Disjunction(parts=parts):
            return all(_gather_condition(part, found) for part in parts)
        case Comparison(left=left, right=right):
            other = right if _is_input(left) else left if _is_input(right) else None
            return other is not None and _gather_all((other,), found)
        case Between(value=value, low=low, high=high):
            return _is_input(value) and _gather_all((low, high), found)
        case Membership(value=value, tests=tests):
            return _is_input(value) and all(_gather_member(test, found) for test in tests)
        case _:
            return False


def _gather_member(test: Test, found: list[Value]) -> bool:
    node = test.operand if isinstance(test, OperatorTest) else test.expression
    return _gather_all((node,), found)


def _is_input(node: Expr) -> bool:
    return isinstance(node, Name) and node.name == INPUT


def lines(values: tuple[Value, ...]) -> frozenset[Line]:
    """
    Name the lines that constants lie on.

    Examples
    --------
    >>> sorted(line.kind for line in lines((Decimal(1), ("a", Range(start=Decimal(1), end=Decimal(2))))))
    ['number', 'string']
    """
    found: set[Line] = set()
    for value in values:
        if isinstance(value, tuple):
            found |= lines(value)
        elif isinstance(value, Range):
            found |= lines((value.start, value.end))
        else:
            place = placed(value)
            found |= set() if place is None else {place[0]}
    return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """
    The answers of a test for the values of a line; where it is neither true nor false it is null.

    Parameters
    ----------
    true, false
        The values for which it is.
    """

    true: Spans
    false: Spans


_NULL = Answers(true=NOTHING, false=NOTHING)
_NEVER = Answers(true=NOTHING, false=EVERYTHING)


def answers(tests: Tests, line: Line) -> Answers:
    """
    Say for which values of a line tests are true and false; they must be made of `constants`.

    Parameters
    ----------
    tests
        The tests of a cell.
    line
        What values are asked about.
    """
    if not tests.tests:
        return Answers(true=EVERYTHING, false=NOTHING)
    joined = _any(_test(test, line) for test in tests.tests)
    return Answers(true=joined.false, false=joined.true) if tests.negated else joined


def _any(parts: Iterable[Answers]) -> Answers:
    given = tuple(parts)
    return Answers(
        true=union(part.true for part in given), false=intersection(part.false for part in given)
    )


def _every(parts: Iterable[Answers]) -> Answers:
    given = tuple(parts)
    return Answers(
        true=intersection(part.true for part in given), false=union(part.false for part in given)
    )


def _test(test: Test, line: Line) -> Answers:
    if isinstance(test, OperatorTest):
        return _operator(test.operator, _value(test.operand), line)
    if _gather_condition(test.expression, []):
        return _condition(test.expression, line)
    value = _value(test.expression)
    if value is None and isinstance(test.expression, Interval):
        return _NULL  # a range that is none, such as [5..1]
    return _member(value, line)


def _value(node: Expr) -> Value:
    found = known(node)
    if found is None:
        raise AssertionError("only tests made of constants have answers")
    return found.value


def _condition(node: Expr, line: Line) -> Answers:
    match node:
        case Conjunction(parts=parts):
            return _every(_condition(part, line) for part in parts)
        case Disjunction(parts=parts):
            return _any(_condition(part, line) for part in parts)
        case Comparison(operator=operator, left=left, right=right):
            if _is_input(left):
                return _operator(operator, _value(right), line)
            return _operator(_TURNED.get(operator, operator), _value(left), line)
        case Between(low=low, high=high):
            at_least = _operator(Operator.AT_LEAST, _value(low), line)
            return _every((at_least, _operator(Operator.AT_MOST, _value(high), line)))
        case Membership(tests=tests):
            return _any(_test(test, line) for test in tests)
        case _:
            raise AssertionError("no condition made of constants")


def _operator(operator: Operator, value: Value, line: Line) -> Answers:
    if operator is Operator.EQUAL:
        return _equal(value, line)
    if operator is Operator.UNEQUAL:
        same = _equal(value, line)
        return Answers(true=same.false, false=same.true)
    place = placed(value)
    if place is None or place[0] != line or line == BOOLEANS_LINE:
        return _NULL
    return _decided(_bounded(operator, place[1]))


def _bounded(operator: Operator, key: object) -> Spans:
    match operator:
        case Operator.LESS:
            return between(LOWEST, before(key))
        case Operator.AT_MOST:
            return between(LOWEST, after(key))
        case Operator.MORE:
            return between(after(key), HIGHEST)
        case _:
            return between(before(key), HIGHEST)


def _decided(true: Spans) -> Answers:
    return Answers(true=true, false=complement(true))


def _equal(value: Value, line: Line) -> Answers:
    if value is None:
        return _NEVER
    place = placed(value)
    return _NULL if place is None or place[0] != line else _decided(point(place[1]))


def _member(value: Value, line: Line) -> Answers:
    """Answer a test by value: equal to it, in its range, or in its list."""
    if isinstance(value, tuple):
        return _decided(union(_member(item, line).true for item in value if _single(item)))
    if isinstance(value, Range):
        return _within(value, line)
    return _equal(value, line)


def _single(value: Value) -> bool:
    """Items of a list that are lists themselves equal lists only."""
    return not isinstance(value, tuple)


def _within(bounds: Range, line: Line) -> Answers:
    ends = []
    if bounds.start is not None:
        low = Operator.AT_LEAST if bounds.start_included else Operator.MORE
        ends.append(_operator(low, bounds.start, line))
    if bounds.end is not None:
        high = Operator.AT_MOST if bounds.end_included else Operator.LESS
        ends.append(_operator(high, bounds.end, line))
    return _every(ends)

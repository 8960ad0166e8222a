"""Unary tests as they are written: the cells of decision tables, and the right side of ``in``. Source: DMN 1.5, rules 7 to 15."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pilothouse.feel.signs import Operator
from pilothouse.feel.syntax import (
    Expr,
    Membership,
    OperatorRange,
    OperatorTest,
    Test,
    Tests,
    ValueTest,
)
from pilothouse.feel.tokens import TokenKind

if TYPE_CHECKING:
    from pilothouse.feel.cursor import Cursor

_SIGNS = ("<", "<=", ">", ">=", "=", "!=")


class TestReading(Protocol):
    """What reading a test needs of the parser."""

    cursor: Cursor

    def expression(self) -> Expr:
        """Read the expression that stands next."""

    def tight(self) -> Expr:
        """Read an expression whose operators bind tighter than comparisons."""

    def continued(self, node: Expr) -> Expr:
        """Read what binds tighter than comparisons after an operand that was just read."""

    def interval(self, place: int, low: Expr, *, included: bool) -> Expr:
        """Read the rest of a range, from its two points on."""


def read_tests(reading: TestReading) -> Tests:
    """
    Read a text as unary tests: ``-``, ``not(…)``, or tests with commas between them.

    Raises
    ------
    FeelSyntaxError
        When it is none of them.
    """
    c = reading.cursor
    if c.at_sign("-") and c.tokens[1].kind is TokenKind.END:
        return Tests(place=0, tests=())
    negated = _negated(reading)
    if negated is not None:
        return negated
    tests = _listed(reading)
    c.expect_end()
    return Tests(place=0, tests=tests, height=c.above(*tests))


def _negated(reading: TestReading) -> Tests | None:
    c = reading.cursor
    if not (c.at_word("not") and c.follows("(")):
        return None
    c.index += 2
    tests = _listed(reading)
    if c.accept(")") and c.token.kind is TokenKind.END:
        return Tests(place=0, tests=tests, negated=True, height=c.above(*tests))
    c.restart()  # it was an expression that begins with the function not()
    return None


def _listed(reading: TestReading) -> tuple[Test, ...]:
    tests = [_test(reading, loose=True)]
    while reading.cursor.accept(","):
        tests.append(_test(reading, loose=True))
    return tuple(tests)


def _test(reading: TestReading, *, loose: bool) -> Test:
    c = reading.cursor
    place = c.token.start
    if c.at_sign(*_SIGNS):
        operator = Operator(c.advance().text)
        value = reading.tight()
        return OperatorTest(place=place, operator=operator, operand=value, height=c.above(value))
    value = reading.expression() if loose else reading.tight()
    return ValueTest(place=place, expression=value, height=c.above(value))


def at_range(reading: TestReading) -> bool:
    """Say whether a range written as a comparison stands next."""
    return reading.cursor.at_sign(*_SIGNS)


def read_operator_range(reading: TestReading) -> Expr:
    """
    Read ``< 5`` as a value.

    Raises
    ------
    FeelSyntaxError
        When no operand follows.
    """
    c = reading.cursor
    token = c.advance()
    value = reading.tight()
    return OperatorRange(
        place=token.start, operator=Operator(token.text), operand=value, height=c.above(value)
    )


def read_membership(reading: TestReading, value: Expr) -> Expr:
    """
    Read what follows ``in``: one test, or several in brackets.

    Parameters
    ----------
    reading
        Where the parser stands.
    value
        The value under test.

    Raises
    ------
    FeelSyntaxError
        When no test follows.
    """
    c = reading.cursor
    tests = _group(reading) if c.at_sign("(") else (_test(reading, loose=False),)
    return Membership(place=value.place, value=value, tests=tests, height=c.above(value, *tests))


def _group(reading: TestReading) -> tuple[Test, ...]:
    c = reading.cursor
    place = c.advance().start
    tests = _listed(reading)
    only = tests[0]
    if len(tests) > 1 or not isinstance(only, ValueTest):
        c.expect(")")
        return tests
    if c.at_sign(".."):
        found = reading.interval(place, only.expression, included=False)
    else:
        c.expect(")")
        found = reading.continued(only.expression)
    return (ValueTest(place=place, expression=found, height=c.above(found)),)

"""
FEEL text to a syntax tree, by operator precedence (Pratt).

From loose to tight: ``or``; ``and``; comparisons, ``between``, ``in``; ``+ -``; ``* /``; ``**``; ``instance of``;
the sign of a number; paths, filters and calls. Source: DMN 1.5, section 10.3.1.2.
"""

from __future__ import annotations

import difflib
import functools
from decimal import Overflow
from enum import IntEnum
from typing import TYPE_CHECKING

from pilothouse.feel.clauses import (
    read_call,
    read_context,
    read_for,
    read_if,
    read_quantified,
)
from pilothouse.feel.cursor import Cursor
from pilothouse.feel.names import KnownNames, is_word, spelled, together
from pilothouse.feel.syntax import (
    Arithmetic,
    Between,
    Comparison,
    Conjunction,
    Disjunction,
    Expr,
    Filter,
    InstanceOf,
    Interval,
    ListOf,
    Literal,
    Membership,
    Name,
    Negation,
    Operator,
    OperatorTest,
    Path,
    Test,
    Tests,
    ValueTest,
)
from pilothouse.feel.temporal import read_moment
from pilothouse.feel.tokens import TokenKind
from pilothouse.feel.values import KINDS, NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable


class Rank(IntEnum):
    """How tightly an operator binds."""

    OR = 1
    AND = 2
    COMPARE = 3
    ADD = 4
    MULTIPLY = 5
    POWER = 6
    INSTANCE = 7


_RANKS = {
    "or": Rank.OR,
    "and": Rank.AND,
    "between": Rank.COMPARE,
    "in": Rank.COMPARE,
    "=": Rank.COMPARE,
    "!=": Rank.COMPARE,
    "<": Rank.COMPARE,
    "<=": Rank.COMPARE,
    ">": Rank.COMPARE,
    ">=": Rank.COMPARE,
    "+": Rank.ADD,
    "-": Rank.ADD,
    "*": Rank.MULTIPLY,
    "/": Rank.MULTIPLY,
    "**": Rank.POWER,
    "instance": Rank.INSTANCE,
}
_ORDERINGS = (Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST)
_TESTING = (*_ORDERINGS, Operator.EQUAL, Operator.UNEQUAL)
_CONSTANTS = {"true": True, "false": False, "null": None}
_KIND_NAMES = frozenset(KINDS.values()) - {"null"} | {"Any", "Null"}


@functools.cache
def _indexed(names: frozenset[str]) -> KnownNames:
    """Index names that never change, once; nobody adds to such an index."""
    return KnownNames(names)


class Parser:
    """
    One reading of one text.

    Parameters
    ----------
    text
        The FEEL text.
    names
        Names of several words, or with signs in them, that the text may use as variables.
    functions
        The names of all functions that it may call.

    Raises
    ------
    FeelSyntaxError
        When the text is too long or cannot be cut into words.
    """

    def __init__(self, text: str, *, names: Iterable[str], functions: frozenset[str]) -> None:
        self.cursor = Cursor(text)
        self._functions = functions
        self._function_names = _indexed(functions)
        self.known = KnownNames(names)
        self._bracket_ends = False  # inside the upper end of an interval, where '[' closes it

    def whole_expression(self) -> Expr:
        """
        Read the text as one expression.

        Raises
        ------
        FeelSyntaxError
            When it is none.
        """
        node = self.expression()
        self.cursor.expect_end()
        return node

    def whole_tests(self) -> Tests:
        """
        Read the text as unary tests: ``-``, ``not(…)``, or tests with commas between them.

        Raises
        ------
        FeelSyntaxError
            When it is none of them.
        """
        c = self.cursor
        if c.accept("-"):
            if c.token.kind is TokenKind.END:
                return Tests(place=0, tests=())
            c.index = 0
        negated = self._negated_tests()
        if negated is not None:
            return negated
        tests = self._tests()
        c.expect_end()
        return Tests(place=0, tests=tests, height=c.above(*tests))

    def _negated_tests(self) -> Tests | None:
        c = self.cursor
        if not c.accept_word("not"):
            return None
        if c.accept("("):
            tests = self._tests()
            if c.accept(")") and c.token.kind is TokenKind.END:
                return Tests(place=0, tests=tests, negated=True, height=c.above(*tests))
        c.index = 0  # it was an expression that begins with the function not()
        return None

    def _tests(self) -> tuple[Test, ...]:
        tests = [self._test(loose=True)]
        while self.cursor.accept(","):
            tests.append(self._test(loose=True))
        return tuple(tests)

    def _test(self, *, loose: bool) -> Test:
        c = self.cursor
        place = c.token.start
        if c.at_sign(*_TESTING):
            operator = Operator(c.advance().text)
            value = self._binary(Rank.ADD)
            return OperatorTest(
                place=place, operator=operator, operand=value, height=c.above(value)
            )
        value = self.expression() if loose else self._binary(Rank.ADD)
        return ValueTest(place=place, expression=value, height=c.above(value))

    def expression(self) -> Expr:
        """
        Read an expression that stands between brackets, keywords or commas.

        Raises
        ------
        FeelSyntaxError
            When none stands there, or it nests too deeply.
        """
        outer, self._bracket_ends = self._bracket_ends, False
        self.cursor.descend()
        node = self._binary(Rank.OR)
        self.cursor.ascend()
        self._bracket_ends = outer
        return node

    def _binary(self, rank: Rank) -> Expr:
        self.cursor.call()
        left = self._operand()
        while (found := self._rank()) is not None and found >= rank:
            left = self._extended(left, found)
        self.cursor.done()
        return left

    def _rank(self) -> Rank | None:
        token = self.cursor.token
        if token.kind in (TokenKind.SIGN, TokenKind.NAME):
            return _RANKS.get(token.text)
        return None

    def _extended(self, left: Expr, rank: Rank) -> Expr:
        match rank:
            case Rank.OR | Rank.AND:
                return self._logical(left, rank)
            case Rank.COMPARE:
                return self._compared(left)
            case Rank.INSTANCE:
                return self._instance(left)
            case Rank.ADD | Rank.MULTIPLY | Rank.POWER:
                return self._arithmetic(left, rank)

    def _logical(self, left: Expr, rank: Rank) -> Expr:
        parts = [left]
        while self._rank() is rank:
            self.cursor.advance()
            parts.append(self._binary(Rank(rank + 1)))
        node = Disjunction if rank is Rank.OR else Conjunction
        return node(place=left.place, parts=tuple(parts), height=self.cursor.above(*parts))

    def _arithmetic(self, left: Expr, rank: Rank) -> Expr:
        rest = []
        while self._rank() is rank:
            operator = Operator(self.cursor.advance().text)
            rest.append((operator, self._binary(Rank(rank + 1))))
        height = self.cursor.above(left, *(operand for _, operand in rest))
        return Arithmetic(place=left.place, first=left, rest=tuple(rest), height=height)

    def _compared(self, left: Expr) -> Expr:
        c = self.cursor
        if c.accept_word("in"):
            return self._membership(left)
        if c.accept_word("between"):
            return self._between(left)
        token = c.advance()
        operator = Operator(token.text)
        if operator in _ORDERINGS and isinstance(left, Comparison) and left.operator in _ORDERINGS:
            raise c.failure(
                "'and' or 'or' (write `x between low and high` for two bounds)", token=token
            )
        right = self._binary(Rank.ADD)
        height = c.above(left, right)
        return Comparison(
            place=left.place, operator=operator, left=left, right=right, height=height
        )

    def _between(self, value: Expr) -> Expr:
        low = self._binary(Rank.ADD)
        self.cursor.expect_word("and")
        high = self._binary(Rank.ADD)
        height = self.cursor.above(value, low, high)
        return Between(place=value.place, value=value, low=low, high=high, height=height)

    def _membership(self, value: Expr) -> Expr:
        c = self.cursor
        tests = self._test_group() if c.at_sign("(") else (self._test(loose=False),)
        height = c.above(value, *tests)
        return Membership(place=value.place, value=value, tests=tests, height=height)

    def _test_group(self) -> tuple[Test, ...]:
        c = self.cursor
        place = c.advance().start
        tests = self._tests()
        first = tests[0]
        if len(tests) == 1 and isinstance(first, ValueTest) and c.at_sign(".."):
            interval = self._interval(place, first.expression, included=False)
            return (ValueTest(place=place, expression=interval, height=c.above(interval)),)
        c.expect(")")
        return tests

    def _instance(self, value: Expr) -> Expr:
        c = self.cursor
        c.advance()
        c.expect_word("of")
        count = max(1, _indexed(_KIND_NAMES).longest(c.tokens, c.index))
        kind = spelled(c.tokens[c.index : c.index + count])
        if kind not in _KIND_NAMES:
            raise c.failure("a type: " + ", ".join(sorted(_KIND_NAMES)))
        c.index += count
        return InstanceOf(place=value.place, value=value, kind=kind, height=c.above(value))

    def _operand(self) -> Expr:
        c = self.cursor
        signs = []
        while c.at_sign("-"):
            signs.append(c.advance())
        node = self._postfixed(self._primary())
        for sign in reversed(signs):
            node = Negation(place=sign.start, operand=node, height=c.above(node))
        return node

    def _postfixed(self, node: Expr) -> Expr:
        c = self.cursor
        while True:
            if c.accept("."):
                node = self._path(node)
            elif c.at_sign("[") and not self._bracket_ends:
                c.advance()
                condition = self.expression()
                c.expect("]")
                height = c.above(node, condition)
                node = Filter(place=node.place, base=node, condition=condition, height=height)
            else:
                return node

    def _path(self, base: Expr) -> Expr:
        member = self.name()
        if isinstance(base, Path):
            return Path(
                place=base.place,
                base=base.base,
                members=(*base.members, member),
                height=base.height,
            )
        return Path(place=base.place, base=base, members=(member,), height=self.cursor.above(base))

    def _primary(self) -> Expr:
        token = self.cursor.token
        match token.kind:
            case TokenKind.NUMBER:
                return self._number()
            case TokenKind.TEXT:
                self.cursor.advance()
                return Literal(place=token.start, value=token.text)
            case TokenKind.MOMENT:
                return self._moment()
            case TokenKind.NAME:
                return self._worded()
            case TokenKind.SIGN:
                return self._bracketed()
            case TokenKind.END:
                raise self.cursor.failure("an expression")

    def _number(self) -> Expr:
        token = self.cursor.advance()
        try:
            value = NUMBERS.create_decimal(token.text)
        except Overflow:
            raise self.cursor.failure("a number below 1E+6145", token=token) from None
        return Literal(place=token.start, value=value)

    def _moment(self) -> Expr:
        token = self.cursor.advance()
        value = read_moment(token.text)
        if value is None:
            raise self.cursor.failure(
                "a date, a time, a date and time, or a duration after @", token=token
            )
        return Literal(place=token.start, value=value)

    def _bracketed(self) -> Expr:
        c = self.cursor
        token = c.token
        match token.text:
            case "(":
                c.advance()
                node = self.expression()
                if c.at_sign(".."):
                    return self._interval(token.start, node, included=False)
                c.expect(")")
                return node
            case "[":
                return self._list_or_interval()
            case "]":
                c.advance()
                return self._interval(token.start, self.expression(), included=False)
            case "{":
                return read_context(self)
            case _:
                raise c.failure("an expression")

    def _interval(self, place: int, low: Expr, *, included: bool) -> Expr:
        c = self.cursor
        c.expect("..")
        outer, self._bracket_ends = self._bracket_ends, True
        c.descend()
        high = self._binary(Rank.ADD)
        c.ascend()
        self._bracket_ends = outer
        if not c.at_sign("]", ")", "["):
            raise c.failure("']', ')' or '[' to close the range")
        closing = c.advance().text
        return Interval(
            place=place,
            low=low,
            high=high,
            low_included=included,
            high_included=closing == "]",
            height=c.above(low, high),
        )

    def _list_or_interval(self) -> Expr:
        c = self.cursor
        place = c.advance().start
        items: list[Expr] = []
        while not c.at_sign("]") or items:
            items.append(self.expression())
            if len(items) == 1 and c.at_sign(".."):
                return self._interval(place, items[0], included=True)
            if not c.accept(","):
                break
        c.expect("]")
        return ListOf(place=place, items=tuple(items), height=c.above(*items))

    def _worded(self) -> Expr:
        c = self.cursor
        token = c.token
        match token.text:
            case "true" | "false" | "null":
                c.advance()
                return Literal(place=token.start, value=_CONSTANTS[token.text])
            case "if":
                return read_if(self)
            case "for":
                return read_for(self)
            case "some" | "every":
                return read_quantified(self)
            case "function":
                raise self.cursor.failure(
                    "an expression (functions of one's own are not supported)"
                )
            case _:
                return self._variable_or_call()

    def _variable_or_call(self) -> Expr:
        c = self.cursor
        place = c.token.start
        count = self._function_names.longest(c.tokens, c.index)
        if count and c.tokens[c.index + count].text == "(":
            name = spelled(c.tokens[c.index : c.index + count])
            c.index += count
            return read_call(self, place, name)
        first = c.token
        name = self.name()
        if not c.at_sign("("):
            return Name(place=place, name=name)
        if name not in self._functions:
            near = difflib.get_close_matches(name, self._functions, n=1, cutoff=0.5)
            raise c.failure(
                f"a known function (the nearest is {near[0]}())" if near else "a known function",
                token=first,
            )
        return read_call(self, place, name)

    def name(self) -> str:
        """
        Read a name of one or more words.

        Raises
        ------
        FeelSyntaxError
            When none stands there.
        """
        c = self.cursor
        if not is_word(c.token):
            raise c.failure("a name")
        count = self.known.longest(c.tokens, c.index) or together(c.tokens, c.index)
        words = c.tokens[c.index : c.index + count]
        c.index += count
        return spelled(words)

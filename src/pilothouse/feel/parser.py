"""
FEEL text to a syntax tree, by operator precedence (Pratt).

From loose to tight: ``or``; ``and``; comparisons, ``between``, ``in``; ``+ -``; ``* /``; ``**``; ``instance of``;
the sign of a number; paths, filters and calls. Source: DMN 1.5, section 10.3.1.2.
"""

from __future__ import annotations

import difflib
from enum import IntEnum
from typing import TYPE_CHECKING

from pilothouse.feel.arithmetic import negate
from pilothouse.feel.clauses import (
    read_call,
    read_context,
    read_for,
    read_function,
    read_if,
    read_quantified,
)
from pilothouse.feel.cursor import Cursor
from pilothouse.feel.errors import UnknownFunctionError
from pilothouse.feel.literals import folded, read_number
from pilothouse.feel.names import Found, KnownNames, is_word, spelled, together
from pilothouse.feel.signs import Operator
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
    Name,
    Negation,
    Path,
    Tests,
)
from pilothouse.feel.temporal import read_moment
from pilothouse.feel.tokens import TokenKind
from pilothouse.feel.type_parser import read_tested_type
from pilothouse.feel.unary_parser import (
    at_range,
    read_membership,
    read_operator_range,
    read_tests,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.feel.types import Type


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
_CONSTANTS = {"true": True, "false": False, "null": None}


class Parser:
    """
    One reading of one text.

    Parameters
    ----------
    text
        The FEEL text.
    names
        The variables that the text may use; those whose names are plain words need not be told, unless they are called.
    members
        Names of entries, with signs or keywords in them, that may stand after a point or inside a filter.
    functions
        The names of all built-in functions.
    types
        The types that the text may name, apart from those of FEEL itself.

    Raises
    ------
    FeelSyntaxError
        When the text is too long or cannot be cut into words.
    """

    def __init__(
        self,
        text: str,
        *,
        names: Iterable[str],
        members: Iterable[str],
        functions: frozenset[str],
        types: Mapping[str, Type],
    ) -> None:
        self.cursor = Cursor(text)
        self.known = KnownNames(names, members)
        self.types = types
        self._functions = functions
        self._function_names = KnownNames(functions)
        self._bracket_ends = False  # inside the upper end of an interval, where '[' may close it

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
        Read the text as unary tests.

        Raises
        ------
        FeelSyntaxError
            When it is none.
        """
        return read_tests(self)

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
        node = read_operator_range(self) if at_range(self) else self._binary(Rank.OR)
        self.cursor.ascend()
        self._bracket_ends = outer
        return node

    def tight(self) -> Expr:
        """
        Read an expression whose operators bind tighter than comparisons.

        Raises
        ------
        FeelSyntaxError
            When none stands there.
        """
        return self._binary(Rank.ADD)

    def continued(self, node: Expr) -> Expr:
        """
        Read what binds tighter than comparisons after an operand that was just read.

        Parameters
        ----------
        node
            The operand.

        Raises
        ------
        FeelSyntaxError
            When an operator lacks its operand.
        """
        return self._binary(Rank.ADD, self._postfixed(node))

    def _binary(self, rank: Rank, left: Expr | None = None) -> Expr:
        self.cursor.call()
        node = self._operand() if left is None else left
        while (found := self._rank()) is not None and found >= rank:
            node = self._extended(node, found)
        self.cursor.done()
        return node

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
            return read_membership(self, left)
        if c.accept_word("between"):
            return self._between(left)
        operator = Operator(c.advance().text)
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

    def _instance(self, value: Expr) -> Expr:
        c = self.cursor
        c.advance()
        c.expect_word("of")
        start = c.index
        kind = read_tested_type(self)
        return InstanceOf(
            place=value.place,
            value=value,
            type=kind,
            written=spelled(c.tokens[start : c.index]),
            height=c.above(value),
        )

    def _operand(self) -> Expr:
        c = self.cursor
        signs = []
        while c.at_sign("-"):
            signs.append(c.advance())
        node = self._primary()
        if c.at_sign(".", "[", "("):
            node = self._postfixed(node)
        for sign in reversed(signs):
            node = self._negated(sign.start, node)
        return node

    def _negated(self, place: int, operand: Expr) -> Expr:
        value = negate(operand.value) if isinstance(operand, Literal) else None
        if value is not None:
            return Literal(place=place, value=value)
        return Negation(place=place, operand=operand, height=self.cursor.above(operand))

    def _postfixed(self, node: Expr) -> Expr:
        c = self.cursor
        while True:
            if c.accept("."):
                node = self._path(node)
            elif c.at_sign("[") and not self._closes_interval():
                node = self._filtered(node)
            elif c.at_sign("("):
                node = self._called(node)
            else:
                return node

    def _closes_interval(self) -> bool:
        """Say whether ``[`` ends a range: inside one it opens a filter only where an expression can follow."""
        return self._bracket_ends and not self.cursor.operand_follows("(", "[", "{", "-")

    def _path(self, base: Expr) -> Expr:
        member = self._member()
        if isinstance(base, Path):
            return Path(
                place=base.place,
                base=base.base,
                members=(*base.members, member),
                height=base.height,
            )
        return Path(place=base.place, base=base, members=(member,), height=self.cursor.above(base))

    def _filtered(self, base: Expr) -> Expr:
        c = self.cursor
        c.advance()
        self.known.enter_filter()
        condition = self.expression()
        self.known.leave_filter()
        c.expect("]")
        height = c.above(base, condition)
        return Filter(place=base.place, base=base, condition=condition, height=height)

    def _called(self, function: Expr) -> Expr:
        call = read_call(self, function)
        built_in = isinstance(function, Name) and not self.known.knows(function.name)
        return folded(call) if built_in else call

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
        value = read_number(token.text)
        if value is None:
            raise self.cursor.failure("a number below 1E+6145", token=token)
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
                    return self.interval(token.start, node, included=False)
                c.expect(")")
                return node
            case "[":
                return self._list_or_interval()
            case "]":
                c.advance()
                return self.interval(token.start, self.expression(), included=False)
            case "{":
                return read_context(self)
            case _:
                raise c.failure("an expression")

    def interval(self, place: int, low: Expr, *, included: bool) -> Expr:
        """
        Read the rest of a range, from its two points on.

        Parameters
        ----------
        place
            Where the range starts.
        low, included
            Its lower end, and whether that belongs to it.

        Raises
        ------
        FeelSyntaxError
            When its end is missing.
        """
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
        empty = (
            c.at_sign("]") and not c.operand_follows()
        )  # [ ]1..3] ] begins with the same signs as []
        while not empty:
            items.append(self.expression())
            if len(items) == 1 and c.at_sign(".."):
                return self.interval(place, items[0], included=True)
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
                return read_function(self)
            case _:
                return self._variable()

    def _variable(self) -> Expr:
        c = self.cursor
        first = c.token
        name = self._name()
        if c.at_sign("(") and not (name in self._functions or self.known.knows(name)):
            near = difflib.get_close_matches(
                name, self._functions | self.known.all_names(), n=1, cutoff=0.5
            )
            wanted = (
                f"a known function (the nearest is {near[0]}())" if near else "a known function"
            )
            raise UnknownFunctionError(failure=c.failure(wanted, token=first), name=name)
        return Name(place=first.start, name=name)

    def _name(self) -> str:
        c = self.cursor
        functions = self._function_names.longest(c.tokens, c.index)
        return self._longest(self.known.longest(c.tokens, c.index), functions)

    def _member(self) -> str:
        c = self.cursor
        return self._longest(self.known.longest(c.tokens, c.index, member=True), None)

    def _longest(self, known: Found | None, function: Found | None) -> str:
        """Take the longest name: one that is announced before a built-in one, these before words side by side."""
        c = self.cursor
        count = together(c.tokens, c.index) if is_word(c.token) else 0
        best = function if known is None or (function and function.length > known.length) else known
        if best is not None and best.length >= count:
            c.index += best.length
            return best.name
        if not count:
            raise c.failure("a name")
        words = c.tokens[c.index : c.index + count]
        c.index += count
        return spelled(words)

"""Reading regular expressions by recursive descent. Source: XQuery and XPath Functions and Operators 3.1, section 5.6.1."""

from __future__ import annotations

from pilothouse.feel.patterns.characters import (
    EVERY,
    NOT_LINE_END,
    Characters,
    any_of,
    exactly,
    variants,
)
from pilothouse.feel.patterns.classes import read_class, read_escape
from pilothouse.feel.patterns.cursor import BadPatternError, Cursor
from pilothouse.feel.patterns.syntax import (
    Anchor,
    Choice,
    Expression,
    Group,
    Literal,
    Node,
    One,
    Recall,
    Repeat,
    Sequence,
    Stand,
)

FLAGS = frozenset("smixq")
_SPACES = " \t\n\r"
_LONGEST_COUNT = 9
_QUANTIFIERS = {"*": (0, None), "+": (1, None), "?": (0, 1)}


def read_pattern(pattern: str, flags: str) -> Expression:
    """
    Read a whole regular expression.

    Parameters
    ----------
    pattern
        Its text.
    flags
        Any of ``s``, ``m``, ``i``, ``x``, ``q``.

    Raises
    ------
    BadPatternError
        When it is none.
    FeelPatternError
        When it goes beyond a limit.
    """
    if "q" in flags:
        return _Reader("", flags).verbatim(pattern)
    return _Reader(_squeezed(pattern) if "x" in flags else pattern, flags).whole()


def _squeezed(pattern: str) -> str:
    """Take the white space out of a pattern, but for that inside classes (flag ``x``)."""
    kept: list[str] = []
    depth, escaped = 0, False
    for character in pattern:
        if depth == 0 and character in _SPACES:
            continue
        kept.append(character)
        if not escaped:
            depth += (character == "[") - (character == "]")
        escaped = character == "\\" and not escaped
    return "".join(kept)


class _Reader:
    def __init__(self, text: str, flags: str) -> None:
        self.cursor = Cursor(text)
        self.blind = "i" in flags
        self.lines = "m" in flags
        self.any = EVERY if "s" in flags else NOT_LINE_END
        self.opened = 0
        self.closed: set[int] = set()
        self.recalls = False

    def verbatim(self, pattern: str) -> Expression:
        parts = _merged([self._character(c) for c in pattern])
        return Expression(root=parts, groups=0, recalls=False)

    def whole(self) -> Expression:
        root = self._choice()
        if self.cursor.following:
            raise BadPatternError(f"{self.cursor.following} closes nothing")
        return Expression(root=root, groups=self.opened, recalls=self.recalls)

    def _choice(self) -> Node:
        branches = [self._branch()]
        while self.cursor.accept("|"):
            branches.append(self._branch())
        return branches[0] if len(branches) == 1 else Choice(branches=tuple(branches))

    def _branch(self) -> Node:
        parts: list[Node] = []
        while self.cursor.following and not self.cursor.sees("|", ")"):
            parts.append(self._piece())
        return _merged(parts)

    def _piece(self) -> Node:
        atom = self._atom()
        bounds = self._quantifier()
        if bounds is None:
            return atom
        greedy = not self.cursor.accept("?")
        if isinstance(atom, Literal) and len(atom.text) == 1:
            atom = One(characters=exactly(atom.text))
        least, most = bounds
        return Repeat(part=atom, least=least, most=most, greedy=greedy)

    def _quantifier(self) -> tuple[int, int | None] | None:
        bounds = _QUANTIFIERS.get(self.cursor.following)
        if bounds is not None:
            self.cursor.take()
            return bounds
        return self._counts() if self.cursor.accept("{") else None

    def _counts(self) -> tuple[int, int | None]:
        low, comma, high = self.cursor.take_until("}").partition(",")
        least = self._count(low)
        if not comma:
            return least, least
        most = self._count(high) if high else None
        if most is not None and most < least:
            raise BadPatternError(f"{{{low},{high}}} is the wrong way round")
        return least, most

    def _count(self, digits: str) -> int:
        if not digits.isascii() or not digits.isdigit():
            raise BadPatternError("braces need a count, or two with a comma between")
        if len(digits) > _LONGEST_COUNT:
            self.cursor.refuse(f"a count of more than {_LONGEST_COUNT} digits")
        return int(digits)

    def _atom(self) -> Node:
        character = self.cursor.take()
        match character:
            case "(":
                return self._group()
            case "[":
                return One(characters=read_class(self.cursor, blind=self.blind))
            case ".":
                return One(characters=self.any)
            case "^":
                return Anchor(stand=Stand.LINE_START if self.lines else Stand.TEXT_START)
            case "$":
                return Anchor(stand=Stand.LINE_END if self.lines else Stand.TEXT_END)
            case "\\":
                return self._escape()
            case _ if character in "*+?{})]":
                raise BadPatternError(f"{character} stands where it has no meaning")
            case _:
                return self._character(character)

    def _group(self) -> Node:
        self.cursor.enter()
        number = 0
        if not self.cursor.accept("?:"):
            self.opened = number = self.opened + 1
        part = self._choice()
        if not self.cursor.accept(")"):
            raise BadPatternError("a group is not closed")
        self.cursor.leave()
        self.closed.add(number)
        return Group(number=number, part=part) if number else part

    def _escape(self) -> Node:
        if self.cursor.following.isdigit():
            return self._recall()
        escaped = read_escape(self.cursor)
        if isinstance(escaped, Characters):
            return One(characters=escaped)
        return self._character(escaped)

    def _recall(self) -> Node:
        r"""Read ``\N``; more digits belong to the number as long as so many groups have been opened."""
        digits = self.cursor.take()
        while self.cursor.following.isdigit() and self._is_group(digits + self.cursor.following):
            digits += self.cursor.take()
        if not self._is_group(digits) or int(digits) not in self.closed:
            raise BadPatternError(f"\\{digits} refers to no group that ends before it")
        self.recalls = True
        return Recall(group=int(digits), blind=self.blind)

    def _is_group(self, digits: str) -> bool:
        return digits.isascii() and 1 <= int(digits) <= self.opened

    def _character(self, character: str) -> Node:
        same = variants(character) if self.blind else frozenset(character)
        return Literal(text=character) if len(same) == 1 else One(characters=any_of(same))


def _merged(parts: list[Node]) -> Node:
    """Put neighbouring literals together."""
    merged: list[Node] = []
    for part in parts:
        last = merged[-1] if merged else None
        if isinstance(part, Literal) and isinstance(last, Literal):
            merged[-1] = Literal(text=last.text + part.text)
        else:
            merged.append(part)
    return merged[0] if len(merged) == 1 else Sequence(parts=tuple(merged))

"""
Names of several words, and which ones the reader knows.

FEEL lets a name have spaces, signs and keywords (``Monthly Salary``, ``profit-loss``, ``terms and conditions``). A name
is a sequence of words, whatever space is between them. Where a name is known (a built-in function, a variable
announced by the caller, a key, parameter or loop variable of the text itself) the longest known name that fits is
read. Otherwise words standing side by side are one name, since FEEL has no other use for that, and signs are
operators. Source: DMN 1.5, sections 10.3.1.4 to 10.3.1.6.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from pilothouse.feel.errors import FeelSyntaxError
from pilothouse.feel.tokens import Token, TokenKind, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

INPUT = "?"
"""The name of the value under test; it stands alone."""

KEYWORDS = frozenset(
    {
        *("if", "then", "else", "for", "return", "in", "some", "every", "satisfies", "and", "or"),
        *("between", "instance", "of", "function", "external", "true", "false", "null"),
    }
)
_INNER = "of"
"""The keyword that stands after no operand, so that a name goes on with it."""

SIGNS = ("-", "+", "*", "**", "/", ".", "'", "\u2019")
"""The signs that a name may have inside it."""


def normal(name: str) -> str:
    """
    Write a name with single spaces.

    Examples
    --------
    >>> normal(" Monthly   Salary ")
    'Monthly Salary'
    """
    return " ".join(name.split())


class Found(NamedTuple):
    """A known name that was found in the text: how many tokens it takes there, and the name as it was announced."""

    length: int
    name: str


class _Node:
    """The words that go on from here, and the name that ends here."""

    __slots__ = ("name", "words")

    def __init__(self) -> None:
        self.words: dict[str, _Node] = {}
        self.name: str | None = None


class _Index:
    """Names, and those of several words by their words."""

    __slots__ = ("_first", "names")

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._first = _Node()

    def add(self, name: str) -> None:
        """Enter a name."""
        self.names.add(name)
        words = _words(name)
        if len(words) > 1:
            node = self._first
            for word in words:
                node = node.words.setdefault(word, _Node())
            node.name = name

    def longest(self, tokens: Sequence[Token], start: int) -> Found | None:
        """Find the longest name of several words that starts at a token."""
        best, at, node = None, start, self._first.words.get(tokens[start].text)
        while node is not None and tokens[at].kind is not TokenKind.TEXT:
            at += 1
            if node.name is not None:
                best = Found(at - start, node.name)
            node = node.words.get(tokens[at].text) if at < len(tokens) else None
        return best


@lru_cache(maxsize=256)
def _indexed(names: frozenset[str]) -> _Index:
    """Index names that many texts share, once; nobody adds to such an index."""
    index = _Index()
    for name in names:
        index.add(name)
    return index


class KnownNames:
    """
    The names known at a place of the text, innermost scope last.

    Parameters
    ----------
    names
        The names known everywhere.
    members
        Names of entries, which are known after a point and inside filters.
    """

    def __init__(self, names: Iterable[str], members: Iterable[str] = ()) -> None:
        self._scopes = [_indexed(frozenset(names))]
        self._members = [_indexed(frozenset(members)), _Index()]
        self._filters = 0

    def enter(self, names: Iterable[str] = ()) -> None:
        """Open a scope that knows these names too."""
        self._scopes.append(_Index())
        for name in names:
            self._scopes[-1].add(name)

    def add(self, name: str) -> None:
        """Make a name known in the innermost scope."""
        self._scopes[-1].add(name)

    def add_member(self, name: str) -> None:
        """Make the name of an entry known, from here to the end of the text."""
        self._members[-1].add(name)

    def leave(self) -> None:
        """Close the innermost scope."""
        self._scopes.pop()

    def enter_filter(self) -> None:
        """Open a filter, inside which the entries of the item are known."""
        self._filters += 1

    def leave_filter(self) -> None:
        """Close the innermost filter."""
        self._filters -= 1

    def knows(self, name: str) -> bool:
        """Say whether a name is known here."""
        return any(name in index.names for index in self._indexes(member=False))

    def all_names(self) -> set[str]:
        """Give the names that are known here."""
        return {name for index in self._scopes for name in index.names}

    def longest(self, tokens: Sequence[Token], start: int, *, member: bool = False) -> Found | None:
        """
        Find the longest known name of several words that starts at a place.

        Parameters
        ----------
        tokens, start
            The tokens, and the number of the one where it starts.
        member
            Whether the place is after a point.
        """
        best: Found | None = None
        for index in self._indexes(member=member):
            found = index.longest(tokens, start)
            if found is not None and (best is None or found.length > best.length):
                best = found
        return best

    def _indexes(self, *, member: bool) -> Iterator[_Index]:
        if not member:
            yield from reversed(self._scopes)
        if member or self._filters:
            yield from self._members


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    try:
        return tuple(
            token.text for token in tokenize(name)[:-1] if token.kind is not TokenKind.TEXT
        )
    except FeelSyntaxError:
        return ()  # such a name cannot be written in FEEL text, so nothing is lost


def spelled(tokens: Sequence[Token]) -> str:
    """
    Write the tokens of a name as the name: one space where there was any.

    Examples
    --------
    >>> spelled(tokenize("profit-loss  total")[:-1])
    'profit-loss total'
    """
    parts = [tokens[0].text]
    for before, after in pairwise(tokens):
        parts.append(after.text if after.start == before.end else " " + after.text)
    return "".join(parts)


def is_word(token: Token) -> bool:
    """Say whether a token may be a word of a name that nobody announced."""
    return token.kind is TokenKind.NAME and token.text not in KEYWORDS


def together(tokens: Sequence[Token], start: int) -> int:
    """
    Count the words that stand side by side as one name; between words, ``of`` is one too.

    Examples
    --------
    >>> together(tokenize("Monthly Salary * 12"), 0), together(tokenize("date of birth.year"), 0)
    (2, 3)
    """
    end = start + 1
    while INPUT not in (tokens[start].text, tokens[end].text) and (
        is_word(tokens[end]) or (_is_inner(tokens[end]) and is_word(tokens[end + 1]))
    ):
        end += 1
    return end - start


def _is_inner(token: Token) -> bool:
    return token.kind is TokenKind.NAME and token.text == _INNER


def new_name_length(tokens: Sequence[Token], start: int, *, keywords: bool) -> int:
    """
    Count the tokens of a name that is being made known here: a key, a parameter, a loop variable.

    Parameters
    ----------
    tokens, start
        The tokens, and the number of the one where the name starts.
    keywords
        Whether it may have keywords inside it, because a sign ends it.

    Examples
    --------
    >>> new_name_length(tokenize("terms and conditions: 1"), 0, keywords=True)
    3
    """
    end = start
    while _belongs(tokens[end], keywords=keywords, first=end == start):
        end += 1
    return end - start


def _belongs(token: Token, *, keywords: bool, first: bool) -> bool:
    if token.kind is TokenKind.NAME:
        return keywords or token.text not in KEYWORDS
    if first:
        return False
    return token.kind is TokenKind.NUMBER or (token.kind is TokenKind.SIGN and token.text in SIGNS)

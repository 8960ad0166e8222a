"""
Names of several words, and which ones the reader knows.

FEEL lets a name have spaces and signs (``Monthly Salary``, ``profit-loss``, ``date and time``). Where a name is
known (a built-in function, a variable announced by the caller, a key or loop variable of the text itself) the
longest known name that fits is read. Otherwise words standing side by side are one name, since FEEL has
no other use for that, and signs are operators. Source: DMN 1.5, section 10.3.1.4.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pilothouse.feel.errors import FeelSyntaxError
from pilothouse.feel.tokens import Token, TokenKind, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

INPUT = "?"
"""The name of the value under test; it stands alone."""

KEYWORDS = frozenset(
    {
        *("if", "then", "else", "for", "return", "in", "some", "every", "satisfies", "and", "or"),
        *("between", "instance", "of", "function", "external", "true", "false", "null"),
    }
)


def normal(name: str) -> str:
    """
    Write a name with single spaces.

    Examples
    --------
    >>> normal(" Monthly   Salary ")
    'Monthly Salary'
    """
    return " ".join(name.split())


class KnownNames:
    """
    The names known at a place of the text, innermost scope last.

    Parameters
    ----------
    names
        The names known everywhere.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._scopes: list[dict[str, list[tuple[Token, ...]]]] = []
        self.enter(names)

    def enter(self, names: Iterable[str]) -> None:
        """Open a scope that knows these names too."""
        self._scopes.append({})
        self.add(names)

    def add(self, names: Iterable[str]) -> None:
        """Make names known in the innermost scope."""
        scope = self._scopes[-1]
        for name in names:
            words = _words(name)
            if len(words) > 1:
                scope.setdefault(words[0].text, []).append(words)

    def leave(self) -> None:
        """Close the innermost scope."""
        self._scopes.pop()

    def longest(self, tokens: Sequence[Token], start: int) -> int:
        """Count the tokens of the longest known name of several words that starts there; 0 if none does."""
        best = 0
        for scope in self._scopes:
            for words in scope.get(tokens[start].text, ()):
                if len(words) > best and _fits(words, tokens, start):
                    best = len(words)
        return best


def _words(name: str) -> tuple[Token, ...]:
    try:
        return tokenize(normal(name))[:-1]
    except FeelSyntaxError:
        return ()  # such a name cannot be written in FEEL text, so nothing is lost


def _fits(words: tuple[Token, ...], tokens: Sequence[Token], start: int) -> bool:
    if start + len(words) >= len(tokens):
        return False
    found = tokens[start : start + len(words)]
    return all(
        w.kind is t.kind and w.text == t.text for w, t in zip(words, found, strict=True)
    ) and all(
        (after.start > before.end) == (found[i + 1].start > found[i].end)
        for i, (before, after) in enumerate(pairwise(words))
    )


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
    Count the words that stand side by side as one name.

    Examples
    --------
    >>> together(tokenize("Monthly Salary * 12"), 0)
    2
    """
    end = start + 1
    while INPUT not in (tokens[start].text, tokens[end].text) and is_word(tokens[end]):
        end += 1
    return end - start

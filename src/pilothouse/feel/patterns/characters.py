"""
Sets of characters, as regular expressions name them.

Sources: XML Schema 1.1 part 2, section G.4.2; XQuery and XPath Functions and Operators 3.1, section 5.6.1.1 (case
variants).
"""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from pilothouse.feel.patterns.blocks import blocks

_REMEMBERED = 128
_TABLE_WEIGHT = 3
_VARIANTS_WEIGHT = 6
_BEYOND_CASE = 0x20000  # no character from here on has two cases

Test: TypeAlias = Callable[[str], bool]


class Characters(dict[str, bool]):
    """
    A set of characters given by a test; ``characters["x"]`` says whether x is in it.

    The answers to the first 128 different characters are kept, because asking a dictionary costs less than asking
    Unicode's tables again.

    Parameters
    ----------
    test
        Says whether a character is in the set.
    weight
        What the test costs, in tests of a simple set.
    """

    __slots__ = ("test", "weight")

    def __init__(self, test: Test, *, weight: int = 1) -> None:
        super().__init__()
        self.test = test
        self.weight = weight

    def __missing__(self, character: str) -> bool:
        found = self.test(character)
        if len(self) < _REMEMBERED:
            self[character] = found
        return found


def union(sets: tuple[Characters, ...]) -> Characters:
    """Make the set of what is in one of the sets."""
    if len(sets) == 1:
        return sets[0]
    return Characters(lambda c: any(each[c] for each in sets), weight=sum(s.weight for s in sets))


def exactly(character: str) -> Characters:
    """Make the set of one character."""
    return Characters(character.__eq__)


def any_of(characters: frozenset[str]) -> Characters:
    """Make the set of these characters."""
    return Characters(characters.__contains__)


def between(ranges: Iterable[tuple[str, str]], *, blind: bool) -> Characters:
    """Make the set of the characters of some ranges, with their case variants if it is blind to case."""
    stretches = _apart(ranges)
    lows = [low for low, _ in stretches]
    highs = [high for _, high in stretches]

    def within(character: str) -> bool:
        i = bisect_right(lows, character)
        return i > 0 and character <= highs[i - 1]

    if not blind:
        return Characters(within)
    return Characters(lambda c: any(map(within, variants(c))), weight=_VARIANTS_WEIGHT)


def _apart(ranges: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort ranges and join those that meet."""
    apart: list[tuple[str, str]] = []
    for low, high in sorted(ranges):
        if apart and low <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(high, apart[-1][1]))
        else:
            apart.append((low, high))
    return apart


def complement(characters: Characters) -> Characters:
    """Make the set of all other characters."""
    return Characters(lambda c: not characters[c], weight=characters.weight)


def difference(characters: Characters, excluded: Characters) -> Characters:
    """Make the set of what is in the first set and not in the second."""
    return Characters(
        lambda c: characters[c] and not excluded[c], weight=characters.weight + excluded.weight
    )


def category(name: str) -> Characters | None:
    """Make the set of a general category of Unicode, such as ``Lu`` or ``L``; None when there is none so named."""
    if name not in _CATEGORIES:
        return None
    return Characters(lambda c: unicodedata.category(c).startswith(name), weight=_TABLE_WEIGHT)


def block(name: str) -> Characters | None:
    """Make the set of a block of Unicode; None when there is none so named."""
    codes = blocks().get(name)
    return None if codes is None else Characters(lambda c: ord(c) in codes, weight=_TABLE_WEIGHT)


def variants(character: str) -> frozenset[str]:
    r"""
    Give a character with its case variants: those with the same lower case or the same upper case.

    Examples
    --------
    >>> sorted(variants("k")) == ["K", "k", "\u212a"]
    True
    """
    lower, upper = _cased()
    same = lower.get(character.lower(), frozenset()) | upper.get(character.upper(), frozenset())
    return same | {character}


@functools.cache
def _cased() -> tuple[Mapping[str, frozenset[str]], Mapping[str, frozenset[str]]]:
    """Gather all characters that have two cases by their lower and by their upper case."""
    lower: dict[str, set[str]] = {}
    upper: dict[str, set[str]] = {}
    # Asking for whole stretches first spares most of the work: nearly all of Unicode knows no case.
    for first in range(0, _BEYOND_CASE, 128):
        stretch = "".join(map(chr, range(first, first + 128)))
        if stretch.lower() == stretch == stretch.upper():
            continue
        for character in stretch:
            lower.setdefault(character.lower(), set()).add(character)
            upper.setdefault(character.upper(), set()).add(character)
    return _frozen(lower), _frozen(upper)


def _frozen(groups: dict[str, set[str]]) -> Mapping[str, frozenset[str]]:
    return {key: frozenset(group) for key, group in groups.items() if len(group) > 1}


_NAME_START = (
    (0x3A, 0x3A),
    (0x41, 0x5A),
    (0x5F, 0x5F),
    (0x61, 0x7A),
    (0xC0, 0xD6),
    (0xD8, 0xF6),
    (0xF8, 0x2FF),
    (0x370, 0x37D),
    (0x37F, 0x1FFF),
    (0x200C, 0x200D),
    (0x2070, 0x218F),
    (0x2C00, 0x2FEF),
    (0x3001, 0xD7FF),
    (0xF900, 0xFDCF),
    (0xFDF0, 0xFFFD),
    (0x10000, 0xEFFFF),
)
_NAME_MORE = ((0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))


def _as_characters(codes: tuple[tuple[int, int], ...]) -> Iterable[tuple[str, str]]:
    return ((chr(low), chr(high)) for low, high in codes)


EVERY = Characters(lambda c: True)
NOT_LINE_END = Characters(lambda c: c not in "\n\r")

_POSITIVE = {
    "d": Characters(lambda c: unicodedata.category(c) == "Nd", weight=_TABLE_WEIGHT),
    "s": any_of(frozenset(" \t\n\r")),
    "w": Characters(lambda c: unicodedata.category(c)[0] not in "PZC", weight=_TABLE_WEIGHT),
    "i": between(_as_characters(_NAME_START), blind=False),
    "c": between(_as_characters(_NAME_START + _NAME_MORE), blind=False),
}
ESCAPED: Mapping[str, Characters] = _POSITIVE | {
    letter.upper(): complement(characters) for letter, characters in _POSITIVE.items()
}
"""The sets that a letter behind a backslash names; ``i`` and ``c`` are the characters of XML 1.0's names."""

_MAJOR = {
    "L": "ultmo",
    "M": "nce",
    "N": "dlo",
    "P": "cdseifo",
    "Z": "slp",
    "S": "mcko",
    "C": "cfon",
}
_CATEGORIES = frozenset(_MAJOR) | {major + minor for major in _MAJOR for minor in _MAJOR[major]}

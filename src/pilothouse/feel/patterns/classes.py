r"""
Reading escapes and classes: ``\d``, ``\p{Lu}``, ``[a-z-[aeiou]]``.

Source: XML Schema 1.1 part 2, sections G.4.1 and G.4.2, whose rules for hyphens are kept: a hyphen is a range
between two characters, and means itself elsewhere.
"""

from __future__ import annotations

from pilothouse.feel.patterns.characters import (
    ESCAPED,
    Characters,
    between,
    block,
    category,
    complement,
    difference,
    union,
)
from pilothouse.feel.patterns.cursor import BadPatternError, Cursor

_THEMSELVES = frozenset("\\|.-^?*+{}()[]$")
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}


def read_escape(cursor: Cursor) -> str | Characters:
    """
    Read what follows a backslash: one character, or a set of them.

    Raises
    ------
    BadPatternError
        When nothing known follows.
    """
    letter = cursor.take()
    if letter in _THEMSELVES:
        return letter
    if letter in _CONTROLS:
        return _CONTROLS[letter]
    if letter in ESCAPED:
        return ESCAPED[letter]
    if letter in "pP":
        named = _read_property(cursor)
        return named if letter == "p" else complement(named)
    raise BadPatternError(f"\\{letter} means nothing there")


def _read_property(cursor: Cursor) -> Characters:
    if not cursor.accept("{"):
        raise BadPatternError("\\p needs a name in braces")
    name = cursor.take_until("}")
    is_block = name.startswith("Is")
    found = block(name[2:]) if is_block else category(name)
    if found is None:
        kind = "block" if is_block else "category"
        raise BadPatternError(f"Unicode has no {kind} {name!r}")
    return found


def read_class(cursor: Cursor, *, blind: bool) -> Characters:
    """
    Read a class after its opening bracket, to its closing one.

    Parameters
    ----------
    cursor
        Stands after the bracket.
    blind
        Whether characters and ranges take their case variants with them. Case counts before a class is turned
        around: ``[^q]`` takes no ``Q`` either.

    Raises
    ------
    BadPatternError
        When it is no class.
    FeelPatternError
        When classes nest too deeply.
    """
    cursor.enter()
    denied = cursor.accept("^")
    characters = union(_read_parts(cursor, blind=blind))
    if denied:
        characters = complement(characters)
    if cursor.accept("-["):
        characters = difference(characters, read_class(cursor, blind=blind))
        if not cursor.sees("]"):
            raise BadPatternError("nothing may follow the class that is taken off another")
    cursor.take()
    cursor.leave()
    return characters


def _read_parts(cursor: Cursor, *, blind: bool) -> tuple[Characters, ...]:
    sets: list[Characters] = []
    ranges: list[tuple[str, str]] = []
    while not cursor.sees("]", "-["):
        part = _read_part(cursor)
        if isinstance(part, Characters):
            sets.append(part)
        else:
            ranges.append(part)
    if ranges:
        sets.append(between(ranges, blind=blind))
    if not sets:
        raise BadPatternError("a class is empty")
    return tuple(sets)


def _read_part(cursor: Cursor) -> tuple[str, str] | Characters:
    start = cursor.place
    low = _read_single(cursor)
    if not isinstance(low, str):
        return low
    if not cursor.sees("-") or cursor.sees("-]", "-[", "--["):
        return low, low
    bare = cursor.text[start] == "-"
    cursor.take()
    if bare or cursor.sees("-"):
        raise BadPatternError("a hyphen at the end of a range needs a backslash")
    high = _read_single(cursor)
    if not isinstance(high, str):
        raise BadPatternError("a range ends with a set of characters")
    if high < low:
        raise BadPatternError(f"the range {low}-{high} is the wrong way round")
    return low, high


def _read_single(cursor: Cursor) -> str | Characters:
    character = cursor.take()
    if character == "[":
        raise BadPatternError("[ in a class needs a backslash")
    if character != "\\":
        return character
    if cursor.following.isdigit():
        raise BadPatternError("a class cannot refer back to a group")
    return read_escape(cursor)

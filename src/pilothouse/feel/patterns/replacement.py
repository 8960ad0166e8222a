r"""
The text that a match is replaced by: ``$1`` names a group, ``\$`` and ``\\`` mean the sign itself.

Source: XQuery and XPath Functions and Operators 3.1, section 5.6.4.
"""

from __future__ import annotations

from typing import TypeAlias

from pilothouse.feel.patterns.cursor import BadPatternError, Cursor

Replacement: TypeAlias = tuple[str | int, ...]
"""Texts and the numbers of groups, 0 for the whole match, in order."""


def read_replacement(text: str, groups: int) -> Replacement:
    r"""
    Read a replacement.

    Parameters
    ----------
    text
        How it is written.
    groups
        How many groups the regular expression has. A number takes as many digits as name one of them; a single
        digit beyond them names nothing and gives nothing.

    Raises
    ------
    BadPatternError
        When a ``$`` stands before no digit or a ``\`` before neither ``$`` nor ``\``.

    Examples
    --------
    >>> read_replacement("<$1> \\$12 $12", 3)
    ('<', 1, '> $12 ', 1, '2')
    """
    cursor = Cursor(text)
    parts: list[str | int] = []
    while cursor.following:
        part = _part(cursor, groups)
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    return tuple(part for part in parts if not isinstance(part, int) or part <= groups)


def _part(cursor: Cursor, groups: int) -> str | int:
    character = cursor.take()
    if character == "\\":
        if not cursor.sees("$", "\\"):
            raise BadPatternError(
                "a backslash in the replacement needs a $ or a backslash after it"
            )
        return cursor.take()
    if character == "$":
        return _number(cursor, groups)
    return character


def _number(cursor: Cursor, groups: int) -> int:
    if not _is_digit(cursor.following):
        raise BadPatternError(
            "a $ in the replacement needs a digit after it, or a backslash before it"
        )
    number = int(cursor.take())
    while number and _is_digit(cursor.following) and number * 10 + int(cursor.following) <= groups:
        number = number * 10 + int(cursor.take())
    return number


def _is_digit(character: str) -> bool:
    return character.isascii() and character.isdigit()

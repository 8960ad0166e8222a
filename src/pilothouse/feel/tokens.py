"""
The words of FEEL text, each with its place.

Source: DMN 1.5, section 10.3.1.2, grammar rules 25 to 37 (names and literals) and 61 to 64 (white space, escapes).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from pilothouse.feel.errors import FeelSyntaxError

MAXIMUM_LENGTH = 10_000
"""The longest text that is read, in characters."""


class TokenKind(Enum):
    """What sort of word a token is."""

    NAME = auto()
    NUMBER = auto()
    TEXT = auto()
    MOMENT = auto()
    SIGN = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """
    One word.

    Parameters
    ----------
    kind
        What sort it is.
    text
        As written; for TEXT and MOMENT (``@"2026-01-05"``) the characters meant, without quotes and escapes.
    start, end
        Where it stands, in characters from 0; `end` is one past its last.
    """

    kind: TokenKind
    text: str
    start: int
    end: int


_NAME_START = (
    "?A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u167f\u1681-\u180d\u180f-\u1fff\u200c-\u200d"
    "\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_NAME_PART = _NAME_START + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
_SCANNER = re.compile(
    rf"""
      (?P<space>[\s\u180e\u200b\ufeff]+|//[^\n]*|/\*.*?\*/)
    | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[{_NAME_START}][{_NAME_PART}]*)
    | (?P<moment>@"(?:[^"\\\n]|\\.)*")
    | (?P<text>"(?:[^"\\\n]|\\.)*")
    | (?P<sign>\*\*|\.\.|<=|>=|!=|->|/(?!\*)|[-+*=<>()\[\]{{}},.:'\u2019])
    """,
    re.VERBOSE | re.DOTALL,
)
_KINDS = {
    "number": TokenKind.NUMBER,
    "name": TokenKind.NAME,
    "moment": TokenKind.MOMENT,
    "text": TokenKind.TEXT,
    "sign": TokenKind.SIGN,
}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{6})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def tokenize(text: str) -> tuple[Token, ...]:
    """
    Cut text into tokens; the last one is END.

    Raises
    ------
    FeelSyntaxError
        When the text is too long, a string is not closed, or a character belongs to no token.

    Examples
    --------
    >>> [t.text for t in tokenize("auc >= 0.8 // good")]
    ['auc', '>=', '0.8', '']
    """
    if len(text) > MAXIMUM_LENGTH:
        raise _length_error(text)
    tokens = []
    place = 0
    while place < len(text):
        match = _SCANNER.match(text, place)
        if match is None:
            raise _character_error(text, place)
        if match.lastgroup != "space":
            tokens.append(_token(match))
        place = match.end()
    tokens.append(Token(TokenKind.END, "", place, place))
    return tuple(tokens)


def _token(match: re.Match[str]) -> Token:
    kind = _KINDS[match.lastgroup or ""]
    text = match.group()
    if kind in (TokenKind.TEXT, TokenKind.MOMENT):
        text = _unescaped(text[text.index('"') + 1 : -1])
    return Token(kind, text, match.start(), match.end())


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    # Two \u escapes may write one character beyond the basic plane.
    return _SURROGATES.sub(_joined, _ESCAPE.sub(_meant, text))


def _joined(match: re.Match[str]) -> str:
    return match.group().encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _meant(match: re.Match[str]) -> str:
    short, long, single = match.groups()
    if single is not None:
        # Regular expressions are written with their own escapes: "\d" keeps its backslash.
        return _ESCAPED.get(single, match.group())
    code = int(short or long, 16)
    return chr(code) if code <= 0x10FFFF else match.group()


def syntax_error(text: str, place: int, *, found: str, expected: str) -> FeelSyntaxError:
    """
    Make the error for a place of a text.

    Parameters
    ----------
    text, place
        The text, and the place in it, in characters from 0.
    found, expected
        What stands there, and what could.
    """
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    return FeelSyntaxError(line=line, column=column, found=found, expected=expected)


def _length_error(text: str) -> FeelSyntaxError:
    found = f"a text of {len(text)} characters"
    return syntax_error(text, MAXIMUM_LENGTH, found=found, expected=f"at most {MAXIMUM_LENGTH}")


def _character_error(text: str, place: int) -> FeelSyntaxError:
    found, expected = repr(text[place]), "a name, a number, a string or an operator"
    if text.startswith(('"', '@"'), place):
        found, expected = "a string without an end", "a closing quote on its line"
    if text.startswith("/*", place):
        found, expected = "a comment without an end", "*/"
    return syntax_error(text, place, found=found, expected=expected)

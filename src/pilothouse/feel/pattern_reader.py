"""Regular expressions of XPath's dialect to machines, by recursive descent."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NoReturn

from pilothouse.feel.errors import FeelPatternError
from pilothouse.feel.machine import Instruction, Kind

if TYPE_CHECKING:
    from pilothouse.feel.machine import Program, Test

_MAXIMUM_STATES = 2_000
_MAXIMUM_GROUPS = 50


class BadPatternError(ValueError):
    """The pattern is no regular expression; by the standard the call is null."""


class PatternReader:
    """
    One reading of one pattern.

    Parameters
    ----------
    pattern, flags
        As the expression gave them.
    """

    def __init__(self, pattern: str, flags: str) -> None:
        self.whole = pattern
        self.text = _squeezed(pattern) if "x" in flags and "q" not in flags else pattern
        self.flags = flags
        self.place = 0
        self.groups = 0

    def program(self) -> Program:
        """
        Read the whole pattern.

        Raises
        ------
        BadPatternError
            When it is no regular expression.
        FeelPatternError
            When it uses a form that is not supported.
        """
        if "q" in self.flags:
            return tuple(self._one(_same(c)) for c in self.text)
        program = self._alternatives()
        if self.place < len(self.text):
            raise BadPatternError
        return program

    def _one(self, test: Test) -> Instruction:
        return Instruction(Kind.CHARACTER, self._case_blind(test))

    def _case_blind(self, test: Test) -> Test:
        if "i" not in self.flags:
            return test
        return lambda c: any(test(v) for v in _cases(c))

    def _next(self) -> str:
        if self.place >= len(self.text):
            raise BadPatternError
        self.place += 1
        return self.text[self.place - 1]

    def _accept(self, text: str) -> bool:
        found = self.text.startswith(text, self.place)
        self.place += len(text) * found
        return found

    def _alternatives(self) -> Program:
        branches = [self._branch()]
        while self._accept("|"):
            branches.append(self._branch())
        program = branches.pop()
        while branches:
            program = self._checked(_either(branches.pop(), program))
        return program

    def _branch(self) -> Program:
        program: list[Instruction] = []
        while self.place < len(self.text) and self.text[self.place] not in "|)":
            program.extend(self._piece())
            self._checked(program)
        return tuple(program)

    def _checked(self, program: list[Instruction] | Program) -> Program:
        if len(program) > _MAXIMUM_STATES:
            self._unsupported(f"repetitions that make more than {_MAXIMUM_STATES} states")
        return tuple(program)

    def _piece(self) -> Program:
        atom = self._atom()
        low, high = self._repetition()
        if low is None:
            return atom
        if len(atom) * max(low, high or 0, 1) > _MAXIMUM_STATES:
            self._unsupported(f"repetitions that make more than {_MAXIMUM_STATES} states")
        tail = _starred(atom) if high is None else _optional(atom, high - low)
        return atom * low + tail

    def _repetition(self) -> tuple[int | None, int | None]:
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        for sign, bounds in simple.items():
            if self._accept(sign):
                self._accept("?")  # reluctant or not, the same texts fit
                return bounds
        if not self._accept("{"):
            return None, None
        return self._counts()

    def _counts(self) -> tuple[int, int | None]:
        end = self.text.find("}", self.place)
        low, comma, high = self.text[self.place : max(end, self.place)].partition(",")
        if end < 0 or not _is_count(low) or (high and not _is_count(high)):
            raise BadPatternError
        self.place = end + 1
        self._accept("?")
        least = int(low)
        most = int(high) if high else (None if comma else least)
        if most is not None and most < least:
            raise BadPatternError
        return least, most

    def _atom(self) -> Program:
        character = self._next()
        match character:
            case "(":
                return self._group()
            case "[":
                return (Instruction(Kind.CHARACTER, self._class()),)
            case ".":
                return (self._one(_anything if "s" in self.flags else _not_line_end),)
            case "^":
                return (Instruction(Kind.LINE_START if "m" in self.flags else Kind.TEXT_START),)
            case "$":
                return (Instruction(Kind.LINE_END if "m" in self.flags else Kind.TEXT_END),)
            case "\\":
                return (self._one(self._escape()),)
            case "*" | "+" | "?" | "{" | "}" | ")" | "]":
                raise BadPatternError
            case _:
                return (self._one(_same(character)),)

    def _group(self) -> Program:
        if self._accept("?") and not self._accept(":"):
            raise BadPatternError
        self.groups += 1
        if self.groups > _MAXIMUM_GROUPS:
            self._unsupported(f"more than {_MAXIMUM_GROUPS} groups")
        program = self._alternatives()
        if not self._accept(")"):
            raise BadPatternError
        return program

    def _escape(self) -> Test:
        character = self._next()
        if character in _CLASSES:
            return _CLASSES[character]
        if character in "pP":
            return self._category(wanted=character == "p")
        if character in "123456789":
            self._unsupported("a back-reference")
        if character in "iIcC":
            self._unsupported(f"\\{character}")
        if character in _PLAIN_ESCAPES:
            return _same(_PLAIN_ESCAPES[character])
        raise BadPatternError

    def _category(self, *, wanted: bool) -> Test:
        end = self.text.find("}", self.place)
        if not self._accept("{") or end < 0:
            raise BadPatternError
        name = self.text[self.place : end]
        self.place = end + 1
        if name.startswith("Is"):
            self._unsupported("a Unicode block")
        if name not in _CATEGORIES:
            raise BadPatternError
        return lambda c: unicodedata.category(c).startswith(name) == wanted

    def _class(self) -> Test:
        """Read ``[…]``, with a class to leave out at its end if there is one: ``[a-z-[aeiou]]``."""
        self.groups += 1
        if self.groups > _MAXIMUM_GROUPS:
            self._unsupported(f"more than {_MAXIMUM_GROUPS} classes")
        denied = self._accept("^")
        tests: list[Test] = []
        excluded: Test | None = None
        while not self._accept("]"):
            if self._accept("-["):
                excluded = self._class()
                if not self._accept("]"):
                    raise BadPatternError
                break
            # Case counts before a class is turned around: [^q] with flag i takes no Q either.
            tests.append(self._case_blind(self._class_part()))
        if not tests:
            raise BadPatternError
        return _class_test(tests, denied=denied, excluded=excluded)

    def _class_part(self) -> Test:
        low = self._class_character()
        if not isinstance(low, str):
            return low
        after = self.text[self.place : self.place + 2]
        if not after.startswith("-") or after in ("-]", "-["):
            return _same(low)
        self._next()
        high = self._class_character()
        if not isinstance(high, str) or high < low:
            raise BadPatternError
        return lambda c: low <= c <= high

    def _class_character(self) -> str | Test:
        character = self._next()
        if character == "[":
            raise BadPatternError
        if character != "\\":
            return character
        following = self.text[self.place : self.place + 1]
        if following in _PLAIN_ESCAPES:
            self.place += 1
            return _PLAIN_ESCAPES[following]
        if following.isdigit():
            raise BadPatternError
        return self._escape()

    def _unsupported(self, form: str) -> NoReturn:
        raise FeelPatternError(pattern=self.whole, form=form)


def _squeezed(pattern: str) -> str:
    """Take the white space out of a pattern, but for that inside classes (flag ``x``)."""
    kept: list[str] = []
    depth = 0
    for i, character in enumerate(pattern):
        escaped = i > 0 and pattern[i - 1] == "\\"
        depth += (character == "[" and not escaped) - (character == "]" and not escaped)
        if depth > 0 or character not in " \t\n\r":
            kept.append(character)
    return "".join(kept)


def _either(first: Program, second: Program) -> Program:
    split = Instruction(Kind.SPLIT, left=1, right=len(first) + 2)
    return (split, *first, Instruction(Kind.JUMP, left=len(second) + 1), *second)


def _starred(atom: Program) -> Program:
    split = Instruction(Kind.SPLIT, left=1, right=len(atom) + 2)
    return (split, *atom, Instruction(Kind.JUMP, left=-len(atom) - 1))


def _optional(atom: Program, times: int) -> Program:
    return (Instruction(Kind.SPLIT, left=1, right=len(atom) + 1), *atom) * times


def _same(character: str) -> Test:
    return character.__eq__


def _class_test(tests: list[Test], *, denied: bool, excluded: Test | None) -> Test:
    def fits(character: str) -> bool:
        if excluded is not None and excluded(character):
            return False
        return any(test(character) for test in tests) != denied

    return fits


def _cases(character: str) -> set[str]:
    folded = character.casefold()
    return {v for v in (character, character.lower(), character.upper(), folded) if len(v) == 1}


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _anything(character: str) -> bool:
    return True


def _not_line_end(character: str) -> bool:
    return character not in "\n\r"


def _is_digit(character: str) -> bool:
    return unicodedata.category(character) == "Nd"


def _is_space(character: str) -> bool:
    return character in " \t\n\r"


def _is_word(character: str) -> bool:
    return unicodedata.category(character)[0] not in "PZC"


_CLASSES: dict[str, Test] = {
    "d": _is_digit,
    "D": lambda c: not _is_digit(c),
    "s": _is_space,
    "S": lambda c: not _is_space(c),
    "w": _is_word,
    "W": lambda c: not _is_word(c),
}
_PLAIN_ESCAPES = {c: c for c in "\\|.-^?*+{}()[]$"} | {"n": "\n", "r": "\r", "t": "\t"}
_CATEGORIES = frozenset(
    [
        "L",
        "Lu",
        "Ll",
        "Lt",
        "Lm",
        "Lo",
        "M",
        "Mn",
        "Mc",
        "Me",
        "N",
        "Nd",
        "Nl",
        "No",
        "P",
        "Pc",
        "Pd",
        "Ps",
        "Pe",
        "Pi",
        "Pf",
        "Po",
        "Z",
        "Zs",
        "Zl",
        "Zp",
        "S",
        "Sm",
        "Sc",
        "Sk",
        "So",
        "C",
        "Cc",
        "Cf",
        "Co",
        "Cn",
    ]
)

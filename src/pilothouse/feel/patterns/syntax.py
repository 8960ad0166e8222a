"""What a regular expression consists of: the tree that the reader makes and the program is made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from pilothouse.feel.patterns.characters import Characters, exactly

_MANY = 8


class Stand(Enum):
    """A condition on a place in the text, which takes no character."""

    TEXT_START = auto()
    TEXT_END = auto()
    LINE_START = auto()
    LINE_END = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """One or more characters that mean themselves."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """One character out of a set."""

    characters: Characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A condition on the place."""

    stand: Stand


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """The text that a group took before, or a case variant of it."""

    group: int
    blind: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The first of several that leads to a match."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A part whose text is kept under a number from 1."""

    number: int
    part: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """A part several times: `least` to `most` (without end for None), as often or as seldom as it can."""

    part: Node
    least: int
    most: int | None
    greedy: bool


Node: TypeAlias = Literal | One | Anchor | Recall | Sequence | Choice | Group | Repeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """
    A regular expression that was read.

    Parameters
    ----------
    root
        The whole.
    groups
        How many numbered groups it has.
    recalls
        Whether it refers back to one of them.
    """

    root: Node
    groups: int
    recalls: bool


def may_be_empty(node: Node) -> bool:
    """Say whether a part can fit the empty text."""
    match node:
        case Literal() | One():
            return False
        case Anchor() | Recall():
            return True
        case Sequence(parts=parts):
            return all(map(may_be_empty, parts))
        case Choice(branches=branches):
            return any(map(may_be_empty, branches))
        case Group(part=part):
            return may_be_empty(part)
        case Repeat(part=part, least=least):
            return least == 0 or may_be_empty(part)


def size_of(node: Node) -> int:
    """Count the steps of the program that a part becomes, repetitions written out, without making it."""
    match node:
        case Literal() | One() | Anchor() | Recall() | Repeat(part=One(), most=None):
            return 2
        case Sequence(parts=parts):
            return 1 + sum(map(size_of, parts))
        case Choice(branches=branches):
            return 2 + sum(map(size_of, branches))
        case Group(part=part):
            return 2 + size_of(part)
        case Repeat(part=One(), greedy=True):
            return 3
        case Repeat(part=part, least=least, most=most):
            return 1 + (size_of(part) + 2) * max(least + (most is None), most or 0)


def first_of(node: Node) -> tuple[Characters, ...] | None:
    """Give sets of which one holds the first character of whatever a part fits; None where none can be told."""
    match node:
        case Literal(text=text):
            return (exactly(text[0]),)
        case One(characters=characters):
            return (characters,)
        case Sequence(parts=parts):
            return _first_of_parts(parts)
        case Choice(branches=branches):
            return joined(*map(first_of, branches))
        case Group(part=part):
            return first_of(part)
        case Repeat(part=part, least=least):
            return first_of(part) if least else None
        case _:
            return None


def _first_of_parts(parts: tuple[Node, ...]) -> tuple[Characters, ...] | None:
    found: list[tuple[Characters, ...] | None] = []
    for part in parts:
        if isinstance(part, Anchor):
            continue
        found.append(first_of(part.part if isinstance(part, Repeat) else part))
        if not may_be_empty(part):
            return joined(*found)
    return None


def joined(*openings: tuple[Characters, ...] | None) -> tuple[Characters, ...] | None:
    """Put the first characters of several ways together; None where one of them is not known or they are many."""
    sets: list[Characters] = []
    for opening in openings:
        if opening is None:
            return None
        sets.extend(opening)
    return tuple(sets) if len(sets) <= _MANY else None

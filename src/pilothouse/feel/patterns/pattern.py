"""A compiled regular expression, and the searches that it makes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.feel.errors import FeelPatternError
from pilothouse.feel.patterns.cursor import BadPatternError
from pilothouse.feel.patterns.program import Program
from pilothouse.feel.patterns.reader import FLAGS, read_pattern
from pilothouse.feel.patterns.run import Run, Step
from pilothouse.feel.patterns.steps import taken_by
from pilothouse.feel.patterns.syntax import (
    Anchor,
    Choice,
    Expression,
    Group,
    Literal,
    Node,
    Sequence,
    Stand,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.feel.budget import Budget
    from pilothouse.feel.patterns.characters import Characters

MAXIMUM_PATTERN = 2_000
"""The longest pattern that is read, in characters."""

MAXIMUM_STEPS = 5_000
"""The longest program that a pattern may become."""

_CHARACTERS_PER_STEP = 4
_FOUND_PER_VISIT = 64
_STEPS_OF_PROGRAM_PER_STEP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """
    Why a pattern is no regular expression.

    Parameters
    ----------
    problem
        What is wrong, in words.
    """

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """
    A part of a text that fits.

    Parameters
    ----------
    start, end
        Where it starts and ends, in characters from 0.
    groups
        What the whole and each numbered group took, empty where one took nothing.
    """

    start: int
    end: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """
    A compiled regular expression.

    Parameters
    ----------
    code, entry
        The steps, and the index of the first to be tried.
    groups
        How many numbered groups there are.
    recalls
        Whether it refers back to one of them.
    prefix
        What every match begins with.
    guard
        The set that holds every match's first character, where that is known.
    anchored
        Whether every match starts where the text does.
    """

    code: list[Step]
    entry: int
    groups: int
    recalls: bool
    prefix: str
    guard: Characters | None
    anchored: bool

    def found_in(self, text: str, budget: Budget) -> bool:
        """
        Say whether some part of the text fits.

        Raises
        ------
        FeelBudgetError
            When the search needs more steps than are left.
        """
        return self._found_from(0, self._run(text, budget)) is not None

    def matches_in(self, text: str, budget: Budget) -> Iterator[Match]:
        """
        Give all matches from left to right, none overlapping another.

        Raises
        ------
        FeelBudgetError
            When the search needs more steps than are left.
        """
        run = self._run(text, budget)
        place = 0
        while (start := self._found_from(place, run)) is not None:
            groups = (self._group(number, run) for number in range(1, self.groups + 1))
            run.owe(self.groups)
            yield Match(start=start, end=run.end, groups=(text[start : run.end], *groups))
            place = run.end + (run.end == start)
            run.forgive(place)

    def _run(self, text: str, budget: Budget) -> Run:
        return Run(text, remembers=not self.recalls, budget=budget)

    def _group(self, number: int, run: Run) -> str:
        start, end = taken_by(number, run.captures, run)
        return run.text[start:end]

    def _found_from(self, place: int, run: Run) -> int | None:
        start = self._candidate(place, run)
        while start is not None:
            if run.try_at(start, code=self.code, entry=self.entry):
                return start
            start = self._candidate(start + 1, run)
        return None

    def _candidate(self, place: int, run: Run) -> int | None:
        """Give the next place where a match may start."""
        if place > run.size or (self.anchored and place > 0):
            return None
        if self.prefix:
            found = run.text.find(self.prefix, place)
            run.owe((run.size if found < 0 else found - place) // _FOUND_PER_VISIT)
            return found if found >= 0 else None
        if self.guard is None:
            return place
        found = run.span(self.guard, start=place, limit=run.size, inside=False)
        return found if found < run.size else None


def compile_pattern(pattern: str, flags: str, budget: Budget) -> Pattern | Flaw:
    """
    Compile a regular expression.

    Parameters
    ----------
    pattern
        The text of the pattern, at most 2,000 characters.
    flags
        Any of ``s`` (dot takes line ends), ``m`` (``^`` and ``$`` at lines), ``i`` (case-blind), ``x`` (spaces
        in the pattern do not count), ``q`` (all characters mean themselves).
    budget
        Pays the same whether the pattern was compiled before or not.

    Returns
    -------
    Pattern or Flaw
        The compiled pattern, or why there is none.

    Raises
    ------
    FeelPatternError
        When the pattern goes beyond a limit.
    FeelBudgetError
        When too few steps are left.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> budget = Budget()
    >>> compile_pattern("^a+b$", "", budget).found_in("aaab", budget)
    True
    >>> compile_pattern("(a", "", budget)
    Flaw(problem='a group is not closed')
    """
    if len(pattern) > MAXIMUM_PATTERN:
        raise FeelPatternError(pattern=pattern, form=f"more than {MAXIMUM_PATTERN} characters")
    budget.charge(len(pattern) // _CHARACTERS_PER_STEP)
    compiled = _compiled(pattern, flags)
    if isinstance(compiled, Pattern):
        budget.charge(len(compiled.code) // _STEPS_OF_PROGRAM_PER_STEP)
    return compiled


@functools.lru_cache(maxsize=128)
def _compiled(pattern: str, flags: str) -> Pattern | Flaw:
    unknown = [flag for flag in flags if flag not in FLAGS]
    if unknown:
        return Flaw(problem=f"there is no flag {unknown[0]!r}")
    try:
        expression = read_pattern(pattern, flags)
    except BadPatternError as bad:
        return Flaw(problem=bad.problem)
    if size_of(expression.root) > MAXIMUM_STEPS:
        form = f"repetitions that make more than {MAXIMUM_STEPS} steps"
        raise FeelPatternError(pattern=pattern, form=form)
    return _pattern_of(expression)


def _pattern_of(expression: Expression) -> Pattern:
    program = Program()
    start = program.place(expression.root, after=program.enter_found(), depth=0)
    return Pattern(
        code=program.code,
        entry=start.step,
        groups=expression.groups,
        recalls=expression.recalls,
        prefix=_prefix(expression.root),
        guard=start.guard,
        anchored=_is_anchored(expression.root),
    )


def _prefix(node: Node) -> str:
    match node:
        case Literal(text=text):
            return text
        case Sequence(parts=parts) if parts:
            return _prefix(parts[0])
        case Group(part=part):
            return _prefix(part)
        case _:
            return ""


def _is_anchored(node: Node) -> bool:
    match node:
        case Anchor(stand=stand):
            return stand is Stand.TEXT_START
        case Sequence(parts=parts):
            return bool(parts) and _is_anchored(parts[0])
        case Choice(branches=branches):
            return all(map(_is_anchored, branches))
        case Group(part=part):
            return _is_anchored(part)
        case _:
            return False

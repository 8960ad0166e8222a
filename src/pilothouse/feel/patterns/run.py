"""One text being searched: what waits to be tried, what has failed, what has been paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget
    from pilothouse.feel.patterns.characters import Characters

_VISITS_PER_STEP = 6
_VISITS_AT_ONCE = 400
_CHARACTERS_PER_VISIT = 4
_PAID_AT_ONCE = 2_000

Captures: TypeAlias = tuple[int, int, "Captures"] | None
"""The newest mark of a group's start or end: its slot, its place in the text, and the marks before."""

Waiting: TypeAlias = tuple[int, int, int, Captures]
"""
A way that has not been tried: the step, the place in the text, how many of the loops around the step, counted from
the outermost, have taken a character in their present turn, and the marks of groups.
"""


class Run:
    """
    The state of a search.

    A step that is reached again at the same place with the same progress of its loops would fail again, so each step
    is tried once at each place: the work is at most the text's length times the program's. With references back to
    groups that is not so; then nothing is remembered, and only the budget bounds the work.

    Parameters
    ----------
    text
        What is searched.
    remembers
        Whether steps remember where they failed.
    budget
        Pays for the work.
    """

    __slots__ = ("_budget", "_owed", "captures", "end", "failed", "size", "text", "waiting")

    def __init__(self, text: str, *, remembers: bool, budget: Budget) -> None:
        self.text = text
        self.size = len(text)
        self.failed: defaultdict[int, set[int]] = defaultdict(set if remembers else Forgetful)
        self.waiting: list[Waiting] = []
        self.end = -1
        self.captures: Captures = None
        self._budget = budget
        self._owed = 0

    def try_at(self, place: int, *, code: list[Step], entry: int) -> bool:
        """
        Say whether the program leads to a match that starts at a place; `end` and `captures` tell more of it.

        Raises
        ------
        FeelBudgetError
            When the budget is used up.
        """
        waiting = self.waiting
        waiting.append((entry, place, 0, None))
        self.end = -1
        visits = 0
        while waiting:
            step, at, progress, captures = waiting.pop()
            code[step](self, at, progress, captures)
            visits += 1
            if visits == _VISITS_AT_ONCE:
                self.owe(visits)
                visits = 0
        self.owe(visits)
        return self.end >= 0

    def owe(self, visits: int) -> None:
        """
        Note work of so many visits of steps, and pay for it in whole steps of the budget.

        Raises
        ------
        FeelBudgetError
            When the budget is used up.
        """
        steps, self._owed = divmod(self._owed + visits, _VISITS_PER_STEP)
        self._budget.charge(steps)

    def owe_characters(self, count: int, weight: int = 1) -> None:
        """
        Note that so many characters were held against a set of a weight.

        Raises
        ------
        FeelBudgetError
            When the budget is used up.
        """
        if count * weight >= _CHARACTERS_PER_VISIT:
            self.owe(count * weight // _CHARACTERS_PER_VISIT)

    def span(self, characters: Characters, *, start: int, limit: int, inside: bool) -> int:
        """
        Give the first place from `start` on, at most `limit`, whose character is not in a set, or is in it.

        Parameters
        ----------
        characters
            The set.
        start, limit
            Where to begin and to end.
        inside
            Whether to go on as long as characters are in the set; else as long as they are not.

        Raises
        ------
        FeelBudgetError
            When the budget is used up.
        """
        text, at, weight = self.text, start, characters.weight
        stride = stride_over(characters)
        while at < limit:
            first, stop = at, min(limit, at + stride)
            while at < stop and characters[text[at]] is inside:
                at += 1
            self.owe_characters(at - first, weight)
            if at < stop:
                break
        return at

    def forgive(self, place: int) -> None:
        """
        Make a place fresh after a match that ends there.

        All that failed behind it still fails; the steps on the way to the match stand at it or before it.
        """
        for row in self.failed.values():
            row.discard(place)
        self.owe(len(self.failed) // _CHARACTERS_PER_VISIT)


Step: TypeAlias = Callable[[Run, int, int, Captures], None]
"""Tries one step of a program at a place and puts on `waiting` what is to be tried next, the last first."""


def stride_over(characters: Characters) -> int:
    """Say how many characters may be held against a set before that is paid."""
    return _PAID_AT_ONCE // characters.weight + 1


class Forgetful(set[int]):
    """A set that stays empty."""

    def add(self, element: int, /) -> None:
        """Do nothing."""

    def update(self, *others: Iterable[int]) -> None:
        """Do nothing."""

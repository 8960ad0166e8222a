"""
The machine that runs regular expressions: all its states are followed at once.

So a text of n characters takes at most n times the machine's length, paid from the budget, and nothing can
explode (Thompson's construction).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget

_STATES_PER_STEP = 8

Test: TypeAlias = Callable[[str], bool]


class Kind(Enum):
    """What an instruction of the machine does."""

    CHARACTER = auto()
    SPLIT = auto()
    JUMP = auto()
    TEXT_START = auto()
    TEXT_END = auto()
    LINE_START = auto()
    LINE_END = auto()
    FOUND = auto()


@dataclass(frozen=True, slots=True)
class Instruction:
    """One state of the machine; `left` and `right` are offsets from it."""

    kind: Kind
    test: Test | None = None
    left: int = 1
    right: int = 1


Program: TypeAlias = tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """
    A compiled regular expression.

    Parameters
    ----------
    program
        The machine.
    """

    program: Program

    def found_in(self, text: str, budget: Budget) -> bool:
        """
        Say whether some part of the text fits.

        Raises
        ------
        FeelBudgetError
            When the search needs more steps than are left.
        """
        active: list[int] = []
        for place in range(len(text) + 1):
            reached = self._closure([*active, 0], text, place)
            budget.charge(1 + len(reached) // _STATES_PER_STEP)
            if len(self.program) - 1 in reached:
                return True
            if place < len(text):
                active = self._after(reached, text[place])
        return False

    def _after(self, states: set[int], character: str) -> list[int]:
        program = self.program
        return [
            state + 1
            for state in states
            if (test := program[state].test) is not None and test(character)
        ]

    def _closure(self, starts: list[int], text: str, place: int) -> set[int]:
        reached: set[int] = set()
        waiting = starts
        while waiting:
            state = waiting.pop()
            if state in reached:
                continue
            reached.add(state)
            waiting.extend(self._free_moves(state, text, place))
        return reached

    def _free_moves(self, state: int, text: str, place: int) -> tuple[int, ...]:
        step = self.program[state]
        match step.kind:
            case Kind.SPLIT:
                return (state + step.left, state + step.right)
            case Kind.JUMP:
                return (state + step.left,)
            case Kind.CHARACTER | Kind.FOUND:
                return ()
            case _:
                return (state + 1,) if _stands(step.kind, text, place) else ()


def _stands(kind: Kind, text: str, place: int) -> bool:
    if kind is Kind.TEXT_START:
        return place == 0
    if kind is Kind.TEXT_END:
        return place == len(text)
    if kind is Kind.LINE_START:
        return place == 0 or text[place - 1] == "\n"
    return place == len(text) or text[place] == "\n"

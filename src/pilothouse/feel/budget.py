"""
How much one evaluation may do, what time it is for it, and why values of it became null.

Work is counted in steps. An expression costs one step for each node of its syntax tree, paid once when it
starts; the body of a loop pays its nodes again for each turn; a function pays one step for each item, and
one for each hundred characters, that it walks over. So straight-line conditions cost no counting while
they run, and nothing that grows with the data is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.errors import FeelBudgetError, Resource

if TYPE_CHECKING:
    from datetime import datetime

DEFAULT_STEPS = 20_000
MAXIMUM_CHARACTERS = 100_000
"""The longest text that a function reads or makes."""

MAXIMUM_DEPTH = 100
"""The deepest nesting of lists and contexts in a value."""

MAXIMUM_CALLS = 50
"""How many calls of functions written in FEEL may be inside one another."""

CHARACTERS_PER_STEP = 100
_NULLS_KEPT = 20

Place: TypeAlias = tuple[str, int]
"""A text, and a place in it in characters from 0."""


class Fault(StrEnum):
    """What sort of reason made a value null."""

    VALUE = "value"
    """The standard defines no value: a division by zero, arguments that do not fit, an item that is not there."""

    MISSING = "missing"
    """A variable or an input was not given."""

    TYPE = "type"
    """A value does not have the type that is declared for it."""

    CONFLICT = "conflict"
    """Rules of a decision table matched together that may not."""

    NO_RULE = "no-rule"
    """No rule of a decision table matched, and it has no default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Null:
    """
    Why a value became null.

    Parameters
    ----------
    fault
        What sort of reason it is.
    problem
        What happened, in words.
    where
        The decision, rule or entry that was being evaluated; empty for an expression alone.
    text
        The expression; empty where the reason stands in none.
    line, column
        The place in the expression, both from 1; 0 where it is not known.
    """

    fault: Fault
    problem: str
    where: str
    text: str
    line: int
    column: int


class Budget:
    """
    The steps that are left; give the same one to several evaluations to bound them together.

    Parameters
    ----------
    steps
        The number of steps allowed, 1 or more.
    now
        The moment that ``now()`` and ``today()`` speak of, with its zone; they are null without it.

    Examples
    --------
    >>> budget = Budget(steps=10)
    >>> budget.charge(4)
    >>> budget.left
    6
    """

    __slots__ = ("_calls", "_nulls", "left", "now", "nulls_beyond", "steps", "where")

    def __init__(self, *, steps: int = DEFAULT_STEPS, now: datetime | None = None) -> None:
        self.steps = steps
        self.left = steps
        self.now = now
        self.where = ""
        self.nulls_beyond = 0
        self._calls = 0
        self._nulls: list[tuple[Fault, str, str, Place | None]] = []

    @property
    def nulls(self) -> tuple[Null, ...]:
        """The first 20 reasons for nulls, and the first of each fault; `nulls_beyond` counts the others."""
        return tuple(_null(*noted) for noted in self._nulls)

    def null(self, problem: str, *, place: Place | None = None, fault: Fault = Fault.VALUE) -> None:
        """
        Note why a value is null, and give that null.

        Parameters
        ----------
        problem
            What happened, in words.
        place
            Where in which text; None where only the caller can tell, which then calls `locate`.
        fault
            What sort of reason it is.

        Examples
        --------
        >>> budget = Budget()
        >>> budget.null("1 / 0 has no value", place=("1 / 0", 0)) is None
        True
        >>> budget.nulls[0].problem, budget.nulls[0].column
        ('1 / 0 has no value', 1)
        """
        # The first of each fault is always kept, so that whoever asks for a conflict finds it.
        if len(self._nulls) >= _NULLS_KEPT and any(noted[0] is fault for noted in self._nulls):
            self.nulls_beyond += 1
            return
        self._nulls.append((fault, problem, self.where, place))

    def locate(self, place: Place) -> None:
        """Give the place of the last reasons noted that have none yet."""
        for i in range(len(self._nulls) - 1, -1, -1):
            fault, problem, where, known = self._nulls[i]
            if known is not None:
                return
            self._nulls[i] = (fault, problem, where, place)

    def enter_call(self) -> None:
        """
        Note that the body of a function is entered; `leave_call` takes it back.

        Raises
        ------
        FeelBudgetError
            When too many calls are inside one another.
        """
        if self._calls >= MAXIMUM_CALLS:
            raise FeelBudgetError(resource=Resource.CALLS, limit=MAXIMUM_CALLS)
        self._calls += 1

    def leave_call(self) -> None:
        """Note that the body of a function is left."""
        self._calls -= 1

    def charge(self, steps: int) -> None:
        """
        Take steps off.

        Raises
        ------
        FeelBudgetError
            When fewer are left.
        """
        self.left -= steps
        if self.left < 0:
            raise FeelBudgetError(resource=Resource.STEPS, limit=self.steps)

    def charge_text(self, characters: int) -> None:
        """
        Take off what reading or making a text costs.

        Raises
        ------
        FeelBudgetError
            When the text is longer than `MAXIMUM_CHARACTERS`, or too few steps are left.
        """
        if characters > MAXIMUM_CHARACTERS:
            raise FeelBudgetError(resource=Resource.CHARACTERS, limit=MAXIMUM_CHARACTERS)
        self.charge(characters // CHARACTERS_PER_STEP)

    def check_depth(self, depth: int) -> None:
        """
        Refuse to walk deeper into a nested value than is safe.

        Raises
        ------
        FeelBudgetError
            When `depth` is beyond `MAXIMUM_DEPTH`.
        """
        if depth > MAXIMUM_DEPTH:
            raise FeelBudgetError(resource=Resource.DEPTH, limit=MAXIMUM_DEPTH)


def _null(fault: Fault, problem: str, where: str, place: Place | None) -> Null:
    text, offset = ("", -1) if place is None else place
    line = text.count("\n", 0, offset) + 1 if offset >= 0 else 0
    column = offset - text.rfind("\n", 0, offset) if offset >= 0 else 0
    return Null(fault=fault, problem=problem, where=where, text=text, line=line, column=column)

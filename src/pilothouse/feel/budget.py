"""
How much one evaluation may do.

Work is counted in steps. An expression costs one step for each node of its syntax tree, paid once when it
starts; the body of a loop pays its nodes again for each turn; a function pays one step for each item, and
one for each hundred characters, that it walks over. So straight-line conditions cost no counting while
they run, and nothing that grows with the data is free.
"""

from __future__ import annotations

from pilothouse.feel.errors import FeelBudgetError, Resource

DEFAULT_STEPS = 20_000
MAXIMUM_CHARACTERS = 100_000
"""The longest text that a function reads or makes."""

MAXIMUM_DEPTH = 100
"""The deepest nesting of lists and contexts in a value."""

CHARACTERS_PER_STEP = 100


class Budget:
    """
    The steps that are left; give the same one to several evaluations to bound them together.

    Parameters
    ----------
    steps
        The number of steps allowed, 1 or more.

    Examples
    --------
    >>> budget = Budget(steps=10)
    >>> budget.charge(4)
    >>> budget.left
    6
    """

    __slots__ = ("left", "steps")

    def __init__(self, *, steps: int = DEFAULT_STEPS) -> None:
        self.steps = steps
        self.left = steps

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

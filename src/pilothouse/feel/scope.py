"""
Where a name finds its value: while compiling, the scopes around it; while running, the variables and slots.

The text's own names (loop variables, keys of contexts) get a numbered slot when it is compiled, so nothing is
searched while it runs. Inside a filter the members of the item come first, which only the item itself can tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.feel.values import Value

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget


class State:
    """
    One evaluation under way.

    Parameters
    ----------
    variables
        The context that the caller gave, as it is.
    frame
        The values of the slots that the compiled text uses.
    budget
        What it may still do.
    trusted
        Whether the variables are FEEL's values already, so that they are used as they are.
    """

    __slots__ = ("budget", "frame", "trusted", "variables")

    def __init__(
        self,
        variables: Mapping[str, object],
        frame: list[Value],
        budget: Budget,
        *,
        trusted: bool = False,
    ) -> None:
        self.variables = variables
        self.frame = frame
        self.budget = budget
        self.trusted = trusted


Closure: TypeAlias = Callable[[State], Value]
"""A compiled expression: run it in a state, get its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """
    The names around a place of the text, innermost first.

    Parameters
    ----------
    names
        Names with the slots that hold their values.
    item
        The slot of the item, where this is the inside of a filter.
    outer
        The scope around this one.
    """

    names: Mapping[str, int] = field(default_factory=dict)
    item: int | None = None
    outer: Scope | None = None

"""Boxed contexts, lists and relations. Source: DMN 1.5, sections 10.2.2.3, 10.2.2.4 and 10.2.2.6."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.feel.values import Function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.taking import Logic, Taking
    from pilothouse.feel import Value

NAMES_PER_STEP = 10
"""How many names of a scope are copied for one step of the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """
    Entries that see the entries before them.

    Parameters
    ----------
    entries
        Names with their logic, in order.
    result
        What gives the value of the whole; without it, the value is a context of all entries.
    names
        The variables that it reads from outside.
    """

    entries: tuple[tuple[str, Logic], ...]
    result: Logic | None
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the entries as a context, or what the result says of them."""
        made: dict[str, Value] = {}
        inner = dict(scope)
        for name, logic in self.entries:
            taking.budget.charge(1 + len(inner) // NAMES_PER_STEP)
            value = made[name] = logic.evaluate(inner, taking)
            if isinstance(value, Function):
                inner[name] = value  # so that it may call itself: this scope is its own
            # A new mapping each time: functions made so far keep the scope that they were made in.
            inner = {**inner, name: value}
        return made if self.result is None else self.result.evaluate(inner, taking)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """
    A list of values.

    Parameters
    ----------
    items
        What gives each of them.
    names
        The variables that they read.
    """

    items: tuple[Logic, ...]
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the list."""
        taking.budget.charge(1 + len(self.items))
        return tuple(item.evaluate(scope, taking) for item in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """
    A list of contexts that have the same keys.

    Parameters
    ----------
    columns
        The keys.
    rows
        What gives the value of each key, row by row.
    names
        The variables that they read.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Logic, ...], ...]
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the list."""
        taking.budget.charge(1 + len(self.rows) * len(self.columns))
        return tuple(self._row(row, scope, taking) for row in self.rows)

    def _row(
        self, cells: tuple[Logic, ...], scope: Mapping[str, Value], taking: Taking
    ) -> dict[str, Value]:
        return {
            column: cell.evaluate(scope, taking)
            for column, cell in zip(self.columns, cells, strict=True)
        }

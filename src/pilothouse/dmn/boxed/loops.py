"""
Boxed filters and iterators. Source: DMN 1.5, sections 10.2.2.8 and 10.2.2.10.

The standard defines iterators by the FEEL expressions that they stand for, so that is what runs: a FEEL loop
that calls the box inside for each item. Whatever FEEL says of its loops holds for boxes too.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.dmn.boxed.contexts import NAMES_PER_STEP
from pilothouse.feel import compile_expression
from pilothouse.feel.operators import item_at
from pilothouse.feel.values import Function, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.taking import Logic, Taking
    from pilothouse.feel import Budget, Expression, Value
    from pilothouse.feel.types import Type

ITEM = "item"
PARTIAL = "partial"
_NAMES = ("source", "turn")
FOR = compile_expression("for i in source return turn(i)", names=_NAMES)
FOR_WITH_PARTIAL = compile_expression("for i in source return turn(i, partial)", names=_NAMES)
SOME = compile_expression("some i in source satisfies turn(i)", names=_NAMES)
EVERY = compile_expression("every i in source satisfies turn(i)", names=_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Iterator:
    """
    A loop over a list or range: ``for``, ``some`` or ``every``.

    Parameters
    ----------
    loop
        The FEEL loop that it stands for: it reads ``source`` and calls ``turn``.
    variables
        What the body calls the arguments of ``turn``.
    item
        What each item must be; None where nothing is declared of single items.
    source
        What gives the list.
    body
        What gives the result of a turn.
    names
        The variables that it reads from outside.
    """

    loop: Expression
    variables: tuple[str, ...]
    item: Type | None
    source: Logic
    body: Logic
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give what the loop gives."""

        def turn(budget: Budget, values: tuple[Value, ...]) -> Value:
            budget.charge(1 + len(scope) // NAMES_PER_STEP)
            inner = {**scope, **dict(zip(self.variables, values, strict=True))}
            return self.body.evaluate(inner, taking)

        types = (self.item, None)[: len(self.variables)] if self.item is not None else ()
        function = Function(name="turn", parameters=self.variables, run=turn, types=types)
        given = {"source": self.source.evaluate(scope, taking), "turn": function}
        return self.loop.run(given, taking.budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """
    The items of a list for which a condition is true; or one item, where the condition is a number.

    Parameters
    ----------
    source
        What gives the list.
    condition
        What decides; it sees each item, as ``item``, and the members of the item.
    label
        What the condition is called in messages.
    names
        The variables that it surely reads from outside.
    """

    source: Logic
    condition: Logic
    label: str
    names: frozenset[str]

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """Give the items."""
        budget = taking.budget
        value = self.source.evaluate(scope, taking)
        if value is None:
            return None
        items = value if isinstance(value, tuple) else (value,)
        kept: list[Value] = []
        place = (self.label, 0)
        for item in items or (None,):
            answer = self.condition.evaluate(_scope_of(item, scope, budget), taking)
            if answer is True:
                kept.append(item)
            elif type(answer) is Decimal:
                return item_at(items, answer, budget, place)
            elif answer is not False and answer is not None:
                return budget.null(f"a filter by {kind_of(answer)} has no value", place=place)
        return tuple(kept) if items else ()


def _scope_of(item: Value, scope: Mapping[str, Value], budget: Budget) -> dict[str, Value]:
    members = item if isinstance(item, dict) else {}
    budget.charge(1 + (len(scope) + len(members)) // NAMES_PER_STEP)
    return {**scope, ITEM: item, **members}

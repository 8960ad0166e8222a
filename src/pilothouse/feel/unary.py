"""Compiled unary tests: the input cells of decision tables. Source: DMN 1.5, section 10.3.1.2, rules 7 to 15."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.feel.budget import Budget
from pilothouse.feel.compiler import INPUT_SLOT, Compiler
from pilothouse.feel.expressions import parser, too_deep, too_nested
from pilothouse.feel.names import INPUT
from pilothouse.feel.operators import any_passed
from pilothouse.feel.scope import Scope, State
from pilothouse.feel.values import Value, admit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.feel.checks import Check
    from pilothouse.feel.syntax import Tests
    from pilothouse.feel.types import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class UnaryTests:
    """
    The tests of one cell, ready to run any number of times, from any thread.

    Parameters
    ----------
    text
        As they were written.
    names
        The variables that they read from the context.
    cost
        The steps that they cost, apart from what loops and functions add.
    tree
        Their syntax tree; negative numbers and ``date("…")`` are literals in it.
    """

    text: str
    names: frozenset[str]
    cost: int
    tree: Tests = field(repr=False)
    _slots: int = field(repr=False)
    _checks: tuple[Check, ...] = field(repr=False, compare=False)
    _negated: bool = field(repr=False)

    @property
    def passes_all(self) -> bool:
        """Whether every value passes (``-``)."""
        return not self._checks

    def matches(
        self, value: object, context: Mapping[str, object], *, budget: Budget | None = None
    ) -> bool:
        """
        Say whether a value passes one of the tests; what is null does not.

        Parameters
        ----------
        value
            The value under test, ``?`` in the text.
        context
            The other variables.
        budget
            What the tests may do; by default 20,000 steps.

        Raises
        ------
        FeelValueError
            When the value, or a variable that is read, is none that FEEL knows.
        FeelBudgetError
            When the tests need more than the budget.

        Examples
        --------
        >>> compile_unary_tests('[0.8..1.0]').matches(0.8, {})
        True
        """
        allowed = Budget() if budget is None else budget
        admitted = admit(value, name=INPUT, budget=allowed)
        return self._passed(State(context, [], allowed), admitted)

    def passes(self, value: Value, scope: Mapping[str, Value], *, budget: Budget) -> bool:
        """
        Say whether a FEEL value passes one of the tests.

        Parameters
        ----------
        value
            The value under test, known to be one of FEEL's, as an expression gave it.
        scope
            The other variables, which are FEEL's values already.
        budget
            What the tests may do.

        Raises
        ------
        FeelBudgetError
            When the tests need more than the budget.
        """
        return self._passed(State(scope, [], budget, trusted=True), value)

    def _passed(self, state: State, value: Value) -> bool:
        if not self._checks:
            return True
        state.budget.charge(self.cost)
        state.frame = [None] * self._slots
        state.frame[INPUT_SLOT] = value
        try:
            answer = any_passed(state, value, self._checks)
        except RecursionError:
            raise too_deep() from None
        return answer is False if self._negated else answer is True


def compile_unary_tests(
    text: str,
    *,
    names: Iterable[str] = (),
    members: Iterable[str] = (),
    types: Mapping[str, Type] | None = None,
) -> UnaryTests:
    """
    Compile the text of an input cell.

    Parameters
    ----------
    text
        ``-``, or tests with commas between them, or ``not(…)`` around them; at most 10,000 characters.
    names, members, types
        The variables in scope, the names of their entries, and the types, as for an expression.

    Raises
    ------
    FeelSyntaxError
        When the text is none of these; it says where, and what was expected.

    Examples
    --------
    >>> compile_unary_tests('not("low", "medium")').matches("high", {})
    True
    """
    announced = frozenset(names)
    compiler = Compiler(text, announced=announced, slots=INPUT_SLOT + 1)
    scope = Scope(names={INPUT: INPUT_SLOT})
    try:
        tree = parser(text, announced, members, types).whole_tests()
        checks = tuple(
            compiler.check(test, scope, slot=INPUT_SLOT, cell=True) for test in tree.tests
        )
    except RecursionError:
        raise too_nested(text) from None
    return UnaryTests(
        text=text,
        names=frozenset(compiler.names),
        cost=compiler.cost + len(checks),
        tree=tree,
        _slots=compiler.slots,
        _checks=checks,
        _negated=tree.negated,
    )

"""Compiled expressions. See the package for the language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.feel.budget import MAXIMUM_DEPTH, Budget
from pilothouse.feel.compiler import Compiler
from pilothouse.feel.errors import FeelBudgetError, FeelSyntaxError, Resource
from pilothouse.feel.functions import DEFINED, FUNCTIONS
from pilothouse.feel.parser import Parser
from pilothouse.feel.scope import Closure, Scope, State
from pilothouse.feel.tokens import syntax_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.feel.syntax import Expr
    from pilothouse.feel.types import Type
    from pilothouse.feel.values import Value

FUNCTION_NAMES = frozenset(FUNCTIONS) | {DEFINED}
"""The names of all functions that an expression may call."""


def too_nested(text: str) -> FeelSyntaxError:
    """Make the error for a text within the limits, met where the caller left too little of Python's stack."""
    found, expected = "an expression", "fewer levels of nesting: the caller left little stack"
    return syntax_error(text, 0, found=found, expected=expected)


def too_deep() -> FeelBudgetError:
    """Make the error for an evaluation to which the caller left too little of Python's stack."""
    return FeelBudgetError(resource=Resource.DEPTH, limit=MAXIMUM_DEPTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """
    An expression, ready to run any number of times, from any thread.

    Parameters
    ----------
    text
        As it was written.
    names
        The variables that it reads from its context.
    possible_names
        More names that it reads where its context has them: names inside filters, which may be members of
        the items, names that it only asks for by ``is defined``, and names of built-in functions.
    cost
        The steps that it costs, apart from what loops and functions add.
    tree
        Its syntax tree.
    """

    text: str
    names: frozenset[str]
    possible_names: frozenset[str]
    cost: int
    tree: Expr = field(repr=False)
    _slots: int = field(repr=False)
    _run: Closure = field(repr=False, compare=False)

    def evaluate(self, context: Mapping[str, object], *, budget: Budget | None = None) -> Value:
        """
        Run in a context.

        Parameters
        ----------
        context
            The variables: numbers, text, booleans, dates, times, durations, lists, mappings, null.
        budget
            What it may do; by default 20,000 steps.

        Returns
        -------
        Value
            The value; null where the standard says so.

        Raises
        ------
        FeelValueError
            When a variable that it reads holds something that FEEL does not know.
        FeelBudgetError
            When it needs more than the budget.

        Examples
        --------
        >>> compile_expression("metrics.auc + 0.1").evaluate({"metrics": {"auc": 0.2}})
        Decimal('0.3')
        """
        allowed = Budget() if budget is None else budget
        allowed.charge(self.cost)
        try:
            return self._run(State(context, [None] * self._slots, allowed))
        except RecursionError:
            raise too_deep() from None

    def run(self, scope: Mapping[str, Value], budget: Budget) -> Value:
        """
        Run on values that are FEEL's already, which are used and given as they are.

        Parameters
        ----------
        scope
            The variables; nobody may change them, or what is in them, afterwards.
        budget
            What it may do, and where it notes why values became null.

        Raises
        ------
        FeelBudgetError
            When it needs more than the budget.
        """
        budget.charge(self.cost)
        try:
            return self._run(State(scope, [None] * self._slots, budget, trusted=True))
        except RecursionError:
            raise too_deep() from None


def compile_expression(
    text: str,
    *,
    names: Iterable[str] = (),
    members: Iterable[str] = (),
    types: Mapping[str, Type] | None = None,
) -> Expression:
    """
    Compile an expression.

    Parameters
    ----------
    text
        FEEL, at most 10,000 characters, nested at most 100 levels deep.
    names
        The variables in scope. Those whose names have signs or keywords in them (``profit-loss``), or that may hold
        functions and are called, must be told; others need not.
    members
        Names of entries of those variables, where they have signs or keywords in them.
    types
        The types that the text may name after ``instance of`` and in parameters, by their names.

    Raises
    ------
    FeelSyntaxError
        When the text is not FEEL; it says where, and what was expected.

    Examples
    --------
    >>> expression = compile_expression('auc >= 0.8 and tier in ["low", "medium"]')
    >>> sorted(expression.names)
    ['auc', 'tier']
    >>> expression.evaluate({"auc": 0.91, "tier": "low"})
    True
    """
    announced = frozenset(names)
    compiler = Compiler(text, announced=announced)
    try:
        tree = parser(text, announced, members, types).whole_expression()
        run = compiler.closure(tree, Scope())
    except RecursionError:
        raise too_nested(text) from None
    return Expression(
        text=text,
        names=frozenset(compiler.names),
        possible_names=frozenset(compiler.possible_names - compiler.names),
        cost=compiler.cost,
        tree=tree,
        _slots=compiler.slots,
        _run=run,
    )


def parser(
    text: str, names: frozenset[str], members: Iterable[str], types: Mapping[str, Type] | None
) -> Parser:
    """Make the parser of a text."""
    return Parser(text, names=names, members=members, functions=FUNCTION_NAMES, types=types or {})

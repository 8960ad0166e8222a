"""
The syntax tree to closures: straight-line parts. Loops and filters are in `loops`.

A closure takes the `State` and gives a value. What is known while compiling (constants, slots, which operator)
is decided here once. Straight-line nodes count into `cost`, which is charged when the expression starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pilothouse.feel import operators
from pilothouse.feel.arithmetic import negate
from pilothouse.feel.checks import (
    Check,
    cell_check,
    condition_check,
    operator_check,
    range_check,
    value_check,
)
from pilothouse.feel.functions import DEFINED, FUNCTIONS
from pilothouse.feel.functions.registry import BuiltIn, call
from pilothouse.feel.lookups import (
    path_closure,
    presence,
    slot_closure,
    through_items,
    variable_closure,
)
from pilothouse.feel.loops import filtered, iterated, quantified
from pilothouse.feel.names import INPUT
from pilothouse.feel.scope import Closure, Scope
from pilothouse.feel.syntax import (
    Arithmetic,
    Between,
    Call,
    Comparison,
    Conjunction,
    ContextOf,
    Disjunction,
    Expr,
    Filter,
    For,
    If,
    InstanceOf,
    Interval,
    Iteration,
    ListOf,
    Literal,
    Membership,
    Name,
    Negation,
    Node,
    OperatorTest,
    Path,
    Quantified,
    Quantifier,
    Test,
)
from pilothouse.feel.tokens import syntax_error
from pilothouse.feel.values import kind_of

if TYPE_CHECKING:
    from pilothouse.feel.errors import FeelSyntaxError

INPUT_SLOT = 0
"""The slot of the value under test, in unary tests."""

N = TypeVar("N", bound=Node)
Rule: TypeAlias = Callable[["Compiler", N, Scope], Closure]


class Compiler:
    """
    One compilation of one text.

    Parameters
    ----------
    text
        The text, for messages.
    slots
        How many slots are taken before it starts.
    """

    def __init__(self, text: str, *, slots: int = 0) -> None:
        self._text = text
        self.slots = slots
        self.cost = 0
        self.names: set[str] = set()
        self.possible_names: set[str] = set()
        self.read_slots: set[int] = set()

    def closure(self, node: Expr, scope: Scope) -> Closure:
        """
        Compile one expression.

        Parameters
        ----------
        node
            The expression.
        scope
            The names around it.
        """
        self.cost += 1
        return _RULES[type(node)](self, node, scope)

    def slot(self) -> int:
        """Take a new slot."""
        self.slots += 1
        return self.slots - 1

    def metered(self, node: Expr, scope: Scope) -> tuple[Closure, int]:
        """Compile the body of a loop; give what each turn of it costs."""
        outer, self.cost = self.cost, 0
        closure = self.closure(node, scope)
        inner, self.cost = self.cost, outer
        return closure, inner

    def check(self, test: Test, scope: Scope, *, cell: bool = False) -> Check:
        """
        Compile a unary test, of the value that the check will be given.

        Parameters
        ----------
        test
            The test.
        scope
            The names around it; in a cell they have ``?``.
        cell
            Whether it stands in a decision table, where a condition on other variables is a test too.
        """
        if isinstance(test, OperatorTest):
            return operator_check(test.operator, self.closure(test.operand, scope))
        expression = test.expression
        read_before, self.read_slots = self.read_slots, set()
        closure = self.closure(expression, scope)
        reads_input = INPUT_SLOT in self.read_slots
        self.read_slots |= read_before
        if cell and reads_input:
            return condition_check(closure)
        if isinstance(expression, Interval):
            return range_check(closure)
        if isinstance(expression, Literal):
            return value_check(closure, constant=expression.value)
        return cell_check(closure) if cell else value_check(closure)

    def failure(self, node: Node, *, found: str, expected: str) -> FeelSyntaxError:
        """Make the error for a node of the text."""
        return syntax_error(self._text, node.place, found=found, expected=expected)


def _literal(compiler: Compiler, node: Literal, scope: Scope) -> Closure:
    value = node.value
    return lambda state: value


def _name(compiler: Compiler, node: Name, scope: Scope) -> Closure:
    found, items = _found(node.name, scope)
    if found is not None:
        compiler.read_slots.add(found)
        return through_items(node.name, items, slot_closure(found))
    if node.name == INPUT:
        raise compiler.failure(
            node, found="'?'", expected="a name; '?' is for the tests of decision tables"
        )
    (compiler.possible_names if items else compiler.names).add(node.name)
    return through_items(node.name, items, variable_closure(node.name))


def _found(name: str, scope: Scope | None) -> tuple[int | None, list[int]]:
    """Find the slot of a name; with it, the items of the filters that stand between, innermost first."""
    items: list[int] = []
    while scope is not None:
        if name in scope.names:
            return scope.names[name], items
        if scope.item is not None:
            items.append(scope.item)
        scope = scope.outer
    return None, items


def _path(compiler: Compiler, node: Path, scope: Scope) -> Closure:
    if isinstance(node.base, Name):
        found, items = _found(node.base.name, scope)
        if found is None and not items and node.base.name != INPUT:
            compiler.names.add(node.base.name)
            return path_closure(node.base.name, node.members)
    return operators.members(compiler.closure(node.base, scope), node.members)


def _filter(compiler: Compiler, node: Filter, scope: Scope) -> Closure:
    base = compiler.closure(node.base, scope)
    condition = node.condition
    if isinstance(condition, Negation) and isinstance(condition.operand, Literal):
        condition = Literal(place=condition.place, value=negate(condition.operand.value))
    if isinstance(condition, Literal) and isinstance(condition.value, Decimal):
        return operators.position(base, condition.value)
    slot = compiler.slot()
    inside = Scope(names={"item": slot}, outer=Scope(item=slot, outer=scope))
    test, cost = compiler.metered(node.condition, inside)
    return filtered(base, test, slot, cost)


def _call(compiler: Compiler, node: Call, scope: Scope) -> Closure:
    if node.function == DEFINED:
        return _defined(compiler, node, scope)
    function: BuiltIn = FUNCTIONS[node.function]
    arguments = tuple(compiler.closure(a, scope) for a in node.arguments)
    names = node.parameters
    if (
        len(arguments) == 1
        and len(function.parameters) == 1
        and not function.variadic
        and not names
    ):
        run, only = function.run, arguments[0]
        return lambda state: run(state.budget, only(state))
    return lambda state: call(function, tuple([a(state) for a in arguments]), names, state.budget)


def _defined(compiler: Compiler, node: Call, scope: Scope) -> Closure:
    if len(node.arguments) != 1:
        raise compiler.failure(
            node, found="is defined()", expected="one argument: a name or a path"
        )
    argument = node.arguments[0]
    members = argument.members if isinstance(argument, Path) else ()
    base = argument.base if isinstance(argument, Path) else argument
    if isinstance(base, Name) and _found(base.name, scope) == (None, []):
        compiler.possible_names.add(base.name)
        return presence(base.name, members)
    value = compiler.closure(argument, scope)
    return lambda state: value(state) is not None


def _negation(compiler: Compiler, node: Negation, scope: Scope) -> Closure:
    operand = compiler.closure(node.operand, scope)
    if isinstance(node.operand, Literal):
        value = negate(node.operand.value)
        return lambda state: value
    return lambda state: negate(operand(state))


def _arithmetic(compiler: Compiler, node: Arithmetic, scope: Scope) -> Closure:
    result = compiler.closure(node.first, scope)
    if len(node.rest) == 1:
        operator, operand = node.rest[0]
        return operators.binary(operator, result, compiler.closure(operand, scope))
    rest = tuple((operator, compiler.closure(operand, scope)) for operator, operand in node.rest)
    return operators.chain(result, rest)


def _comparison(compiler: Compiler, node: Comparison, scope: Scope) -> Closure:
    left = compiler.closure(node.left, scope)
    right = compiler.closure(node.right, scope)
    if isinstance(node.right, Literal):
        return operators.compared_to(node.operator, left, node.right.value)
    return operators.compared(node.operator, left, right)


def _between(compiler: Compiler, node: Between, scope: Scope) -> Closure:
    value, low, high = (compiler.closure(n, scope) for n in (node.value, node.low, node.high))
    return operators.between(value, low, high)


def _membership(compiler: Compiler, node: Membership, scope: Scope) -> Closure:
    value = compiler.closure(node.value, scope)
    checks = tuple(compiler.check(test, scope) for test in node.tests)
    if len(checks) == 1:
        only = checks[0]
        return lambda state: only(state, value(state))
    return operators.passing(value, checks)


def _conjunction(compiler: Compiler, node: Conjunction, scope: Scope) -> Closure:
    return operators.conjunction(tuple(compiler.closure(p, scope) for p in node.parts))


def _disjunction(compiler: Compiler, node: Disjunction, scope: Scope) -> Closure:
    return operators.disjunction(tuple(compiler.closure(p, scope) for p in node.parts))


def _if(compiler: Compiler, node: If, scope: Scope) -> Closure:
    condition = compiler.closure(node.condition, scope)
    chosen = compiler.closure(node.chosen, scope)
    otherwise = compiler.closure(node.otherwise, scope)
    return lambda state: chosen(state) if condition(state) is True else otherwise(state)


def _for(compiler: Compiler, node: For, scope: Scope) -> Closure:
    partial = compiler.slot()
    turns, inside = _turns(compiler, node.iterations, scope)
    inside = Scope(names={"partial": partial}, outer=inside)
    result, cost = compiler.metered(node.result, inside)
    return iterated(turns, result, partial if partial in compiler.read_slots else None, cost)


def _quantified(compiler: Compiler, node: Quantified, scope: Scope) -> Closure:
    turns, inside = _turns(compiler, node.iterations, scope)
    condition, cost = compiler.metered(node.condition, inside)
    return quantified(turns, condition, cost, decisive=node.quantifier is Quantifier.SOME)


def _turns(
    compiler: Compiler, iterations: tuple[Iteration, ...], scope: Scope
) -> tuple[tuple[tuple[int, Closure, Closure | None, int], ...], Scope]:
    turns = []
    for iteration in iterations:
        source, cost = compiler.metered(iteration.source, scope)
        end, end_cost = (
            (None, 0) if iteration.end is None else compiler.metered(iteration.end, scope)
        )
        slot = compiler.slot()
        turns.append((slot, source, end, cost + end_cost))
        scope = Scope(names={iteration.name: slot}, outer=scope)
    return tuple(turns), scope


def _list(compiler: Compiler, node: ListOf, scope: Scope) -> Closure:
    items = tuple(compiler.closure(item, scope) for item in node.items)
    if all(isinstance(item, Literal) for item in node.items):
        value = tuple(item.value for item in node.items if isinstance(item, Literal))
        return lambda state: value
    return lambda state: tuple([item(state) for item in items])


def _context(compiler: Compiler, node: ContextOf, scope: Scope) -> Closure:
    entries = []
    for key, value in node.entries:
        closure = compiler.closure(value, scope)
        slot = compiler.slot()
        entries.append((key, slot, closure))
        scope = Scope(names={key: slot}, outer=scope)
    return operators.context(tuple(entries))


def _interval(compiler: Compiler, node: Interval, scope: Scope) -> Closure:
    low, high = compiler.closure(node.low, scope), compiler.closure(node.high, scope)
    included = (node.low_included, node.high_included)
    if isinstance(node.low, Literal) and isinstance(node.high, Literal):
        fixed = operators.interval(node.low.value, node.high.value, included)
        return lambda state: fixed
    return lambda state: operators.interval(low(state), high(state), included)


def _instance(compiler: Compiler, node: InstanceOf, scope: Scope) -> Closure:
    value = compiler.closure(node.value, scope)
    kind = node.kind
    if kind == "Any":
        return lambda state: value(state) is not None
    wanted = kind.lower() if kind == "Null" else kind
    return lambda state: kind_of(value(state)) == wanted


_RULES: Mapping[type[Node], Callable[..., Closure]] = {
    Literal: _literal,
    Name: _name,
    Path: _path,
    Filter: _filter,
    Call: _call,
    Negation: _negation,
    Arithmetic: _arithmetic,
    Comparison: _comparison,
    Between: _between,
    Membership: _membership,
    Conjunction: _conjunction,
    Disjunction: _disjunction,
    If: _if,
    For: _for,
    Quantified: _quantified,
    ListOf: _list,
    ContextOf: _context,
    Interval: _interval,
    InstanceOf: _instance,
}

"""
The syntax tree to closures: straight-line parts. Loops and filters are in `loops`.

A closure takes the `State` and gives a value. What is known while compiling (constants, slots, which operator)
is decided here once. Straight-line nodes count into `cost`, which is charged when the expression starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pilothouse.feel import operators, shortcuts
from pilothouse.feel.budget import Fault
from pilothouse.feel.calls import Definition, built_in_call, function_closure, value_call
from pilothouse.feel.checks import (
    Check,
    cell_check,
    condition_check,
    operator_check,
    range_check,
    value_check,
)
from pilothouse.feel.functions import DEFINED, FUNCTIONS
from pilothouse.feel.inference import inferred
from pilothouse.feel.intervals import interval
from pilothouse.feel.lookups import (
    path_closure,
    presence,
    slot_closure,
    through_items,
    variable_closure,
)
from pilothouse.feel.loops import Turn, filtered, iterated, quantified
from pilothouse.feel.names import INPUT
from pilothouse.feel.scope import Closure, Scope, State
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
    FunctionOf,
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
    OperatorRange,
    OperatorTest,
    Path,
    Quantified,
    Quantifier,
    Test,
    ValueTest,
)
from pilothouse.feel.tokens import syntax_error
from pilothouse.feel.types import ANY, NULL, Inferred, bare

if TYPE_CHECKING:
    from pilothouse.feel.budget import Place
    from pilothouse.feel.errors import FeelSyntaxError
    from pilothouse.feel.values import Function, Value

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
    announced
        The variables that the caller said there are.
    slots
        How many slots are taken before it starts.
    """

    def __init__(self, text: str, *, announced: frozenset[str], slots: int = 0) -> None:
        self._text = text
        self.announced = announced
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

    def check(self, test: Test, scope: Scope, *, slot: int, cell: bool = False) -> Check:
        """
        Compile a unary test, of the value that the check will be given.

        Parameters
        ----------
        test
            The test.
        scope
            The names around it, with ``?``.
        slot
            The slot of ``?``.
        cell
            Whether it stands in a decision table, where a condition on other variables is a test too.
        """
        if isinstance(test, OperatorTest):
            return operator_check(test.operator, self.closure(test.operand, scope))
        expression = test.expression
        read_before, self.read_slots = self.read_slots, set()
        closure = self.closure(expression, scope)
        reads_input = slot in self.read_slots
        self.read_slots |= read_before
        if reads_input:
            return condition_check(closure)
        if isinstance(expression, Interval):
            return range_check(closure)
        if isinstance(expression, Literal):
            return value_check(closure, constant=expression.value)
        return cell_check(closure) if cell else value_check(closure)

    def function(self, node: FunctionOf, scope: Scope, own: int | None = None) -> Closure:
        """
        Compile a function; `own` is the slot of the context entry that it is.

        Parameters
        ----------
        node
            The function.
        scope
            The names around it.
        own
            The slot of the context entry that it is, where it is one.
        """
        self.cost += 1
        slots = {parameter.name: self.slot() for parameter in node.parameters}
        body, cost = self.metered(node.body, Scope(names=slots, outer=scope))
        types = tuple(parameter.type for parameter in node.parameters)
        known = {parameter.name: parameter.type or ANY for parameter in node.parameters}
        return function_closure(
            Definition(
                parameters=tuple(slots),
                types=types if any(types) else (),
                slots=tuple(slots.values()),
                own=own,
                result=Inferred(cache(partial(inferred, node.body, known))),
                body=body,
                cost=cost,
            )
        )

    def place(self, node: Node) -> Place:
        """Give the place of a node, for reasons."""
        return self._text, node.place

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
    default = _built_in(compiler, node.name)
    if default is None and not items:
        compiler.names.add(node.name)
    else:
        compiler.possible_names.add(node.name)
    fault = Fault.VALUE if items else Fault.MISSING
    variable = variable_closure(node.name, compiler.place(node), default=default, fault=fault)
    return through_items(node.name, items, variable)


def _built_in(compiler: Compiler, name: str) -> Function | None:
    """Give the built-in function of a name that nobody announced as a variable."""
    function = None if name in compiler.announced else FUNCTIONS.get(name)
    return None if function is None else function.value


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
    place = compiler.place(node)
    if isinstance(node.base, Name):
        found, items = _found(node.base.name, scope)
        if found is None and not items and node.base.name != INPUT:
            compiler.names.add(node.base.name)
            return path_closure(node.base.name, node.members, place)
    return operators.members(compiler.closure(node.base, scope), node.members, place)


def _filter(compiler: Compiler, node: Filter, scope: Scope) -> Closure:
    place = compiler.place(node)
    base = compiler.closure(node.base, scope)
    condition = node.condition
    if isinstance(condition, Literal) and isinstance(condition.value, Decimal):
        return operators.position(base, condition.value, place)
    slot = compiler.slot()
    inside = Scope(item=slot, outer=Scope(names={"item": slot}, outer=scope))
    test, cost = compiler.metered(node.condition, inside)
    return filtered(base, test, slot, cost, place)


def _call(compiler: Compiler, node: Call, scope: Scope) -> Closure:
    callee = node.function
    name = callee.name if isinstance(callee, Name) else ""
    known = name in compiler.announced or _found(name, scope)[0] is not None
    if name == DEFINED and not known:
        return _defined(compiler, node, scope)
    arguments = tuple(compiler.closure(a, scope) for a in node.arguments)
    function, place, built_in = FUNCTIONS.get(name), compiler.place(node), None
    if function is not None:
        built_in = built_in_call(function, arguments, node.parameters, place)
        if not known:
            return built_in
    # A variable that is no function does not hide the built-in one: date(date) is a conversion.
    called = compiler.closure(callee, scope)
    return value_call(called, arguments, node.parameters, place, built_in)


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
    return operators.negation(compiler.closure(node.operand, scope), compiler.place(node))


def _arithmetic(compiler: Compiler, node: Arithmetic, scope: Scope) -> Closure:
    place = compiler.place(node)
    result = compiler.closure(node.first, scope)
    if len(node.rest) == 1:
        operator, operand = node.rest[0]
        return operators.binary(operator, result, compiler.closure(operand, scope), place)
    rest = tuple((operator, compiler.closure(operand, scope)) for operator, operand in node.rest)
    return operators.chain(result, rest, place)


def _comparison(compiler: Compiler, node: Comparison, scope: Scope) -> Closure:
    place = compiler.place(node)
    left = compiler.closure(node.left, scope)
    right = compiler.closure(node.right, scope)
    if not isinstance(node.right, Literal):
        return operators.compared(node.operator, left, right, place)
    general = operators.compared_to(node.operator, left, node.right.value, place)
    variable = _variable(node.left, scope)
    if variable is None:
        return general
    return shortcuts.comparison(node.operator, variable, node.right.value, general)


def _variable(node: Expr, scope: Scope) -> shortcuts.Variable | None:
    """Give the name and the members of a variable of the context, where the node is one and nothing hides it."""
    base = node.base if isinstance(node, Path) else node
    if not isinstance(base, Name) or base.name == INPUT or _found(base.name, scope) != (None, []):
        return None
    return base.name, node.members if isinstance(node, Path) else ()


def _between(compiler: Compiler, node: Between, scope: Scope) -> Closure:
    value, low, high = (compiler.closure(n, scope) for n in (node.value, node.low, node.high))
    return operators.between(value, low, high, compiler.place(node))


def _membership(compiler: Compiler, node: Membership, scope: Scope) -> Closure:
    value = compiler.closure(node.value, scope)
    slot = compiler.slot()
    inside = Scope(names={INPUT: slot}, outer=scope)
    checks = tuple(compiler.check(test, inside, slot=slot) for test in node.tests)
    used = slot if slot in compiler.read_slots else None
    general = operators.passing(value, checks, used, compiler.place(node))
    variable = _variable(node.value, scope)
    return (
        general
        if variable is None
        else shortcuts.membership(variable, _constants(node.tests), general)
    )


def _constants(tests: tuple[Test, ...]) -> tuple[Value, ...]:
    """Give the constants that a value is looked for among; none where a test is anything else."""
    found: list[Value] = []
    for test in tests:
        expression = test.expression if isinstance(test, ValueTest) else None
        items = expression.items if isinstance(expression, ListOf) else (expression,)
        for item in items:
            if not isinstance(item, Literal):
                return ()
            found.append(item.value)
    return tuple(found)


def _conjunction(compiler: Compiler, node: Conjunction, scope: Scope) -> Closure:
    return operators.conjunction(tuple(compiler.closure(p, scope) for p in node.parts))


def _disjunction(compiler: Compiler, node: Disjunction, scope: Scope) -> Closure:
    return operators.disjunction(tuple(compiler.closure(p, scope) for p in node.parts))


def _if(compiler: Compiler, node: If, scope: Scope) -> Closure:
    condition = compiler.closure(node.condition, scope)
    chosen = compiler.closure(node.chosen, scope)
    otherwise = compiler.closure(node.otherwise, scope)
    return operators.choice(condition, chosen, otherwise)


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
) -> tuple[tuple[Turn, ...], Scope]:
    turns = []
    for iteration in iterations:
        source, cost = compiler.metered(iteration.source, scope)
        end, end_cost = (
            (None, 0) if iteration.end is None else compiler.metered(iteration.end, scope)
        )
        slot = compiler.slot()
        turns.append((slot, source, end, cost + end_cost, compiler.place(iteration.source)))
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
        slot = compiler.slot()
        after = Scope(names={key: slot}, outer=scope)
        if isinstance(value, FunctionOf):
            closure = compiler.function(value, after, slot)
        else:
            closure = compiler.closure(value, scope)
        entries.append((key, slot, closure))
        scope = after
    keys = [key for key, _ in node.entries]
    if len(set(keys)) < len(keys):
        return operators.ambiguous(keys, compiler.place(node))
    return operators.context(tuple(entries))


def _interval(compiler: Compiler, node: Interval, scope: Scope) -> Closure:
    low, high = compiler.closure(node.low, scope), compiler.closure(node.high, scope)
    included = (node.low_included, node.high_included)
    if isinstance(node.low, Literal) and isinstance(node.high, Literal):
        fixed = interval(node.low.value, node.high.value, included)
        if fixed is not None:
            return lambda state: fixed
    return operators.range_between(low, high, included, compiler.place(node))


def _operator_range(compiler: Compiler, node: OperatorRange, scope: Scope) -> Closure:
    operand = compiler.closure(node.operand, scope)
    return operators.range_beyond(node.operator, operand, compiler.place(node))


def _instance(compiler: Compiler, node: InstanceOf, scope: Scope) -> Closure:
    value = compiler.closure(node.value, scope)
    kind, written, place = node.type, node.written, compiler.place(node)
    if kind is None:
        said = f"instance of {written} has no value: the type lacks its parameters"
        return lambda state: state.budget.null(said, place=place)
    if bare(kind) == NULL:
        return lambda state: value(state) is None

    def run(state: State) -> Value:
        found = value(state)
        return found is not None and kind.conforms(found, state.budget)

    return run


def _function(compiler: Compiler, node: FunctionOf, scope: Scope) -> Closure:
    return compiler.function(node, scope)


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
    OperatorRange: _operator_range,
    InstanceOf: _instance,
    FunctionOf: _function,
}

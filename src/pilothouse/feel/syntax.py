"""
The syntax tree: what the parser found, each node with its place in the text.

Nodes are plain frozen values. `place` is where the node starts, in characters from 0; `height` is how deep
the tree is below and including the node, so that later stages may recurse without fear.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pilothouse.feel.signs import Operator
    from pilothouse.feel.types import Type
    from pilothouse.feel.values import Value


class Quantifier(StrEnum):
    """Which of the items must satisfy the condition."""

    SOME = "some"
    EVERY = "every"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What every node has."""

    place: int
    height: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal(Node):
    """A value written out."""

    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Node):
    """A variable; the words of a name are joined by single spaces."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Path(Node):
    """``base.a.b``: members inside members."""

    base: Expr
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter(Node):
    """``base[condition]``: the items that satisfy it, or the item at a position."""

    base: Expr
    condition: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Node):
    """``function(…)``; `parameters` names the arguments where they are given by name, else it is empty."""

    function: Expr
    arguments: tuple[Expr, ...]
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Negation(Node):
    """``-operand``."""

    operand: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic(Node):
    """Operators of one rank, applied from the left: ``first op a op b …``."""

    first: Expr
    rest: tuple[tuple[Operator, Expr], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Node):
    """``left op right``."""

    operator: Operator
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Between(Node):
    """``value between low and high``, both ends included."""

    value: Expr
    low: Expr
    high: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Node):
    """``value in test`` and ``value in (test, test)``."""

    value: Expr
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conjunction(Node):
    """``a and b and c``."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disjunction(Node):
    """``a or b or c``."""

    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class If(Node):
    """``if condition then chosen else otherwise``."""

    condition: Expr
    chosen: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Iteration(Node):
    """``name in source``, or ``name in source..end`` over whole numbers."""

    name: str
    source: Expr
    end: Expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class For(Node):
    """``for iterations return result``; `result` may read the results so far as ``partial``."""

    iterations: tuple[Iteration, ...]
    result: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantified(Node):
    """``some|every iterations satisfies condition``."""

    quantifier: Quantifier
    iterations: tuple[Iteration, ...]
    condition: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Node):
    """``[a, b, c]``."""

    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextOf(Node):
    """``{key: value, …}``; an entry may read the ones before it, and a function itself. The same key twice makes it null."""

    entries: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Node):
    """``[low..high]``; round or turned brackets leave an end out."""

    low: Expr
    high: Expr
    low_included: bool
    high_included: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRange(Node):
    """``(< operand)``: a unary test as a value."""

    operator: Operator
    operand: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceOf(Node):
    """``value instance of type``; `type` is `None` where the name is a type only with parameters (``list``)."""

    value: Expr
    type: Type | None
    written: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a function, with its type where it is declared."""

    name: str
    type: Type | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOf(Node):
    """``function(parameter, …) body``."""

    parameters: tuple[Parameter, ...]
    body: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorTest(Node):
    """A unary test ``< operand``."""

    operator: Operator
    operand: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTest(Node):
    """A unary test by a value, a range, a list, or a condition on ``?``."""

    expression: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests(Node):
    """The unary tests of a decision table's cell; no test at all (``-``) is passed by everything."""

    tests: tuple[Test, ...]
    negated: bool = False


Expr: TypeAlias = (
    Literal
    | Name
    | Path
    | Filter
    | Call
    | Negation
    | Arithmetic
    | Comparison
    | Between
    | Membership
    | Conjunction
    | Disjunction
    | If
    | For
    | Quantified
    | ListOf
    | ContextOf
    | Interval
    | OperatorRange
    | InstanceOf
    | FunctionOf
)
Test: TypeAlias = OperatorTest | ValueTest

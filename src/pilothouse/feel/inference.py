"""
What a function gives, as far as its text tells: ``function(a: number) a + 1`` gives a number.

``instance of function<…> -> …`` asks for it without a call. Source: DMN 1.5, section 10.3.2.9, table 43.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.signs import Operator
from pilothouse.feel.syntax import (
    Arithmetic,
    Between,
    Comparison,
    Conjunction,
    ContextOf,
    Disjunction,
    Expr,
    FunctionOf,
    If,
    InstanceOf,
    Interval,
    ListOf,
    Literal,
    Membership,
    Name,
    Negation,
    Node,
    OperatorRange,
    Quantified,
)
from pilothouse.feel.types import (
    ANY,
    BOOLEAN,
    NULL,
    NUMBER,
    SIMPLE_TYPES,
    STRING,
    ContextType,
    FunctionType,
    ListType,
    RangeType,
    Type,
)
from pilothouse.feel.values import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TRUTHS = (
    Comparison,
    Between,
    Membership,
    Conjunction,
    Disjunction,
    Quantified,
    InstanceOf,
)


def inferred(node: Expr, names: Mapping[str, Type]) -> Type:
    """
    Give the type of an expression's value; ``Any`` where the text does not tell.

    Parameters
    ----------
    node
        The expression.
    names
        The types of the names whose types are known.
    """
    if isinstance(node, _TRUTHS):
        return BOOLEAN
    rule = _RULES.get(type(node))
    return ANY if rule is None else rule(node, names)


def _literal(node: Literal, names: Mapping[str, Type]) -> Type:
    return NULL if node.value is None else SIMPLE_TYPES.get(kind_of(node.value), ANY)


def _name(node: Name, names: Mapping[str, Type]) -> Type:
    return names.get(node.name, ANY)


def _common(kinds: list[Type]) -> Type:
    """Give the one of these that covers the others, else ``Any``; ``Null`` where there is none at all."""
    widest: Type = NULL
    for kind in kinds:
        if kind.covers(widest):
            widest = kind
        elif not widest.covers(kind):
            return ANY
    return widest


def _list(node: ListOf, names: Mapping[str, Type]) -> Type:
    return ListType(_common([inferred(item, names) for item in node.items]))


def _context(node: ContextOf, names: Mapping[str, Type]) -> Type:
    known = dict(names)
    entries: dict[str, Type] = {}
    for key, value in node.entries:
        entries[key] = known[key] = inferred(value, known)
    return ContextType(entries)


def _interval(node: Interval, names: Mapping[str, Type]) -> Type:
    return RangeType(_common([inferred(node.low, names), inferred(node.high, names)]))


def _operator_range(node: OperatorRange, names: Mapping[str, Type]) -> Type:
    return RangeType(inferred(node.operand, names))


def _function(node: FunctionOf, names: Mapping[str, Type]) -> Type:
    own = {p.name: p.type or ANY for p in node.parameters}
    return FunctionType(tuple(own.values()), inferred(node.body, {**names, **own}))


def _if(node: If, names: Mapping[str, Type]) -> Type:
    return _common([inferred(node.chosen, names), inferred(node.otherwise, names)])


def _negation(node: Negation, names: Mapping[str, Type]) -> Type:
    return NUMBER if inferred(node.operand, names) == NUMBER else ANY


def _arithmetic(node: Arithmetic, names: Mapping[str, Type]) -> Type:
    kinds = [inferred(part, names) for part in (node.first, *(operand for _, operand in node.rest))]
    if all(kind == NUMBER for kind in kinds):
        return NUMBER
    adds = all(operator is Operator.ADD for operator, _ in node.rest)
    return STRING if adds and all(kind == STRING for kind in kinds) else ANY


_RULES: Mapping[type[Node], Callable[..., Type]] = {
    Literal: _literal,
    Name: _name,
    ListOf: _list,
    ContextOf: _context,
    Interval: _interval,
    OperatorRange: _operator_range,
    FunctionOf: _function,
    If: _if,
    Negation: _negation,
    Arithmetic: _arithmetic,
}

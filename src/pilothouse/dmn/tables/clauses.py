"""What a decision table is made of: columns of conditions, columns of results, rules. Source: DMN 1.5, section 8.3."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.dmn.taking import NOWHERE
from pilothouse.feel.budget import Fault
from pilothouse.feel.types import described

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.feel import Budget, Expression, UnaryTests, Value
    from pilothouse.feel.constants import Known
    from pilothouse.feel.types import Type

PythonType: TypeAlias = type
"""A class of Python, by which values of one kind are known at once."""


class HitPolicy(StrEnum):
    """What several matching rules mean."""

    UNIQUE = "UNIQUE"
    FIRST = "FIRST"
    PRIORITY = "PRIORITY"
    ANY = "ANY"
    COLLECT = "COLLECT"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"


class Aggregation(StrEnum):
    """What COLLECT makes of the outputs."""

    LIST = "LIST"
    SUM = "SUM"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputClause:
    """
    A column of conditions.

    Parameters
    ----------
    label
        What people call it: its label, or the text of its expression.
    expression
        What is tested.
    type
        What its value is made to be.
    allowed
        The values that the column lists as possible, where it lists any.
    variable
        The variable whose value it is, where the expression is nothing else; empty for other expressions.
    fitting
        Python's type of the values that are of the column's type as they are, where that is one type.
    """

    label: str
    expression: Expression
    type: Type
    allowed: UnaryTests | None = None
    variable: str = ""
    fitting: PythonType | None = None

    def value(self, scope: Mapping[str, Value], budget: Budget) -> Value:
        """Give the value in a scope, as one of the column's type."""
        found = scope.get(self.variable) if self.variable else None
        if found is None:
            found = self.expression.run(scope, budget)
        return found if type(found) is self.fitting else self.type.coerced(found, budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputEntry:
    """
    What a rule says in one column.

    Parameters
    ----------
    expression
        As it was written.
    constant
        Its value as one of the column's, where that is known without running it.
    trouble
        Why it is a constant that its column never allows, so that it is null; empty where it is none.
    """

    expression: Expression
    constant: Known | None = None
    trouble: str = ""

    def value(self, clause: OutputClause, scope: Mapping[str, Value], budget: Budget) -> Value:
        """Give the value in a scope, as one that its column allows; else null, with the reason in the budget."""
        if self.constant is not None:
            return self.constant.value
        value = clause.type.coerced(self.expression.run(scope, budget), budget)
        if clause.allowed is None or is_allowed(clause.allowed, value, budget):
            return value
        return forbidden(f"output {clause.name!r}", clause.allowed, value, budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputClause:
    """
    A column of results.

    Parameters
    ----------
    name
        The key of its value in the result.
    type
        What its value is made to be.
    allowed
        The values that the column lists as possible, where it lists any.
    priorities
        The allowed values from the highest priority down; empty where none are listed.
    default
        What it says when no rule matches.
    """

    name: str
    type: Type
    allowed: UnaryTests | None = None
    priorities: tuple[Value, ...] = ()
    default: OutputEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """
    One row.

    Parameters
    ----------
    rule
        Its id; ``rule 3`` where the file gives none.
    index
        Its place in the table, from 1.
    annotation
        Its annotations, or its description, as written; empty where there is none.
    tests
        Its conditions, one for each input.
    outputs
        What it says, one entry for each output.
    line
        Its line in the file, from 1.
    """

    rule: str
    index: int
    annotation: str
    tests: tuple[UnaryTests, ...]
    outputs: tuple[OutputEntry, ...]
    line: int = 0


def is_allowed(allowed: UnaryTests, value: Value, budget: Budget) -> bool:
    """Say whether a value is among the listed ones: null is, and so is a list of nothing else."""
    if value is None or allowed.passes(value, {}, budget=budget):
        return True
    if not isinstance(value, tuple):
        return False
    budget.charge(len(value))
    return all(allowed.passes(item, {}, budget=budget) for item in value)


def forbidden(clause: str, allowed: UnaryTests, value: Value, budget: Budget) -> None:
    """Note that a value of an input or output is none of the listed ones, and give null for it."""
    problem = f"{clause}: the {described(value)} is none of the allowed values {allowed.text}"
    return budget.null(problem, place=NOWHERE, fault=Fault.TYPE)

"""
Decision tables: which rules match, and what they say together. Source: DMN 1.5, section 8.

Inputs are evaluated once, rules in order, each up to its first entry that does not match.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.dmn.errors import DmnConflictError, DmnValueError
from pilothouse.dmn.outcomes import FiredRule, Outcome
from pilothouse.feel.comparison import equal
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.dmn.types import Type
    from pilothouse.feel import Budget, Expression, UnaryTests, Value


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
        What its value must be, allowed values included.
    """

    label: str
    expression: Expression
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputClause:
    """
    A column of results.

    Parameters
    ----------
    name
        The key of its value in the result.
    type
        What its value must be, allowed values included.
    priorities
        The allowed values from the highest priority down; empty where none are listed.
    default
        What it says when no rule matches.
    """

    name: str
    type: Type
    priorities: tuple[Value, ...] = ()
    default: Expression | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row; see `FiredRule` for the fields."""

    rule: str
    index: int
    annotation: str
    tests: tuple[UnaryTests, ...]
    outputs: tuple[Expression, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable:
    """
    A table, ready to be evaluated.

    Parameters
    ----------
    decision
        The id of its decision.
    policy, aggregation
        What several matching rules mean.
    inputs, outputs, rules
        Its columns and rows.
    names
        The variables that it reads.
    """

    decision: str
    policy: HitPolicy
    aggregation: Aggregation
    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]
    names: frozenset[str]

    def evaluate(self, context: Mapping[str, object], *, budget: Budget) -> Outcome:
        """
        Evaluate the table.

        Parameters
        ----------
        context
            The variables.
        budget
            What it may do.

        Raises
        ------
        DmnValueError
            When an input or output has a value that its column does not allow.
        DmnConflictError
            When rules match that may not match together.
        FeelBudgetError
            When it needs more than the budget.
        """
        values = tuple(self._input(clause, context, budget) for clause in self.inputs)
        labels = {c.label: v for c, v in zip(self.inputs, values, strict=True)}
        hits = []
        for rule in self._matching(values, context, budget):
            outputs = self._outputs(rule.outputs, context, budget)
            hits.append(
                FiredRule(
                    decision=self.decision,
                    rule=rule.rule,
                    index=rule.index,
                    annotation=rule.annotation,
                    inputs=labels,
                    outputs=outputs,
                )
            )
        return self._joined(hits, context, budget) if hits else self._default(context, budget)

    def _input(self, clause: InputClause, context: Mapping[str, object], budget: Budget) -> Value:
        value = clause.expression.evaluate(context, budget=budget)
        self._check(clause.type, value, f"input {clause.label!r}", budget)
        return value

    def _check(self, declared: Type, value: Value, clause: str, budget: Budget) -> None:
        trouble = declared.trouble(value, budget=budget)
        if trouble:
            raise DmnValueError(decision=self.decision, clause=clause, problem=trouble)

    def _matching(
        self, values: tuple[Value, ...], context: Mapping[str, object], budget: Budget
    ) -> list[Rule]:
        found = []
        for rule in self.rules:
            budget.charge(1)
            if all(
                test.passes(value, context, budget=budget)
                for test, value in zip(rule.tests, values, strict=True)
                if not test.passes_all
            ):
                found.append(rule)
                if self.policy is HitPolicy.FIRST:
                    break
        return found

    def _outputs(
        self, entries: tuple[Expression, ...], context: Mapping[str, object], budget: Budget
    ) -> dict[str, Value]:
        said = {}
        for clause, entry in zip(self.outputs, entries, strict=True):
            value = entry.evaluate(context, budget=budget)
            self._check(clause.type, value, f"output {clause.name!r}", budget)
            said[clause.name] = value
        return said

    def _default(self, context: Mapping[str, object], budget: Budget) -> Outcome:
        defaults = tuple(c.default for c in self.outputs if c.default is not None)
        if len(defaults) == len(self.outputs):
            return Outcome(value=self._value(self._outputs(defaults, context, budget)))
        if self.policy is HitPolicy.COLLECT and self.aggregation is Aggregation.COUNT:
            return Outcome(value=Decimal(0))
        return Outcome(value=None)

    def _value(self, said: Mapping[str, Value]) -> Value:
        return dict(said) if len(self.outputs) > 1 else next(iter(said.values()))

    def _joined(
        self, hits: list[FiredRule], context: Mapping[str, object], budget: Budget
    ) -> Outcome:
        match self.policy:
            case HitPolicy.UNIQUE:
                return self._unique(hits)
            case HitPolicy.FIRST:
                return self._single(hits[0])
            case HitPolicy.ANY:
                return self._any(hits, budget)
            case HitPolicy.PRIORITY:
                return self._single(self._by_priority(hits, budget)[0])
            case HitPolicy.OUTPUT_ORDER:
                return self._listed(self._by_priority(hits, budget))
            case HitPolicy.RULE_ORDER:
                return self._listed(hits)
            case HitPolicy.COLLECT:
                return self._collected(hits, budget)

    def _single(self, hit: FiredRule) -> Outcome:
        return Outcome(value=self._value(hit.outputs), fired=(hit,))

    def _listed(self, hits: list[FiredRule]) -> Outcome:
        return Outcome(value=tuple(self._value(h.outputs) for h in hits), fired=tuple(hits))

    def _unique(self, hits: list[FiredRule]) -> Outcome:
        if len(hits) > 1:
            raise self._conflict(hits)
        return self._single(hits[0])

    def _any(self, hits: list[FiredRule], budget: Budget) -> Outcome:
        values = [self._value(hit.outputs) for hit in hits]
        if any(equal(values[0], value, budget) is not True for value in values[1:]):
            raise self._conflict(hits)
        return Outcome(value=values[0], fired=tuple(hits))

    def _conflict(self, hits: list[FiredRule]) -> DmnConflictError:
        rules = tuple(hit.rule for hit in hits)
        return DmnConflictError(decision=self.decision, policy=self.policy.value, rules=rules)

    def _by_priority(self, hits: list[FiredRule], budget: Budget) -> list[FiredRule]:
        return sorted(hits, key=lambda hit: self._priority(hit, budget))

    def _priority(self, hit: FiredRule, budget: Budget) -> tuple[int, ...]:
        places = []
        for clause in self.outputs:
            value = hit.outputs[clause.name]
            budget.charge(len(clause.priorities))
            ranks = (i for i, p in enumerate(clause.priorities) if equal(p, value, budget))
            places.append(next(ranks, len(clause.priorities)))
        return tuple(places)

    def _collected(self, hits: list[FiredRule], budget: Budget) -> Outcome:
        match self.aggregation:
            case Aggregation.LIST:
                return self._listed(hits)
            case Aggregation.COUNT:
                return Outcome(value=Decimal(len(hits)), fired=tuple(hits))
            case Aggregation.SUM | Aggregation.MIN | Aggregation.MAX:
                values = tuple(self._value(hit.outputs) for hit in hits)
                function = FUNCTIONS[self.aggregation.value.lower()]
                return Outcome(value=call(function, (values,), (), budget), fired=tuple(hits))

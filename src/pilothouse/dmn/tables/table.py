"""
A decision table, ready to be evaluated. Source: DMN 1.5, section 8.

Inputs are evaluated once. The index of each column gives the rules that their values let pass; only conditions
that are no comparisons with constants are run, and only for rules that are still possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.dmn.outcomes import FiredRule
from pilothouse.dmn.tables.clauses import Aggregation, HitPolicy, forbidden, is_allowed
from pilothouse.dmn.tables.index import members
from pilothouse.dmn.tables.policies import Hit, as_value, joined
from pilothouse.dmn.taking import NOWHERE
from pilothouse.feel.budget import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.dmn.tables.clauses import InputClause, OutputClause, Rule
    from pilothouse.dmn.tables.index import Bits, ColumnIndex
    from pilothouse.dmn.taking import Taking
    from pilothouse.feel import Budget, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionTable:
    """
    A table, ready to be evaluated.

    Parameters
    ----------
    owner
        The decision or business knowledge model that it stands in, by id or name.
    line
        Its line in the file, from 1.
    policy, aggregation
        What several matching rules mean.
    inputs, outputs, rules
        Its columns and rows.
    names
        The variables that it reads.
    columns
        The index of each input, in order.
    """

    owner: str
    line: int
    policy: HitPolicy
    aggregation: Aggregation
    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]
    names: frozenset[str]
    columns: tuple[ColumnIndex, ...] = field(repr=False, compare=False)

    def evaluate(self, scope: Mapping[str, Value], taking: Taking) -> Value:
        """
        Evaluate the table.

        Parameters
        ----------
        scope
            The variables.
        taking
            The evaluation that this is part of; it keeps the rules that counted, and why the value is null.

        Returns
        -------
        Value
            What the rules say; null where none matches and there is no default, where an input is none of
            its allowed values, or where rules match together that may not.

        Raises
        ------
        FeelBudgetError
            When it needs more than the budget.
        """
        budget = taking.budget
        budget.charge(len(self.inputs) + 1)
        values: list[Value] = []
        for clause in self.inputs:
            value = clause.value(scope, budget)
            if clause.allowed is not None and not is_allowed(clause.allowed, value, budget):
                return forbidden(f"input {clause.label!r}", clause.allowed, value, budget)
            values.append(value)
        hits = [
            Hit(rule=rule, outputs=self._said(rule, scope, budget))
            for rule in self._matching(values, scope, budget)
        ]
        return self._value(hits, values, taking) if hits else self._default(scope, budget)

    def _matching(
        self, values: list[Value], scope: Mapping[str, Value], budget: Budget
    ) -> Iterator[Rule]:
        possible: Bits = (1 << len(self.rules)) - 1
        unsure: list[tuple[int, Bits]] = []
        for place, column in enumerate(self.columns):
            passing, to_run = column.passing(values[place])
            possible &= passing | to_run
            if to_run:
                unsure.append((place, to_run))
        for row in members(possible):
            rule = self.rules[row]
            budget.charge(1)
            if all(
                rule.tests[place].passes(values[place], scope, budget=budget)
                for place, to_run in unsure
                if to_run >> row & 1
            ):
                yield rule
                if self.policy is HitPolicy.FIRST:
                    return

    def _said(self, rule: Rule, scope: Mapping[str, Value], budget: Budget) -> dict[str, Value]:
        return {
            clause.name: entry.value(clause, scope, budget)
            for clause, entry in zip(self.outputs, rule.outputs, strict=True)
        }

    def _value(self, hits: list[Hit], values: list[Value], taking: Taking) -> Value:
        verdict = joined(hits, self.policy, self.aggregation, self.outputs, taking.budget)
        if verdict.counted:
            inputs = {c.label: v for c, v in zip(self.inputs, values, strict=True)}
            taking.fired.extend(
                FiredRule(
                    decision=taking.decision,
                    rule=hit.rule.rule,
                    index=hit.rule.index,
                    annotation=hit.rule.annotation,
                    inputs=inputs,
                    outputs=hit.outputs,
                )
                for hit in verdict.counted
            )
        return verdict.value

    def _default(self, scope: Mapping[str, Value], budget: Budget) -> Value:
        """Say what holds where no rule matches; outputs without a default are null beside those that have one."""
        if any(clause.default is not None for clause in self.outputs):
            return as_value(
                {
                    clause.name: None
                    if clause.default is None
                    else clause.default.value(clause, scope, budget)
                    for clause in self.outputs
                }
            )
        if self.policy is HitPolicy.COLLECT and self.aggregation is Aggregation.COUNT:
            return Decimal(0)
        problem = "no rule of the decision table matches, and it has no default"
        return budget.null(problem, place=NOWHERE, fault=Fault.NO_RULE)

"""What several matching rules mean together: the hit policies. Source: DMN 1.5, section 8.2.10."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.dmn.tables.clauses import Aggregation, HitPolicy
from pilothouse.dmn.taking import NOWHERE
from pilothouse.feel.budget import Fault
from pilothouse.feel.comparison import equal
from pilothouse.feel.functions import FUNCTIONS
from pilothouse.feel.functions.registry import call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.dmn.tables.clauses import OutputClause, Rule
    from pilothouse.feel import Budget, Value


def as_value(outputs: Mapping[str, Value]) -> Value:
    """
    Make one value of what a rule says: plain for one output, else a context.

    Examples
    --------
    >>> as_value({"verdict": "PASS"}), as_value({"verdict": "PASS", "share": None})
    ('PASS', {'verdict': 'PASS', 'share': None})
    """
    return dict(outputs) if len(outputs) > 1 else next(iter(outputs.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """
    A rule that matches, and what it says.

    Parameters
    ----------
    rule
        The rule.
    outputs
        What it says, by the names of the outputs.
    """

    rule: Rule
    outputs: Mapping[str, Value]

    @property
    def value(self) -> Value:
        """What it says, as the value of the table."""
        return as_value(self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """
    What the matching rules mean together.

    Parameters
    ----------
    value
        The value of the table.
    counted
        The rules that it came from, in the order in which they count.
    """

    value: Value
    counted: tuple[Hit, ...]


def joined(
    hits: Sequence[Hit],
    policy: HitPolicy,
    aggregation: Aggregation,
    clauses: Sequence[OutputClause],
    budget: Budget,
) -> Verdict:
    """
    Join the rules that match.

    Parameters
    ----------
    hits
        The rules, in the order of the table; at least one.
    policy, aggregation
        The hit policy of the table.
    clauses
        Its outputs, for their priorities.
    budget
        Pays for comparing, and is told of conflicts.
    """
    match policy:
        case HitPolicy.FIRST:
            return _single(hits[0])
        case HitPolicy.UNIQUE:
            return _single(hits[0]) if len(hits) == 1 else _conflict(policy, hits, budget)
        case HitPolicy.ANY:
            return _any(hits, budget)
        case HitPolicy.PRIORITY:
            return _single(_by_priority(hits, clauses, budget)[0])
        case HitPolicy.OUTPUT_ORDER:
            return _listed(_by_priority(hits, clauses, budget))
        case HitPolicy.RULE_ORDER:
            return _listed(hits)
        case HitPolicy.COLLECT:
            return _collected(hits, aggregation, budget)


def _single(hit: Hit) -> Verdict:
    return Verdict(value=hit.value, counted=(hit,))


def _listed(hits: Sequence[Hit]) -> Verdict:
    return Verdict(value=tuple(hit.value for hit in hits), counted=tuple(hits))


def _any(hits: Sequence[Hit], budget: Budget) -> Verdict:
    first = hits[0].value
    if any(equal(first, hit.value, budget) is not True for hit in hits[1:]):
        return _conflict(HitPolicy.ANY, hits, budget)
    return Verdict(value=first, counted=tuple(hits))


def _conflict(policy: HitPolicy, hits: Sequence[Hit], budget: Budget) -> Verdict:
    rules = ", ".join(hit.rule.rule for hit in hits)
    also = " with different outputs" if policy is HitPolicy.ANY else ""
    budget.null(
        f"the rules {rules} matched together{also}, which hit policy {policy.value} forbids",
        place=NOWHERE,
        fault=Fault.CONFLICT,
    )
    return Verdict(value=None, counted=())


def _by_priority(hits: Sequence[Hit], clauses: Sequence[OutputClause], budget: Budget) -> list[Hit]:
    return sorted(hits, key=lambda hit: ranks(hit.outputs, clauses, budget))


def ranks(
    outputs: Mapping[str, Value], clauses: Sequence[OutputClause], budget: Budget
) -> tuple[int, ...]:
    """
    Rank what a rule says by the order of the output values, the first output first; low ranks come first.

    Parameters
    ----------
    outputs
        What it says, by the names of the outputs.
    clauses
        The outputs; a value that one does not list ranks after those that it does.
    budget
        Pays for comparing.
    """
    places = []
    for clause in clauses:
        value = outputs[clause.name]
        budget.charge(len(clause.priorities))
        found = (i for i, p in enumerate(clause.priorities) if equal(p, value, budget) is True)
        places.append(next(found, len(clause.priorities)))
    return tuple(places)


def _collected(hits: Sequence[Hit], aggregation: Aggregation, budget: Budget) -> Verdict:
    match aggregation:
        case Aggregation.LIST:
            return _listed(hits)
        case Aggregation.COUNT:
            return Verdict(value=Decimal(len(hits)), counted=tuple(hits))
        case Aggregation.SUM | Aggregation.MIN | Aggregation.MAX:
            values = tuple(hit.value for hit in hits)
            function = FUNCTIONS[aggregation.value.lower()]
            return Verdict(value=call(function, (values,), (), budget), counted=tuple(hits))

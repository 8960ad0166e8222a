"""Test cases run against the decisions of a file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.dmn import DEFAULT_STEPS, Decisions, DmnRejectedError, FiredRule, Outcome, Problem
from pilothouse.dmn.cases.case import Case, Kind
from pilothouse.dmn.cases.comparing import difference, shown
from pilothouse.domain.errors import PilothouseError
from pilothouse.feel import Budget

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pilothouse.dmn.cases.case import Expected
    from pilothouse.feel import Value
    from pilothouse.feel.budget import Null
    from pilothouse.feel.plain import Plain

COMPARING_STEPS = 200_000
_SHOWN_REASONS = 5


class Verdict(StrEnum):
    """How a case ended."""

    PASSED = "passed"
    FAILED = "failed"
    REFUSED = "refused"
    """The decision needs what Pilothouse refuses by design, so the case says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """
    What a case gave.

    Parameters
    ----------
    case
        The case.
    verdict
        How it ended.
    reason
        Why, in words.
    expected, got
        What had to come and what came, as people read FEEL; empty where there was none.
    fired
        The rules that counted, those of required decisions first.
    nulls
        Why values on the way became null.
    """

    case: Case
    verdict: Verdict
    reason: str
    expected: str = ""
    got: str = ""
    fired: tuple[FiredRule, ...] = ()
    nulls: tuple[str, ...] = ()

    def plain(self) -> dict[str, Plain]:
        """Give the result as JSON's values."""
        return {
            "name": self.case.name,
            self.case.kind.value: self.case.target,
            "line": self.case.line,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "expected": self.expected,
            "got": self.got,
            "fired": [rule.plain() for rule in self.fired],
            "nulls": list(self.nulls),
        }


def run_cases(
    decisions: Decisions, cases: Iterable[Case], *, now: datetime, steps: int = DEFAULT_STEPS
) -> tuple[CaseResult, ...]:
    """
    Run cases one after the other, each with a budget of its own.

    Parameters
    ----------
    decisions
        What they test.
    cases
        The cases.
    now
        The moment of ``now()``, with its zone, for cases that name none.
    steps
        What each evaluation may do.
    """
    return tuple(run_case(decisions, case, now=now, steps=steps) for case in cases)


def run_case(
    decisions: Decisions, case: Case, *, now: datetime, steps: int = DEFAULT_STEPS
) -> CaseResult:
    """Run one case; whatever happens is its result. See `run_cases`."""
    budget = Budget(steps=steps, now=case.now or now)
    try:
        outcome = _taken(decisions, case, budget)
        return _judged(decisions, case, outcome)
    except DmnRejectedError as error:
        return rejected(case, error.problems)
    except PilothouseError as error:
        return _failed(case, f"{error.code}: {error.message}")
    # The edge between the engine and a list of cases: one case's fault in our own code must not hide the others.
    except Exception as error:  # noqa: BLE001
        return _failed(case, f"unexpected {type(error).__name__}: {error}")


def rejected(case: Case, problems: tuple[Problem, ...]) -> CaseResult:
    """
    Judge a case whose decision was refused at upload.

    Parameters
    ----------
    case
        The case.
    problems
        Why it was refused.
    """
    said = "; ".join(f"line {p.line}, {p.element}: {p.problem}" for p in problems[:_SHOWN_REASONS])
    more = f"; and {len(problems) - _SHOWN_REASONS} more" if len(problems) > _SHOWN_REASONS else ""
    if problems and all(p.by_design for p in problems):
        return CaseResult(
            case=case, verdict=Verdict.REFUSED, reason=f"refused by design: {said}{more}"
        )
    if case.expected is not None and case.expected.rejection:
        reason = f"refused at upload, as expected: {said}{more}"
        return CaseResult(case=case, verdict=Verdict.PASSED, reason=reason)
    return _failed(case, f"refused at upload: {said}{more}")


def _failed(case: Case, reason: str) -> CaseResult:
    expected = "" if case.expected is None else shown(case.expected.value)
    return CaseResult(case=case, verdict=Verdict.FAILED, reason=reason, expected=expected)


def _taken(decisions: Decisions, case: Case, budget: Budget) -> Outcome:
    inputs = {**case.imported.get(decisions.namespace, {}), **case.inputs}
    imported = {n: given for n, given in case.imported.items() if n != decisions.namespace}
    match case.kind:
        case Kind.DECISION:
            return decisions.evaluate(case.target, inputs, budget=budget, imported=imported)
        case Kind.SERVICE:
            return decisions.evaluate_service(case.target, inputs, budget=budget, imported=imported)
        case Kind.FUNCTION:
            return decisions.evaluate_function(case.target, inputs, budget=budget)


def _judged(decisions: Decisions, case: Case, outcome: Outcome) -> CaseResult:
    given = _output(decisions, case, outcome.value)
    fired = (*outcome.earlier, *outcome.fired)
    nulls = tuple(_words(null) for null in outcome.nulls)
    trouble = "; ".join(filter(None, (_difference(case.expected, given), _lacking(case, fired))))
    if trouble and nulls:
        trouble += " (" + "; ".join(nulls[:_SHOWN_REASONS]) + ")"
    return CaseResult(
        case=case,
        verdict=Verdict.FAILED if trouble else Verdict.PASSED,
        reason=trouble or "as expected",
        expected="" if case.expected is None else shown(case.expected.value),
        got=shown(given),
        fired=fired,
        nulls=nulls,
    )


def _output(decisions: Decisions, case: Case, value: Value) -> Value:
    """Give the one output that is asked for of a service with several: its result is then a context of them."""
    asked = (s for s in decisions.services.values() if case.target in (s.id, s.name))
    service = next(asked, None) if case.output else None
    if service is None or len(service.outputs) == 1 or not isinstance(value, dict):
        return value
    return value.get(case.output, value)


def _difference(expected: Expected | None, given: Value) -> str:
    if expected is None or (expected.rejection and given is None):
        return ""
    budget = Budget(steps=COMPARING_STEPS)
    return difference(expected.value, given, tolerance=expected.tolerance, budget=budget)


def _lacking(case: Case, fired: tuple[FiredRule, ...]) -> str:
    ids = {rule.rule for rule in fired}
    lacking = [rule for rule in case.rules if rule not in ids]
    if not lacking:
        return ""
    counted = ", ".join(rule.rule for rule in fired) or "none"
    return f"the rules {', '.join(lacking)} did not fire; these did: {counted}"


def _words(null: Null) -> str:
    where = f"{null.where}: " if null.where else ""
    place = f" (line {null.line}, column {null.column})" if null.line else ""
    return f"{where}{null.problem}{place}"

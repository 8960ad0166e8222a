"""Evaluate: judge figures by a decision table, and keep the verdict; or just take a decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pilothouse.application.evaluations import Judgement
from pilothouse.domain.evaluations import Evaluation, Verdict
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.errors import DecisionInvalidError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    Done,
    Facilities,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
)

if TYPE_CHECKING:
    from pilothouse.lifecycle.decisions import Decided


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``evaluate``, whose verdict is kept as an evaluation with its evidence."""

    def handle(context: TaskContext) -> Outcome:
        service = own_service(facilities, context)
        figures = {
            "metrics": context.job.inputs["metrics"],
            "service": service.tag,
            "snapshot": context.needed("snapshot"),
            "stage": context.needed("stage"),
        }
        decided = facilities.decisions.decide(
            context.who,
            group=context.heading.group,
            key=context.needed("decision"),
            context=figures,
        )
        judgement = _judgement(context, decided, figures)
        return Done(variables={"evaluation": kept(facilities, context, judgement)})

    return TaskType(topic=Topic.EVALUATE, parameters=PARAMETERS[Topic.EVALUATE], handle=handle)


def build_decision(facilities: Facilities) -> TaskType:
    """
    Give the task type of business rule tasks, which answers with the decision's ``result``.

    What it was ``decided`` by goes into the run's history.
    """

    def handle(context: TaskContext) -> Outcome:
        seen = context.job.inputs["context"]
        decided = facilities.decisions.decide(
            context.who,
            group=context.heading.group,
            key=context.needed("decision"),
            context=seen if isinstance(seen, Mapping) else {},
        )
        return Done(variables={"result": decided.value, "decided": _evidence(decided)})

    return TaskType(
        topic=Topic.EVALUATE_DECISION,
        parameters=PARAMETERS[Topic.EVALUATE_DECISION],
        handle=handle,
    )


def _evidence(decided: Decided) -> Mapping[str, object]:
    return {
        "decision": decided.decision,
        "rules": list(decided.rules),
        "nulls": list(decided.nulls),
    }


def kept(
    facilities: Facilities, context: TaskContext, judgement: Judgement
) -> Mapping[str, object]:
    """Write a verdict down, once for the same evidence; a retry that finds other evidence keeps another."""
    evaluation = context.once(
        f"judge-{digest(judgement)[:16]}",
        Evaluation,
        lambda who: facilities.evaluations.record(who, judgement),
    )
    return {
        "id": evaluation.id,
        "verdict": evaluation.verdict.value,
        "reason": evaluation.reason,
    }


def _judgement(context: TaskContext, decided: Decided, figures: Mapping[str, object]) -> Judgement:
    verdict, reason = verdict_of(decided)
    return Judgement(
        kind=context.text("kind") or context.needed("decision"),
        snapshot=context.needed("snapshot"),
        service=context.needed("service"),
        stage=context.needed("stage"),
        verdict=verdict,
        reason=reason,
        evidence={**figures, "rules": list(decided.rules), "nulls": list(decided.nulls)},
        decision=decided.decision,
        rule=decided.rule,
        run_id=context.heading.run_id,
    )


def verdict_of(decided: Decided) -> tuple[Verdict, str]:
    """
    Read the verdict and its reason out of what a decision gave: null is inconclusive.

    Raises
    ------
    DecisionInvalidError
        When it gives no verdict.
    """
    if decided.value is None:
        return Verdict.INCONCLUSIVE, "; ".join(decided.nulls) or "the decision gives null"
    value = decided.value
    given = value if isinstance(value, Mapping) else {"verdict": value}
    verdict, reason = given.get("verdict"), given.get("reason")
    if verdict not in set(Verdict):
        problem = f"gives the verdict {verdict!r}"
        raise DecisionInvalidError(decision=decided.decision, problem=problem)
    return Verdict(str(verdict)), str(reason) if reason else "the decision table gives no reason"

"""Evaluations: verdicts with their evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.application.finding import service_tagged, snapshot_named, stage_named
from pilothouse.domain.access import Action
from pilothouse.domain.evaluations import Evaluation, Verdict
from pilothouse.domain.ids import EvaluationId

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.unit_of_work import OpenWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a test came to, before it is written down."""

    kind: str
    snapshot: str
    service: str
    stage: str
    verdict: Verdict
    reason: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    decision: str | None = None
    rule: str | None = None
    run_id: str | None = None


class Evaluations:
    """Write verdicts down and list them."""

    def __init__(self, *, open_work: OpenWork) -> None:
        self._open_work = open_work

    def record(self, who: Principal, judgement: Judgement) -> Evaluation:
        """Keep a verdict on a snapshot."""
        with self._open_work(who) as work:
            snapshot = snapshot_named(work, judgement.snapshot)
            service = service_tagged(work, judgement.service)
            stage = stage_named(work, judgement.stage).name
            who.require(Action.RUN_JOB, group=service.group, stage=stage)
            evaluation = work.evaluations.add(
                Evaluation(
                    id=EvaluationId(work.new_id("evl")),
                    group=service.group,
                    kind=judgement.kind,
                    snapshot_id=snapshot.id,
                    snapshot=snapshot.name,
                    digest=snapshot.digest,
                    service=service.tag,
                    stage=stage,
                    verdict=judgement.verdict,
                    reason=judgement.reason,
                    decision=judgement.decision,
                    rule=judgement.rule,
                    evidence=judgement.evidence,
                    run_id=judgement.run_id,
                    judged_by=who.person_id,
                    judged_at=work.at,
                )
            )
            work.audit.record(
                "judge",
                noun="evaluation",
                subject=evaluation.id,
                group=evaluation.group,
                detail={"snapshot": snapshot.name, "verdict": evaluation.verdict},
            )
            return work.commit(evaluation)

    def page(
        self,
        who: Principal,
        *,
        snapshot: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Evaluation]:
        """List verdicts, newest first, of one snapshot where named."""
        equals = {} if snapshot is None else {"snapshot": snapshot}
        with self._open_work.reading(who) as work:
            return work.evaluations.page(
                groups=who.readable, after=after, limit=limit, newest_first=True, **equals
            )

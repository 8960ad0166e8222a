"""Evaluations: what a test came to, judged by a decision table, with its evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.ids import (
    EvaluationId,
    GroupName,
    PersonId,
    ServiceTag,
    SnapshotId,
    StageName,
)


class Verdict(StrEnum):
    """What an evaluation says."""

    PASS = "PASS"  # noqa: S105 a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One verdict on one snapshot: the rule that fired, the reason, and the figures it was given."""

    id: EvaluationId
    group: GroupName
    kind: str
    snapshot_id: SnapshotId
    snapshot: str
    digest: str
    service: ServiceTag
    stage: StageName
    verdict: Verdict
    reason: str
    decision: str | None  # key@version of the decision table
    rule: str | None
    evidence: Mapping[str, object]
    run_id: str | None
    judged_by: PersonId
    judged_at: datetime

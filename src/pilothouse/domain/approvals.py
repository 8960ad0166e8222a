"""Approvals by several people: how many have to approve, what a rejection does, and the votes so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import combinations


class Decision(StrEnum):
    """What a vote says, and what an approval comes to."""

    APPROVE = "approve"
    REJECT = "reject"


class Rejection(StrEnum):
    """What rejects: one vote, or as many as approve."""

    ONE = "one"
    QUORUM = "quorum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """
    One person's answer to a task that several people decide, about one digest.

    `roles` are those among the candidates' that the person held at that moment; `answers` are those to the form.
    """

    by: str
    at: datetime
    decision: Decision
    roles: tuple[str, ...] = ()
    answers: Mapping[str, object] = field(default_factory=dict)
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """
    How many different people have to approve, and how many of them from each role.

    A vote counts for one role, even where its voter holds several.

    Examples
    --------
    >>> at = datetime(2026, 1, 5)
    >>> ann = Vote(by="ann", at=at, decision=Decision.APPROVE, roles=("validator", "operator"))
    >>> bob = Vote(by="bob", at=at, decision=Decision.APPROVE, roles=("auditor",))
    >>> quorum = Quorum(count=2, per_role={"validator": 1, "operator": 1})
    >>> quorum.outcome((ann, bob)) is None
    True
    """

    count: int
    per_role: Mapping[str, int] = field(default_factory=dict)
    rejection: Rejection = Rejection.ONE

    def outcome(self, votes: Sequence[Vote]) -> Decision | None:
        """Say what the votes come to; None while more are needed."""
        rejections = sum(vote.decision is Decision.REJECT for vote in votes)
        if rejections >= (1 if self.rejection is Rejection.ONE else self.count):
            return Decision.REJECT
        approvals = [vote for vote in votes if vote.decision is Decision.APPROVE]
        if len(approvals) >= self.count and self._roles_are_met(approvals):
            return Decision.APPROVE
        return None

    def _roles_are_met(self, approvals: Sequence[Vote]) -> bool:
        # Hall's theorem: each role can have voters of its own where no group of roles asks for more
        # than there are voters who hold any of them.
        roles = tuple(self.per_role)
        groups = (g for size in range(1, len(roles) + 1) for g in combinations(roles, size))
        return all(
            sum(not set(group).isdisjoint(vote.roles) for vote in approvals)
            >= sum(self.per_role[role] for role in group)
            for group in groups
        )

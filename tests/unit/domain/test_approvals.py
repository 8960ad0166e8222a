"""What votes come to."""

from __future__ import annotations

from itertools import permutations

import pytest

from pilothouse.domain.approvals import Decision, Quorum, Rejection, Vote
from pilothouse.testing.clock import START


def votes(*given: str) -> tuple[Vote, ...]:
    """Give votes from texts such as ``reject`` or ``approve validator operator``, each by another person."""
    parts = [text.split() for text in given]
    return tuple(
        Vote(by=f"per_{n}", at=START, decision=Decision(words[0]), roles=tuple(words[1:]))
        for n, words in enumerate(parts)
    )


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        ((), None),
        (("approve",), None),
        (("approve", "approve"), Decision.APPROVE),
        (("approve", "reject"), Decision.REJECT),
        (("reject",), Decision.REJECT),
    ],
)
def test_as_many_as_the_quorum_approve_and_one_rejects(
    given: tuple[str, ...], outcome: Decision | None
) -> None:
    assert Quorum(count=2).outcome(votes(*given)) is outcome


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (("reject",), None),
        (("reject", "approve", "approve"), Decision.APPROVE),
        (("reject", "approve", "reject"), Decision.REJECT),
    ],
)
def test_where_rejections_are_counted_the_side_decides_that_has_its_quorum_first(
    given: tuple[str, ...], outcome: Decision | None
) -> None:
    assert Quorum(count=2, rejection=Rejection.QUORUM).outcome(votes(*given)) is outcome


NEEDED = Quorum(count=3, per_role={"validator": 1, "business-owner": 1})


@pytest.mark.parametrize(
    ("given", "outcome"),
    [
        (("validator", "business-owner", "operator"), Decision.APPROVE),
        (("validator", "validator", "validator"), None),
        (("validator business-owner", "operator", "operator"), None),
        (("validator business-owner", "validator", "operator"), Decision.APPROVE),
        (("validator business-owner", "business-owner", "validator"), Decision.APPROVE),
    ],
)
def test_a_vote_counts_for_one_role_in_whatever_order_the_votes_come(
    given: tuple[str, ...], outcome: Decision | None
) -> None:
    for order in permutations(f"approve {roles}" for roles in given):
        assert NEEDED.outcome(votes(*order)) is outcome

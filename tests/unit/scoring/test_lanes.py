"""How calls reach a scorer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pilothouse.scoring.lanes import DeadlineExceededError, QueueFullError, ThreadLane
from tests.entries.scorers import SteeredScorer

if TYPE_CHECKING:
    from pilothouse.domain.schemas import Scalar


def columns(amount: float) -> dict[str, list[Scalar]]:
    return {"amount": [amount]}


def test_calls_are_answered_in_order_of_arrival() -> None:
    async def run() -> None:
        scorer = SteeredScorer("gbm@1", inline=False)
        lane = ThreadLane(scorer, snapshot="gbm@1", limit=10)
        calls = (lane.score(columns(n), 1, timeout_s=20) for n in range(5))

        answers = await asyncio.gather(*calls)

        assert [a["score"] for a in answers] == [[0.0], [2.0], [4.0], [6.0], [8.0]]
        assert [c["amount"] for c in scorer.seen] == [[0], [1], [2], [3], [4]]
        lane.close()

    asyncio.run(run())


def test_one_call_too_many_is_refused_before_anything_is_done() -> None:
    async def run() -> None:
        scorer = SteeredScorer("gbm@1", inline=False)
        scorer.gate.clear()
        lane = ThreadLane(scorer, snapshot="gbm@1", limit=2)
        first = [asyncio.ensure_future(lane.score(columns(n), 1, timeout_s=20)) for n in range(2)]
        await asyncio.sleep(0)

        with pytest.raises(QueueFullError) as caught:
            await lane.score(columns(9), 1, timeout_s=20)

        assert (caught.value.limit, caught.value.retry_after_s) == (2, 1.0)
        scorer.gate.set()
        await asyncio.gather(*first)
        assert len(scorer.seen) == 2
        assert lane.waiting == 0
        lane.close()

    asyncio.run(run())


def test_a_call_that_is_late_before_its_turn_is_never_scored() -> None:
    async def run() -> None:
        scorer = SteeredScorer("gbm@1", inline=False)
        scorer.gate.clear()
        lane = ThreadLane(scorer, snapshot="gbm@1", limit=5)
        first = asyncio.ensure_future(lane.score(columns(1), 1, timeout_s=20))
        await asyncio.sleep(0)

        with pytest.raises(DeadlineExceededError) as caught:
            await lane.score(columns(2), 1, timeout_s=0.01)

        assert caught.value.timeout_s == 0.01
        scorer.gate.set()
        await first
        assert (await lane.score(columns(3), 1, timeout_s=20))["score"] == [6.0]
        assert [c["amount"] for c in scorer.seen] == [[1], [3]]
        lane.close()

    asyncio.run(run())

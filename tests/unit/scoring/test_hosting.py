"""How deployments and routes converge."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.domain.desired import Limits, ObservedDeployment, ObservedState
from pilothouse.domain.ids import DeploymentId
from pilothouse.scoring.deployments import (
    HostingLimits,
    ModelUnavailableError,
    SnapshotFailedError,
)
from pilothouse.scoring.hosting import (
    Hosting,
    ServiceNotReadyError,
    ServiceUnknownError,
    VersionAmbiguousError,
    VersionUnknownError,
)
from tests.entries.documents import SERVICE, deployment, desired, one, route, variant
from tests.entries.scorers import Workshop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pilothouse.domain.schemas import Scalar

QUICK = HostingLimits(retry_first_s=0.01, retry_most_s=0.02)
COLUMNS: dict[str, list[Scalar]] = {"amount": [4.0]}


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        await asyncio.sleep(0.001)


def hosted(
    scenario: Callable[[Hosting, Workshop], Awaitable[None]], *, limits: HostingLimits = QUICK
) -> None:
    """Run a scenario over a hosting with a workshop of steered scorers."""

    async def run() -> None:
        workshop = Workshop()
        hosting = Hosting(open_scorer=workshop, limits=limits)
        await scenario(hosting, workshop)
        await hosting.close(timeout_s=10)
        assert all(s.closed for opened in workshop.opened.values() for s in opened)

    asyncio.run(run())


def state_of(hosting: Hosting, name: str) -> ObservedDeployment:
    return next(d for d in hosting.observed() if d.id == name)


async def up(hosting: Hosting, number: int) -> None:
    await until(lambda: state_of(hosting, f"dep_gbm_{number}").state is ObservedState.RUNNING)


async def score(hosting: Hosting, number: int) -> Any:  # noqa: ANN401 whatever the model says
    held = hosting.deployment(DeploymentId(f"dep_gbm_{number}"))
    return await held.score(COLUMNS, 1, timeout_s=20)


def test_a_service_that_nobody_wants_is_unknown() -> None:
    async def scenario(hosting: Hosting, _: Workshop) -> None:
        before = hosting.ready
        hosting.apply(desired(1))
        assert (before, hosting.ready) == (False, True)
        with pytest.raises(ServiceUnknownError):
            hosting.route(SERVICE)

    hosted(scenario)


def test_a_route_waits_until_its_snapshot_runs() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        gate = workshop.hold("gbm@1")
        hosting.apply(one(1))
        assert state_of(hosting, "dep_gbm_1").state is ObservedState.LOADING
        with pytest.raises(ServiceNotReadyError):
            hosting.route(SERVICE)

        gate.set()
        await up(hosting, 1)

        assert hosting.route(SERVICE).generation == 1
        assert (await score(hosting, 1))["score"] == [8.0]

    hosted(scenario)


def test_the_former_route_stays_until_the_new_one_can_answer() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        gate = workshop.hold("gbm@2")

        hosting.apply(one(2, generation=2))

        assert hosting.routes == {SERVICE: 1}
        assert (await score(hosting, 1))["answered_by"] == ["gbm@1"]
        gate.set()
        await until(lambda: hosting.routes == {SERVICE: 2})
        await until(lambda: [d.id for d in hosting.observed()] == ["dep_gbm_2"])
        assert workshop.last("gbm@1").closed

    hosted(scenario)


def test_a_new_route_that_cannot_come_up_leaves_the_former_in_place() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        workshop.failing["gbm@2"] = OSError("no such file")

        hosting.apply(one(2, generation=2))

        await until(lambda: workshop.opens["gbm@2"] >= 3)
        assert hosting.routes == {SERVICE: 1}
        assert "no such file" in state_of(hosting, "dep_gbm_2").reason
        del workshop.failing["gbm@2"]
        await until(lambda: hosting.routes == {SERVICE: 2})

    hosted(scenario)


def test_where_nothing_answers_yet_a_failed_challenger_does_not_hold_the_champion_back() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        workshop.failing["gbm@2"] = OSError("no such file")

        hosting.apply(
            desired(
                1,
                deployments=[deployment(1), deployment(2)],
                routes=[route(1, variant(1, 90), variant(2, 10))],
            )
        )

        await until(lambda: hosting.routes == {SERVICE: 1})
        assert (await score(hosting, 1))["score"] == [8.0]
        with pytest.raises(ModelUnavailableError):
            await score(hosting, 2)

    hosted(scenario)


def test_a_removed_deployment_finishes_what_is_in_flight() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        scorer = workshop.last("gbm@1")
        scorer.gate.clear()
        under_way = asyncio.ensure_future(score(hosting, 1))
        await until(lambda: scorer.entered.acquire(blocking=False))

        hosting.apply(desired(2))

        assert state_of(hosting, "dep_gbm_1").state is ObservedState.DRAINING
        assert not scorer.closed
        scorer.gate.set()
        assert (await under_way)["score"] == [8.0]
        await until(lambda: hosting.observed() == ())
        assert scorer.closed

    hosted(scenario)


def test_a_deployment_removed_while_it_opens_is_closed_once_it_is_open() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        gate = workshop.hold("gbm@1")
        hosting.apply(one(1))
        hosting.apply(desired(2))
        assert state_of(hosting, "dep_gbm_1").state is ObservedState.DRAINING

        gate.set()

        await until(lambda: hosting.observed() == ())
        assert workshop.last("gbm@1").closed

    hosted(scenario)


def test_a_model_that_dies_is_started_again_and_counted() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        first = workshop.last("gbm@1")
        first.alive = False

        with pytest.raises(ModelUnavailableError) as caught:
            await score(hosting, 1)

        assert caught.value.retry_after_s >= 1
        await until(lambda: workshop.opens["gbm@1"] == 2)
        await up(hosting, 1)
        assert (await score(hosting, 1))["score"] == [8.0]
        assert hosting.restarts == 1
        assert first.closed

    hosted(scenario)


def test_a_model_that_dies_unused_is_noticed() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        workshop.last("gbm@1").alive = False

        hosting.watch()

        await until(lambda: workshop.opens["gbm@1"] == 2)
        await up(hosting, 1)

    hosted(scenario)


def test_a_route_stays_in_effect_while_its_model_is_started_again() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        gate = workshop.hold("gbm@1")
        workshop.last("gbm@1").alive = False
        hosting.watch()

        assert hosting.route(SERVICE).generation == 1
        with pytest.raises(ModelUnavailableError):
            await score(hosting, 1)
        gate.set()

    hosted(scenario)


def test_a_models_own_error_is_typed_and_its_words_stay_inside() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        workshop.last("gbm@1").raises = ValueError("could not convert 555-12-3456")

        with pytest.raises(SnapshotFailedError) as caught:
            await score(hosting, 1)

        assert caught.value.snapshot == "gbm@1"
        assert "555" not in caught.value.message
        assert workshop.opens["gbm@1"] == 1

    hosted(scenario)


def test_other_limits_replace_a_deployment_without_a_gap() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        hosting.apply(one(1))
        await up(hosting, 1)
        gate = workshop.hold("gbm@1")
        changed = deployment(1, generation=2, limits=Limits(memory_bytes=2**30))

        hosting.apply(desired(2, deployments=[changed], routes=[route(2, variant(1))]))

        assert (await score(hosting, 1))["score"] == [8.0]
        gate.set()
        await until(lambda: workshop.opens["gbm@1"] == 2 and workshop.opened["gbm@1"][0].closed)
        assert (await score(hosting, 1))["score"] == [8.0]
        assert hosting.observed()[0].generation == 2

    hosted(scenario)


def test_a_higher_generation_tries_a_failed_deployment_at_once() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        workshop.failing["gbm@1"] = OSError("no such file")
        hosting.apply(one(1))
        await until(lambda: state_of(hosting, "dep_gbm_1").state is ObservedState.FAILED)
        del workshop.failing["gbm@1"]

        renewed = deployment(1, generation=2)
        hosting.apply(desired(2, deployments=[renewed], routes=[route(1, variant(1))]))

        await up(hosting, 1)
        assert workshop.opens["gbm@1"] == 2

    hosted(scenario, limits=HostingLimits(retry_first_s=3600, retry_most_s=3600))


def test_a_snapshot_is_pinned_by_number_or_by_name() -> None:
    async def scenario(hosting: Hosting, _: Workshop) -> None:
        both = [deployment(1), deployment(2), deployment(2, model="lr")]
        hosting.apply(desired(1, deployments=both, routes=[route(1, variant(1))]))
        await up(hosting, 2)

        assert hosting.pinned(SERVICE, "1").want.snapshot == "gbm@1"
        assert hosting.pinned(SERVICE, "lr@2").want.snapshot == "lr@2"
        with pytest.raises(VersionAmbiguousError) as ambiguous:
            hosting.pinned(SERVICE, "2")
        assert ambiguous.value.snapshots == ("gbm@2", "lr@2")
        with pytest.raises(VersionUnknownError):
            hosting.pinned(SERVICE, "3")

    hosted(scenario)


def test_only_the_newest_of_many_quick_changes_remains() -> None:
    async def scenario(hosting: Hosting, workshop: Workshop) -> None:
        for generation in range(1, 41):
            hosting.apply(one(1 + generation % 3, generation=generation))
            await asyncio.sleep(0)

        await until(lambda: hosting.routes == {SERVICE: 40})
        await until(lambda: [d.id for d in hosting.observed()] == ["dep_gbm_2"])
        left = [s for opened in workshop.opened.values() for s in opened if not s.closed]
        assert [s.snapshot for s in left] == ["gbm@2"]

    hosted(scenario)

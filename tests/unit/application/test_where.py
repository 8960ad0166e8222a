"""Where every version of a service runs, now and at any past moment."""

from __future__ import annotations

import random
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import Role
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.plain import to_plain
from pilothouse.domain.runtimes import Mode
from pilothouse.wire.requests import RouteShare, SetRoute

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pilothouse.domain.whereabouts import Whereabouts
    from tests.unit.application.company import Company

STAGES = ("DEV", "SIT")


def where(company: Company, at: datetime | None = None) -> tuple[Whereabouts, ...]:
    return company.services.where(company.admin, tag="cc-fraud", at=at)


def test_a_tagged_snapshot_that_runs_nowhere_is_named_all_the_same(company: Company) -> None:
    snapshot = company.snapshot(services=("cc-fraud",))

    (row,) = where(company)

    assert (row.snapshot, row.digest, row.stage) == (snapshot.name, snapshot.digest, None)


def test_a_row_says_stage_mode_runtime_state_share_and_health(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "DEV")
    company.deployments.promote(company.admin, snapshot=name, service="cc-fraud", stage="DEV")

    (row,) = where(company)

    assert (row.stage, row.mode, row.runtime) == ("DEV", Mode.ONLINE, "risk-dev")
    assert (row.state, row.share, row.health) == (DeploymentState.RUNNING, 1.0, "healthy")
    assert row.route_generation == 1
    assert (row.address or "").startswith("127.0.0.1:")


def test_shares_of_a_stage_add_up_and_shadows_stand_apart(company: Company) -> None:
    names = [company.snapshot(seed=s, services=("cc-fraud",)).name for s in (1, 2, 3)]
    for name in names:
        company.reach(name, "DEV")
    company.routes.set(
        company.admin, service="cc-fraud", stage="DEV",
        wanted=SetRoute(
            expected_generation=0,
            variants=(RouteShare(snapshot=names[0], weight=9), RouteShare(snapshot=names[1], weight=1)),
            shadows=(RouteShare(snapshot=names[2], weight=0.25),),
        ),
    )  # fmt: skip

    rows = where(company)

    assert [r.share for r in rows] == [0.9, 0.1, 0.0]
    assert [r.shadow for r in rows] == [None, None, 0.25]


def test_rows_stand_in_the_order_of_the_path(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "UAT")

    assert [r.stage for r in where(company)] == ["DEV", "SIT", "UAT"]


def test_before_the_service_was_used_there_was_nothing(company: Company) -> None:
    company.snapshot(services=("cc-fraud",))

    assert where(company, company.clock.now() - timedelta(days=1)) == ()


def test_a_model_s_rows_cover_all_services_that_the_caller_sees(company: Company) -> None:
    company.group("cards")
    company.service("cards-limit", group="cards")
    company.service("cc-other")
    company.snapshot(services=("cc-fraud", "cc-other", "cards-limit"))
    ada = company.hire("ada", Role.MODEL_OWNER)

    everything = company.services.where_model(company.admin, model="fraud-gbm")
    seen = company.services.where_model(ada, model="fraud-gbm")

    assert [r.service for r in everything] == ["cards-limit", "cc-fraud", "cc-other"]
    assert [r.service for r in seen] == ["cc-fraud", "cc-other"]


def test_a_service_that_nobody_defined_is_not_found(company: Company) -> None:
    with pytest.raises(NotFoundError) as missing:
        company.services.where(company.admin, tag="cc-nothing")

    assert missing.value.noun == "service"


def moves(company: Company, dice: random.Random) -> list[Callable[[], object]]:
    """Give what could happen next, each of which is allowed now."""
    admin, names = company.admin, [s.name for s in company.snapshots.page(company.admin).items]
    held = [d for d in company.deployments.page(admin, limit=500).items if d.state.wanted]
    running = [d for d in held if d.state is DeploymentState.RUNNING]
    possible: list[Callable[[], object]] = [
        lambda: company.snapshot(seed=dice.randrange(6), services=("cc-fraud",)),
        company.reconcile,
        lambda: company.connector.down.symmetric_difference_update({"risk-dev"}),
    ]
    possible += [lambda n=n: company.deploy(n, "DEV") for n in names]  # type: ignore[misc]
    passed = {d.snapshot for d in running if d.stage == "DEV"}
    possible += [lambda n=n: company.deploy(n, "SIT") for n in passed]  # type: ignore[misc]
    possible += [
        lambda d=d: company.deployments.withdraw(admin, deployment_id=d.id, stop_service=True)  # type: ignore[misc]
        for d in held
    ]
    for stage in STAGES:
        here = sorted({d.snapshot for d in running if d.stage == stage})
        if here:
            possible.append(lambda s=stage, h=here: shift(company, s, h, dice))  # type: ignore[misc]
    possible += [
        lambda n=n: company.snapshots.tag(admin, snapshot=n, service="cc-fraud")  # type: ignore[misc]
        for n in names
    ]
    return possible


def shift(company: Company, stage: str, here: list[str], dice: random.Random) -> None:
    try:
        seen = company.routes.get(company.admin, service="cc-fraud", stage=stage).generation
    except NotFoundError:
        seen = 0
    shares = tuple(RouteShare(snapshot=n, weight=dice.randint(1, 9)) for n in here)
    company.routes.set(
        company.admin, service="cc-fraud", stage=stage,
        wanted=SetRoute(expected_generation=seen, variants=shares),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_past_moment_answers_as_it_did_then(company: Company, seed: int) -> None:
    dice, then = random.Random(seed), []  # noqa: S311 a game, not a secret
    for _ in range(40):
        dice.choice(moves(company, dice))()
        company.pass_time(milliseconds=dice.randint(2, 90_000))
        then.append((company.clock.now(), to_plain(where(company))))
        company.pass_time(milliseconds=dice.randint(2, 90_000))
    dice.shuffle(then)

    for at, answer in then:
        assert to_plain(where(company, at.astimezone(UTC))) == answer
    assert len({str(answer) for _, answer in then}) > 10

"""Deployments: every rule by which an order is refused, and what an order leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.application.deployments import NotTaggedError, RuntimeUnsuitableError
from pilothouse.application.routes import NotRunningError
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.deployments import DeploymentRoutedError, DeploymentState
from pilothouse.domain.errors import ConflictError, NotFoundError
from pilothouse.domain.routes import RouteInvalidError
from pilothouse.domain.runtimes import Ability, Capabilities, Mode, NoRuntimeError
from pilothouse.domain.stages import StageSkippedError
from pilothouse.wire.requests import RouteShare, SetRoute

if TYPE_CHECKING:
    from tests.unit.application.company import Company


def audited(company: Company, noun: str) -> list[str]:
    return [e.action for e in company.audit.page(company.admin, noun=noun).items]


def test_snapshot_cannot_skip_a_stage(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "DEV")

    with pytest.raises(StageSkippedError) as refused:
        company.deploy(name, "UAT")

    assert (refused.value.wanted, refused.value.missing) == ("UAT", "SIT")
    assert "Deploy it there first" in refused.value.message


def test_being_ordered_is_not_having_passed(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    company.deploy(name, "DEV")

    with pytest.raises(StageSkippedError) as refused:
        company.deploy(name, "SIT")

    assert refused.value.missing == "DEV"


def test_stages_passed_for_one_service_do_not_count_for_another(company: Company) -> None:
    company.service("cc-outreach")
    name = company.snapshot(services=("cc-fraud", "cc-outreach")).name
    company.reach(name, "SIT")

    with pytest.raises(StageSkippedError) as refused:
        company.deploy(name, "SIT", service="cc-outreach")

    assert refused.value.missing == "DEV"


def test_a_stage_beside_another_needs_only_those_before_both(company: Company) -> None:
    company.stages.define(company.admin, name="PROD-FAILOVER", position=40, production=True)
    company.runtime("risk-failover", "PROD-FAILOVER")
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "UAT")

    placed = company.deploy(name, "PROD-FAILOVER")

    assert placed[0].stage == "PROD-FAILOVER"


def test_only_a_tagged_snapshot_is_deployed(company: Company) -> None:
    name = company.snapshot().name

    with pytest.raises(NotTaggedError) as refused:
        company.deploy(name, "DEV")

    assert (refused.value.snapshot, refused.value.service) == (name, "cc-fraud")
    assert "pilothouse snapshots tag" in refused.value.message


def test_an_ended_tag_allows_no_new_deployment_and_stops_nothing(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    running = company.reach(name, "DEV")
    company.snapshots.untag(company.admin, snapshot=name, service="cc-fraud")

    with pytest.raises(NotTaggedError):
        company.deploy(name, "SIT")

    assert company.deployments.get(company.admin, deployment_id=running.id).state.wanted


def test_an_order_that_no_runtime_suits_says_what_is_missing(company: Company) -> None:
    company.service("cc-batch", mode=Mode.BATCH)
    company.group("empty")
    company.service("cc-empty", group="empty")
    name = company.snapshot(services=("cc-empty",)).name

    with pytest.raises(NoRuntimeError) as refused:
        company.deploy(name, "DEV", service="cc-empty")

    assert (refused.value.stage, refused.value.mode, refused.value.seen) == ("DEV", Mode.ONLINE, 0)
    assert "pilothouse runtimes register" in refused.value.message


def test_a_named_runtime_of_another_stage_does_not_suit(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name

    with pytest.raises(NoRuntimeError) as refused:
        company.deploy(name, "DEV", runtime="risk-sit")

    assert refused.value.seen == 1


def test_a_runtime_for_other_services_does_not_suit(company: Company) -> None:
    company.service("cc-other")
    company.stages.define(company.admin, name="LAB", position=1, production=False)
    company.runtime("lab", "LAB", services=("cc-other",))
    name = company.snapshot(services=("cc-fraud",)).name

    with pytest.raises(NoRuntimeError):
        company.deploy(name, "LAB")


def test_a_runtime_that_does_not_load_the_format_is_unsuitable(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",), format="onnx").name

    with pytest.raises(RuntimeUnsuitableError) as refused:
        company.deploy(name, "DEV")

    assert refused.value.runtime == "risk-dev"
    assert "onnx" in refused.value.problem


def test_a_runtime_without_the_ability_is_unsuitable_for_its_own_reason(company: Company) -> None:
    company.connector.can["risk-dev"] = Capabilities(
        abilities=frozenset({Ability.SCORE_JOB}),
        inabilities={Ability.ONLINE: "it has no network"},
        formats=frozenset({"sklearn"}),
    )
    name = company.snapshot(services=("cc-fraud",)).name

    with pytest.raises(RuntimeUnsuitableError) as refused:
        company.deploy(name, "DEV")

    assert refused.value.problem == "it has no network"


def test_every_suiting_runtime_receives_the_deployment(company: Company) -> None:
    company.runtime("risk-dev-2", "DEV")
    name = company.snapshot(services=("cc-fraud",)).name

    placed = company.deploy(name, "DEV")

    assert len({d.runtime_id for d in placed}) == 2


def test_ordering_twice_gives_the_same_deployment(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    first = company.deploy(name, "DEV")

    second = company.deploy(name, "DEV")

    assert [d.id for d in second] == [d.id for d in first]
    assert audited(company, "deployment") == ["order"]


def test_a_withdrawn_snapshot_is_deployed_anew(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    first = company.reach(name, "DEV")
    company.deployments.withdraw(company.admin, deployment_id=first.id)

    second = company.deploy(name, "DEV")

    assert second[0].id != first.id


def test_promoting_needs_the_snapshot_on_every_entry(company: Company) -> None:
    company.runtime("risk-dev-2", "DEV")
    name = company.snapshot(services=("cc-fraud",)).name
    company.connector.down.add("risk-dev-2")
    company.reach(name, "DEV")

    with pytest.raises(NotRunningError) as refused:
        company.deployments.promote(company.admin, snapshot=name, service="cc-fraud", stage="DEV")

    assert refused.value.snapshot == name


def test_promoting_gives_all_traffic_and_repeating_it_changes_nothing(company: Company) -> None:
    snapshot = company.snapshot(services=("cc-fraud",))
    company.reach(snapshot.name, "DEV")
    order = {"snapshot": snapshot.name, "service": "cc-fraud", "stage": "DEV"}
    first = company.deployments.promote(company.admin, **order)

    second = company.deployments.promote(company.admin, **order)

    assert first.share(snapshot.id) == 1.0
    assert second == first
    assert audited(company, "route") == ["set"]


def test_what_has_traffic_cannot_be_withdrawn(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    deployment = company.reach(name, "DEV")
    company.deployments.promote(company.admin, snapshot=name, service="cc-fraud", stage="DEV")

    with pytest.raises(DeploymentRoutedError) as refused:
        company.deployments.withdraw(company.admin, deployment_id=deployment.id)

    assert refused.value.deployment == deployment.id
    assert "--stop-service" in refused.value.message


def test_withdrawing_with_the_service_takes_it_out_of_the_route(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    deployment = company.reach(name, "DEV")
    company.deployments.promote(company.admin, snapshot=name, service="cc-fraud", stage="DEV")

    company.deployments.withdraw(company.admin, deployment_id=deployment.id, stop_service=True)

    route = company.routes.get(company.admin, service="cc-fraud", stage="DEV")
    assert (route.variants, route.generation) == ((), 2)


def test_withdrawing_twice_changes_nothing(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    deployment = company.reach(name, "DEV")
    first = company.deployments.withdraw(company.admin, deployment_id=deployment.id)

    second = company.deployments.withdraw(company.admin, deployment_id=deployment.id)

    assert second == first
    assert audited(company, "deployment") == ["withdraw", "order"]


def test_only_what_was_replaced_and_has_no_traffic_is_withdrawn_with_the_others(
    company: Company,
) -> None:
    old = company.snapshot(seed=1, services=("cc-fraud",)).name
    challenger = company.snapshot(seed=2, services=("cc-fraud",)).name
    new = company.snapshot(seed=3, services=("cc-fraud",)).name
    for name in (old, challenger, new):
        company.reach(name, "DEV")
    shares = tuple(RouteShare(snapshot=n, weight=1.0) for n in (challenger, new))
    company.routes.set(
        company.admin, service="cc-fraud", stage="DEV",
        wanted=SetRoute(expected_generation=0, variants=shares),
    )  # fmt: skip

    gone = company.deployments.withdraw_others(
        company.admin, snapshot=new, service="cc-fraud", stage="DEV", mode=Mode.ONLINE
    )

    assert [d.snapshot for d in gone] == [old]


def test_a_route_is_set_only_over_the_generation_that_was_seen(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "DEV")
    company.deployments.promote(company.admin, snapshot=name, service="cc-fraud", stage="DEV")
    stale = SetRoute(expected_generation=0, variants=(RouteShare(snapshot=name, weight=1.0),))

    with pytest.raises(ConflictError) as late:
        company.routes.set(company.admin, service="cc-fraud", stage="DEV", wanted=stale)

    assert (late.value.expected, late.value.found) == (0, 1)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_a_weight_that_is_no_share_is_refused(company: Company, weight: float) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "DEV")
    wanted = SetRoute(expected_generation=0, variants=(RouteShare(snapshot=name, weight=weight),))

    with pytest.raises(RouteInvalidError):
        company.routes.set(company.admin, service="cc-fraud", stage="DEV", wanted=wanted)


def test_a_snapshot_that_does_not_run_gets_no_shadow_traffic(company: Company) -> None:
    running = company.snapshot(seed=1, services=("cc-fraud",)).name
    other = company.snapshot(seed=2, services=("cc-fraud",)).name
    company.reach(running, "DEV")
    wanted = SetRoute(
        expected_generation=0,
        variants=(RouteShare(snapshot=running, weight=1.0),),
        shadows=(RouteShare(snapshot=other, weight=0.5),),
    )

    with pytest.raises(NotRunningError) as refused:
        company.routes.set(company.admin, service="cc-fraud", stage="DEV", wanted=wanted)

    assert refused.value.snapshot == other


def test_an_operator_of_dev_cannot_deploy_to_prod(company: Company) -> None:
    opal = company.hire("opal", Role.OPERATOR, stage="DEV")
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "UAT")

    with pytest.raises(ActionDeniedError) as denied:
        company.deploy(name, "PROD", who=opal)

    assert (denied.value.person, denied.value.stage) == ("opal", "PROD")


def test_an_operator_of_dev_deploys_there(company: Company) -> None:
    opal = company.hire("opal", Role.OPERATOR, stage="DEV")
    name = company.snapshot(services=("cc-fraud",)).name

    placed = company.deploy(name, "DEV", who=opal)

    assert placed[0].ordered_by == opal.person_id


def test_a_group_s_operator_cannot_deploy_onto_another_group_s_runtime(company: Company) -> None:
    company.group("cards")
    company.runtime("cards-dev", "DEV", group="cards")
    opal = company.hire("opal", Role.OPERATOR)
    company.people.grant(company.admin, person="opal", group="cards", role=Role.AUDITOR)
    opal = type(opal)(
        person_id=opal.person_id,
        name="opal",
        grants=company.people.grants(company.admin, person="opal"),
    )
    name = company.snapshot(services=("cc-fraud",)).name

    with pytest.raises(ActionDeniedError) as denied:
        company.deploy(name, "DEV", runtime="cards-dev", who=opal)

    assert denied.value.group == "cards"


def test_a_deployment_that_was_withdrawn_before_it_was_ever_sent_ends(company: Company) -> None:
    name = company.snapshot(services=("cc-fraud",)).name
    placed = company.deploy(name, "DEV")[0]
    company.deployments.withdraw(company.admin, deployment_id=placed.id)

    company.reconcile()

    after = company.deployments.get(company.admin, deployment_id=placed.id)
    assert after.state is DeploymentState.WITHDRAWN


@pytest.mark.parametrize("name", ["fraud-gbm@9", "nobody@1"])
def test_an_unknown_snapshot_is_not_found(company: Company, name: str) -> None:
    with pytest.raises(NotFoundError) as missing:
        company.deploy(name, "DEV")

    assert (missing.value.noun, missing.value.name) == ("snapshot", name)


def test_endpoints_name_every_way_in(company: Company) -> None:
    company.runtime("risk-rpc", "DEV", options={"grpc_port": 9204})
    name = company.snapshot(services=("cc-fraud",)).name
    company.deploy(name, "DEV", runtime="risk-rpc")

    found = company.runtimes.endpoints(company.admin, service="cc-fraud", stage="DEV")

    address = company.runtimes.get(company.admin, name="risk-rpc").address
    assert [(e.kind.value, e.url) for e in found] == [
        ("rest", f"http://{address}/v2/models/cc-fraud"),
        ("grpc", "grpc://127.0.0.1:9204"),
    ]

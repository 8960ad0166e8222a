"""Reconciliation: runtimes converge to what was ordered, whatever is lost, late or restarted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.application.runtimes import RuntimeInUseError, RuntimeInvalidError
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.desired import LogState, ObservedDeployment, ObservedLog, ObservedState
from pilothouse.domain.plain import DocumentError
from pilothouse.domain.plugins import PluginMissingError
from pilothouse.domain.prediction_logs import LogPolicy, SensitiveLogging
from pilothouse.domain.runtimes import Mode, RuntimeHealth
from pilothouse.wire.requests import RegisterRuntime, SetLog

if TYPE_CHECKING:
    from pilothouse.domain.deployments import Deployment
    from pilothouse.domain.desired import Desired
    from pilothouse.domain.runtimes import Runtime
    from tests.unit.application.company import Company


def dev(company: Company) -> Runtime:
    return company.runtimes.get(company.admin, name="risk-dev")


def desired(company: Company) -> Desired:
    return company.connector.held[dev(company).id]


def deployed(company: Company, *, seed: int = 1) -> Deployment:
    name = company.snapshot(seed=seed, services=("cc-fraud",)).name
    return company.deploy(name, "DEV")[0]


def now(company: Company, deployment: Deployment) -> Deployment:
    return company.deployments.get(company.admin, deployment_id=deployment.id)


def test_a_deployment_runs_only_once_its_runtime_says_so(company: Company) -> None:
    deployment = deployed(company)
    company.connector.down.add("risk-dev")
    company.reconcile()
    assert now(company, deployment).state is DeploymentState.ORDERED
    company.connector.down.clear()

    company.reconcile()

    running = now(company, deployment)
    assert (running.state, running.isolation) == (DeploymentState.RUNNING, "process")
    assert running.running_at is not None


def test_a_lost_answer_to_an_order_changes_nothing(company: Company) -> None:
    deployment = deployed(company)
    company.connector.lost.append("ensure")
    company.reconcile(1)
    assert dev(company).health is RuntimeHealth.UNREACHABLE

    company.reconcile(1)

    assert now(company, deployment).state is DeploymentState.RUNNING
    assert desired(company).generation == 1


def test_what_did_not_change_gets_no_new_generation(company: Company) -> None:
    deployed(company)

    company.reconcile(5)

    assert desired(company).generation == 1
    assert company.connector.ensured == [1]


def test_a_runtime_without_orders_is_not_started(company: Company) -> None:
    company.reconcile()

    assert company.connector.held == {}
    assert dev(company).desired_generation == 0


def test_an_unreachable_runtime_is_shown_with_its_reason_and_comes_back(company: Company) -> None:
    deployment = deployed(company)
    company.reconcile()
    company.connector.down.add("risk-dev")
    company.reconcile(1)
    sick = dev(company)
    company.connector.down.clear()

    company.reconcile(1)

    assert (sick.health, "it is down" in sick.health_reason) == (RuntimeHealth.UNREACHABLE, True)
    assert dev(company).health is RuntimeHealth.HEALTHY
    assert now(company, deployment).state is DeploymentState.RUNNING


def test_an_entry_that_lost_everything_gets_it_again(company: Company) -> None:
    deployment = deployed(company)
    company.reconcile()
    company.connector.held.clear()

    company.reconcile(1)

    assert [d.id for d in desired(company).deployments] == [deployment.id]


def test_an_entry_that_is_behind_is_brought_up(company: Company) -> None:
    deployed(company, seed=1)
    company.reconcile()
    behind = desired(company)
    deployed(company, seed=2)
    company.reconcile()
    company.connector.held[dev(company).id] = behind

    company.reconcile(1)

    assert desired(company).generation == 2


def test_an_entry_that_is_ahead_of_a_restored_database_is_overtaken(company: Company) -> None:
    deployment = deployed(company)
    company.reconcile()
    ahead = replace(desired(company), generation=9, deployments=())
    company.connector.held[dev(company).id] = ahead

    company.reconcile()

    assert desired(company).generation == 10
    assert [d.id for d in desired(company).deployments] == [deployment.id]


def test_a_failed_load_is_written_down_with_its_reason_and_may_get_well(company: Company) -> None:
    deployment = deployed(company)
    company.connector.broken[deployment.snapshot] = "out of memory"
    company.reconcile()
    failed = now(company, deployment)
    company.connector.broken.clear()

    company.reconcile(1)

    assert (failed.state, failed.reason) == (DeploymentState.FAILED, "out of memory")
    assert failed.running_at is None
    assert now(company, deployment).state is DeploymentState.RUNNING


def test_a_failed_deployment_has_not_passed_its_stage(company: Company) -> None:
    deployment = deployed(company)
    company.connector.broken[deployment.snapshot] = "out of memory"

    company.reconcile()

    assert now(company, deployment).running_at is None


def test_a_withdrawn_deployment_is_gone_only_once_its_entry_has_drained_it(
    company: Company,
) -> None:
    deployment = deployed(company)
    company.reconcile()
    company.deployments.withdraw(company.admin, deployment_id=deployment.id)
    company.connector.lingering.append(
        ObservedDeployment(
            id=deployment.id, generation=1, digest=deployment.digest, state=ObservedState.DRAINING
        )
    )
    company.reconcile()
    draining = now(company, deployment)
    company.connector.lingering.clear()

    company.reconcile(1)

    assert draining.state is DeploymentState.DRAINING
    gone = now(company, deployment)
    assert gone.state is DeploymentState.WITHDRAWN
    assert gone.ended_at is not None


def test_what_an_older_generation_lacks_is_not_taken_for_withdrawn(company: Company) -> None:
    deployment = deployed(company, seed=1)
    company.reconcile()
    company.deployments.withdraw(company.admin, deployment_id=deployment.id)
    held = desired(company)
    company.connector.held[dev(company).id] = replace(held, generation=0, deployments=())
    company.connector.lost.append("ensure")

    company.reconcile(1)

    assert now(company, deployment).state is DeploymentState.DRAINING


def test_a_route_reaches_the_entry_with_its_generation(company: Company) -> None:
    deployment = deployed(company)
    company.reconcile()
    company.deployments.promote(
        company.admin, snapshot=deployment.snapshot, service="cc-fraud", stage="DEV"
    )

    company.reconcile()

    route = desired(company).routes[0]
    assert (route.service, route.generation) == ("cc-fraud", 1)
    assert [(v.deployment_id, v.weight) for v in route.variants] == [(deployment.id, 1.0)]


def test_a_scoring_token_reaches_the_entry_until_it_expires(company: Company) -> None:
    deployed(company)
    issued = company.tokens.issue_scoring(
        company.admin,
        name="till",
        group="risk",
        services=("cc-fraud",),
        expires_at=company.clock.now() + timedelta(hours=1),
    )
    company.reconcile()
    told = {t.id for t in desired(company).tokens}
    company.pass_time(hours=2)

    company.reconcile()

    assert told == {"platform", issued.token.id}
    assert {t.id for t in desired(company).tokens} == {"platform"}


def test_what_is_kept_of_a_service_reaches_its_entry(company: Company) -> None:
    deployed(company)
    company.reconcile()
    assert [(w.service, w.policy) for w in desired(company).logs] == [("cc-fraud", LogPolicy())]
    before = desired(company).generation

    company.services.set_log(
        company.admin, tag="cc-fraud", wanted=SetLog(sampling=0.1, retain_days=30)
    )
    company.reconcile()

    (wanted,) = desired(company).logs
    assert wanted.policy == LogPolicy(sampling=0.1, retain_days=30)
    assert desired(company).generation == before + 1


def test_a_share_or_days_out_of_range_are_refused(company: Company) -> None:
    for wanted in (SetLog(sampling=1.5), SetLog(retain_days=0)):
        with pytest.raises(DocumentError):
            company.services.set_log(company.admin, tag="cc-fraud", wanted=wanted)
    assert company.services.get(company.admin, tag="cc-fraud").log == LogPolicy()


def test_hashes_of_sensitive_values_are_for_those_who_administer_the_group(
    company: Company,
) -> None:
    owner = company.hire("olga", Role.BUSINESS_OWNER)
    company.services.set_log(owner, tag="cc-fraud", wanted=SetLog(sampling=0.5))
    with pytest.raises(ActionDeniedError):
        company.services.set_log(
            owner, tag="cc-fraud", wanted=SetLog(sensitive=SensitiveLogging.HASH)
        )


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (ObservedLog(state=LogState.ON), ""),
        (ObservedLog(state=LogState.OFF), ""),
        (ObservedLog(state=LogState.UNAVAILABLE, reason="deltalake is not installed"), "deltalake"),
        (ObservedLog(state=LogState.STALLED, reason="disk full"), "stalls"),
        (ObservedLog(state=LogState.ON, dropped={"backlog": 3}), "not logged"),
    ],
)
def test_a_log_that_does_not_work_is_shown_at_its_runtime(
    company: Company, log: ObservedLog, words: str
) -> None:
    deployed(company)
    company.connector.log = log
    company.reconcile()
    assert dev(company).health is RuntimeHealth.HEALTHY
    assert words in dev(company).health_reason
    assert bool(words) == bool(dev(company).health_reason)


def test_a_revoked_scoring_token_is_taken_from_the_entry(company: Company) -> None:
    deployed(company)
    issued = company.tokens.issue_scoring(
        company.admin, name="till", group="risk", services=("cc-fraud",)
    )
    company.reconcile()
    company.tokens.revoke(company.admin, token_id=issued.token.id)

    company.reconcile()

    assert {t.id for t in desired(company).tokens} == {"platform"}


def test_a_token_of_all_services_opens_only_those_of_its_group(company: Company) -> None:
    company.group("cards")
    company.service("cards-limit", group="cards")
    deployed(company)
    company.tokens.issue_scoring(company.admin, name="all", group="risk", services=())

    company.reconcile()

    (ours,) = [t for t in desired(company).tokens if t.id != "platform"]
    assert ours.services == ("cc-fraud",)


def test_a_runtime_in_use_is_not_retired(company: Company) -> None:
    deployed(company)

    with pytest.raises(RuntimeInUseError) as refused:
        company.runtimes.retire(company.admin, name="risk-dev")

    assert refused.value.deployments == 1


def test_a_retired_runtime_is_stopped_once_and_then_left_alone(company: Company) -> None:
    deployment = deployed(company)
    company.reconcile()
    company.deployments.withdraw(company.admin, deployment_id=deployment.id)
    company.reconcile()
    runtime = company.runtimes.retire(company.admin, name="risk-dev")

    company.reconcile()

    assert runtime.id not in company.connector.held
    assert runtime.id not in company.reconciliation.runtimes(SYSTEM)


def test_a_retired_runtime_that_does_not_answer_is_stopped_later(company: Company) -> None:
    deployment = deployed(company)
    company.reconcile()
    company.deployments.withdraw(company.admin, deployment_id=deployment.id)
    company.reconcile()
    runtime = company.runtimes.retire(company.admin, name="risk-dev")

    assert runtime.id in company.reconciliation.runtimes(SYSTEM)


def test_retiring_twice_changes_nothing(company: Company) -> None:
    first = company.runtimes.retire(company.admin, name="risk-dev")

    assert company.runtimes.retire(company.admin, name="risk-dev") == first


def test_a_batch_deployment_is_there_as_soon_as_its_runtime_answers(company: Company) -> None:
    company.service("cc-batch", mode=Mode.BATCH)
    name = company.snapshot(services=("cc-batch",)).name
    deployment = company.deploy(name, "DEV", service="cc-batch")[0]

    company.reconcile(1)

    assert now(company, deployment).state is DeploymentState.RUNNING
    assert company.connector.held == {}


def test_a_runtime_whose_connector_is_gone_is_shown_as_such(company: Company) -> None:
    with company.work(SYSTEM) as work:
        work.commit(work.runtimes.save(replace(dev(company), connector="gone")))

    company.reconcile(1)

    assert dev(company).health is RuntimeHealth.UNREACHABLE
    assert "'gone'" in dev(company).health_reason


def test_a_connector_that_is_not_installed_is_refused(company: Company) -> None:
    wanted = RegisterRuntime(
        name="moon", group="risk", stage="DEV", connector="rocket", address="moon:1"
    )

    with pytest.raises(PluginMissingError) as missing:
        company.runtimes.register(company.admin, wanted)

    assert missing.value.known == ("fake",)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"modes": ()}, "modes"),
        ({"modes": (Mode.BATCH, Mode.BATCH)}, "modes"),
        ({"options": {"concurrency": 0}}, "concurrency"),
        ({"options": {"concurrency": "two"}}, "concurrency"),
        ({"options": {"concurrency": True}}, "concurrency"),
        ({"options": {"grpc_port": 0}}, "grpc_port"),
        ({"options": {"access_log": "yes"}}, "access_log"),
        ({"options": {"grpc_port": "9204"}}, "grpc_port"),
    ],
)
def test_a_runtime_that_could_never_be_used_is_refused(
    company: Company, changes: dict[str, object], word: str
) -> None:
    wanted = RegisterRuntime(name="odd", group="risk", stage="DEV", connector="fake", address="a:1")

    with pytest.raises(RuntimeInvalidError) as refused:
        company.runtimes.register(company.admin, replace(wanted, **changes))  # type: ignore[arg-type]

    assert word in refused.value.problem

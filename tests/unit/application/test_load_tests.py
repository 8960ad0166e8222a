"""Load tests are ordered where a snapshot runs online, by those who may run jobs there, and run like other jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.application.deployments import RuntimeUnsuitableError
from pilothouse.application.founding import SYSTEM
from pilothouse.application.load_tests import LoadTests, NothingToLoadError, OrderLoadTest
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.jobs import JobKind, JobState, LoadPlan
from pilothouse.domain.plain import from_plain
from pilothouse.domain.runtimes import Ability, Capabilities

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.jobs import Job
    from tests.unit.application.company import Company


@pytest.fixture
def online(company: Company) -> str:
    """The name of a snapshot that runs online in DEV."""
    name = company.snapshot(services=("cc-fraud",)).name
    company.reach(name, "DEV")
    return name


def ordered(
    company: Company, snapshot: str, *, who: Principal | None = None, stage: str = "DEV"
) -> tuple[Job, ...]:
    tests = LoadTests(open_work=company.work, connectors=company.connector)
    wanted = OrderLoadTest(
        snapshot=snapshot,
        service="cc-fraud",
        stage=stage,
        rate_per_s=50.0,
        duration_s=60.0,
        concurrency=8,
    )
    return tests.order(who or company.admin, wanted)


def test_a_load_test_is_ordered_for_the_runtime_of_the_endpoint(
    company: Company, online: str
) -> None:
    [job] = ordered(company, online)

    [runtime] = [r for r in company.runtimes.page(company.admin).items if r.stage == "DEV"]
    assert (job.kind, job.runtime_id, job.source) == (JobKind.LOAD_TEST, runtime.id, None)
    assert from_plain(LoadPlan, job.parameters) == LoadPlan(
        url=f"http://{runtime.address}/v2/models/cc-fraud",
        number=1,
        rate_per_s=50.0,
        duration_s=60.0,
        concurrency=8,
    )


def test_a_load_test_is_cancelled_like_every_job(company: Company, online: str) -> None:
    [job] = ordered(company, online)

    company.jobs.cancel(company.admin, job_id=job.id)
    company.job_runs.advance(SYSTEM, job.id)

    assert company.jobs.get(company.admin, job_id=job.id).state is JobState.CANCELLED


def test_an_order_is_audited(company: Company, online: str) -> None:
    [job] = ordered(company, online)

    [row] = [r for r in company.audit.page(company.admin).items if r.subject == job.id]
    assert (row.action, row.detail["kind"]) == ("order", "load-test")


def test_what_does_not_run_is_not_tested(company: Company, online: str) -> None:
    with pytest.raises(NothingToLoadError) as refused:
        ordered(company, online, stage="PROD")

    assert (refused.value.snapshot, refused.value.stage) == (online, "PROD")


def test_a_runtime_that_cannot_is_said(company: Company, online: str) -> None:
    [runtime] = [r for r in company.runtimes.page(company.admin).items if r.stage == "DEV"]
    company.connector.can[runtime.name] = Capabilities(
        abilities=frozenset({Ability.ONLINE}), inabilities={Ability.LOAD_TEST: "it is too small"}
    )

    with pytest.raises(RuntimeUnsuitableError) as refused:
        ordered(company, online)

    assert refused.value.problem == "it is too small"


def test_only_those_who_may_run_jobs_order_one(company: Company, online: str) -> None:
    rita = company.hire("rita", Role.AUDITOR)

    with pytest.raises(ActionDeniedError):
        ordered(company, online, who=rita)

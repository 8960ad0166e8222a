"""The shipped life cycles, from the tag to the end, over a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.errors import FormAnswerError
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.jobs import JobKind, JobReport, JobResult, JobState
from pilothouse.domain.tasks import TaskDeniedError, TaskEndedError, TaskState
from pilothouse.wire.requests import RetryIncident
from tests.integration.lifecycle.house import (
    ADA,
    BATCH,
    BORIS,
    MODEL,
    ONLINE,
    OPAL,
    VERA,
    VIC,
)

if TYPE_CHECKING:
    from tests.integration.lifecycle.house import House

STAGES = ("DEV", "SIT", "UAT", "PROD")
APPROVE, REJECT = {"decision": "approve", "comment": "good"}, {"decision": "reject"}


def started(house: House, service: str = ONLINE, *, stages: tuple[str, ...] = STAGES) -> None:
    house.add_runtimes(*stages)
    house.tag(service=service)


def running(house: House, stage: str) -> list[str]:
    deployments = house.plane.facilities.deployments.page(SYSTEM, stage=stage, limit=500).items
    return sorted(d.snapshot for d in deployments if d.state is DeploymentState.RUNNING)


def routed(house: House, stage: str) -> list[str]:
    with house.database.open_work.reading(SYSTEM) as work:
        found = work.routes.find(service=ONLINE, stage=stage)
    return [v.snapshot for v in found.variants] if found else []


def test_a_tagged_snapshot_reaches_production_online(any_house: House) -> None:
    house = any_house
    started(house)
    task = house.waiting_task()
    done = house.plane.tasks.complete(VERA, task_id=task.id, answers=APPROVE)
    run = house.until_ended()

    assert (run.state, run.outcome) == (RunStatus.COMPLETED, "promoted")
    assert (done.state, done.ended_by, done.answers) == (
        TaskState.COMPLETED,
        VERA.person_id,
        APPROVE,
    )
    assert [running(house, stage) for stage in STAGES] == [[f"{MODEL}@1"]] * 4
    assert routed(house, "PROD") == [f"{MODEL}@1"]
    assert [o.kind for o in house.connector.orders] == [
        JobKind.SCORE,
        JobKind.SCORE,
        JobKind.METRICS,
        JobKind.LOAD_TEST,
    ]
    assert {e.kind: e.verdict for e in house.plane.facilities.evaluations.page(SYSTEM).items} == {
        "thresholds": "PASS",
        "smoke": "PASS",
        "load-test": "PASS",
    }


def test_the_smoke_tests_ask_the_pinned_snapshot_at_each_online_stage(house: House) -> None:
    started(house)
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=APPROVE)
    house.until_ended()

    assert set(house.entries.calls) == {
        f"http://127.0.0.1:{port}/v2/models/{ONLINE}/versions/1" for port in (8103, 8104)
    }


def test_an_approval_is_audited_with_the_digest_that_was_tested(house: House) -> None:
    started(house)
    task = house.waiting_task()

    house.plane.tasks.complete(VERA, task_id=task.id, answers=APPROVE)

    [detail] = house.audited("complete", "task")
    assert detail["digest"] == house.run().heading.digest == task.digest
    assert detail["answers"] == APPROVE


def test_a_batch_service_asks_no_endpoint(house: House) -> None:
    started(house, BATCH)
    task = house.waiting_task()
    house.plane.tasks.complete(VERA, task_id=task.id, answers=REJECT)

    run = house.until_ended()

    assert (run.state, run.outcome) == (RunStatus.COMPLETED, "refused")
    assert not house.entries.calls


def test_a_batch_service_reaches_production_in_batch(house: House) -> None:
    started(house, BATCH)
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=APPROVE)

    run = house.until_ended()

    assert (run.state, run.outcome) == (RunStatus.COMPLETED, "promoted")
    assert running(house, "PROD") == [f"{MODEL}@1"]


def test_a_model_below_its_thresholds_is_rejected_without_asking_anybody(house: House) -> None:
    house.connector.metrics = {"roc_auc": 0.55}
    started(house)

    run = house.until_ended()

    assert run.outcome == "rejected"
    [evaluation] = house.plane.facilities.evaluations.page(SYSTEM).items
    assert (evaluation.verdict, evaluation.rule) == ("FAIL", "rule_low_auc")
    assert evaluation.decision == "thresholds@1"
    assert running(house, "UAT") == []


@pytest.mark.parametrize(("decision", "outcome"), [("accept", "promoted"), ("reject", "rejected")])
def test_inconclusive_evidence_is_reviewed_by_a_person(
    house: House, decision: str, outcome: str
) -> None:
    house.connector.rows = 20
    started(house)
    review = house.waiting_task()
    assert review.element == "review"

    house.plane.tasks.complete(VERA, task_id=review.id, answers={"decision": decision})
    if decision == "accept":
        house.plane.tasks.complete(VIC, task_id=house.waiting_task().id, answers=APPROVE)

    assert house.until_ended().outcome == outcome


def test_a_refused_approval_withdraws_the_snapshot_from_uat(house: House) -> None:
    started(house)
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=REJECT)

    run = house.until_ended()
    house.turn()

    assert run.outcome == "refused"
    assert (running(house, "UAT"), routed(house, "UAT"), running(house, "PROD")) == ([], [], [])


def test_the_author_may_not_approve_her_own_snapshot(house: House) -> None:
    started(house)
    task = house.waiting_task()

    with pytest.raises(TaskDeniedError) as denied:
        house.plane.tasks.complete(ADA, task_id=task.id, answers=APPROVE)

    assert (denied.value.task, denied.value.person) == (task.id, "ada")
    assert house.plane.tasks.get(VERA, task_id=task.id).state is TaskState.OPEN


def test_somebody_without_a_candidate_role_may_not_approve(house: House) -> None:
    started(house)
    task = house.waiting_task()

    with pytest.raises(TaskDeniedError) as denied:
        house.plane.tasks.complete(BORIS, task_id=task.id, answers=APPROVE)

    assert "validator" in denied.value.problem
    assert house.plane.tasks.page(BORIS, mine=True, waiting=True).items == ()


def test_of_two_people_who_answer_one_wins(house: House) -> None:
    started(house)
    task = house.waiting_task()
    house.plane.tasks.complete(VERA, task_id=task.id, answers=APPROVE)

    with pytest.raises(TaskEndedError) as ended:
        house.plane.tasks.complete(VIC, task_id=task.id, answers=REJECT)

    assert ended.value.state is TaskState.COMPLETED
    assert house.until_ended().outcome == "promoted"


def test_answers_that_do_not_fit_the_form_change_nothing(house: House) -> None:
    started(house)
    task = house.waiting_task()

    with pytest.raises(FormAnswerError) as wrong:
        house.plane.tasks.complete(VERA, task_id=task.id, answers={"decision": "perhaps"})

    assert "decision" in wrong.value.problems[0]
    assert house.plane.tasks.get(VERA, task_id=task.id) == task


def test_a_missing_runtime_is_an_incident_until_one_is_registered(house: House) -> None:
    started(house, stages=("DEV", "SIT"))
    house.until(lambda: bool(house.plane.runs.incidents(OPAL)))
    [incident] = house.plane.runs.incidents(OPAL)
    assert (incident.element, incident.code) == ("deploy_uat", "no-runtime")
    assert "UAT" in incident.message

    house.add_runtimes("UAT", "PROD")
    house.plane.runs.retry(OPAL, incident_id=incident.id, wanted=RetryIncident())
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=APPROVE)

    assert house.until_ended().outcome == "promoted"
    assert house.plane.runs.incidents(OPAL) == ()


def test_a_smoke_test_that_differs_in_uat_withdraws_the_snapshot(house: House) -> None:
    house.entries.off = {":8103": 1e-9}
    started(house)

    run = house.until_ended()
    house.turn()

    assert run.outcome == "refused"
    assert running(house, "UAT") == []
    smoke = next(
        e for e in house.plane.facilities.evaluations.page(SYSTEM).items if e.kind == "smoke"
    )
    assert (smoke.verdict, smoke.evidence["differences"]) == ("FAIL", 2)


def test_a_smoke_test_that_differs_in_production_fails_the_run(house: House) -> None:
    house.entries.off = {":8104": 0.5}
    started(house)
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=APPROVE)

    run = house.until_ended()
    house.turn()

    assert (run.state, run.outcome) == (RunStatus.FAILED, "smoke-test-failed")
    assert (running(house, "PROD"), routed(house, "PROD")) == ([], [])


def test_a_smoke_test_waits_for_an_endpoint_that_starts_again(house: House) -> None:
    house.entries.away = 5
    started(house)

    task = house.waiting_task()

    assert task.element == "approve"
    assert house.plane.runs.incidents(OPAL) == ()


def test_a_failed_job_is_ordered_anew_by_the_retry(house: House) -> None:
    house.connector.ends = [
        JobReport(
            job_id=house.ids.new("job"),  # type: ignore[arg-type]
            state=JobState.FAILED,
            result=JobResult.FAILURE,
            error_code="disk-full",
            error="the disk is full.",
        )
    ]
    started(house)

    house.waiting_task()

    history = house.plane.runs.history(SYSTEM, run_id=house.run().heading.run_id)
    [failure] = [h for h in history if h.event == "job-failed"]
    assert failure.data["code"] == "job-unsuccessful"
    assert [o.kind for o in house.connector.orders].count(JobKind.SCORE) == 3


def test_a_deployment_that_fails_is_an_incident_with_its_reason(house: House) -> None:
    house.connector.broken = {"uat-local": "the model does not load"}
    started(house)
    house.until(lambda: bool(house.plane.runs.incidents(OPAL)))
    [incident] = house.plane.runs.incidents(OPAL)
    assert incident.code == "deployment-failed"
    assert "the model does not load" in incident.message

    house.connector.broken = {}
    house.turn()
    house.plane.runs.retry(OPAL, incident_id=incident.id, wanted=RetryIncident())

    assert house.waiting_task().element == "approve"


def test_a_service_without_a_test_dataset_is_an_incident_that_a_retry_can_cure(
    house: House,
) -> None:
    with house.database.open_work(SYSTEM) as work:
        work.services.save(replace(work.services.get(ONLINE), test_dataset=None))
        work.commit(None)
    started(house)
    house.until(lambda: bool(house.plane.runs.incidents(OPAL)))
    [incident] = house.plane.runs.incidents(OPAL)
    assert incident.code == "test-dataset-missing"

    wanted = RetryIncident(variables={"test_dataset": "cards@2015"})
    house.plane.runs.retry(OPAL, incident_id=incident.id, wanted=wanted)

    assert house.waiting_task().element == "approve"


def test_validators_are_reminded_a_day_before_an_approval_is_due(house: House) -> None:
    started(house)
    house.waiting_task()

    house.clock.advance(timedelta(days=2))
    house.until(lambda: bool(house.audited("notify", "run")))

    assert house.waiting_task().element == "approve"


def test_a_second_snapshot_replaces_the_first(house: House) -> None:
    started(house)
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=APPROVE)
    house.until_ended()
    house.take_snapshot(2)

    house.tag(f"{MODEL}@2")
    house.until(lambda: house.run().heading.snapshot == f"{MODEL}@2")
    house.plane.tasks.complete(VERA, task_id=house.waiting_task().id, answers=APPROVE)
    house.until_ended()
    house.turn()

    assert [running(house, stage) for stage in STAGES] == [[f"{MODEL}@2"]] * 4
    assert routed(house, "PROD") == [f"{MODEL}@2"]

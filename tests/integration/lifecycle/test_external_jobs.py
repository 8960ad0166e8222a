"""External jobs: only the topics that a policy gives away, only to workers, and only as long as they hold them."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.application.groups import Groups
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.state import JobStatus, RunStatus
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.external_jobs import (
    JobNotHeldError,
    RetriesRaisedError,
    TopicInvalidError,
    TopicNotExternalError,
    TopicTakenError,
)
from pilothouse.domain.ids import GroupName
from pilothouse.lifecycle.tasks.contract import Done
from pilothouse.wire.external_jobs import (
    CompleteJob,
    ExtendJob,
    FailJob,
    FetchJobs,
    PostponeJob,
    ThrowError,
)
from pilothouse.wire.requests import RetryIncident, SetPolicy, StartRun
from tests.integration.lifecycle.drawings import drawing, one_task, service
from tests.integration.lifecycle.house import ONLINE, OPAL, RISK, person

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.external_jobs import ExternalJobs
    from pilothouse.wire.external_jobs import ExternalJob, Report
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

BOT = person("bot", Role.WORKER)
TOPIC = "credit-check"
CARDS = GroupName("cards")


@pytest.fixture
def outside(house: House) -> ExternalJobs:
    """External jobs of a house whose group gives one topic away."""
    allow(house, TOPIC)
    return house.plane.external_jobs


def allow(house: House, *topics: str) -> None:
    groups = Groups(open_work=house.plane.open_work, own_topics=house.plane.types.topics)
    groups.set_policy(SYSTEM, name=RISK, wanted=SetPolicy(external_topics=topics))


def started(house: House, *, retries: int = 1, xml: bytes | None = None) -> RunView:
    drawn = one_task(TOPIC, retries=retries) if xml is None else xml
    house.plane.definitions.upload(OPAL, group=RISK, xml=drawn)
    wanted = StartRun(definition="small", service=ONLINE, variables={"amount": 12.5})
    return house.plane.runs.start(OPAL, wanted)


def fetched(
    outside: ExternalJobs, *, who: Principal = BOT, **given: object
) -> tuple[ExternalJob, ...]:
    wanted: dict[str, Any] = {"group": RISK, "topics": (TOPIC,), "worker": "w1", "most": 10}
    return outside.fetch(who, FetchJobs(**(wanted | given)))


def report(
    outside: ExternalJobs,
    job: ExternalJob,
    kind: type[Report] = CompleteJob,
    *,
    who: Principal = BOT,
    **given: object,
) -> RunStatus:
    said: dict[str, Any] = {"worker": "w1", "attempt": job.attempt}
    return outside.report(who, job_id=job.id, wanted=kind(**(said | given))).run_state


def state(house: House, run: RunView) -> RunStatus:
    return house.plane.runs.get(SYSTEM, run_id=run.heading.run_id).state


def incidents(house: House) -> list[tuple[str, str]]:
    return [(i.code, i.message) for i in house.plane.runs.incidents(SYSTEM)]


def test_a_definition_whose_topic_nobody_works_on_is_not_taken(house: House) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        started(house)

    assert TOPIC in caught.value.problems[0].problem


def test_a_topic_of_one_group_is_none_for_everybody(house: House, outside: ExternalJobs) -> None:
    assert house.plane.definitions.lint(OPAL, xml=one_task(TOPIC), group=RISK) == ()

    [finding] = house.plane.definitions.lint(OPAL, xml=one_task(TOPIC))

    assert TOPIC in finding.problem


def test_a_topic_of_the_platform_is_given_to_nobody(house: House) -> None:
    with pytest.raises(TopicTakenError) as caught:
        allow(house, TOPIC, "deploy")

    assert caught.value.topics == ("deploy",)


def test_a_topic_with_blanks_around_it_is_refused(house: House) -> None:
    with pytest.raises(TopicInvalidError):
        allow(house, " credit-check")


def test_a_worker_gets_what_the_step_is_given_and_its_result_moves_the_run(
    house: House, outside: ExternalJobs
) -> None:
    run = started(house)

    house.plane.work()
    [job] = fetched(outside)
    ended = report(outside, job, variables={"score": 0.9})

    assert (job.variables["amount"], job.service, job.element) == (12.5, ONLINE, "task")
    assert ended is RunStatus.COMPLETED
    last = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)[-1]
    assert last.data["variables"]["score"] == 0.9  # type: ignore[index]


def test_a_run_shows_who_has_its_job_and_until_when(house: House, outside: ExternalJobs) -> None:
    run = started(house)
    [job] = fetched(outside)

    [work] = house.plane.runs.get(SYSTEM, run_id=run.heading.run_id).work

    assert (work.state, work.held_by) == (JobStatus.OFFERED, f"{BOT.person_id}:w1")
    assert work.held_until == job.locked_until


def test_a_worker_cannot_change_what_a_run_is_about(house: House, outside: ExternalJobs) -> None:
    run = started(house)
    [job] = fetched(outside)

    report(outside, job, variables={"service": "payments", "group": "cards"})

    view = house.plane.runs.get(SYSTEM, run_id=run.heading.run_id)
    assert (view.variables["service"], view.variables["group"]) == (ONLINE, RISK)
    [(code, message)] = incidents(house)
    assert code == "expression-failed"
    assert "what the run is about" in message


def test_a_worker_may_give_back_what_it_was_given(house: House, outside: ExternalJobs) -> None:
    started(house)
    [job] = fetched(outside)

    assert report(outside, job, variables=dict(job.variables)) is RunStatus.COMPLETED


def test_what_a_worker_said_is_in_the_audit(house: House, outside: ExternalJobs) -> None:
    run = started(house)
    [job] = fetched(outside)

    report(outside, job, variables={"score": 0.9})

    [said] = house.audited("complete", "external-job")
    assert (said["run"], said["topic"], said["worker"]) == (run.heading.run_id, TOPIC, "w1")
    assert said["variables"] == ["score"]


def test_a_locked_job_is_nobody_elses_until_its_lock_ends(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    [lost] = fetched(outside, lock_s=30.0)
    assert fetched(outside, worker="w2") == ()
    house.clock.advance(timedelta(seconds=30))

    [job] = fetched(outside, worker="w2")

    assert (job.id, job.attempt) == (lost.id, lost.attempt + 1)
    with pytest.raises(JobNotHeldError) as caught:
        report(outside, lost)
    assert (caught.value.job, caught.value.attempt) == (lost.id, lost.attempt)
    assert report(outside, job, worker="w2") is RunStatus.COMPLETED


def test_a_heartbeat_keeps_a_job_and_comes_too_late_for_one_that_is_lost(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    [job] = fetched(outside, lock_s=30.0)
    beat = ExtendJob(worker="w1", attempt=job.attempt, lock_s=30.0)
    house.clock.advance(timedelta(seconds=20))
    lock = outside.extend(BOT, job_id=job.id, wanted=beat)
    house.clock.advance(timedelta(seconds=20))
    assert fetched(outside, worker="w2") == ()
    assert lock.locked_until == job.locked_until + timedelta(seconds=20)
    house.clock.advance(timedelta(seconds=10))
    fetched(outside, worker="w2")

    with pytest.raises(JobNotHeldError):
        outside.extend(BOT, job_id=job.id, wanted=beat)


@pytest.mark.parametrize(
    ("who", "worker", "attempts"),
    [(BOT, "w2", 0), (person("other", Role.WORKER), "w1", 0), (BOT, "w1", 1)],
    ids=["another worker", "another person's worker of that name", "another attempt"],
)
def test_whoever_does_not_hold_a_job_changes_nothing(
    house: House, outside: ExternalJobs, who: Principal, worker: str, attempts: int
) -> None:
    run = started(house)
    [job] = fetched(outside)

    with pytest.raises(JobNotHeldError):
        report(outside, job, who=who, worker=worker, attempt=job.attempt + attempts)

    assert state(house, run) is RunStatus.ACTIVE


def test_a_worker_of_another_group_sees_and_moves_nothing(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    foreign = person("bot", Role.WORKER, group=CARDS)
    [job] = fetched(outside)

    with pytest.raises(ActionDeniedError):
        fetched(outside, who=foreign)
    with pytest.raises(JobNotHeldError):
        report(outside, job, who=foreign)
    with pytest.raises(JobNotHeldError):
        outside.extend(foreign, job_id=job.id, wanted=ExtendJob(worker="w1", attempt=job.attempt))


def test_an_operator_is_no_worker(outside: ExternalJobs) -> None:
    with pytest.raises(ActionDeniedError):
        fetched(outside, who=OPAL)


def test_a_worker_gets_no_topic_of_the_platform_and_none_that_is_not_given(
    house: House, outside: ExternalJobs
) -> None:
    with pytest.raises(TopicNotExternalError) as caught:
        fetched(outside, topics=("deploy", TOPIC, "other"))

    assert (caught.value.topics, caught.value.allowed) == (("deploy", "other"), (TOPIC,))


def test_a_failure_costs_a_try_and_comes_back_when_the_worker_says(
    house: House, outside: ExternalJobs
) -> None:
    run = started(house, retries=2)
    [job] = fetched(outside)
    report(outside, job, FailJob, message="The bureau is shut.", retry_in_s=600.0)
    assert fetched(outside) == ()
    house.clock.advance(timedelta(seconds=600))

    [again] = fetched(outside)

    assert (again.id, again.retries_left, again.failures) == (job.id, 1, 1)
    assert again.attempt > job.attempt
    report(outside, again, FailJob, message="It still is.", code="bureau-shut")
    assert incidents(house) == [("bureau-shut", "It still is.")]
    assert state(house, run) is RunStatus.ACTIVE


def test_a_worker_may_ask_for_a_person_at_once_but_for_no_more_tries(
    house: House, outside: ExternalJobs
) -> None:
    started(house, retries=3)
    [job] = fetched(outside)

    with pytest.raises(RetriesRaisedError) as caught:
        report(outside, job, FailJob, message="no", retries=3)
    report(outside, job, FailJob, message="Hopeless.", retries=0)

    assert (caught.value.left, incidents(house)) == (2, [("worker-failed", "Hopeless.")])


def test_a_retried_incident_is_offered_again(house: House, outside: ExternalJobs) -> None:
    started(house)
    [job] = fetched(outside)
    report(outside, job, FailJob, message="no")
    [incident] = house.plane.runs.incidents(SYSTEM)

    house.plane.runs.retry(OPAL, incident_id=incident.id, wanted=RetryIncident())

    [again] = fetched(outside)
    assert again.id == job.id


def test_an_error_goes_the_way_that_the_drawing_provides(
    house: House, outside: ExternalJobs
) -> None:
    body = (
        f'<startEvent id="start"/>{service("task", TOPIC)}<endEvent id="end"/><endEvent id="refused"/>'
        '<boundaryEvent id="caught" attachedToRef="task"><errorEventDefinition errorRef="no"/></boundaryEvent>'
    )
    xml = drawing(
        body,
        "start>task task>end caught>refused",
        declared='<error id="no" errorCode="no-credit"/>',
    )
    run = started(house, xml=xml)
    [job] = fetched(outside)

    report(outside, job, ThrowError, code="no-credit", variables={"why": "age"})

    view = house.plane.runs.get(SYSTEM, run_id=run.heading.run_id)
    assert (view.state, view.outcome) == (RunStatus.COMPLETED, "refused")


def test_an_error_that_nothing_catches_waits_for_a_person(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    [job] = fetched(outside)

    report(outside, job, ThrowError, code="no-credit", message="Too young.")

    assert incidents(house) == [("no-credit", "Too young.")]


def test_a_postponed_job_comes_back_then_and_costs_no_try(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    [job] = fetched(outside)
    report(outside, job, PostponeJob, after_s=60.0)
    assert fetched(outside) == ()
    house.clock.advance(timedelta(seconds=60))

    [again] = fetched(outside)

    assert (again.id, again.retries_left, again.failures) == (job.id, 1, 0)


def test_the_jobs_of_a_cancelled_run_are_lost(house: House, outside: ExternalJobs) -> None:
    run = started(house)
    [job] = fetched(outside)
    house.plane.runs.cancel(OPAL, run_id=run.heading.run_id, reason="It was a mistake.")

    with pytest.raises(JobNotHeldError):
        report(outside, job)


def test_a_topic_that_is_taken_back_becomes_an_incident_and_no_worker_finishes_it(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    [job] = fetched(outside)

    allow(house)
    with pytest.raises(JobNotHeldError):
        report(outside, job)
    house.plane.work()

    assert [code for code, _ in incidents(house)] == ["topic-unknown"]


def test_two_external_steps_in_a_row_are_fetched_one_after_the_other(
    house: House, outside: ExternalJobs
) -> None:
    body = f'<startEvent id="start"/>{service("one", TOPIC)}{service("two", TOPIC)}<endEvent id="end"/>'
    started(house, xml=drawing(body, "start>one one>two two>end"))
    elements = []

    while jobs := fetched(outside):
        elements += [job.element for job in jobs]
        ended = report(outside, jobs[0])

    assert (elements, ended) == (["one", "two"], RunStatus.COMPLETED)


def test_a_job_that_is_done_is_not_done_twice(house: House, outside: ExternalJobs) -> None:
    started(house)
    [job] = fetched(outside)
    report(outside, job)

    with pytest.raises(JobNotHeldError):
        report(outside, job)


def test_what_is_left_offered_though_nobody_may_fetch_it_is_taken_back(
    house: House, outside: ExternalJobs
) -> None:
    started(house)
    with house.database.open_work(SYSTEM) as work:  # as a step at the same moment can leave it
        group = work.groups.get(RISK)
        work.groups.save(replace(group, external_topics=()))
        work.commit(None)

    recalled = [outside.recall_orphans(SYSTEM) for _ in range(2)]
    house.plane.work()

    assert recalled == [1, 0]
    assert [code for code, _ in incidents(house)] == ["topic-unknown"]


def test_what_workers_may_fetch_stays_offered(house: House, outside: ExternalJobs) -> None:
    started(house)

    house.plane.work()

    assert outside.recall_orphans(SYSTEM) == 0
    assert len(fetched(outside)) == 1


def test_a_topic_that_a_new_package_works_on_goes_back_to_the_platform(
    house: House, outside: ExternalJobs
) -> None:
    run = started(house)
    outside._own_topics = {TOPIC}
    house.plane.works_on(TOPIC, lambda _: Done())

    outside.recall_orphans(SYSTEM)
    house.plane.work()

    assert state(house, run) is RunStatus.COMPLETED


def test_a_worker_brings_a_run_to_its_end_on_every_database(any_house: House) -> None:
    allow(any_house, TOPIC)
    outside = any_house.plane.external_jobs
    run = started(any_house, retries=2)
    [job] = fetched(outside)
    outside.extend(BOT, job_id=job.id, wanted=ExtendJob(worker="w1", attempt=job.attempt))
    report(outside, job, FailJob, message="no", retry_in_s=0.0)
    [again] = fetched(outside)

    report(outside, again, variables={"score": 0.9})

    assert state(any_house, run) is RunStatus.COMPLETED


class Crowd:
    """Workers that do anything with any job that they have ever been given, late or not."""

    def __init__(self, house: House, outside: ExternalJobs, seed: int) -> None:
        self._house, self._outside = house, outside
        self._chance = random.Random(seed)  # noqa: S311 orders of events, not secrets
        self._seen: list[tuple[str, ExternalJob]] = []
        self.done: list[str] = []

    def act(self) -> None:
        """Do one thing."""
        acts = (self._fetch, self._wait, self._fail, self._beat, self._complete)
        with suppress(JobNotHeldError):
            self._chance.choice(acts if self._seen else acts[:1])()

    def _fetch(self) -> None:
        worker = self._chance.choice(("w1", "w2", "w3"))
        jobs = fetched(self._outside, worker=worker, most=2, lock_s=5.0)
        self._seen += [(worker, job) for job in jobs]

    def _wait(self) -> None:
        self._house.clock.advance(timedelta(seconds=self._chance.randrange(4)))

    def _fail(self) -> None:
        worker, job = self._chance.choice(self._seen)
        report(self._outside, job, FailJob, worker=worker, message="no", retry_in_s=1.0)

    def _beat(self) -> None:
        worker, job = self._chance.choice(self._seen)
        wanted = ExtendJob(worker=worker, attempt=job.attempt, lock_s=5.0)
        self._outside.extend(BOT, job_id=job.id, wanted=wanted)

    def _complete(self) -> None:
        worker, job = self._chance.choice(self._seen)
        report(self._outside, job, worker=worker)
        self.done.append(job.run_id)


@pytest.mark.parametrize("seed", range(3))
def test_workers_that_come_go_and_err_in_any_order_end_every_run_once(
    house: House, outside: ExternalJobs, seed: int
) -> None:
    crowd = Crowd(house, outside, seed)
    runs = [started(house, retries=100) for _ in range(6)]

    for _ in range(300):
        crowd.act()
    house.clock.advance(timedelta(seconds=60))
    for job in fetched(outside):
        report(outside, job)
        crowd.done.append(job.run_id)

    assert sorted(crowd.done) == sorted(run.heading.run_id for run in runs)
    assert {state(house, run) for run in runs} == {RunStatus.COMPLETED}

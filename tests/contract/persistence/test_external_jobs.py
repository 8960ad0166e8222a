"""Offered jobs keep their contract on every database: by topic and group, leased once, extended, taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pilothouse.bpmn.state import JobStatus, RunStatus
from pilothouse.domain.groups import Group
from pilothouse.domain.ids import GroupName
from tests.contract.persistence import values
from tests.contract.persistence.test_many_writers import together

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Job
    from pilothouse.persistence.engine import Database
    from tests.contract.persistence.conftest import HandClock

ADA, RISK, CARDS, NOON = values.principal(), values.RISK, GroupName("cards"), values.NOON
TOPIC = "credit-check"


def offer(company: Database, run_id: str = "run_1", *parts: str, topic: str = TOPIC) -> None:
    """Begin a run with an offered job for each part, each due a second after the one before."""
    jobs = tuple(
        replace(
            values.run_job(run_id, part, due_at=NOON + timedelta(seconds=second)),
            state=JobStatus.OFFERED,
            topic=topic,
        )
        for second, part in enumerate(parts or ("1",))
    )
    with company.open_work(ADA) as work:
        work.runs.add(values.heading(run_id), values.started(run_id, jobs=jobs))
        work.commit(None)


def claim(
    company: Database, *topics: str, owner: str = "w1", limit: int = 10, group: GroupName = RISK
) -> tuple[Job, ...]:
    with company.open_work(ADA) as work:
        return work.commit(
            work.external_jobs.claim(
                topics or (TOPIC,), group=group, owner=owner, lease_s=60, limit=limit
            )
        )


def extended(company: Database, job: Job, *, owner: str = "w1", attempt: int = 1) -> Job | None:
    with company.open_work(ADA) as work:
        return work.commit(
            work.external_jobs.extend(job.id, attempt=attempt, owner=owner, lease_s=300)
        )


def parts(jobs: tuple[Job, ...]) -> str:
    return "".join(job.id[-1] for job in jobs)


def test_jobs_are_leased_in_the_order_in_which_they_are_due(
    company: Database, clock: HandClock
) -> None:
    offer(company, "run_1", "a", "b", "c")
    clock.forward(1)

    first = claim(company, limit=1)
    rest = claim(company)

    assert (parts(first), parts(rest)) == ("a", "b")
    assert (first[0].attempt, first[0].lease_owner) == (1, "w1")
    assert first[0].lease_until == clock.at + timedelta(seconds=60)


def test_no_executor_claims_what_is_offered_or_is_woken_by_it(company: Database) -> None:
    offer(company)

    with company.open_work(ADA) as work:
        claimed, due = work.runs.claim(owner="w", lease_s=60, limit=9), work.runs.next_due()

    assert (claimed, due) == ((), None)


def test_other_topics_and_other_groups_are_out_of_reach(company: Database) -> None:
    offer(company)
    with company.open_work(ADA) as work:
        work.groups.add(
            Group(name=CARDS, title="", python_source=False, skops_types=(), created_at=NOON)
        )
        work.commit(None)

    assert claim(company, "other") == ()
    assert claim(company, group=CARDS) == ()
    assert len(claim(company, "other", TOPIC)) == 1


def test_nothing_is_waiting_while_all_is_leased_ended_or_not_due(
    company: Database, clock: HandClock
) -> None:
    def waiting() -> bool:
        with company.open_work.reading(ADA) as work:
            return work.external_jobs.waiting((TOPIC,), group=RISK)

    assert not waiting()
    offer(company)
    assert waiting()
    claim(company)
    assert not waiting()
    clock.forward(60)
    assert waiting()
    with company.open_work(ADA) as work:
        changes = values.stepped(work.runs.load("run_1").run)
        work.runs.write(replace(changes, run=replace(changes.run, state=RunStatus.TERMINATED)))
        work.commit(None)
    assert not waiting()


def test_a_lease_that_ended_lets_another_worker_claim_with_the_next_attempt(
    company: Database, clock: HandClock
) -> None:
    offer(company)
    [lost] = claim(company)
    clock.forward(60)

    [taken] = claim(company, owner="w2")

    assert (taken.attempt, taken.lease_owner) == (2, "w2")
    assert extended(company, lost) is None


def test_only_who_holds_an_attempt_lengthens_its_lease(company: Database, clock: HandClock) -> None:
    offer(company)
    [job] = claim(company)
    clock.forward(30)

    assert extended(company, job, owner="w2") is None
    assert extended(company, job, attempt=2) is None
    kept = extended(company, job)

    assert kept is not None
    assert kept.lease_until == clock.at + timedelta(seconds=300)


def test_an_offered_job_is_found_by_its_id_and_no_other_is(company: Database) -> None:
    offer(company)
    with company.open_work(ADA) as work:
        work.runs.add(values.heading("run_2"), values.started("run_2"))
        work.commit(None)

    with company.open_work.reading(ADA) as work:
        found = [work.external_jobs.find(key) for key in ("lcj_run_1_1", "lcj_run_2_1", "lcj_none")]

    assert [job.run_id if job else None for job in found] == ["run_1", None, None]


def test_what_is_recalled_is_the_executors_again_and_its_lease_is_over(company: Database) -> None:
    offer(company, "run_1", "a")
    offer(company, "run_2", "b", topic="kept")
    [job] = claim(company)

    with company.open_work(ADA) as work:
        recalled = work.commit(work.external_jobs.recall((TOPIC,), group=RISK))
    with company.open_work(ADA) as work:
        claimed = work.commit(work.runs.claim(owner="w", lease_s=60, limit=9))

    assert (recalled, parts(claimed)) == (1, "a")
    assert extended(company, job) is None
    assert parts(claim(company, "kept")) == "b"


def test_workers_that_claim_at_once_get_every_job_once(company: Database) -> None:
    for number in range(12):
        offer(company, f"run_{number:02}")

    claimed: list[str] = []

    def all_of(worker: int) -> None:
        while jobs := claim(company, owner=f"w{worker}", limit=2):
            claimed.extend(job.id for job in jobs)

    together(4, all_of)

    assert sorted(claimed) == sorted(f"lcj_run_{number:02}_1" for number in range(12))

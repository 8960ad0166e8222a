"""Many threads and processes at once: no job twice, no change lost, nothing half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import KeyedCall
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.events import Event, EventType, Message
from pilothouse.persistence.engine import Database
from tests.contract.persistence import values

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.ports.unit_of_work import UnitOfWork
    from tests.contract.persistence.conftest import CountingIds, HandClock

ADA = values.principal()
THREADS = 4
CHILD = Path(__file__).with_name("child.py")


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work` on so many threads that start at one moment; give what each came to."""
    barrier = threading.Barrier(count)

    def one(number: int) -> object:
        barrier.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return [f.result() for f in [pool.submit(one, n) for n in range(count)]]


def start(database: Database, jobs: int) -> set[str]:
    rows = tuple(values.run_job(part=str(n)) for n in range(jobs))
    with database.open_work(ADA) as work:
        work.runs.add(values.heading(), values.started(jobs=rows))
        work.commit(None)
    return {row.id for row in rows}


def child(url: str, order: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    return subprocess.Popen(
        [sys.executable, str(CHILD), url, order],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )


def test_threads_that_claim_get_every_job_once(company: Database) -> None:
    jobs = start(company, 60)

    def claim_all(number: int) -> list[str]:
        mine: list[str] = []
        while True:
            with company.open_work(ADA) as work:
                found = work.commit(work.runs.claim(owner=f"w{number}", lease_s=60, limit=3))
            if not found:
                return mine
            mine += [job.id for job in found]

    claimed = Counter(job for mine in together(THREADS, claim_all) for job in mine)  # type: ignore[attr-defined]
    assert claimed == Counter(jobs)


def test_processes_that_claim_get_every_job_once(company: Database, database_url: str) -> None:
    jobs = start(company, 40)
    children = [child(database_url, "claim") for _ in range(2)]
    answers = [one.communicate(input="go\n", timeout=60)[0].split() for one in children]
    assert Counter(job for answer in answers for job in answer) == Counter(jobs)
    assert [one.returncode for one in children] == [0, 0]


def test_one_of_many_that_change_one_version_wins(company: Database) -> None:
    with company.open_work.reading(ADA) as work:
        read = work.models.get("mod_1")

    def save(number: int) -> str:
        try:
            with company.open_work(ADA) as work:
                work.models.save(replace(read, use_case=str(number)))
                work.commit(None)
        except ConflictError as lost:
            return f"{lost.expected} {lost.found}"
        return "won"

    assert Counter(together(THREADS, save)) == {"won": 1, "1 2": THREADS - 1}


def test_steps_of_one_run_follow_one_another(company: Database) -> None:
    start(company, 1)

    def step(_: int) -> None:
        for _turn in range(5):
            with company.open_work(ADA) as work:
                work.runs.write(values.stepped(work.runs.load("run_1").run))
                work.commit(None)

    together(THREADS, step)
    with company.open_work.reading(ADA) as work:
        lines = work.runs.history("run_1")
        run = work.runs.load("run_1").run
    assert (run.revision, [line.sequence for line in lines]) == (
        1 + 5 * THREADS,
        list(range(1, 2 + 5 * THREADS)),
    )


@pytest.mark.postgresql
def test_a_job_of_a_run_that_is_being_stepped_is_not_claimed(
    postgresql_company: Database,
) -> None:
    start(postgresql_company, 1)
    with postgresql_company.open_work(ADA) as stepping:
        stepping.runs.load("run_1")
        with postgresql_company.open_work(ADA) as claiming:
            assert claiming.runs.claim(owner="w1", lease_s=60, limit=10) == ()


def test_a_keyed_call_made_many_times_at_once_is_made_once(company: Database) -> None:
    who = replace(ADA, call=KeyedCall(key="k1", request="r1"))

    def call(number: int) -> object:
        with company.open_work(who) as work:
            before = work.calls.answer(who)
            if before is not None:
                return before
            work.models.save(work.models.get("mod_1"))
            return work.commit({"by": number})

    answers = together(THREADS, call)
    with company.open_work.reading(ADA) as work:
        assert work.models.get("mod_1").version == 2
    assert answers == [answers[0]] * THREADS


def test_one_of_many_takes_a_message_a_lease_and_an_event(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.messages.add(
            Message(
                id="msg_1",
                group=values.RISK,
                name="finished",
                correlation_key="job_1",
                payload={},
                received_at=values.NOON,
                expires_at=values.NOON.replace(year=2030),
            )
        )
        work.outbox.publish(
            Event(
                id="evt_1",
                type=EventType.JOB_FINISHED,
                group=values.RISK,
                subject="job_1",
                payload={},
                at=values.NOON,
            )
        )
        work.commit(None)

    def take(number: int) -> tuple[bool, bool, bool]:
        with company.open_work(ADA) as work:
            return work.commit(took(work, f"w{number}"))

    answers = together(THREADS, take)
    assert [sum(column) for column in zip(*answers, strict=True)] == [1, 1, 1]


def took(work: UnitOfWork, owner: str) -> tuple[bool, bool, bool]:
    message = work.messages.take(group="risk", name="finished", correlation_key="job_1")
    events = work.outbox.claim("starter", owner=owner, lease_s=60, limit=1)
    return (
        message is not None,
        bool(events),
        work.leases.acquire("reconciler", owner=owner, lease_s=60),
    )


@pytest.mark.postgresql
def test_a_message_and_its_catch_at_one_moment_meet(postgresql_company: Database) -> None:
    """The catch looks for the message while the message looks for the catch: one of them sees the other."""
    database, looking, added = postgresql_company, threading.Event(), threading.Event()
    message = Message(
        id="msg_1",
        group=values.RISK,
        name="finished",
        correlation_key="job_1",
        payload={},
        received_at=values.NOON,
        expires_at=values.NOON.replace(year=2030),
    )

    def catch() -> bool:
        with database.open_work(ADA) as work:
            found = work.messages.take(group="risk", name="finished", correlation_key="job_1")
            looking.set()
            assert not added.wait(timeout=0.2)
            work.runs.add(values.heading(), values.started())
            return work.commit(found is not None)

    def throw() -> bool:
        assert looking.wait(timeout=30)
        with database.open_work(ADA) as work:
            work.messages.add(message)
            added.set()
            waiting = work.runs.waiting_for_message(
                group="risk", name="finished", correlation_key="job_1"
            )
            return work.commit(bool(waiting))

    with ThreadPoolExecutor(2) as pool:
        caught, thrown = pool.submit(catch), pool.submit(throw)
        assert (caught.result(timeout=60), thrown.result(timeout=60)) == (False, True)


@pytest.mark.parametrize("order", ["die-inside", "die-after"])
def test_a_writer_that_is_killed_loses_nothing_committed_and_leaves_nothing_half(
    company: Database, database_url: str, order: str
) -> None:
    start(company, 1)
    writer = child(database_url, order)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate(timeout=60)
    survived = order == "die-after"
    with company.open_work(ADA) as work:
        run = work.runs.load("run_1")
        model = work.models.find(name="child")
        audit = work.audit.page(action="child").items
        past = work.history.of("service", "child")
        work.runs.write(values.stepped(run.run))
        work.commit(None)
    assert (run.run.revision, len(audit), len(past)) == ((2, 1, 1) if survived else (1, 0, 0))
    assert (model is not None) == survived


def test_connections_are_closed_at_the_end(
    sqlite_url: str, clock: HandClock, ids: CountingIds
) -> None:
    database = Database.connect(sqlite_url, subscribers={}, clock=clock, ids=ids)

    def read(_: int) -> None:
        with database.open_work.reading(ADA) as work:
            work.models.all()

    together(THREADS, read)
    database.dispose()
    path = sqlite_url.removeprefix("sqlite:///")
    held = [
        p
        for p in Path("/proc/self/fd").iterdir()
        if p.exists() and str(p.resolve()).startswith(path)
    ]
    assert held == []

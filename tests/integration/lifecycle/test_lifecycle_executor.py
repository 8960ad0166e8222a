"""The executor: leases, fences, failures, and whoever else works at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.access import Role
from pilothouse.domain.errors import UnavailableError
from pilothouse.domain.ids import GroupName, ServiceTag
from pilothouse.domain.tasks import TaskEndedError
from pilothouse.lifecycle.errors import LeaseLostError
from pilothouse.lifecycle.executor import Executor
from pilothouse.lifecycle.holding import Holding
from pilothouse.lifecycle.library import Library
from pilothouse.lifecycle.moving import Moving
from pilothouse.lifecycle.tasks.contract import BusinessError, Done, Later
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import asks, one_task, waits_for_message
from tests.integration.lifecycle.house import ONLINE, OPAL, RISK, VERA, VIC, Killed, person
from tests.integration.lifecycle.test_lifecycle_runs import paid

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.bpmn.state import Incident
    from pilothouse.domain.access import Principal
    from pilothouse.lifecycle.tasks.contract import Outcome, TaskContext
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

FOREIGN = """
from pilothouse.lifecycle.tasks.contract import Done, TaskType

def build(facilities):
    return TaskType(topic="greet", parameters={}, handle=lambda context: Done(variables={"greeting": "hello"}))
"""


def started(house: House, xml: bytes) -> RunView:
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    return house.plane.runs.start(OPAL, StartRun(definition="small", service=ONLINE))


def probed(house: House, handle: object, *, retries: int = 1) -> RunView:
    house.plane.works_on("probe", handle)  # type: ignore[arg-type]
    return started(house, one_task("probe", retries=retries))


def state(house: House, run: RunView) -> RunStatus:
    return house.plane.runs.get(SYSTEM, run_id=run.heading.run_id).state


def incident(house: House) -> Incident:
    [found] = house.plane.runs.incidents(SYSTEM)
    return found


def test_what_a_handler_gives_becomes_variables_of_the_run(house: House) -> None:
    run = probed(house, lambda _: Done(variables={"answer": 42}))

    house.plane.worker.run_once()

    last = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)[-1]
    assert last.data["variables"]["answer"] == 42  # type: ignore[index]


def test_a_handler_that_says_later_is_asked_again_then(house: House) -> None:
    asked: list[int] = []

    def handle(context: TaskContext) -> Outcome:
        asked.append(context.job.attempt)
        return Later(after_s=10.0) if len(asked) < 2 else Done()

    run = probed(house, handle)
    house.plane.worker.run_once()
    house.clock.advance(timedelta(seconds=9))
    house.plane.worker.run_once()
    assert len(asked) == 1

    house.clock.advance(timedelta(seconds=1))
    house.plane.worker.run_once()

    assert state(house, run) is RunStatus.COMPLETED


def test_a_handler_that_crashes_costs_a_retry_and_then_is_an_incident(house: House) -> None:
    def handle(context: TaskContext) -> Outcome:
        raise ZeroDivisionError("by nothing")

    probed(house, handle, retries=2)
    house.plane.worker.run_once()
    assert house.plane.runs.incidents(SYSTEM) == ()
    house.clock.advance(timedelta(seconds=2))

    house.plane.worker.run_once()

    assert (incident(house).code, incident(house).message) == (
        "task-crashed",
        "ZeroDivisionError: by nothing",
    )


def test_what_cannot_be_kept_as_a_variable_is_the_handlers_failure(house: House) -> None:
    probed(house, lambda _: Done(variables={"self": object()}))

    house.plane.worker.run_once()

    assert incident(house).code == "variable-invalid"


def test_a_business_error_that_nothing_catches_is_an_incident(house: House) -> None:
    probed(house, lambda _: BusinessError(code="no-luck", message="It was not to be."))

    house.plane.worker.run_once()

    assert (incident(house).code, incident(house).message) == ("no-luck", "It was not to be.")


def test_what_is_away_for_a_moment_costs_nothing_and_for_long_is_an_incident(house: House) -> None:
    def handle(context: TaskContext) -> Outcome:
        raise UnavailableError("The moon is down. Wait.")

    probed(house, handle)
    for _ in range(23):
        house.plane.worker.run_once()
        house.clock.advance(timedelta(seconds=5))
    assert house.plane.runs.incidents(SYSTEM) == ()

    for _ in range(3):
        house.plane.worker.run_once()
        house.clock.advance(timedelta(seconds=5))

    assert incident(house).code == "unavailable"


def test_a_topic_whose_package_is_gone_is_an_incident(house: House) -> None:
    probed(house, lambda _: Done())
    del house.plane.types._built["probe"]

    house.plane.worker.run_once()

    assert incident(house).code == "topic-unknown"


def test_a_run_reaches_no_other_groups_service(house: House) -> None:
    xml = one_task("deploy", stage="DEV", service=ONLINE, snapshot="fraud-gbm@1")
    other = person("sam", Role.OPERATOR, group=GroupName("cards"))
    house.plane.definitions.upload(other, group="cards", xml=xml)
    with house.database.open_work(SYSTEM) as work:
        model = work.models.get("mod_1")
        ours = work.services.get(ONLINE)
        work.services.add(replace(ours, group=GroupName("cards"), tag=ServiceTag("cards-own")))
        work.commit(model)
    house.plane.runs.start(other, StartRun(definition="small", service="cards-own"))

    house.plane.worker.run_once()

    assert incident(house).code == "service-of-another-group"


def test_a_worker_that_lost_its_lease_reports_in_vain(house: House) -> None:
    slow, quick = house.plane, house.built(house.database.open_work, "worker-2")
    calls: list[str] = []

    def while_it_is_overtaken(context: TaskContext) -> Outcome:
        calls.append("slow")
        house.clock.advance(timedelta(seconds=11))
        quick.worker.run_once()
        return Done(variables={"by": "slow"})

    def overtaking(context: TaskContext) -> Outcome:
        calls.append("quick")
        return Done(variables={"by": "quick"})

    quick.works_on("probe", overtaking)
    run = probed(house, while_it_is_overtaken)

    slow.worker.run_once()

    last = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)[-1]
    assert calls == ["slow", "quick"]
    assert last.data["variables"]["by"] == "quick"  # type: ignore[index]


def test_a_worker_that_lost_its_lease_begins_nothing_new(house: House) -> None:
    quick = house.built(house.database.open_work, "worker-2")
    begun: list[str] = []

    def begin(who: Principal) -> bool:
        begun.append(who.name)
        return True

    def late(context: TaskContext) -> Outcome:
        house.clock.advance(timedelta(seconds=11))
        quick.worker.run_once()
        context.once("late", bool, begin)
        return Done()

    quick.works_on("probe", lambda _: Later(after_s=60.0))
    probed(house, late)

    house.plane.worker.run_once()

    assert begun == []


def test_a_lease_that_another_worker_has_cannot_be_confirmed(house: House) -> None:
    probed(house, lambda _: Done())
    holding = Holding(open_work=house.database.open_work, who=SYSTEM, owner="one", lease_s=1.0)
    with house.database.open_work(SYSTEM) as work:
        [job] = work.commit(holding.claim(work, limit=1))
    house.clock.advance(timedelta(seconds=2))
    with house.database.open_work(SYSTEM) as work:
        work.commit(work.runs.claim(owner="two", lease_s=1.0, limit=1))

    with pytest.raises(LeaseLostError) as lost:
        holding.confirm(job)

    assert (lost.value.job_id, lost.value.attempt) == (job.id, 1)


def test_the_lease_of_a_job_is_lengthened_while_its_handler_works(house: House) -> None:
    leases: list[bool] = []

    def until_lengthened(context: TaskContext) -> Outcome:
        house.clock.advance(timedelta(seconds=9))
        for _ in range(20_000):
            with house.database.open_work.reading(SYSTEM) as work:
                held = work.runs.load(context.job.run_id).jobs[context.job.id]
            if held.lease_until != context.job.lease_until:
                leases.append(True)
                return Done()
        return Done()

    probed(house, until_lengthened)
    executor = Executor(
        facilities=house.plane.facilities,
        task_types=house.plane.types,
        moving=Moving(library=Library(), own_topics=house.plane.types.topics),
        who=SYSTEM,
        owner="beating",
        lease_s=1.0,
    )

    executor.run_once()

    assert leases == [True]


def test_a_task_type_of_a_foreign_package_is_found_and_works(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "foreign-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pilothouse.task_types]\ngreet = foreign_greet:build\n")
    (tmp_path / "foreign_greet.py").write_text(FOREIGN)
    monkeypatch.syspath_prepend(str(tmp_path))
    house.plane = house.built(house.database.open_work)

    run = started(house, one_task("greet"))
    house.plane.worker.run_once()

    assert state(house, run) is RunStatus.COMPLETED


def test_many_workers_do_each_job_once(any_house: House) -> None:
    house, done = any_house, list[str]()

    def handle(context: TaskContext) -> Outcome:
        done.append(context.job.id)
        return Done()

    planes = [house.built(house.database.open_work, f"worker-{n}") for n in range(4)]
    for plane in (house.plane, *planes):
        plane.works_on("probe", handle)
    house.plane.definitions.upload(OPAL, group=RISK, xml=one_task("probe"))
    for _ in range(12):
        house.plane.runs.start(OPAL, StartRun(definition="small", service=ONLINE))

    with ThreadPoolExecutor(len(planes)) as threads:
        list(threads.map(lambda plane: plane.worker.run_once(), planes))
    house.plane.worker.run_once()

    assert (len(done), len(set(done))) == (12, 12)
    assert {r.state for r in house.plane.runs.page(SYSTEM).items} == {RunStatus.COMPLETED}


def test_of_two_people_who_answer_at_once_one_wins(any_house: House) -> None:
    house, barrier = any_house, threading.Barrier(2)
    [task] = started(house, asks('candidateGroups="validator"')).tasks

    def answer(name: str) -> str:
        barrier.wait()
        try:
            who = {"vera": VERA, "vic": VIC}[name]
            return str(house.plane.tasks.complete(who, task_id=task.id, answers={}).ended_by)
        except TaskEndedError as error:
            return error.code

    with ThreadPoolExecutor(2) as threads:
        said = list(threads.map(answer, ("vera", "vic")))

    assert sorted(said)[1] == "task-ended"
    assert len(house.audited("complete", "task")) == 1


def test_a_message_and_its_catch_that_come_at_once_find_each_other(any_house: House) -> None:
    house = any_house
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_message())

    for number in range(10):
        barrier, order = threading.Barrier(2), f"A-{number}"

        def send(
            order: str = order, number: int = number, barrier: threading.Barrier = barrier
        ) -> None:
            barrier.wait()
            house.plane.messages.publish(OPAL, paid(number, order))

        def catch(order: str = order, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            wanted = StartRun(definition="small", service=ONLINE, variables={"order": order})
            house.plane.runs.start(OPAL, wanted)

        with ThreadPoolExecutor(2) as threads:
            for end in (threads.submit(send), threads.submit(catch)):
                end.result()

    states = [r.state for r in house.plane.runs.page(SYSTEM).items]
    assert states == [RunStatus.COMPLETED] * 10


def test_a_killed_worker_leaves_its_job_to_the_next_one(house: House) -> None:
    deaths: list[str] = []

    def handle(context: TaskContext) -> Outcome:
        if not deaths:
            deaths.append(context.job.id)
            raise Killed
        return Done()

    run = probed(house, handle)
    with pytest.raises(Killed):
        house.plane.worker.run_once()
    house.plane.worker.run_once()
    assert state(house, run) is RunStatus.ACTIVE

    house.clock.advance(timedelta(seconds=11))
    house.plane.worker.run_once()

    assert state(house, run) is RunStatus.COMPLETED

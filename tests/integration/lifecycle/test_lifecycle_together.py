"""Many jobs at once: reported in one unit of work, and none of them the worse for its neighbours."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, cast

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import RunStatus
from pilothouse.lifecycle.tasks.contract import Done
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import ORDERED_MESSAGE, drawing, one_task, service
from tests.integration.lifecycle.house import ONLINE, OPAL, RISK, MortalWork
from tests.integration.lifecycle.test_lifecycle_runs import paid

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.lifecycle.tasks.contract import Outcome, TaskContext
    from tests.integration.lifecycle.house import House, Plane

WAIT_S = 20.0


def start(house: House, xml: bytes, *, runs: int) -> list[str]:
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    wanted = StartRun(definition="small", service=ONLINE)
    return [house.plane.runs.start(OPAL, wanted).heading.run_id for _ in range(runs)]


def states(house: House) -> list[RunStatus]:
    return [run.state for run in house.plane.runs.page(SYSTEM).items]


def warmed_up(house: House, plane: Plane) -> None:
    """Let a worker find out that its tasks are quick, so that it claims many jobs."""
    start(house, one_task("probe"), runs=8)
    while plane.executor.run_once():
        pass


def noting(done: list[str]) -> Callable[[TaskContext], Outcome]:
    def handle(context: TaskContext) -> Outcome:
        done.append(context.job.run_id)
        return Done()

    return handle


def parallel(branches: int) -> bytes:
    names = [f"task-{number}" for number in range(branches)]
    gates = '<parallelGateway id="fork"/><parallelGateway id="join"/>'
    tasks = "".join(service(name, "probe") for name in names)
    body = f'<startEvent id="start"/>{gates}{tasks}<endEvent id="end"/>'
    flows = ["start>fork", "join>end"]
    flows += [flow for name in names for flow in (f"fork>{name}", f"{name}>join")]
    return drawing(body, " ".join(flows))


def test_quick_jobs_of_many_runs_cost_few_commits(any_house: House) -> None:
    house = any_house
    life = MortalWork(house.database.open_work)
    plane = house.built(life, "counted")
    plane.works_on("probe", lambda _: Done())
    house.plane.works_on("probe", lambda _: Done())
    warmed_up(house, plane)
    start(house, one_task("probe"), runs=32)
    life.commits = 0

    while plane.executor.run_once():
        pass

    assert states(house) == [RunStatus.COMPLETED] * 40
    assert life.commits <= 8


def test_parallel_branches_that_end_together_join_once(any_house: House) -> None:
    house = any_house
    house.plane.works_on("probe", lambda _: Done())
    warmed_up(house, house.plane)
    [run_id] = start(house, parallel(7), runs=1)

    while house.plane.executor.run_once():
        pass

    history = house.plane.runs.history(SYSTEM, run_id=run_id)
    completed = [line.element for line in history if line.event is HistoryEvent.COMPLETED]
    assert sorted(str(name) for name in completed) == [f"task-{number}" for number in range(7)]
    assert [line.sequence for line in history] == list(range(1, len(history) + 1))
    assert house.plane.runs.get(SYSTEM, run_id=run_id).state is RunStatus.COMPLETED


def test_what_one_run_cannot_take_holds_up_no_other(house: House) -> None:
    seen: list[str] = []

    def handle(context: TaskContext) -> Outcome:
        seen.append(context.job.run_id)
        return Done(variables={"self": object()} if context.job.run_id == bad[0] else {})

    bad = [""]
    house.plane.works_on("probe", handle)
    warmed_up(house, house.plane)
    bad[0] = start(house, one_task("probe"), runs=6)[2]

    while house.plane.executor.run_once():
        pass

    assert sorted(states(house)) == [RunStatus.ACTIVE, *[RunStatus.COMPLETED] * 13]
    [incident] = house.plane.runs.incidents(SYSTEM)
    assert (incident.run_id, incident.code) == (bad[0], "variable-invalid")


def test_jobs_behind_a_slow_one_go_to_whoever_is_free(house: House) -> None:
    begun, others_done = threading.Event(), threading.Event()
    quick = house.built(house.database.open_work, "quick")
    done: list[str] = []

    def slow(context: TaskContext) -> Outcome:
        if context.job.run_id == first[0]:
            begun.set()
            assert others_done.wait(WAIT_S), "the other jobs were not given back"
        return Done()

    first = [""]
    house.plane.works_on("probe", slow)
    quick.works_on("probe", noting(done))
    warmed_up(house, house.plane)
    runs = start(house, one_task("probe"), runs=4)
    first[0] = runs[0]
    thread = threading.Thread(target=house.plane.executor.run_once)
    thread.start()
    assert begun.wait(WAIT_S)
    while len(done) < 3:
        quick.executor.run_once()
    others_done.set()
    thread.join(WAIT_S)

    assert sorted(done) == sorted(runs[1:])
    assert set(states(house)) == {RunStatus.COMPLETED}


def test_a_worker_that_ends_gives_back_what_it_has_not_begun(house: House) -> None:
    done: list[str] = []
    house.plane.works_on("probe", lambda _: Done())
    other = house.built(house.database.open_work, "other")
    other.works_on("probe", noting(done))
    runs = start(house, one_task("probe"), runs=3)
    house.plane.executor.run_once()  # one is done, and two more are claimed

    house.plane.executor.give_back()
    while other.executor.run_once():
        pass

    assert sorted(done) == sorted(runs[1:])


def test_a_job_whose_lease_is_over_before_its_turn_is_left_to_its_new_worker(house: House) -> None:
    other = house.built(house.database.open_work, "other")
    own, others = list[str](), list[str]()

    def late(context: TaskContext) -> Outcome:
        own.append(context.job.run_id)
        if context.job.run_id == first[0]:
            house.clock.advance(timedelta(seconds=11))
            while other.executor.run_once():
                pass
        return Done()

    first = [""]
    house.plane.works_on("probe", late)
    other.works_on("probe", noting(others))
    warmed_up(house, house.plane)
    runs = start(house, one_task("probe"), runs=3)
    first[0] = runs[0]
    own.clear()

    while house.plane.executor.run_once():
        pass

    assert own == [runs[0]]
    assert sorted(others) == sorted(runs)
    assert set(states(house)) == {RunStatus.COMPLETED}


def test_steps_that_begin_to_listen_take_the_messages_that_came_before(any_house: House) -> None:
    house = any_house
    catch = '<receiveTask id="wait" messageRef="paid"/>'
    body = f'<startEvent id="start"/>{service("task", "probe")}{catch}<endEvent id="end"/>'
    xml = drawing(body, "start>task task>wait wait>end", declared=ORDERED_MESSAGE)
    house.plane.works_on("probe", lambda _: Done())
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    for number in range(3):
        given = {"order": f"A-{number}"}
        wanted = StartRun(definition="small", service=ONLINE, variables=given)
        house.plane.runs.start(OPAL, wanted)
        house.plane.messages.publish(OPAL, paid(number, f"A-{number}"))

    while house.plane.executor.run_once():
        pass

    assert states(house) == [RunStatus.COMPLETED] * 3


def test_a_handler_that_changes_its_inputs_changes_nothing_of_the_run(any_house: House) -> None:
    house = any_house
    seen: list[object] = []

    def careless(context: TaskContext) -> Outcome:
        limits = cast("dict[str, list[int]]", context.job.inputs["limits"])
        seen.append([*limits["low"]])
        limits["low"].append(9)
        cast("dict[str, object]", context.job.inputs)["more"] = True
        return Done()

    names = [f"task-{number}" for number in range(4)]
    body = (
        f'<startEvent id="start"/>{"".join(service(n, "probe") for n in names)}<endEvent id="end"/>'
    )
    flows = " ".join(f"{a}>{b}" for a, b in pairwise(["start", *names, "end"]))
    house.plane.works_on("probe", careless)
    house.plane.definitions.upload(OPAL, group=RISK, xml=drawing(body, flows))
    given = {"limits": {"low": [1]}}
    wanted = StartRun(definition="small", service=ONLINE, variables=given)
    run_id = house.plane.runs.start(OPAL, wanted).heading.run_id

    while house.plane.executor.run_once():
        pass

    last = house.plane.runs.history(SYSTEM, run_id=run_id)[-1]
    variables = cast("dict[str, object]", last.data["variables"])
    assert seen == [[1]] * 4
    assert (variables["limits"], "more" in variables) == ({"low": [1]}, False)

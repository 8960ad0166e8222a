"""The task type start-life-cycle: one life cycle as a step of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.state import RunStatus
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import asking, drawing, service, waits_for_signal
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, RISK, Killed, MortalWork
from tests.integration.lifecycle.reaching import catching, incident, start

if TYPE_CHECKING:
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

INPUTS = {"definition": "inner"}


def inner(house: House, xml: bytes) -> None:
    """Upload a drawing with the key ``inner``."""
    renamed = xml.replace(b'process id="small"', b'process id="inner"')
    house.plane.definitions.upload(OPAL, group=RISK, xml=renamed)


def answering(value: str) -> bytes:
    """Draw a process that maps a result to the variable `answer`."""
    output = (
        '<extensionElements><zeebe:taskDefinition type="notify"/><zeebe:ioMapping>'
        '<zeebe:input source="said" target="subject"/>'
        f"<zeebe:output source='{value}' target='answer'/></zeebe:ioMapping></extensionElements>"
    )
    body = (
        f'<startEvent id="start"/><serviceTask id="say">{output}</serviceTask><endEvent id="end"/>'
    )
    return drawing(body, "start>say say>end")


def failing(code: str) -> bytes:
    body = '<startEvent id="start"/><endEvent id="end"><errorEventDefinition errorRef="wrong"/></endEvent>'
    declared = f'<error id="wrong" name="wrong" errorCode="{code}"/>'
    return drawing(body, "start>end", declared=declared)


def runs(house: House) -> dict[str, RunView]:
    """Give the runs by the keys of their definitions."""
    found = house.plane.runs.page(SYSTEM).items
    return {
        r.heading.definition_key: house.plane.runs.get(SYSTEM, run_id=r.heading.run_id)
        for r in found
    }


def until_ended(house: House, key: str = "small") -> RunView:
    house.until(lambda: runs(house)[key].ended_at is not None)
    return runs(house)[key]


def given(house: House) -> object:
    run = until_ended(house)
    variables = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)[-1].data["variables"]
    assert isinstance(variables, dict)
    return variables["life_cycle"]


def test_a_run_begins_with_its_variables_and_gives_back_what_it_has_at_its_end(
    house: House,
) -> None:
    inner(house, answering("=order + 1"))
    start(house, asking("start-life-cycle", {**INPUTS, "variables": "={order: 7}"}))

    found = given(house)

    assert isinstance(found, dict)
    child = runs(house)["inner"]
    assert (found["id"], found["outcome"]) == (child.heading.run_id, "end")
    assert found["variables"]["answer"] == 8
    last = house.plane.runs.history(SYSTEM, run_id=child.heading.run_id)[-1].data["variables"]
    assert isinstance(last, dict)
    assert last["parent_runs"] == [runs(house)["small"].heading.run_id]


def test_a_run_is_about_the_same_snapshot_and_service(house: House) -> None:
    inner(house, answering('="yes"'))
    house.plane.definitions.upload(OPAL, group=RISK, xml=asking("start-life-cycle", INPUTS))
    wanted = StartRun(definition="small", service=ONLINE, snapshot=f"{MODEL}@1")
    house.plane.runs.start(OPAL, wanted)

    until_ended(house)

    heading = runs(house)["inner"].heading
    assert (heading.snapshot, heading.service, heading.group) == (f"{MODEL}@1", ONLINE, RISK)


def test_the_task_lasts_as_long_as_the_run(house: House) -> None:
    inner(house, waits_for_signal())
    start(house, asking("start-life-cycle", INPUTS))
    house.until(lambda: "inner" in runs(house))
    for _ in range(5):
        house.turn()
    assert runs(house)["small"].ended_at is None

    house.plane.messages.signal(OPAL, group=RISK, name="called", variables={})

    assert until_ended(house).state is RunStatus.COMPLETED


def test_without_a_wait_the_task_is_done_at_once(house: House) -> None:
    inner(house, waits_for_signal())
    start(house, asking("start-life-cycle", {**INPUTS, "wait": "=false"}))

    until_ended(house)

    assert runs(house)["inner"].state is RunStatus.ACTIVE


def test_an_error_of_the_run_is_the_business_error_of_its_code(house: House) -> None:
    inner(house, failing("too-risky"))
    start(house, catching("start-life-cycle", "too-risky", **INPUTS))

    assert until_ended(house).outcome == "caught"


def test_a_cancelled_run_is_a_business_error(house: House) -> None:
    inner(house, waits_for_signal())
    start(house, catching("start-life-cycle", "life-cycle-cancelled", **INPUTS))
    house.until(lambda: "inner" in runs(house))
    child = runs(house)["inner"].heading.run_id

    house.plane.runs.cancel(OPAL, run_id=child, reason="enough")

    assert until_ended(house).outcome == "caught"


@pytest.mark.parametrize(("commit", "after"), [(3, False), (3, True)])
def test_a_worker_that_is_killed_starts_one_run(house: House, commit: int, after: bool) -> None:
    inner(house, answering('="yes"'))
    start(house, asking("start-life-cycle", INPUTS))
    mortal = MortalWork(house.database.open_work)
    dying = house.built(mortal, owner="worker-2")
    mortal.die_at, mortal.die_after_commit = commit, after
    with pytest.raises(Killed):
        dying.executor.run_once()

    until_ended(house)

    assert len(house.plane.runs.page(SYSTEM).items) == 2


def test_a_life_cycle_that_starts_itself_ends_in_an_incident(house: House) -> None:
    start(house, asking("start-life-cycle", {"definition": "small"}))

    found = incident(house)

    assert (found.code, len(house.plane.runs.page(SYSTEM).items)) == ("runs-nested-too-deep", 10)


def test_a_life_cycle_that_forgets_its_parents_starts_itself_no_oftener(house: House) -> None:
    forgetting = (
        '<serviceTask id="forget"><extensionElements><zeebe:taskDefinition type="notify"/><zeebe:ioMapping>'
        '<zeebe:input source="said" target="subject"/><zeebe:output source="=[]" target="parent_runs"/>'
        "</zeebe:ioMapping></extensionElements></serviceTask>"
    )
    again = service("again", "start-life-cycle", definition="small")
    body = f'<startEvent id="start"/>{forgetting}{again}<endEvent id="end"/>'
    start(house, drawing(body, "start>forget forget>again again>end"))

    found = incident(house)

    assert (found.code, len(house.plane.runs.page(SYSTEM).items)) == ("runs-nested-too-deep", 10)


def test_a_life_cycle_that_nobody_uploaded_is_an_incident(house: House) -> None:
    start(house, asking("start-life-cycle", {"definition": "nobody"}))

    assert incident(house).code == "not-found"


def test_a_reserved_variable_is_not_given_to_a_run(house: House) -> None:
    inner(house, answering('="yes"'))
    variables = '={group: "cards"}'
    start(house, asking("start-life-cycle", {**INPUTS, "variables": variables}))

    assert incident(house).code == "variable-reserved"


def calling(attributes: str = "") -> bytes:
    """Draw a process whose call activity calls the life cycle ``inner``."""
    call = (
        f'<callActivity id="call"><extensionElements><zeebe:calledElement processId="inner" {attributes}/>'
        "</extensionElements></callActivity>"
    )
    body = f'<startEvent id="start"/>{call}<endEvent id="end"/>'
    return drawing(body, "start>call call>end")


def test_a_call_activity_passes_all_variables_on_and_takes_all_results(house: House) -> None:
    inner(house, answering("=order + 1"))
    house.plane.definitions.upload(OPAL, group=RISK, xml=calling())
    wanted = StartRun(
        definition="small", snapshot=f"{MODEL}@1", service=ONLINE, variables={"order": 7}
    )
    house.plane.runs.start(OPAL, wanted)

    ended = until_ended(house)

    assert ended.state is RunStatus.COMPLETED
    history = house.plane.runs.history(SYSTEM, run_id=ended.heading.run_id)
    variables = history[-1].data["variables"]
    assert isinstance(variables, dict)
    assert (variables["answer"], variables["order"]) == (8, 7)
    assert "parent_runs" not in variables
    assert runs(house)["inner"].heading.snapshot == f"{MODEL}@1"
